import { CelError, DURATION_OVERFLOW, TIMESTAMP_OVERFLOW } from './error.js';
import { INT_MAX, INT_MIN } from './numbers.js';

/** The beginning of the year 1, which is the zero of times. */
export const FIRST_SECOND = -62135596800;
const MAX_SECONDS = 253402300799;
const NANOS = 1_000_000_000n;

/** A point in time between the years 1 and 9999. */
export class Timestamp {
  readonly seconds: number;
  readonly nanos: number;
  /** Offset from UTC (in seconds) with which it was written; only string() shows it. */
  readonly offset: number;

  constructor(seconds: number, nanos: number, offset = 0) {
    if (seconds < FIRST_SECOND || seconds > MAX_SECONDS) throw TIMESTAMP_OVERFLOW;
    this.seconds = seconds;
    this.nanos = nanos;
    this.offset = offset;
  }

  totalNanos(): bigint {
    return BigInt(this.seconds) * NANOS + BigInt(this.nanos);
  }

  plus(nanos: bigint): Timestamp {
    const total = this.totalNanos() + nanos;
    const seconds = floorDiv(total, NANOS);
    return new Timestamp(Number(seconds), Number(total - seconds * NANOS), this.offset);
  }

  /** RFC 3339 with as many fractional digits as needed. */
  toString(): string {
    const f = fields(this.seconds + this.offset);
    const two = (n: number) => String(n).padStart(2, '0');
    const fraction = this.nanos === 0 ? '' : `.${String(this.nanos).padStart(9, '0').replace(/0+$/, '')}`;
    const date = `${String(f.year).padStart(4, '0')}-${two(f.month + 1)}-${two(f.day)}`;
    const minutes = Math.abs(this.offset) / 60;
    const zone =
      this.offset === 0 ? 'Z' : `${this.offset < 0 ? '-' : '+'}${two(Math.trunc(minutes / 60))}:${two(minutes % 60)}`;
    return `${date}T${two(f.hours)}:${two(f.minutes)}:${two(f.seconds)}${fraction}${zone}`;
  }
}

/** A span of time in nanoseconds, within 64 bits. */
export class Duration {
  readonly nanos: bigint;

  constructor(nanos: bigint) {
    if (nanos < INT_MIN || nanos > INT_MAX) throw DURATION_OVERFLOW;
    this.nanos = nanos;
  }

  /** Seconds as a decimal number with the suffix `s`. */
  toString(): string {
    return `${decimal(this.seconds())}s`;
  }

  seconds(): number {
    return Number(this.nanos / NANOS) + Number(this.nanos % NANOS) / 1e9;
  }
}

function floorDiv(a: bigint, b: bigint): bigint {
  const q = a / b;
  return a % b < 0n ? q - 1n : q;
}

/** A number in decimal notation, never with an exponent. */
export function decimal(value: number): string {
  const text = String(value);
  const parts = /^(-?)(\d+)(?:\.(\d+))?e([+-]\d+)$/.exec(text);
  if (!parts) return text;
  const [, sign, whole, fraction = '', exponent] = parts;
  const digits = whole! + fraction;
  const point = whole!.length + Number(exponent);
  if (point <= 0) return `${sign}0.${'0'.repeat(-point)}${digits}`;
  if (point >= digits.length) return sign + digits.padEnd(point, '0');
  return `${sign}${digits.slice(0, point)}.${digits.slice(point)}`;
}

const RFC3339 = /^(\d{4})-(\d\d)-(\d\d)T(\d\d?):(\d\d):(\d\d)(?:[.,](\d+))?(?:Z|([+-])(\d\d):(\d\d))$/;

/** Reads a date and time as RFC 3339 writes it; undefined when it is none. */
export function parseTimestamp(text: string): Timestamp | undefined {
  const m = RFC3339.exec(text);
  if (!m) return undefined;
  const [year, month, day, hours, minutes, seconds] = m.slice(1, 7).map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  if (month < 1 || month > 12 || day < 1 || day > daysIn(year, month)) return undefined;
  if (hours > 23 || minutes > 59 || seconds > 59) return undefined;
  const zoneHours = Number(m[9] ?? 0);
  const zoneMinutes = Number(m[10] ?? 0);
  if (zoneHours > 24 || zoneMinutes > 59) return undefined;
  const offset = (m[8] === '-' ? -1 : 1) * (zoneHours * 3600 + zoneMinutes * 60);
  const nanos = Number((m[7] ?? '').slice(0, 9).padEnd(9, '0'));
  return new Timestamp(utcSeconds(year, month, day) + hours * 3600 + minutes * 60 + seconds - offset, nanos, offset);
}

