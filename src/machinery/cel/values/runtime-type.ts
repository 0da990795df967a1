import * as t from '../types/type.js';
import { CelMap, isMap, LazyObject, mapEntries, OpaqueValue, Optional } from './containers.js';
import { Double, isDouble, isInt, Uint } from './numbers.js';
import { Duration, Timestamp } from './time.js';

const OPTIONAL = t.opaqueType('optional_type');

/** The type of a value, as `type(x)` shows it: without element types. */
export function runtimeType(value: unknown): t.Type {
  switch (typeof value) {
    case 'boolean':
      return t.BOOL;
    case 'string':
      return t.STRING;
    case 'number':
      return Number.isSafeInteger(value) ? t.INT : t.DOUBLE;
    case 'bigint':
      return t.INT;
  }
  if (value === null) return t.NULL;
  if (Array.isArray(value)) return t.LIST;
  if (value instanceof Double) return t.DOUBLE;
  if (value instanceof Uint) return t.UINT;
  if (value instanceof Timestamp) return t.TIMESTAMP;
  if (value instanceof Duration) return t.DURATION;
  if (value instanceof Uint8Array) return t.BYTES;
  if (value instanceof t.Type) return t.TYPE;
  if (value instanceof Optional) return OPTIONAL;
  if (value instanceof CelMap) return t.MAP;
  if (value instanceof OpaqueValue) return t.opaqueType(value.typeName);
  if (value instanceof LazyObject && value.typeName) return t.objectType(value.typeName);
  return t.MAP;
}

/** Whether a value can be passed where a type is declared. Of lists and maps the first element tells. */
export function isInstance(value: unknown, type: t.Type): boolean {
  if (type.nullable && value === null) return true;
  switch (type.kind) {
    case 'dyn':
    case 'any':
    case 'param':
    case 'error':
      return true;
    case 'bool':
      return typeof value === 'boolean';
    case 'string':
      return typeof value === 'string';
    case 'int':
      return isInt(value);
    case 'null':
      return value === null;
    case 'list':
      return Array.isArray(value) && (value.length === 0 || isInstance(value[0], type.params[0] ?? t.DYN));
    case 'double':
      return isDouble(value);
    case 'uint':
      return value instanceof Uint;
    case 'timestamp':
      return value instanceof Timestamp;
    case 'duration':
      return value instanceof Duration;
    case 'bytes':
      return value instanceof Uint8Array;
    case 'type':
      return value instanceof t.Type;
    case 'map':
      return isInstanceOfMap(value, type);
    case 'opaque':
      if (type.name === 'optional_type') return value instanceof Optional;
      return value instanceof OpaqueValue && value.typeName === type.name;
    case 'struct':
      if (value instanceof OpaqueValue || (value instanceof LazyObject && value.typeName)) {
        return value.typeName === type.name;
      }
      return runtimeType(value).kind === 'map';
  }
}

function isInstanceOfMap(value: unknown, { params: [key = t.DYN, element = t.DYN] }: t.Type): boolean {
  if (runtimeType(value).kind !== 'map') return false;
  if (!isMap(value)) return true;
  const [first] = mapEntries(value);
  return first === undefined || (isInstance(first[0], key) && isInstance(first[1], element));
}
