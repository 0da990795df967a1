import { cloneJson, isJsonObject, type JsonValue, setOwn } from '../../../machinery/json.js';
import { additionalSchema, type Structural } from './structural.js';

/** Fills in defaults in place. A null stands for an absent value where it is not allowed. */
export function applySchemaDefaults(value: JsonValue | undefined, schema: Structural | undefined): void {
  if (!schema) return;
  if (Array.isArray(value)) {
    const { items } = schema;
    if (!items) return;
    for (let i = 0; i < value.length; i++) {
      if (value[i] === null && !items.nullable) value[i] = cloneJson(items.default ?? null);
      applySchemaDefaults(value[i], items);
    }
  } else if (isJsonObject(value)) {
    for (const [name, property] of schema.properties) {
      if (property.default === undefined) continue;
      const found = Object.hasOwn(value, name) ? value[name] : undefined;
      if (found === undefined || (found === null && !property.nullable))
        setOwn(value, name, cloneJson(property.default));
    }
    const others = additionalSchema(schema);
    for (const name of Object.keys(value)) {
      const property = schema.properties.get(name);
      if (property) applySchemaDefaults(value[name], property);
      else if (others) {
        if (value[name] === null && !others.nullable) setOwn(value, name, cloneJson(others.default ?? null));
        applySchemaDefaults(value[name], others);
      }
    }
  }
}

/** Whether there is any default in a schema: without one objects need not be walked. */
export function hasDefaults(schema: Structural): boolean {
  if (schema.default !== undefined) return true;
  for (const property of schema.properties.values()) if (hasDefaults(property)) return true;
  const others = additionalSchema(schema);
  return (schema.items !== undefined && hasDefaults(schema.items)) || (others !== undefined && hasDefaults(others));
}