export function daysIn(year: number, month: number): number {
  if (month === 2) return (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0 ? 29 : 28;
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
}

/** Seconds since 1970 at the beginning of a day. */
export function utcSeconds(year: number, month: number, day: number): number {
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  return date.getTime() / 1000;
}

const UNITS: Record<string, bigint> = {
  ns: 1n,
  us: 1000n,
  µs: 1000n,
  μs: 1000n,
  ms: 1_000_000n,
  s: NANOS,
  m: 60n * NANOS,
  h: 3600n * NANOS,
};

/** Reads a duration as Go writes it (`1h30m`, `-1.5s`, `0`); undefined when it is none or does not fit. */
export function parseDuration(text: string): Duration | undefined {
  const m = /^([+-]?)((?:\d+(?:\.\d*)?|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+$/.exec(text);
  if (!m) return /^[+-]?0$/.test(text) ? new Duration(0n) : undefined;
  let total = 0n;
  for (const [, whole, fraction = '', unit] of text.matchAll(/(\d*)(?:\.(\d*))?(ns|us|µs|μs|ms|s|m|h)/g)) {
    const size = UNITS[unit!]!;
    total += BigInt(whole || '0') * size;
    if (fraction) total += (BigInt(fraction) * size) / 10n ** BigInt(fraction.length);
    if (total > INT_MAX + 1n) return undefined;
  }
  if (m[1] === '-') total = -total;
  return total < INT_MIN || total > INT_MAX ? undefined : new Duration(total);
}

export interface DateFields {
  year: number;
  /** From 0. */
  month: number;
  /** Day of the month, from 1. */
  day: number;
  /** From 0, Sunday. */
  weekday: number;
  /** Day of the year, from 0. */
  yearDay: number;
  hours: number;
  minutes: number;
  seconds: number;
}

/** Calendar fields of a time given in seconds since 1970, in whatever zone they were counted. */
export function fields(seconds: number): DateFields {
  const date = new Date(seconds * 1000);
  const year = date.getUTCFullYear();
  const month = date.getUTCMonth();
  const day = date.getUTCDate();
  return {
    year,
    month,
    day,
    weekday: date.getUTCDay(),
    yearDay: Math.round((utcSeconds(year, month + 1, day) - utcSeconds(year, 1, 1)) / 86400),
    hours: date.getUTCHours(),
    minutes: date.getUTCMinutes(),
    seconds: date.getUTCSeconds(),
  };
}

const formats = new Map<string, Intl.DateTimeFormat>();
const MAX_FORMATS = 600;

/** Offset from UTC in seconds that a zone (`Europe/Berlin`, `+02:00`) had at a time. */
export function zoneOffset(zone: string, seconds: number): number {
  const colon = zone.indexOf(':');
  if (colon >= 0) {
    const hours = atoi(zone.slice(0, colon));
    const minutes = atoi(zone.slice(colon + 1));
    return (zone.startsWith('-') ? hours * 60 - minutes : hours * 60 + minutes) * 60;
  }
  if (zone === '' || zone === 'UTC') return 0;
  const parts = new Map(
    zoneFormat(zone)
      .formatToParts(seconds * 1000)
      .map((p) => [p.type, Number(p.value)]),
  );
  const local = utcSeconds(parts.get('year')!, parts.get('month')!, parts.get('day')!);
  return local + (parts.get('hour')! % 24) * 3600 + parts.get('minute')! * 60 + parts.get('second')! - seconds;
}

function zoneFormat(zone: string): Intl.DateTimeFormat {
  let format = formats.get(zone);
  if (!format) {
    try {
      format = new Intl.DateTimeFormat('en-US', {
        timeZone: zone,
        calendar: 'gregory',
        numberingSystem: 'latn',
        hourCycle: 'h23',
        year: 'numeric',
        month: 'numeric',
        day: 'numeric',
        hour: 'numeric',
        minute: 'numeric',
        second: 'numeric',
      });
    } catch {
      throw new CelError(`unknown time zone ${zone}`);
    }
    if (formats.size >= MAX_FORMATS) formats.clear();
    formats.set(zone, format);
  }
  return format;
}

function atoi(text: string): number {
  if (!/^[+-]?\d{1,9}$/.test(text)) throw new CelError(`strconv.Atoi: parsing ${JSON.stringify(text)}: invalid syntax`);
  return Number(text);
}
