/** How a flag's text becomes a value; the names are those of `--help` of the Kubernetes programs. */
export type FlagType =
  | 'string'
  | 'bool'
  | 'int'
  | 'float'
  | 'duration'
  | 'ip'
  /** Comma lists, repeatable; the first use replaces the default. */
  | 'strings'
  /** Repeatable, commas are part of the value. */
  | 'stringArray'
  /** `key=value` comma lists, repeatable. */
  | 'map'
  /** `key=value`, repeatable; commas are part of both. */
  | 'pair';

export interface FlagSpec {
  /** Without the dashes. */
  readonly name: string;
  readonly type: FlagType;
  /** One letter. */
  readonly shorthand?: string;
  /** Its value when it is given without one; left out: it needs one, unless it is a bool. */
  readonly bare?: string;
  /** Its value when it is not given, as text; left out: the zero of its type. */
  readonly default?: string;
  readonly usage: string;
}

export type FlagValue = string | boolean | number | string[] | Record<string, string>;

export class FlagError extends Error {}

/** The flags that a command line set, and what is left of it. */
export interface ParsedFlags {
  readonly values: ReadonlyMap<string, FlagValue>;
  readonly args: readonly string[];
}

/**
 * Parses a command line as pflag does: `--name=value`, `--name value`, `--flag` and `--flag=false` for booleans, `-n`
 * shorthands, `--` ends flags, underscores in names count as dashes. Flags and other words may be mixed.
 *
 * @throws FlagError `unknown flag: --x`, `flag needs an argument: --x`, `invalid argument "v" for "--x" flag: …`
 */
export function parseFlags(argv: readonly string[], specs: readonly FlagSpec[]): ParsedFlags {
  const byName = new Map(specs.map((s) => [s.name, s]));
  const byLetter = new Map(specs.flatMap((s) => (s.shorthand ? [[s.shorthand, s] as const] : [])));
  const values = new Map<string, FlagValue>();
  const args: string[] = [];
  for (let i = 0; i < argv.length; i++) {
    const word = argv[i]!;
    if (word === '--') {
      args.push(...argv.slice(i + 1));
      break;
    }
    if (!word.startsWith('-') || word === '-') {
      args.push(word);
      continue;
    }
    const long = word.startsWith('--');
    const equals = word.indexOf('=');
    const raw = word.slice(long ? 2 : 1, equals < 0 ? undefined : equals);
    const spec = long ? byName.get(raw.replaceAll('_', '-')) : byLetter.get(raw);
    if (!spec)
      throw new FlagError(
        long ? `unknown flag: --${raw}` : `unknown shorthand flag: ${JSON.stringify(raw)} in ${word}`,
      );
    let text: string;
    if (equals >= 0) text = word.slice(equals + 1);
    else if (spec.type === 'bool' || spec.bare !== undefined) text = spec.bare ?? 'true';
    else {
      const next = argv[++i];
      if (next === undefined) throw new FlagError(`flag needs an argument: --${spec.name}`);
      text = next;
    }
    values.set(spec.name, convert(spec, text, values.get(spec.name)));
  }
  return { values, args };
}

function convert(spec: FlagSpec, text: string, before: FlagValue | undefined): FlagValue {
  const bad = (why: string): FlagError =>
    new FlagError(`invalid argument ${JSON.stringify(text)} for "--${spec.name}" flag: ${why}`);
  switch (spec.type) {
    case 'string':
      return text;
    case 'bool': {
      const value = parseBool(text);
      if (value === undefined) throw bad(`strconv.ParseBool: parsing ${JSON.stringify(text)}: invalid syntax`);
      return value;
    }
    case 'int':
      if (!/^[+-]?(0x[\da-f]+|\d+)$/i.test(text))
        throw bad(`strconv.ParseInt: parsing ${JSON.stringify(text)}: invalid syntax`);
      return Number(text);
    case 'float':
      if (text.trim() === '' || Number.isNaN(Number(text)))
        throw bad(`strconv.ParseFloat: parsing ${JSON.stringify(text)}: invalid syntax`);
      return Number(text);
    case 'duration': {
      const ms = parseDuration(text);
      if (ms === undefined) throw bad(`time: invalid duration ${JSON.stringify(text)}`);
      return ms;
    }
    case 'ip':
      if (!/^[\da-fA-F.:]+$/.test(text)) throw bad(`failed to parse IP: ${JSON.stringify(text)}`);
      return text;
    case 'strings':
      return [...((before as string[] | undefined) ?? []), ...(text === '' ? [] : text.split(','))];
    case 'stringArray':
      return [...((before as string[] | undefined) ?? []), text];
    case 'pair': {
      const at = text.indexOf('=');
      if (at < 0) throw bad(`${text} must be formatted as key=value`);
      return { ...(before as Record<string, string> | undefined), [text.slice(0, at)]: text.slice(at + 1) };
    }
    case 'map':
      return { ...(before as Record<string, string> | undefined), ...parseMap(text, bad) };
  }
}

function parseMap(text: string, bad: (why: string) => FlagError): Record<string, string> {
  const out: Record<string, string> = {};
  for (const pair of text.split(',')) {
    if (pair === '') continue;
    const at = pair.indexOf('=');
    if (at < 0) throw bad(`malformed pair, expect string=string`);
    out[pair.slice(0, at).trim()] = pair.slice(at + 1).trim();
  }
  return out;
}

/** Go's ParseBool. */
function parseBool(text: string): boolean | undefined {
  if (['1', 't', 'T', 'TRUE', 'true', 'True'].includes(text)) return true;
  if (['0', 'f', 'F', 'FALSE', 'false', 'False'].includes(text)) return false;
  return undefined;
}

const UNITS: Record<string, number> = { ns: 1e-6, us: 1e-3, µs: 1e-3, ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/** Go's duration text (`1h30m`, `1.5s`) in milliseconds; undefined when it is none. */
export function parseDuration(text: string): number | undefined {
  if (text === '0') return 0;
  const match = /^([+-]?)((?:\d+(?:\.\d*)?|\.\d+)(?:ns|us|µs|ms|s|m|h))+$/.exec(text);
  if (!match) return undefined;
  let ms = 0;
  for (const [, amount, unit] of text.matchAll(/(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|ms|s|m|h)/g)) {
    ms += Number(amount) * UNITS[unit!]!;
  }
  return match[1] === '-' ? -ms : ms;
}
