/**
 * Numbers of CEL over JSON values. An int is a JS number when it is a safe integer and a bigint otherwise; a double is
 * a JS number unless it is a safe integer, and boxed then. So numbers of JSON data are what they look like, nothing
 * has to be copied, and the common case costs nothing. Uints, which JSON does not have, are always boxed.
 */
export type Int = number | bigint;

/** A double with a whole value; made by toDouble. */
export class Double {
  readonly value: number;
  constructor(value: number) {
    this.value = value;
  }
}

export class Uint {
  readonly value: bigint;
  constructor(value: bigint) {
    this.value = value;
  }
}

export const INT_MIN = -(2n ** 63n);
export const INT_MAX = 2n ** 63n - 1n;
export const UINT_MAX = 2n ** 64n - 1n;

/** The int of a bigint that is known to be in range. */
export function toInt(value: bigint): Int {
  return value >= BigInt(Number.MIN_SAFE_INTEGER) && value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : value;
}

export function inIntRange(value: bigint): boolean {
  return value >= INT_MIN && value <= INT_MAX;
}

export function isInt(value: unknown): value is Int {
  return Number.isSafeInteger(value) || typeof value === 'bigint';
}

export function toDouble(value: number): number | Double {
  return Number.isSafeInteger(value) ? new Double(value) : value;
}

export function isDouble(value: unknown): value is number | Double {
  return value instanceof Double || (typeof value === 'number' && !Number.isSafeInteger(value));
}

export function doubleValue(value: number | Double): number {
  return value instanceof Double ? value.value : value;
}

export function isNumber(value: unknown): value is Int | Double | Uint {
  return typeof value === 'number' || typeof value === 'bigint' || value instanceof Double || value instanceof Uint;
}

/**
 * Order of two numbers of any of the three kinds; NaN when one of them is NaN. Against a double, whole numbers are
 * looked at as doubles too, even where that loses digits.
 */
export function compareNumbers(a: Int | Double | Uint, b: Int | Double | Uint): number {
  if (isDouble(a) || isDouble(b)) return order(Number(plain(a)), Number(plain(b)));
  return order(plain(a), plain(b));
}

function order(a: number | bigint, b: number | bigint): number {
  if (a < b) return -1;
  if (a > b) return 1;
  // biome-ignore lint/suspicious/noDoubleEquals: == compares bigint with number by value
  return a == b ? 0 : Number.NaN;
}

function plain(value: Int | Double | Uint): number | bigint {
  return value instanceof Double || value instanceof Uint ? value.value : value;
}
