import type { FlagSpec, FlagValue } from './pflag.js';

/** What each flag is set to, as text that pflag would print: for /flagz. */
export function flagValues(specs: readonly FlagSpec[], values: ReadonlyMap<string, FlagValue>): Record<string, string> {
  return Object.fromEntries(
    specs.map((spec) => {
      const value = values.get(spec.name);
      return [spec.name, value === undefined ? (spec.default ?? ZERO[spec.type]) : valueText(spec, value)];
    }),
  );
}

const ZERO: Readonly<Record<FlagSpec['type'], string>> = {
  string: '',
  bool: 'false',
  int: '0',
  float: '0',
  duration: '0s',
  ip: '<nil>',
  strings: '[]',
  stringArray: '[]',
  map: '',
  pair: '[]',
};

function valueText({ type }: FlagSpec, value: FlagValue): string {
  if (type === 'duration') return durationText(value as number);
  if (Array.isArray(value)) return `[${value.join(',')}]`;
  if (typeof value !== 'object') return String(value);
  const pairs = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return pairs.map(([key, text]) => `${key}=${text}`).join(',');
}

/** Milliseconds as Go prints durations: `1h0m0s`, `1.5s`, `250ms`. */
export function durationText(ms: number): string {
  if (ms < 0) return `-${durationText(-ms)}`;
  if (ms === 0) return '0s';
  if (ms < 1000) return ms < 1 ? `${Math.round(ms * 1000)}µs` : `${ms}ms`;
  const minutes = Math.floor(ms / 60_000);
  const seconds = `${Number(((ms % 60_000) / 1000).toFixed(9))}s`;
  if (minutes === 0) return seconds;
  return minutes < 60 ? `${minutes}m${seconds}` : `${Math.floor(minutes / 60)}h${minutes % 60}m${seconds}`;
}
