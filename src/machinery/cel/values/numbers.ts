/**
 * Numbers of CEL over JSON values. An int is a JS number when it is a safe integer and a bigint otherwise, so that
 * the common case costs nothing; doubles and uints, which JSON objects rarely hold, are boxed.
 */
export type Int = number | bigint;

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
  return typeof value === 'number' || typeof value === 'bigint';
}

/** A JSON number as CEL sees it when no schema says otherwise: whole numbers are ints, others doubles. */
export function fromJsonNumber(value: number): number | Double {
  return Number.isSafeInteger(value) ? value : new Double(value);
}

/** Order of two numbers of any of the three kinds; NaN when one of them is NaN. */
export function compareNumbers(a: Int | Double | Uint, b: Int | Double | Uint): number {
  const x = plain(a);
  const y = plain(b);
  // JS compares number with bigint by mathematical value, which is what CEL asks for.
  if (x < y) return -1;
  if (x > y) return 1;
  // biome-ignore lint/suspicious/noDoubleEquals: == compares bigint with number by value
  return x == y ? 0 : Number.NaN;
}

export function isNumber(value: unknown): value is Int | Double | Uint {
  return typeof value === 'number' || typeof value === 'bigint' || value instanceof Double || value instanceof Uint;
}

function plain(value: Int | Double | Uint): number | bigint {
  return value instanceof Double || value instanceof Uint ? value.value : value;
}
