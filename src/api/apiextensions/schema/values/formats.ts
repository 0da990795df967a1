import { parseURL } from '../../../../machinery/cel/kubernetes/url-parser.js';
import { parseDuration } from '../../../../machinery/cel/values/time.js';
import { dns1123Label, dns1123Subdomain } from '../../../validation/formats.js';
import { parseCIDR, parseIP } from '../../../validation/network.js';
import { isMailAddress } from './mail-address.js';

/** Text formats of OpenAPI that custom resources are held to, by name without dashes. */
const FORMATS: Readonly<Record<string, (text: string) => boolean>> = {
  bsonobjectid: (s) => /^[0-9a-fA-F]{24}$/.test(s),
  uri: isRequestUri,
  email: isMailAddress,
  hostname: isHostname,
  ipv4: (s) => s.includes('.') && parseIP(s) !== undefined,
  ipv6: (s) => s.includes(':') && isStrictIp(s),
  cidr: (s) => parseCIDR(s) !== undefined,
  mac: isMac,
  uuid: (s) => /^[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}$/i.test(s),
  uuid3: (s) => /^[0-9a-f]{8}-?[0-9a-f]{4}-?3[0-9a-f]{3}-?[0-9a-f]{4}-?[0-9a-f]{12}$/i.test(s),
  uuid4: (s) => /^[0-9a-f]{8}-?[0-9a-f]{4}-?4[0-9a-f]{3}-?[89ab][0-9a-f]{3}-?[0-9a-f]{12}$/i.test(s),
  uuid5: (s) => /^[0-9a-f]{8}-?[0-9a-f]{4}-?5[0-9a-f]{3}-?[89ab][0-9a-f]{3}-?[0-9a-f]{12}$/i.test(s),
  isbn: (s) => isIsbn10(s) || isIsbn13(s),
  isbn10: isIsbn10,
  isbn13: isIsbn13,
  creditcard: isCreditCard,
  ssn: (s) => s.length === 11 && /^\d{3}[- ]?\d{2}[- ]?\d{4}$/.test(s),
  hexcolor: (s) => /^#?([0-9a-fA-F]{3}|[0-9a-fA-F]{6})$/.test(s),
  rgbcolor: isRgbColor,
  byte: (s) => /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=|[A-Za-z0-9+/]{4})$/.test(s),
  password: () => true,
  date: isDate,
  duration: isDuration,
  datetime: isDateTime,
  k8sshortname: (s) => dns1123Label(s).length === 0,
  k8slongname: (s) => dns1123Subdomain(s).length === 0,
};

const NUMBER_FORMATS: Readonly<Record<string, ReadonlySet<string>>> = {
  integer: new Set(['int32', 'int64']),
  number: new Set(['float', 'double']),
};

/**
 * The format as far as it means something for a type; '' where it is ignored.
 *
 * @param type '' where there is none, or several
 */
export function knownFormat(format: string | undefined, type: string): string {
  if (!format) return '';
  if (type === '' || type === 'string') return Object.hasOwn(FORMATS, normalized(format)) ? format : '';
  return NUMBER_FORMATS[type]?.has(format) ? format : '';
}

/** Whether a text is of a format that `knownFormat` let pass; formats of numbers say nothing about texts. */
export function hasFormat(text: string, format: string): boolean {
  return FORMATS[normalized(format)]?.(text) ?? true;
}

const normalized = (format: string): string => format.replaceAll('-', '');

function isRequestUri(text: string): boolean {
  try {
    parseURL(text, true);
    return true;
  } catch {
    return false;
  }
}

function isHostname(text: string): boolean {
  if (text.length > 255 || Buffer.byteLength(text) > 255) return false;
  const single = /^[a-zA-Z0-9\p{S}\p{L}](-?[a-zA-Z0-9\p{S}\p{L}]{0,62})?$/u;
  const parts = text.split('.');
  if (parts.some((p) => Buffer.byteLength(p) > 63)) return false;
  if (parts.length === 1) return single.test(text);
  const label = /^[a-zA-Z0-9\p{S}\p{L}]([a-zA-Z0-9\p{S}\p{L}-]{0,61}[a-zA-Z0-9\p{S}\p{L}])?$/u;
  return /^[a-zA-Z\p{L}]{2,63}$/u.test(parts.at(-1)!) && parts.slice(0, -1).every((p) => label.test(p));
}

/** Without leading zeros. */
function isStrictIp(text: string): boolean {
  const ip = parseIP(text);
  return ip !== undefined && !ip.leadingZeros;
}

