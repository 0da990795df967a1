/** Bounds of a size or a cost. Sums and products stay below 2^64, as in cel-go. */
export interface Range {
  min: number;
  max: number;
}

export const MAX_COST = 2 ** 64;

export const UNKNOWN: Range = { min: 0, max: MAX_COST };

export function fixed(n: number): Range {
  return { min: n, max: n };
}

export function add(...ranges: Range[]): Range {
  return ranges.reduce(
    (sum, r) => ({ min: Math.min(MAX_COST, sum.min + r.min), max: Math.min(MAX_COST, sum.max + r.max) }),
    { min: 0, max: 0 },
  );
}

export function multiply(a: Range, b: Range): Range {
  return { min: Math.min(MAX_COST, a.min * b.min), max: Math.min(MAX_COST, a.max * b.max) };
}

/** Multiplied by a factor and rounded up. */
export function scale(r: Range, factor: number): Range {
  const by = (n: number) => Math.min(MAX_COST, Math.ceil(n * factor));
  return { min: by(r.min), max: by(r.max) };
}

export function union(a: Range, b: Range): Range {
  return { min: Math.min(a.min, b.min), max: Math.max(a.max, b.max) };
}
