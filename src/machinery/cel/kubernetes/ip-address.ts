import { goQuote } from '../../go-format.js';

/** An IP address: 4 or 16 bytes. */
export interface Address {
  bytes: Uint8Array;
  /** Zone of an IPv6 address (`fe80::1%eth0`), or empty. */
  zone: string;
}

function unreadable(text: string, reason: string, at = ''): Error {
  return new Error(`ParseAddr(${goQuote(text)}): ${reason}${at === '' ? '' : ` (at ${goQuote(at)})`}`);
}

/**
 * Reads an address as Go's net/netip does (no leading zeros).
 * @throws Error with that package's message.
 */
export function parseAddress(text: string): Address {
  switch (/[.:%]/.exec(text)?.[0]) {
    case '.':
      return { bytes: Uint8Array.from(parseIPv4(text, text)), zone: '' };
    case ':':
      return parseIPv6(text);
    case '%':
      throw unreadable(text, 'missing IPv6 address');
    default:
      throw unreadable(text, 'unable to parse IP');
  }
}

/** `part` is the IPv4 address at the end of `whole`. */
function parseIPv4(part: string, whole: string): number[] {
  const bytes: number[] = [];
  let digits = '';
  for (let i = 0; i < part.length; i++) {
    const char = part[i]!;
    if (char >= '0' && char <= '9') {
      if (digits === '0') throw unreadable(whole, 'IPv4 field has octet with leading zero');
      digits += char;
      if (Number(digits) > 255) throw unreadable(whole, 'IPv4 field has value >255');
    } else if (char === '.') {
      if (digits === '' || i === part.length - 1) {
        throw unreadable(whole, 'IPv4 field must have at least one digit', part.slice(i));
      }
      if (bytes.length === 3) throw unreadable(whole, 'IPv4 address too long');
      bytes.push(Number(digits));
      digits = '';
    } else throw unreadable(whole, 'unexpected character', part.slice(i));
  }
  if (bytes.length < 3) throw unreadable(whole, 'IPv4 address too short');
  return [...bytes, Number(digits)];
}

function parseIPv6(text: string): Address {
  const percent = text.indexOf('%');
  const zone = percent < 0 ? '' : text.slice(percent + 1);
  if (percent >= 0 && zone === '') throw unreadable(text, 'zone must be a non-empty string');
  let rest = percent < 0 ? text : text.slice(0, percent);
  const bytes: number[] = [];
  let gap = -1;
  if (rest.startsWith('::')) {
    gap = 0;
    rest = rest.slice(2);
  }
  while (rest !== '' && bytes.length < 16) {
    const group = /^[0-9A-Fa-f]*/.exec(rest)![0];
    if (group.length > 4) throw unreadable(text, 'each group must have 4 or fewer digits', rest);
    if (group === '') throw unreadable(text, 'each colon-separated field must have at least one digit', rest);
    if (rest[group.length] === '.') {
      if (gap < 0 && bytes.length !== 12) {
        throw unreadable(text, 'embedded IPv4 address must replace the final 2 fields of the address', rest);
      }
      if (bytes.length > 12) {
        throw unreadable(text, 'too many hex fields to fit an embedded IPv4 at the end of the address', rest);
      }
      bytes.push(...parseIPv4(rest, text));
      rest = '';
      break;
    }
    const value = Number.parseInt(group, 16);
    bytes.push(value >> 8, value & 255);
    rest = rest.slice(group.length);
    if (rest === '') break;
    if (rest[0] !== ':') throw unreadable(text, 'unexpected character, want colon', rest);
    if (rest.length === 1) throw unreadable(text, 'colon must be followed by more characters', rest);
    rest = rest.slice(1);
    if (rest[0] !== ':') continue;
    if (gap >= 0) throw unreadable(text, 'multiple :: in address', rest);
    gap = bytes.length;
    rest = rest.slice(1);
  }
  if (rest !== '') throw unreadable(text, 'trailing garbage after address', rest);
  if (bytes.length < 16 && gap < 0) throw unreadable(text, 'address string too short');
  if (bytes.length === 16 && gap >= 0) {
    throw unreadable(text, 'the :: must expand to at least one field of zeros');
  }
  const zeros = new Array<number>(16 - bytes.length).fill(0);
  const at = gap < 0 ? 16 : gap;
  return { bytes: Uint8Array.from([...bytes.slice(0, at), ...zeros, ...bytes.slice(at)]), zone };
}

/** The canonical text (RFC 5952). */
export function formatAddress({ bytes, zone }: Address): string {
  if (bytes.length === 4) return bytes.join('.');
  if (isMapped(bytes)) return `::ffff:${bytes.slice(12).join('.')}`;
  const fields = Array.from({ length: 8 }, (_, i) => (bytes[2 * i]! << 8) | bytes[2 * i + 1]!);
  let best = { start: -1, length: 1 };
  for (let i = 0; i < 8; i++) {
    let length = 0;
    while (i + length < 8 && fields[i + length] === 0) length++;
    if (length > best.length) best = { start: i, length };
  }
  const hex = (part: number[]) => part.map((f) => f.toString(16)).join(':');
  const text =
    best.start < 0
      ? hex(fields)
      : `${hex(fields.slice(0, best.start))}::${hex(fields.slice(best.start + best.length))}`;
  return zone === '' ? text : `${text}%${zone}`;
}

/** An IPv4 address written as IPv6 (`::ffff:1.2.3.4`). */
export function isMapped(bytes: Uint8Array): boolean {
  return bytes.length === 16 && bytes.slice(0, 10).every((b) => b === 0) && bytes[10] === 255 && bytes[11] === 255;
}
