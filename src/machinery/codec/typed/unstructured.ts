import { isJsonObject, type JsonObject, type JsonValue } from '../../json.js';
import { DecodeError } from '../errors.js';
import type { Duplicates } from '../json/scanner.js';

/**
 * Takes a parsed value as an object without a built-in type: it must be a JSON object; integers beyond int64 become
 * floating-point as upstream reads them. Repeated keys are added to `strictErrors` as `duplicate field "spec.x"`. The
 * value itself is returned, changed in place.
 */
export function decodeUnstructured(value: JsonValue, duplicates?: Duplicates, strictErrors?: string[]): JsonObject {
  if (value === null) return {};
  if (!isJsonObject(value)) {
    const what = Array.isArray(value) ? 'array' : typeof value === 'boolean' ? 'bool' : typeof value;
    throw new DecodeError(`json: cannot unmarshal ${what} into Go value of type map[string]interface {}`);
  }
  if (duplicates && duplicates.size > 0 && strictErrors) noteDuplicates(value, '', duplicates, strictErrors);
  floatBeyondInt64(value);
  return value;
}

function noteDuplicates(value: JsonValue, path: string, duplicates: Duplicates, found: string[]): void {
  if (Array.isArray(value)) {
    value.forEach((e, i) => {
      noteDuplicates(e, `${path}[${i}]`, duplicates, found);
    });
  } else if (isJsonObject(value)) {
    const at = (key: string): string => (path === '' ? key : `${path}.${key}`);
    for (const { key } of duplicates.get(value) ?? []) {
      const text = `duplicate field ${JSON.stringify(at(key))}`;
      if (found.length < 100 && !found.includes(text)) found.push(text);
    }
    for (const key of Object.keys(value)) noteDuplicates(value[key]!, at(key), duplicates, found);
  }
}

function floatBeyondInt64(value: JsonObject | JsonValue[]): void {
  const entries = value as Record<string, JsonValue | undefined>;
  for (const key in entries) {
    const v = entries[key];
    if (typeof v === 'bigint') {
      if (BigInt.asIntN(64, v) !== v) entries[key] = Number(v);
    } else if (typeof v === 'object' && v !== null) floatBeyondInt64(v);
  }
}
