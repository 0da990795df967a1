import { isJsonObject, type JsonObject, type JsonValue } from '../machinery/json.js';

// Reading objects in minimal form: an absent field is its Go zero value. Decoding has checked the types already, so a
// value of another type can only come from stored data of another release, and reads as absent.

const EMPTY: JsonObject = Object.freeze({});

export const str = (o: JsonObject | undefined, name: string): string => {
  const v = o?.[name];
  return typeof v === 'string' ? v : '';
};
/** An integer field; int64 beyond the safe range is rounded, which no rule can tell apart. */
export const num = (o: JsonObject | undefined, name: string): number => {
  const v = o?.[name];
  return typeof v === 'number' ? v : typeof v === 'bigint' ? Number(v) : 0;
};
export const bool = (o: JsonObject | undefined, name: string): boolean => o?.[name] === true;
/** A struct or map; empty when it is absent. Do not write to it. */
export const obj = (o: JsonObject | undefined, name: string): JsonObject => {
  const v = o?.[name];
  return isJsonObject(v) ? v : EMPTY;
};
/** A pointer to a struct. */
export const ptr = (o: JsonObject | undefined, name: string): JsonObject | undefined => {
  const v = o?.[name];
  return isJsonObject(v) ? v : undefined;
};
/** A list of structs. */
export const list = (o: JsonObject | undefined, name: string): JsonObject[] => {
  const v = o?.[name];
  return Array.isArray(v) ? (v as JsonObject[]) : [];
};
/** A list of strings. */
export const strings = (o: JsonObject | undefined, name: string): string[] => {
  const v = o?.[name];
  return Array.isArray(v) ? (v as string[]) : [];
};
/** A map of strings. */
export const stringMap = (o: JsonObject | undefined, name: string): Record<string, string> =>
  obj(o, name) as Record<string, string>;

/** The value at a path of field names, e.g. `at(pod, 'spec', 'securityContext')`. */
export function dig(o: JsonObject | undefined, ...names: string[]): JsonValue | undefined {
  let v: JsonValue | undefined = o;
  for (const name of names) v = isJsonObject(v) ? v[name] : undefined;
  return v;
}

/** Changes a struct that may be absent, and drops it again when nothing is left in it. */
export function edit(o: JsonObject, name: string, change: (part: JsonObject) => void): void {
  const part = ptr(o, name) ?? {};
  change(part);
  if (Object.values(part).some((v) => v !== undefined)) o[name] = part;
  else delete o[name];
}
