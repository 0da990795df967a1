import { goQuote } from '../../go-format.js';
import { Type } from '../types/type.js';
import { isMap, mapEntries } from '../values/containers.js';
import { CelError } from '../values/error.js';
import { type Double, doubleValue, type Int, isDouble, isInt, Uint } from '../values/numbers.js';
import { runtimeType } from '../values/runtime-type.js';
import { Duration, Timestamp } from '../values/time.js';
import { formatDouble } from './conversions.js';
import { checkLength } from './limits.js';

const DEFAULT_PRECISION = 6;
const MAX_PRECISION = 1000;

/** Reads a format string: the texts between clauses, and the clauses. Fails with CelError. */
export function parseFormat(format: string, count: number): (string | Clause)[] {
  const parts: (string | Clause)[] = [];
  let text = '';
  let arg = 0;
  for (let i = 0; i < format.length; ) {
    if (format[i] !== '%') {
      text += format[i++];
      continue;
    }
    if (format[i + 1] === '%') {
      text += '%';
      i += 2;
      continue;
    }
    if (arg >= count) throw new CelError(`index ${arg} out of range`);
    if (i + 1 >= format.length) throw new CelError('unexpected end of string');
    const m = /^(?:\.(\d*))?(.?)/su.exec(format.slice(i + 1))!;
    const verb = m[2]!;
    if (m[1] !== undefined && verb === '') {
      throw parseError('error while parsing precision: could not find end of precision specifier');
    }
    if (m[1] === '')
      throw parseError(
        'error while parsing precision: error while converting precision to integer: strconv.Atoi: parsing "": invalid syntax',
      );
    if (!'sdfebxXo'.includes(verb)) throw parseError(`unrecognized formatting clause "${verb}"`);
    const precision = m[1] === undefined ? DEFAULT_PRECISION : Number(m[1]);
    if (precision > MAX_PRECISION) throw parseError('error while parsing precision: precision is too large');
    if (text) parts.push(text);
    text = '';
    parts.push({ verb: verb as Verb, precision, arg: arg++ });
    i += 1 + m[0].length;
  }
  if (text) parts.push(text);
  return parts;
}

export type Verb = 's' | 'd' | 'f' | 'e' | 'b' | 'x' | 'X' | 'o';
export interface Clause {
  verb: Verb;
  precision: number;
  /** Index of the argument. */
  arg: number;
}

function parseError(text: string): CelError {
  return new CelError(`could not parse formatting clause: ${text}`);
}

/** `format.format(args)`. Numbers are printed as in American English, as cel-go does in this version. */
export function formatText(format: string, args: readonly unknown[]): string {
  let out = '';
  for (const part of parseFormat(format, args.length)) {
    out += typeof part === 'string' ? part : FORMATTERS[part.verb](args[part.arg], part.precision);
    checkLength(out.length);
  }
  return out;
}

/** What may be given for a clause, as its complaint says it. */
export const WANTED: Record<Verb, string> = {
  s: 'string clause can only be used on strings, bools, bytes, ints, doubles, maps, lists, types, durations, and timestamps',
  d: 'decimal clause can only be used on integers',
  f: 'fixed-point clause can only be used on doubles',
  e: 'scientific clause can only be used on doubles',
  b: 'only integers and bools can be formatted as binary',
  x: 'only integers, byte buffers, and strings can be formatted as hex',
  X: 'only integers, byte buffers, and strings can be formatted as hex',
  o: 'octal clause can only be used on integers',
};

function unfit(verb: Verb, value: unknown): CelError {
  return new CelError(`error during formatting: ${WANTED[verb]}, was given ${runtimeType(value).name}`);
}

const FORMATTERS: Record<Verb, (value: unknown, precision: number) => string> = {
  s: plain,
  d: (value) => {
    if (isInt(value)) return String(value);
    if (value instanceof Uint) return String(value.value);
    throw unfit('d', value);
  },
  f: (value, precision) => {
    const number = real('f', value);
    if (!Number.isFinite(number)) return notFinite(number);
    return grouped(fixed(number, precision));
  },
  e: (value, precision) => {
    const number = real('e', value);
    if (!Number.isFinite(number)) return notFinite(number);
    const [digits, exponent] = number.toExponential(Math.min(precision, 100)).split('e') as [string, string];
    const power = Number(exponent);
    const raised = `${power < 0 ? '⁻' : ''}${[...String(Math.abs(power)).padStart(2, '0')].map((d) => '⁰¹²³⁴⁵⁶⁷⁸⁹'[Number(d)]).join('')}`;
    return `${digits}\u00d710${raised}`;
  },
  b: (value) => (typeof value === 'boolean' ? (value ? '1' : '0') : integer('b', value).toString(2)),
  x: (value) => hex('x', value),
  X: (value) => hex('X', value).toUpperCase(),
  o: (value) => integer('o', value).toString(8),
};

