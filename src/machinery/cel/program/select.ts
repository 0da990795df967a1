import { CelMap, isPlainObject, LazyObject, listIndex, mapGet, Optional } from '../values/containers.js';
import { CelError } from '../values/error.js';

/** Turns data of a declared type into values: whole numbers into doubles, text into timestamps, and so on. */
export type Convert = (value: unknown) => unknown;

/** How the values of a container are read. */
export interface Access {
  convert?: Convert | undefined;
  /** Fields of objects that are null count as not there; elements of maps and lists, and computed fields, do not. */
  nullIsAbsent: boolean;
}

/** The value of a key or index; undefined when there is none. */
function find(container: unknown, key: unknown): unknown {
  if (Array.isArray(container)) {
    const index = listIndex(key);
    return index >= 0 && index < container.length ? container[index] : undefined;
  }
  if (isPlainObject(container) || container instanceof CelMap) return mapGet(container, key);
  if (container instanceof LazyObject && typeof key === 'string') return container.field(key);
  return undefined;
}

function read(container: unknown, key: unknown, access: Access): unknown {
  const value = find(container, key);
  if (value === null && access.nullIsAbsent && !(container instanceof LazyObject)) return undefined;
  return value !== undefined && access.convert ? access.convert(value) : value;
}

/** `container[key]` and `container.key`; an optional container makes the result optional. */
export function select(container: unknown, key: unknown, access: Access): unknown {
  if (container instanceof Optional) return selectOptional(container, key, access);
  const value = read(container, key, access);
  if (value === undefined) throw missing(container, key);
  return value;
}

/** `container.?key` and `container[?key]`. */
export function selectOptional(container: unknown, key: unknown, access: Access): Optional {
  const inner = container instanceof Optional ? (container.present ? container.value : undefined) : container;
  const unset = inner instanceof LazyObject && typeof key === 'string' && !inner.has(key);
  const value = inner === undefined || unset ? undefined : read(inner, key, access);
  return value === undefined ? Optional.none : Optional.of(value);
}

/** has(container.key). */
export function has(container: unknown, key: string, access: Access): boolean {
  const inner = container instanceof Optional ? (container.present ? container.value : undefined) : container;
  if (inner instanceof LazyObject) return inner.has(key);
  const value = inner === undefined ? undefined : find(inner, key);
  return value !== undefined && !(value === null && access.nullIsAbsent);
}

function missing(container: unknown, key: unknown): CelError {
  return new CelError(`${Array.isArray(container) ? 'index out of bounds' : 'no such key'}: ${keyText(key)}`);
}

function keyText(key: unknown): string {
  if (key !== null && typeof key === 'object' && 'value' in key) return String(key.value);
  return String(key);
}
