/** A number as Go's shortest %g writes it, which is what scrapers of kube-apiserver see: 1e+06, 0.005, +Inf. */
export function goFloat(value: number): string {
  if (Number.isNaN(value)) return 'NaN';
  if (!Number.isFinite(value)) return value > 0 ? '+Inf' : '-Inf';
  if (value === 0) return '0';
  const size = Math.abs(value);
  if (size >= 1e-4 && size < 1e6) return String(value);
  const [digits, exponent] = value.toExponential().split('e') as [string, string];
  const power = Math.abs(Number(exponent));
  return `${digits}e${Number(exponent) < 0 ? '-' : '+'}${power < 10 ? '0' : ''}${power}`;
}
