const RANKS = ['alpha', 'beta'];

/**
 * Order of API versions, the preferred one first: stable before beta before alpha, greater numbers first; names that
 * are no such version come last, in order of name. Source: documentation of CustomResourceDefinition versions, "Version
 * priority".
 */
export function compareVersions(a: string, b: string): number {
  const x = parse(a);
  const y = parse(b);
  if (!x || !y) return x ? -1 : y ? 1 : a < b ? -1 : a > b ? 1 : 0;
  return y.rank - x.rank || y.major - x.major || y.minor - x.minor;
}

function parse(name: string): { rank: number; major: number; minor: number } | undefined {
  const m = /^v(\d{1,15})(?:(alpha|beta)(\d{1,15}))?$/.exec(name);
  if (!m) return undefined;
  const rank = m[2] === undefined ? RANKS.length : RANKS.indexOf(m[2]);
  return { rank, major: Number(m[1]), minor: Number(m[3] ?? 0) };
}
