import { encodeUnstructured } from '../../../machinery/codec/json/encode.js';
import { duplicate, type FieldError, invalidValue, type Path } from '../../../machinery/field.js';
import { compareBytes } from '../../../machinery/go-format.js';
import { isJsonObject, type JsonObject, type JsonValue } from '../../../machinery/json.js';
import { additionalSchema, type Structural } from './structural.js';

/** Faults of lists that must be sets, or maps by their keys: each repeated item once. */
export function validateListTypes(value: JsonValue | undefined, schema: Structural, at: Path): FieldError[] {
  const errors: FieldError[] = [];
  check(value, schema, at, errors);
  return errors;
}

function check(value: JsonValue | undefined, schema: Structural, at: Path, errors: FieldError[]): void {
  if (Array.isArray(value)) {
    if (schema.listType === 'set') {
      for (const i of repeated(value)) errors.push(duplicate(at.index(i), value[i]));
    } else if (schema.listType === 'map') checkMap(value, schema, at, errors);
    if (schema.items) for (const [i, item] of value.entries()) check(item, schema.items, at.index(i), errors);
  } else if (isJsonObject(value)) {
    const others = additionalSchema(schema);
    for (const name of Object.keys(value)) {
      const property = schema.properties.get(name);
      if (property) check(value[name], property, at.child(name), errors);
      else if (others) check(value[name], others, at.key(name), errors);
    }
  }
}

function checkMap(value: readonly JsonValue[], schema: Structural, at: Path, errors: FieldError[]): void {
  const odd = value.findIndex((item) => item !== null && !isJsonObject(item));
  if (odd >= 0) {
    errors.push(invalidValue(at.index(odd), value[odd], 'must be an object for an array of list-type map'));
    return;
  }
  const keys = value.map((item) => keysOf(item, schema.listMapKeys));
  for (const i of repeated(keys)) errors.push(duplicate(at.index(i), keys[i]));
}

function keysOf(item: JsonValue, names: readonly string[]): JsonObject {
  const keys: JsonObject = {};
  if (!isJsonObject(item)) return keys;
  for (const name of [...names].sort(compareBytes)) if (Object.hasOwn(item, name)) keys[name] = item[name];
  return keys;
}

/** Where a value occurs for the second time. */
function repeated(values: readonly JsonValue[]): number[] {
  const times = new Map<string, number>();
  const found: number[] = [];
  for (const [i, value] of values.entries()) {
    const text = encodeUnstructured(value);
    const seen = (times.get(text) ?? 0) + 1;
    times.set(text, seen);
    if (seen === 2) found.push(i);
  }
  return found;
}
