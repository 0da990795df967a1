import type { DeclType } from '../types/decl-type.js';
import { equals } from '../values/compare.js';
import { isPlainObject } from '../values/containers.js';

/** Equality that knows the schema of the left side: lists that are sets or maps are compared without order. */
export function equalsAs(decl: DeclType, a: unknown, b: unknown): boolean {
  if (Array.isArray(a) && Array.isArray(b) && decl.element) {
    const { element } = decl;
    if (a.length !== b.length) return false;
    if (decl.listType === undefined) return a.every((value, i) => equalsAs(element, value, b[i]));
    const byKey = new Map(a.map((value) => [listKey(decl, value), value]));
    return b.every((value) => {
      const key = listKey(decl, value);
      return byKey.has(key) && equalsAs(element, byKey.get(key), value);
    });
  }
  if (isPlainObject(a) && isPlainObject(b) && (decl.fields || decl.element)) {
    const keys = Object.keys(a);
    if (keys.length !== Object.keys(b).length) return false;
    return keys.every((key) => {
      if (!Object.hasOwn(b, key)) return false;
      const inner = decl.element ?? fieldByName(decl, key);
      return inner ? equalsAs(inner, a[key], b[key]) : equals(a[key], b[key]);
    });
  }
  return equals(a, b);
}

/** Whether equality of values of this type differs from plain equality. */
export function hasOwnEquality(decl: DeclType | undefined, seen = new Set<DeclType>()): boolean {
  if (!decl || seen.has(decl)) return false;
  seen.add(decl);
  if (decl.listType) return true;
  if (decl.element && hasOwnEquality(decl.element, seen)) return true;
  return decl.fields !== undefined && [...decl.fields.values()].some((f) => hasOwnEquality(f.decl, seen));
}

function fieldByName(decl: DeclType, name: string): DeclType | undefined {
  const direct = decl.fields?.get(name);
  if (direct?.name === name) return direct.decl;
  for (const field of decl.fields?.values() ?? []) if (field.name === name) return field.decl;
  return undefined;
}

/** What tells an element of a set or map list apart, as a key of a Map. */
function listKey(decl: DeclType, element: unknown): unknown {
  const key = decl.listMapKeys?.map((name) => (isPlainObject(element) ? (element[name] ?? null) : null)) ?? element;
  return typeof key === 'object' && key !== null
    ? JSON.stringify(key, (_, v) => (typeof v === 'bigint' ? `${v}n` : v))
    : key;
}

/**
 * `a + b` of lists of a schema: of sets the union, of map lists `a` with the elements that have equal keys replaced by
 * those of `b`; what is new comes at the end.
 */
export function merge(decl: DeclType, a: unknown[], b: unknown[]): unknown[] {
  const result = [...a];
  const places = new Map(a.map((value, i) => [listKey(decl, value), i]));
  for (const value of b) {
    const key = listKey(decl, value);
    const place = places.get(key);
    if (place === undefined) {
      places.set(key, result.length);
      result.push(value);
    } else if (decl.listType === 'map' && place < a.length) result[place] = value;
  }
  return result;
}