/** IEEE 802 MAC-48, EUI-64 or 20-octet InfiniBand, as Go's net.ParseMAC reads them. */
/** As Go 1.26 reads them: 6, 8 or 20 bytes, in pairs or fours of digits with separators, or without any. */
function isMac(text: string): boolean {
  if (/^[0-9a-fA-F]+$/.test(text)) return [12, 16, 40].includes(text.length);
  const colons = /^[0-9a-fA-F]{2}([:-])(?:[0-9a-fA-F]{2}\1)*[0-9a-fA-F]{2}$/.test(text);
  if (colons) return [6, 8, 20].includes((text.length + 1) / 3);
  const dots = /^[0-9a-fA-F]{4}(?:\.[0-9a-fA-F]{4})+$/.test(text);
  return dots && [3, 4, 10].includes((text.length + 1) / 5);
}

const withoutBreaks = (text: string): string => text.replace(/[\s-]+/g, '');

function isIsbn10(text: string): boolean {
  const s = withoutBreaks(text);
  if (!/^[0-9]{9}[0-9X]$/.test(s)) return false;
  let sum = 0;
  for (let i = 0; i < 9; i++) sum += (i + 1) * Number(s[i]);
  sum += 10 * (s[9] === 'X' ? 10 : Number(s[9]));
  return sum % 11 === 0;
}

function isIsbn13(text: string): boolean {
  const s = withoutBreaks(text);
  if (!/^[0-9]{13}$/.test(s)) return false;
  let sum = 0;
  for (let i = 0; i < 12; i++) sum += (i % 2 === 0 ? 1 : 3) * Number(s[i]);
  return (10 - (sum % 10)) % 10 === Number(s[12]);
}

const CARD =
  /^(?:4[0-9]{12}(?:[0-9]{3})?|5[1-5][0-9]{14}|(?:222[1-9]|22[3-9][0-9]|2[3-6][0-9]{2}|27[01][0-9]|2720)[0-9]{12}|6(?:011|5[0-9][0-9])[0-9]{12}|3[47][0-9]{13}|3(?:0[0-5]|[68][0-9])[0-9]{11}|(?:2131|1800|35\d{3})\d{11}|6[27][0-9]{14})$/;

function isCreditCard(text: string): boolean {
  const s = withoutBreaks(text);
  if (!CARD.test(s)) return false;
  let sum = 0;
  for (let i = 0; i < s.length; i++) {
    const digit = Number(s[s.length - 1 - i]);
    const doubled = digit * 2;
    sum += i % 2 === 0 ? digit : doubled > 9 ? doubled - 9 : doubled;
  }
  return sum % 10 === 0;
}

function isRgbColor(text: string): boolean {
  const part = '\\s*(0|[1-9]\\d?|1\\d\\d?|2[0-4]\\d|25[0-5])\\s*';
  return new RegExp(`^rgb\\(${part},${part},${part}\\)$`).test(text);
}

function isDate(text: string): boolean {
  const m = /^(\d{4})-(\d{2})-(\d{2})$/.exec(text);
  if (!m) return false;
  const [year, month, day] = m.slice(1).map(Number) as [number, number, number];
  if (month < 1 || month > 12 || day < 1) return false;
  const leap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  const days = [31, leap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
  return day <= days[month - 1]!;
}

/** The parts of a time are compared as texts, and any character stands before a fraction. */
function isDateTime(text: string): boolean {
  const [date = '', time] = text.toLowerCase().split('t');
  if (text.length < 4 || time === undefined || !isDate(date)) return false;
  const m = /^([0-9]{2}):([0-9]{2}):([0-9]{2})(.[0-9]+)?(z|([+-][0-9]{2}:[0-9]{2}))$/.exec(time);
  return m !== null && m[1]! <= '23' && m[2]! <= '59' && m[3]! <= '59';
}

const EXACT_UNITS = new Set(['ns', 'us', 'µs', 'ms', 's', 'm', 'h', 'd', 'w', 'wk']);
const UNIT_STARTS = ['nano', 'micro', 'milli', 'sec', 'min', 'hour', 'day', 'week'];

/** As Go writes durations, or numbers with words (`3 days`) somewhere in the text. */
function isDuration(text: string): boolean {
  if (parseDuration(text)) return true;
  let found = false;
  for (const [, factor, name] of text.matchAll(/(\d+)\s*([A-Za-zµ]+)/g)) {
    if (factor!.length > 19 || BigInt(factor!) > 2n ** 63n - 1n) return false;
    const unit = name!.toLowerCase();
    if (EXACT_UNITS.has(unit) || unit === 'hr' || UNIT_STARTS.some((s) => unit.startsWith(s))) found = true;
  }
  return found;
}
