import { CelError } from './error.js';
import { Double, toInt, Uint } from './numbers.js';
import { runtimeType } from './runtime-type.js';

/** A value that may be there: `optional.of(x)` or `optional.none()`. */
export class Optional {
  readonly present: boolean;
  readonly #value: unknown;

  private constructor(present: boolean, value: unknown) {
    this.present = present;
    this.#value = value;
  }

  static readonly none = new Optional(false, undefined);

  static of(value: unknown): Optional {
    return new Optional(true, value);
  }

  get value(): unknown {
    if (!this.present) throw new CelError('optional.none() dereference');
    return this.#value;
  }
}

/**
 * A map with keys that are not all strings. Maps with string keys are plain objects, like those of JSON.
 * Numbers of different kinds but equal value are the same key.
 */
export class CelMap {
  readonly entries = new Map<unknown, { key: unknown; value: unknown }>();

  set(key: unknown, value: unknown): void {
    this.entries.set(mapKey(key), { key, value });
  }
  get(key: unknown): { key: unknown; value: unknown } | undefined {
    return this.entries.get(mapKey(key));
  }
}

/** Numbers by value, whatever their kind; everything else as it is. */
export function mapKey(key: unknown): unknown {
  if (key instanceof Double) return key.value;
  if (key instanceof Uint) return toInt(key.value);
  return typeof key === 'number' && Number.isInteger(key) ? toInt(BigInt(key)) : key;
}

/** Objects whose fields are only computed when they are asked for. */
export abstract class LazyObject {
  /** Name of its type, where it has one that expressions can tell. */
  readonly typeName?: string;
  /** The value of a field; undefined when there is no such field. Fails with CelError. */
  abstract field(name: string): unknown;
  /** Whether the field is set; one that is not may have a value all the same. */
  has(name: string): boolean {
    return this.field(name) !== undefined;
  }
  /** Whether it is the same value; only called with values of the same class. */
  equals(other: LazyObject): boolean {
    return this === other;
  }
}

/** Values of types that Kubernetes adds (quantities, URLs, …). */
export abstract class OpaqueValue {
  abstract readonly typeName: string;
  /** Size as costs count it. */
  get costSize(): number {
    return 1;
  }
  /** Whether it is the same value; only called with values of the same class. */
  abstract equals(other: OpaqueValue): boolean;
}

export type PlainObject = { [key: string]: unknown };

/** A map or object that is a plain JavaScript object. */
export function isPlainObject(value: unknown): value is PlainObject {
  if (typeof value !== 'object' || value === null) return false;
  const proto = Object.getPrototypeOf(value);
  return proto === null || proto === Object.prototype;
}

export function isMap(value: unknown): value is PlainObject | CelMap {
  return value instanceof CelMap || isPlainObject(value);
}

/** The value of a key, or undefined when the map does not have it. */
export function mapGet(map: PlainObject | CelMap, key: unknown): unknown {
  if (map instanceof CelMap) return map.get(key)?.value;
  return typeof key === 'string' && Object.hasOwn(map, key) ? map[key] : undefined;
}

export function mapHas(map: PlainObject | CelMap, key: unknown): boolean {
  if (map instanceof CelMap) return map.get(key) !== undefined;
  return typeof key === 'string' && Object.hasOwn(map, key);
}

export function mapSize(map: PlainObject | CelMap): number {
  return map instanceof CelMap ? map.entries.size : Object.keys(map).length;
}

export function* mapEntries(map: PlainObject | CelMap): Generator<[unknown, unknown]> {
  if (map instanceof CelMap) for (const { key, value } of map.entries.values()) yield [key, value];
  else for (const key of Object.keys(map)) yield [key, map[key]];
}

/** Builds a map; the last one of equal keys wins. */
export function makeMap(entries: Iterable<[unknown, unknown]>): PlainObject | CelMap {
  const list = [...entries];
  if (list.every(([key]) => typeof key === 'string')) {
    const object: PlainObject = Object.create(null);
    for (const [key, value] of list) object[key as string] = value;
    return object;
  }
  const map = new CelMap();
  for (const [key, value] of list) map.set(key, value);
  return map;
}

/** The index that a value (an int, or a number equal to one) means in a list. */
export function listIndex(value: unknown): number {
  if (Number.isSafeInteger(value)) return value as number;
  if (value instanceof Uint || value instanceof Double) return Number(value.value);
  if (typeof value === 'bigint') return Number(value);
  if (typeof value === 'number') throw new CelError(`unsupported index value ${value} in list`);
  throw new CelError(`unsupported index type '${runtimeType(value).name}' in list`);
}
