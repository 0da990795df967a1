import { goType } from '../go-format.js';
import { isJsonObject, type JsonValue } from '../json.js';
import type { SchemaNode, Type } from '../scheme/type.js';

/**
 * Checks that a strategically patched object fits its type, with the texts that upstream has for this path: unlike other
 * bodies, the patched object is not decoded from JSON text.
 *
 * @param unknown is called for each member that the type does not declare, as `unknown field "spec.bogus"`
 * @throws Error with the text for `patchedInvalid`
 */
export function checkUnstructured(value: JsonValue, type: Type, unknown?: (text: string) => void): void {
  const found: string[] = [];
  checkStruct(value, type, '', found);
  if (unknown) for (const path of found.sort()) unknown(`unknown field "${path}"`);
}

function checkStruct(value: JsonValue, type: Type, path: string, unknown: string[]): void {
  if (!isJsonObject(value)) throw new Error(`cannot restore struct from: ${goKind(value)}`);
  for (const field of type.fields) {
    const member = Object.hasOwn(value, field.name) ? value[field.name] : undefined;
    if (member !== undefined && member !== null) check(member, field.node, below(path, field.name), unknown);
  }
  for (const key of Object.keys(value)) if (!type.field.has(key)) unknown.push(below(path, key));
}

const below = (path: string, key: string): string => (path === '' ? key : `${path}.${key}`);

function check(value: JsonValue, node: SchemaNode, path: string, unknown: string[]): void {
  switch (node.kind) {
    case 'struct':
      checkStruct(value, node.type!, path, unknown);
      break;
    case 'map':
      if (!isJsonObject(value)) throw new Error(`cannot restore map from ${goKind(value)}`);
      for (const key of Object.keys(value)) {
        const v = value[key];
        // Members of a map have the path of the map itself: upstream does not push their keys.
        if (v !== undefined && v !== null) check(v, node.values!, path, unknown);
      }
      break;
    case 'array':
      if (!Array.isArray(value)) throw new Error(`cannot restore slice from ${goKind(value)}`);
      for (const [i, v] of value.entries()) if (v !== null) check(v, node.items!, `${path}[${i}]`, unknown);
      break;
    case 'string':
      if (node.format === 'byte' && Array.isArray(value)) break;
      if (typeof value !== 'string') throw mismatch(value, node.format === 'byte' ? undefined : 'string', 'slice');
      break;
    case 'boolean':
      if (typeof value !== 'boolean') throw mismatch(value, 'bool');
      break;
    case 'integer': {
      const whole = typeof value === 'bigint' || (typeof value === 'number' && Number.isInteger(value));
      if (!whole) throw mismatch(value, node.format ?? 'int64');
      break;
    }
    case 'number':
      if (typeof value !== 'number' && typeof value !== 'bigint') throw mismatch(value, 'float64');
      break;
    case 'any':
      break;
  }
}

/** Strings, numbers and booleans convert to nothing else; lists and maps are not even looked at. */
function mismatch(value: JsonValue, scalar: string | undefined, otherwise?: string): Error {
  if (scalar === undefined) return new Error(`cannot restore ${otherwise} from ${goKind(value)}`);
  if (typeof value === 'object') return new Error(`unrecognized type: ${scalar}`);
  return new Error(`cannot convert ${goType(value)} to ${scalar}`);
}

/** reflect.Kind of a decoded JSON value. */
function goKind(value: JsonValue): string {
  if (Array.isArray(value)) return 'slice';
  return isJsonObject(value) ? 'map' : goType(value);
}
