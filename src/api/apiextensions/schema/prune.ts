import { isJsonObject, type JsonObject, type JsonValue } from '../../../machinery/json.js';
import { additionalSchema, META_FIELDS, type Structural } from './structural.js';

/** Told of each field that is dropped, by its path: `spec.list[0].x`. */
export type UnknownField = (path: string) => void;

/**
 * Drops in place what the schema does not know. apiVersion, kind and metadata of embedded resources are left alone, and
 * so are those at the root (`schema` should be `asResource`).
 */
export function prune(value: JsonValue | undefined, schema: Structural | undefined, unknown?: UnknownField): void {
  pruneAt(value, schema, '', unknown);
}

function pruneAt(
  value: JsonValue | undefined,
  schema: Structural | undefined,
  path: string,
  unknown: UnknownField | undefined,
): void {
  if (schema?.preserveUnknown) {
    keepUnknown(value, schema, path, unknown);
  } else if (Array.isArray(value)) {
    for (const [i, item] of value.entries()) pruneAt(item, schema?.items, `${path}[${i}]`, unknown);
  } else if (isJsonObject(value)) {
    for (const name of Object.keys(value)) {
      if (schema?.embedded && META_FIELDS.has(name)) continue;
      const property = schema?.properties.get(name);
      if (property) pruneAt(value[name], property, join(path, name), unknown);
      else if (schema?.additional !== undefined)
        pruneAt(value[name], additionalSchema(schema), join(path, name), unknown);
      else {
        // At the root these three are the object's own, whatever becomes of them.
        if (path !== '' || !META_FIELDS.has(name)) unknown?.(join(path, name));
        delete value[name];
      }
    }
  }
}

/** Unknown fields stay, but what the schema does declare among them is pruned again. */
function keepUnknown(
  value: JsonValue | undefined,
  schema: Structural | undefined,
  path: string,
  unknown: UnknownField | undefined,
): void {
  if (!schema) return;
  if (Array.isArray(value)) {
    for (const [i, item] of value.entries()) keepUnknown(item, schema.items, `${path}[${i}]`, unknown);
  } else if (isJsonObject(value)) {
    for (const name of Object.keys(value)) {
      if (schema.embedded && META_FIELDS.has(name)) continue;
      const property = schema.properties.get(name);
      if (property) pruneAt(value[name], property, join(path, name), unknown);
      else if (schema.additional !== undefined)
        pruneAt(value[name], additionalSchema(schema), join(path, name), unknown);
    }
  }
}

const join = (path: string, name: string): string => (path === '' ? name : `${path}.${name}`);

/**
 * Drops in place null members where null is neither allowed nor replaced by a default: as if they were not written.
 */
export function dropNulls(value: JsonValue | undefined, schema: Structural | undefined): void {
  if (Array.isArray(value)) {
    for (const item of value) dropNulls(item, schema?.items);
  } else if (isJsonObject(value)) {
    dropNullMembers(value, schema);
  }
}

function dropNullMembers(value: JsonObject, schema: Structural | undefined): void {
  for (const name of Object.keys(value)) {
    const member = schema && (schema.properties.get(name) ?? additionalSchema(schema));
    if (value[name] === null) {
      if (member && !member.nullable && member.default === undefined) delete value[name];
    } else dropNulls(value[name], member);
  }
}
