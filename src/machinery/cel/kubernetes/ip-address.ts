import { goQuote } from '../../go-format.js';

/** An IP address: 4 or 16 bytes. */
export interface Address {
  bytes: Uint8Array;
  /** Zone of an IPv6 address (`fe80::1%eth0`), or empty. */
  zone: string;
}

function unreadable(text: string, reason: string): Error {
  return new Error(`ParseAddr(${goQuote(text)}): ${reason}`);
}

/**
 * Reads an address as Go's net/netip does (no leading zeros).
 * @throws Error with that package's message.
 */
export function parseAddress(text: string): Address {
  for (const char of text) {
    if (char === '.') return { bytes: parseIPv4(text, text), zone: '' };
    if (char === ':') return parseIPv6(text);
    if (char === '%') throw unreadable(text, 'missing IPv6 address');
  }
  throw unreadable(text, 'unable to parse IP');
}

function parseIPv4(part: string, whole: string): Uint8Array {
  const fields = part.split('.');
  const bytes: number[] = [];
  for (const field of fields) {
    if (/[^0-9]/.test(field)) throw unreadable(whole, 'unexpected character');
    if (field === '') throw unreadable(whole, 'IPv4 field must have at least one digit');
    if (field.length > 1 && field.startsWith('0')) throw unreadable(whole, 'IPv4 field has octet with leading zero');
    if (Number(field) > 255) throw unreadable(whole, 'IPv4 field has value >255');
    bytes.push(Number(field));
  }
  if (bytes.length > 4) throw unreadable(whole, 'IPv4 address too long');
  if (bytes.length < 4) throw unreadable(whole, 'IPv4 address too short');
  return Uint8Array.from(bytes);
}

function parseIPv6(text: string): Address {
  const percent = text.indexOf('%');
  const zone = percent < 0 ? '' : text.slice(percent + 1);
  if (percent >= 0 && zone === '') throw unreadable(text, 'zone must be a non-empty string');
  const address = percent < 0 ? text : text.slice(0, percent);
  const halves = address.split('::');
  if (halves.length > 2) throw unreadable(text, 'multiple :: in address');
  const [head, tail] = halves.map((half, i) => (half === '' ? [] : groups(half, text, i === halves.length - 1)));
  const bytes = new Uint8Array(16);
  const before = head!;
  const after = tail ?? [];
  const length = before.length + after.length;
  if (tail === undefined) {
    if (length < 16) throw unreadable(text, 'address string too short');
  } else if (length >= 16) throw unreadable(text, 'the :: must expand to at least one field of zeros');
  if (length > 16) throw unreadable(text, 'trailing garbage after address');
  bytes.set(before, 0);
  bytes.set(after, 16 - after.length);
  return { bytes, zone };
}

function groups(text: string, whole: string, last: boolean): number[] {
  const fields = text.split(':');
  return fields.flatMap((field, i) => {
    if (last && i === fields.length - 1 && field.includes('.')) return [...parseIPv4(field, whole)];
    if (field === '') throw unreadable(whole, 'colon must be followed by more characters');
    if (!/^[0-9A-Fa-f]+$/.test(field)) {
      throw unreadable(whole, 'each colon-separated field must have at least one digit');
    }
    if (field.length > 4) throw unreadable(whole, 'each group must have 4 or fewer digits');
    const value = Number.parseInt(field, 16);
    return [value >> 8, value & 255];
  });
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
