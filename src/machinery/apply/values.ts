import { isJsonObject, type JsonObject, type JsonValue } from '../json.js';
import { keyElement, type PathElement, valueElement } from './path-element.js';
import type { Atom, FieldAtom, ListAtom, MapAtom } from './schema.js';

/**
 * How to read an object. `written`: what the JSON holds is there, nothing else. `go`: a Go struct in minimal form:
 * fields by value are there even when the JSON leaves them out, and an empty value that Go would leave out is not.
 * `merged`: a Go struct into which something written was merged. Where both have a map, what Go would leave out is there
 * if it is written; parts that are atomic or only written are `written`; parts that are the live object's own share it.
 */
export type Form = 'written' | 'go' | 'merged';

export interface Typed {
  readonly value: JsonValue | undefined;
  readonly atom: Atom;
  readonly form: Form;
}

/** A value does not fit its schema. */
export class TypedError extends Error {}

/** The value of a declared member; undefined when it is not there. */
export function fieldValue(object: JsonObject, field: FieldAtom, form: Form): JsonValue | undefined {
  const value = field.inherited && !Object.hasOwn(object, field.name) ? undefined : object[field.name];
  if (form === 'written') return value;
  if (value === undefined) return field.zero;
  if (form === 'merged') return value;
  if (value === null) return field.zero;
  return field.zero === undefined && !field.pointer && isZero(value) ? undefined : value;
}

function isZero(value: JsonValue): boolean {
  if (typeof value !== 'object' || value === null) return value === '' || value === 0 || value === false;
  // Go leaves out empty lists and maps, never structs; a struct by value has a `zero`.
  if (Array.isArray(value)) return value.length === 0;
  for (const _ in value) return false;
  return true;
}

/** Calls `visit` for each member that is there, in order of name. */
export function eachMember(
  value: JsonObject,
  map: MapAtom,
  form: Form,
  visit: (element: PathElement, name: string, value: JsonValue, atom: Atom | undefined, declared: boolean) => void,
): void {
  if (map.sorted.length > 0) {
    for (const field of map.sorted) {
      const v = fieldValue(value, field, form);
      if (v !== undefined) visit(field.element, field.name, v, field.atom, true);
    }
    if (!map.element && form === 'go') return;
  }
  for (const name of Object.keys(value)) {
    const v = value[name];
    if (v === undefined || map.fields.has(name)) continue;
    visit(`f:${name}`, name, v, map.element, false);
  }
}

/** The path element of an item of a set or of a list with keys. */
export function itemElement(item: JsonValue, list: ListAtom, form: Form): PathElement {
  if (list.keys.length === 0) {
    if (item === null) throw new TypedError("associative list without keys has an element that's an explicit null");
    if (Array.isArray(item)) throw new TypedError('not supported: associative list with lists as elements');
    if (typeof item === 'object')
      throw new TypedError("associative list without keys has an element that's a map type");
    return valueElement(item);
  }
  if (item === null) throw new TypedError('associative list with keys may not have a null element');
  if (!isJsonObject(item)) throw new TypedError('associative list with keys may not have non-map elements');
  const keys: JsonObject = {};
  let some = false;
  for (const { name, fallback, field } of list.keyFields) {
    const value = (field ? fieldValue(item, field, form) : item[name]) ?? fallback;
    if (value === undefined) continue;
    keys[name] = value;
    some = true;
  }
  if (!some) {
    const names = list.keys.map((k) => JSON.stringify(k)).join(' ');
    throw new TypedError(
      `associative list with keys has an element that omits all key fields [${names}] (and doesn't have default values for any key fields)`,
    );
  }
  return keyElement(keys);
}

/** Deep equality of two values of one type, each read in its own form; only `b` may be `merged`. */
export function sameValue(
  a: JsonValue | undefined,
  aForm: Form,
  b: JsonValue | undefined,
  bForm: Form,
  atom: Atom | undefined,
): boolean {
  if (a === b && (aForm === bForm || typeof a !== 'object' || bForm === 'merged')) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) {
    return a === b; // a bigint is never in the range of numbers
  }
  const part = Array.isArray(b) ? atom?.list : atom?.map;
  const form = bForm === 'merged' && part?.atomic ? 'written' : bForm;
  if (Array.isArray(a) || Array.isArray(b)) {
    if (!Array.isArray(a) || !Array.isArray(b) || a.length !== b.length) return false;
    return a.every((item, i) => sameValue(item, aForm, b[i], form, atom?.list?.element));
  }
  return sameMembers(a, aForm, b, form, atom?.map);
}

function sameMembers(a: JsonObject, aForm: Form, b: JsonObject, bForm: Form, map: MapAtom | undefined): boolean {
  for (const field of map?.sorted ?? []) {
    if (!sameValue(fieldValue(a, field, aForm), aForm, fieldValue(b, field, bForm), bForm, field.atom)) return false;
  }
  const others = (o: JsonObject): string[] => Object.keys(o).filter((k) => o[k] !== undefined && !map?.fields.has(k));
  const names = others(a);
  if (names.length !== others(b).length) return false;
  return names.every((k) => Object.hasOwn(b, k) && sameValue(a[k], aForm, b[k], bForm, map?.element));
}