function integer(verb: Verb, value: unknown): Int {
  if (isInt(value)) return value;
  if (value instanceof Uint) return value.value;
  throw unfit(verb, value);
}

function hex(verb: Verb, value: unknown): string {
  if (typeof value === 'string' || value instanceof Uint8Array) return Buffer.from(value as string).toString('hex');
  return integer(verb, value).toString(16);
}

function real(verb: Verb, value: unknown): number {
  if (value === 'NaN') return Number.NaN;
  if (value === 'Infinity') return Infinity;
  if (value === '-Infinity') return -Infinity;
  if (!isDouble(value)) throw unfit(verb, value);
  return doubleValue(value);
}

function notFinite(value: number): string {
  return Number.isNaN(value) ? 'NaN' : value > 0 ? '∞' : '-∞';
}

/** Fixed-point notation with all digits, however large the number is; halves are rounded to even digits. */
function fixed(value: number, precision: number): string {
  const digits = Math.min(precision, 99);
  if (Math.abs(value) >= 1e21) return `${BigInt(value)}${digits > 0 ? `.${'0'.repeat(digits)}` : ''}`;
  const exact = value.toFixed(100);
  const cut = exact.indexOf('.') + 1 + digits;
  const half = /^50*$/.test(exact.slice(cut)) && /[02468]\.?$/.test(exact.slice(0, cut));
  const text = half ? exact.slice(0, cut).replace(/\.$/, '') : value.toFixed(digits);
  return precision > digits ? text + '0'.repeat(precision - digits) : text;
}

function grouped(text: string): string {
  const [whole, fraction] = text.split('.') as [string, string | undefined];
  const withCommas = whole.replace(/\B(?=(\d{3})+$)/g, ',');
  return fraction === undefined ? withCommas : `${withCommas}.${fraction}`;
}

function plain(value: unknown): string {
  if (Array.isArray(value)) return list(value);
  if (isDouble(value)) return formatDouble(doubleValue(value));
  if (typeof value === 'string') return value;
  if (typeof value === 'boolean' || isInt(value)) return String(value);
  if (value === null) return 'null';
  if (value instanceof Uint) return String(value.value);
  if (value instanceof Uint8Array) return Buffer.from(value).toString('utf8');
  if (value instanceof Timestamp || value instanceof Duration) return value.toString();
  if (value instanceof Type) return value.name;
  if (isMap(value)) return map(value);
  throw unfit('s', value);
}

/** A value within a list or map. */
function nested(value: unknown): string {
  if (typeof value === 'string') return goQuote(value);
  if (value instanceof Uint8Array) return `b${goQuote(plain(value))}`;
  if (isDouble(value)) return nestedDouble(value);
  if (value instanceof Timestamp) return `timestamp(${goQuote(value.toString())})`;
  if (value instanceof Duration) return `duration(${goQuote(value.toString())})`;
  return plain(value);
}

function nestedDouble(value: number | Double): string {
  const number = doubleValue(value);
  return Number.isFinite(number) ? fixed(number, DEFAULT_PRECISION) : goQuote(formatDouble(number));
}

function list(values: readonly unknown[]): string {
  let out = '[';
  for (const [i, value] of values.entries()) {
    out += (i === 0 ? '' : ', ') + nested(value);
    checkLength(out.length);
  }
  return `${out}]`;
}

function map(value: Parameters<typeof mapEntries>[0]): string {
  const entries: { key: string; text: string }[] = [];
  let length = 0;
  for (const [key, inner] of mapEntries(value)) {
    const text = nested(inner);
    length += text.length;
    checkLength(length);
    entries.push({ key: nested(key), text });
  }
  entries.sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
  return `{${entries.map(({ key, text }) => `${key}:${text}`).join(', ')}}`;
}
