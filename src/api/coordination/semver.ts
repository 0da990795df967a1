/** A version as https://semver.org (2.0.0) writes it; build metadata has no say in the order. */
export interface SemVer {
  readonly numbers: readonly [number, number, number];
  readonly pre: readonly (number | string)[];
}

const NUMBER = '(0|[1-9][0-9]*)';
const VERSION = new RegExp(
  `^${NUMBER}\\.${NUMBER}\\.${NUMBER}(?:-([0-9A-Za-z.-]+))?(?:\\+([0-9A-Za-z-]+(?:\\.[0-9A-Za-z-]+)*))?$`,
);

export function parseSemVer(text: string): SemVer | undefined {
  const parts = text.length > 256 ? null : VERSION.exec(text);
  if (!parts) return undefined;
  const pre = parts[4]?.split('.') ?? [];
  if (pre.some((p) => p === '' || /^0[0-9]+$/.test(p))) return undefined;
  return {
    numbers: [Number(parts[1]), Number(parts[2]), Number(parts[3])],
    pre: pre.map((p) => (/^[0-9]+$/.test(p) ? Number(p) : p)),
  };
}

export function isZeroVersion(v: SemVer): boolean {
  return v.pre.length === 0 && v.numbers.every((n) => n === 0);
}

export function lessThan(a: SemVer, b: SemVer): boolean {
  for (let i = 0; i < 3; i++) if (a.numbers[i] !== b.numbers[i]) return a.numbers[i]! < b.numbers[i]!;
  // A release comes after its candidates.
  if (a.pre.length === 0 || b.pre.length === 0) return a.pre.length > b.pre.length;
  for (let i = 0; i < Math.min(a.pre.length, b.pre.length); i++) {
    const [x, y] = [a.pre[i]!, b.pre[i]!];
    if (x === y) continue;
    if (typeof x !== typeof y) return typeof x === 'number';
    return x < y;
  }
  return a.pre.length < b.pre.length;
}
