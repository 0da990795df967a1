import { DecodeError } from './errors.js';

const RFC3339 = '2006-01-02T15:04:05Z07:00';
const RFC3339_MICRO = '2006-01-02T15:04:05.000000Z07:00';
/** Go's zero time, 0001-01-01T00:00:00Z, which the API writes as null. */
const ZERO_SECONDS = -62135596800;

/** A point in time as the wire carries it: seconds since 1970 and nanoseconds. */
export interface Timestamp {
  seconds: number;
  nanos: number;
}

/** meta.v1.Time: RFC 3339 text to the canonical text in seconds and UTC; undefined for Go's zero time. */
export function parseTime(text: string): string | undefined {
  if (/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/.test(text) && isPlainDate(text)) return isZero(text) ? undefined : text;
  return formatTime(parseTimestamp(text, RFC3339));
}

/** meta.v1.MicroTime: needs exactly six digits of fraction; undefined for Go's zero time. */
export function parseMicroTime(text: string): string | undefined {
  return formatMicroTime(parseTimestamp(text, RFC3339_MICRO));
}

/** Reads canonical text (or any RFC 3339 text) for an encoder. Throws as {@link parseTime} does. */
export function timestampOf(text: string): Timestamp {
  return parseTimestamp(text, RFC3339);
}

export function formatTime(t: Timestamp): string | undefined {
  return t.seconds === ZERO_SECONDS && t.nanos === 0 ? undefined : `${date(t.seconds)}Z`;
}

export function formatMicroTime(t: Timestamp): string | undefined {
  if (t.seconds === ZERO_SECONDS && t.nanos === 0) return undefined;
  return `${date(t.seconds)}.${String(Math.floor(t.nanos / 1000)).padStart(6, '0')}Z`;
}

/** `2006-01-02T15:04:05`; years outside 0–9999 print as Go prints them. */
function date(seconds: number): string {
  const d = new Date(seconds * 1000);
  const year = d.getUTCFullYear();
  const two = (n: number) => String(n).padStart(2, '0');
  const y = year < 0 ? `-${String(-year).padStart(4, '0')}` : String(year).padStart(4, '0');
  const day = `${y}-${two(d.getUTCMonth() + 1)}-${two(d.getUTCDate())}`;
  return `${day}T${two(d.getUTCHours())}:${two(d.getUTCMinutes())}:${two(d.getUTCSeconds())}`;
}

function isZero(text: string): boolean {
  return text === '0001-01-01T00:00:00Z';
}

function isPlainDate(text: string): boolean {
  const day = Number(text.slice(8, 10));
  return (
    day >= 1 &&
    day <= daysIn(Number(text.slice(0, 4)), Number(text.slice(5, 7))) &&
    text.slice(11, 13) < '24' &&
    text.slice(14, 16) < '60' &&
    text.slice(17, 19) < '60'
  );
}

function daysIn(year: number, month: number): number {
  if (month === 2) return (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0 ? 29 : 28;
  return month >= 1 && month <= 12 ? (month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31) : 0;
}

/**
 * Reads a time by the two layouts the API has, with the documented leniency of Go's time.Parse (an hour of one digit,
 * a fraction where the layout has none) and its error texts.
 */
function parseTimestamp(text: string, layout: string): Timestamp {
  let at = 0;
  const fail = (element: string): never => {
    const rest = quoteTime(text.slice(at));
    throw new DecodeError(`parsing time ${quoteTime(text)} as "${layout}": cannot parse ${rest} as "${element}"`);
  };
  const outOfRange = (what: string): never => {
    throw new DecodeError(`parsing time ${quoteTime(text)}: ${what} out of range`);
  };
  const digits = (n: number, least: number, element: string): number => {
    let end = at;
    while (end < at + n && isDigit(text, end)) end++;
    if (end - at < least) fail(element);
    const value = Number(text.slice(at, end));
    at = end;
    return value;
  };
  const literal = (ch: string): void => {
    if (text[at] !== ch) fail(ch);
    at++;
  };
  const year = digits(4, 4, '2006');
  literal('-');
  const month = digits(2, 2, '01');
  if (month < 1 || month > 12) outOfRange('month');
  literal('-');
  const day = digits(2, 2, '02');
  literal('T');
  const hour = digits(2, 1, '15');
  if (hour > 23) outOfRange('hour');
  literal(':');
  const minute = digits(2, 2, '04');
  if (minute > 59) outOfRange('minute');
  literal(':');
  const second = digits(2, 2, '05');
  if (second > 59) outOfRange('second');
  let nanos = 0;
  if (layout === RFC3339_MICRO) {
    if (!/^[.,]\d{6}/.test(text.slice(at, at + 7))) fail('.000000');
    nanos = Number(text.slice(at + 1, at + 7)) * 1000;
    at += 7;
  } else if (/[.,]/.test(text[at] ?? '') && isDigit(text, at + 1)) {
    let end = at + 1;
    while (isDigit(text, end)) end++;
    nanos = Number(text.slice(at + 1, Math.min(end, at + 10)).padEnd(9, '0'));
    at = end;
  }
  let offset = 0;
  if (text[at] === 'Z') at++;
  else {
    const zone = /^([+-])(\d\d):(\d\d)$/.exec(text.slice(at, at + 6));
    if (!zone) fail('Z07:00');
    const [, sign, hours, minutes] = zone!;
    if (Number(hours) > 24) outOfRange('time zone offset hour');
    if (Number(minutes) > 60) outOfRange('time zone offset minute');
    offset = (Number(hours) * 60 + Number(minutes)) * (sign === '-' ? -60 : 60);
    at += 6;
  }
  if (at < text.length) {
    throw new DecodeError(`parsing time ${quoteTime(text)}: extra text: ${quoteTime(text.slice(at))}`);
  }
  if (day < 1 || day > daysIn(year, month)) outOfRange('day');
  const d = new Date(0);
  d.setUTCFullYear(year, month - 1, day);
  d.setUTCHours(hour, minute, second, 0);
  return { seconds: d.getTime() / 1000 - offset, nanos };
}

function isDigit(text: string, i: number): boolean {
  const c = text.charCodeAt(i);
  return c >= 48 && c <= 57;
}

/** Quotes as the time package does: everything outside printable ASCII byte by byte. */
function quoteTime(text: string): string {
  let out = '"';
  for (const byte of Buffer.from(text, 'utf8')) {
    if (byte === 0x22 || byte === 0x5c) out += `\\${String.fromCharCode(byte)}`;
    else if (byte < 0x20 || byte >= 0x80) out += `\\x${byte.toString(16).padStart(2, '0')}`;
    else out += String.fromCharCode(byte);
  }
  return `${out}"`;
}
