import type { JsonObject, JsonValue } from '../../../machinery/json.js';

/** A claim of a verified token; undefined when it is not there. */
export function claim(claims: JsonObject, name: string): JsonValue | undefined {
  return Object.hasOwn(claims, name) ? claims[name] : undefined;
}

/** A claim that must be text. Throws with the reason as Go's decoding gives it. */
export function textClaim(claims: JsonObject, name: string): string {
  const value = claim(claims, name);
  if (value === undefined) throw new Error('claim not present');
  // null leaves a Go string as it was: empty.
  if (value === null) return '';
  if (typeof value !== 'string')
    throw new Error(`json: cannot unmarshal ${goType(value)} into Go value of type string`);
  return value;
}

export function booleanClaim(claims: JsonObject, name: string): boolean {
  const value = claim(claims, name);
  if (value === undefined) throw new Error('claim not present');
  if (value === null) return false;
  if (typeof value !== 'boolean') throw new Error(`json: cannot unmarshal ${goType(value)} into Go value of type bool`);
  return value;
}

/** One text, or a list of them. */
export function textsClaim(claims: JsonObject, name: string): string[] {
  const value = claim(claims, name);
  if (Array.isArray(value) && value.every((one) => typeof one === 'string' || one === null)) {
    return value.map((one) => (one === null ? '' : (one as string)));
  }
  if (value === null) return [];
  return [textClaim(claims, name)];
}

function goType(value: JsonValue): string {
  if (Array.isArray(value)) return 'array';
  return typeof value === 'boolean' ? 'bool' : typeof value;
}
