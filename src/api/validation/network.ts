import { invalidValue, type Path } from '../../machinery/field.js';
import type { Check, Rule } from './check.js';

/** An address as bytes: 4 for IPv4 (also when written as an IPv4-mapped IPv6 address), else 16. */
export interface ParsedIP {
  readonly bytes: Uint8Array;
  readonly family: 4 | 6;
  /** Written as `::ffff:a.b.c.d` or alike. */
  readonly mapped: boolean;
  /** Some part of an IPv4 address starts with a needless 0. */
  readonly leadingZeros: boolean;
}

function parseV4(text: string): { bytes: Uint8Array; leadingZeros: boolean } | undefined {
  const parts = text.split('.');
  if (parts.length !== 4) return undefined;
  let leadingZeros = false;
  const bytes = new Uint8Array(4);
  for (let i = 0; i < 4; i++) {
    const part = parts[i]!;
    if (!/^[0-9]{1,16}$/.test(part) || Number(part) > 255) return undefined;
    if (part.length > 1 && part.startsWith('0')) leadingZeros = true;
    bytes[i] = Number(part);
  }
  return { bytes, leadingZeros };
}

function parseV6(text: string): { bytes: Uint8Array; leadingZeros: boolean } | undefined {
  const halves = text.split('::');
  if (halves.length > 2) return undefined;
  let leadingZeros = false;
  const groups = (half: string, last: boolean): number[] | undefined => {
    if (half === '') return [];
    const out: number[] = [];
    const parts = half.split(':');
    for (let i = 0; i < parts.length; i++) {
      const part = parts[i]!;
      if (last && i === parts.length - 1 && part.includes('.')) {
        const v4 = parseV4(part);
        if (!v4) return undefined;
        leadingZeros ||= v4.leadingZeros;
        out.push((v4.bytes[0]! << 8) | v4.bytes[1]!, (v4.bytes[2]! << 8) | v4.bytes[3]!);
      } else if (/^[0-9a-fA-F]{1,4}$/.test(part)) out.push(Number.parseInt(part, 16));
      else return undefined;
    }
    return out;
  };
  const head = groups(halves[0]!, halves.length === 1);
  const tail = halves.length === 2 ? groups(halves[1]!, true) : [];
  if (!head || !tail) return undefined;
  const missing = 8 - head.length - tail.length;
  if (halves.length === 2 ? missing < 1 : missing !== 0) return undefined;
  const all = [...head, ...new Array<number>(missing).fill(0), ...tail];
  const bytes = new Uint8Array(16);
  all.forEach((g, i) => {
    bytes[2 * i] = g >> 8;
    bytes[2 * i + 1] = g & 255;
  });
  return { bytes, leadingZeros };
}

/** Reads an IP address as leniently as old releases did (leading zeros, mapped addresses); zones are never taken. */
export function parseIP(text: string): ParsedIP | undefined {
  if (!text.includes(':')) {
    const v4 = parseV4(text);
    return v4 && { bytes: v4.bytes, family: 4, mapped: false, leadingZeros: v4.leadingZeros };
  }
  const v6 = parseV6(text);
  if (!v6) return undefined;
  const mapped = v6.bytes.subarray(0, 10).every((b) => b === 0) && v6.bytes[10] === 255 && v6.bytes[11] === 255;
  return mapped
    ? { bytes: v6.bytes.slice(12), family: 4, mapped, leadingZeros: v6.leadingZeros }
    : { bytes: v6.bytes, family: 6, mapped, leadingZeros: v6.leadingZeros };
}

/** RFC 5952 text of an address. */
export function formatIP(bytes: Uint8Array): string {
  if (bytes.length === 4) return bytes.join('.');
  const groups: number[] = [];
  for (let i = 0; i < 16; i += 2) groups.push((bytes[i]! << 8) | bytes[i + 1]!);
  let best = -1;
  let bestLength = 1;
  for (let i = 0; i < 8; i++) {
    let n = 0;
    while (i + n < 8 && groups[i + n] === 0) n++;
    if (n > bestLength) {
      best = i;
      bestLength = n;
    }
  }
  const hex = groups.map((g) => g.toString(16));
  if (best < 0) return hex.join(':');
  return `${hex.slice(0, best).join(':')}::${hex.slice(best + bestLength).join(':')}`;
}

export interface ParsedCIDR {
  readonly ip: ParsedIP;
  readonly prefix: number;
  readonly leadingZeros: boolean;
  /** Address with the bits after the prefix cleared. */
  readonly network: Uint8Array;
  readonly hostBits: boolean;
}

export function parseCIDR(text: string): ParsedCIDR | undefined {
  const slash = text.indexOf('/');
  if (slash < 0) return undefined;
  const ip = parseIP(text.slice(0, slash));
  const digits = text.slice(slash + 1);
  if (!ip || !/^[0-9]{1,9}$/.test(digits)) return undefined;
  const written = ip.mapped ? 128 : ip.bytes.length * 8;
  let prefix = Number(digits);
  if (prefix > written) return undefined;
  if (ip.mapped) prefix = Math.max(0, prefix - 96);
  const network = ip.bytes.map((b, i) => {
    const bits = Math.min(8, Math.max(0, prefix - i * 8));
    return b & (0xff00 >> bits) & 0xff;
  });
  return {
    ip,
    prefix,
    leadingZeros: ip.leadingZeros || (digits.length > 1 && digits.startsWith('0')),
    network,
    hostBits: network.some((b, i) => b !== ip.bytes[i]),
  };
}
/** Whether an address lies in a network; never when they are of different families. */
export function contains(cidr: ParsedCIDR, address: Uint8Array): boolean {
  if (cidr.network.length !== address.length) return false;
  return address.every((b, i) => {
    const bits = Math.min(8, Math.max(0, cidr.prefix - i * 8));
    return (b & (0xff00 >> bits) & 0xff) === cidr.network[i];
  });
}
const formatCIDR = (c: ParsedCIDR): string => `${formatIP(c.network)}/${c.prefix}`;

const BAD_IP = 'must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)';
const LEADING_ZEROS = 'must not have leading 0s';
const MAPPED = 'must not be an IPv4-mapped IPv6 address';
const BAD_CIDR = 'must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)';

/**
 * An IP address. `legacy` fields existed before strict reading (KEP-4858): they take odd forms while the gate
 * StrictIPCIDRValidation is off, and when the stored object already has that value (`grandfathered`).
 */
export function validateIP(value: string, at: Path, c: Check, grandfathered: readonly string[] = []): void {
  const ip = parseIP(value);
  if (!ip) c.errors.push(invalidValue(at, value, BAD_IP));
  else if (c.gate('StrictIPCIDRValidation') && !grandfathered.includes(value)) {
    if (ip.leadingZeros) c.errors.push(invalidValue(at, value, LEADING_ZEROS));
    else if (ip.mapped) c.errors.push(invalidValue(at, value, MAPPED));
  }
}

/** A network; strictness as for `validateIP`. */
export function validateCIDR(value: string, at: Path, c: Check, grandfathered: readonly string[] = []): void {
  const cidr = parseCIDR(value);
  if (!cidr) c.errors.push(invalidValue(at, value, BAD_CIDR));
  else if (c.gate('StrictIPCIDRValidation') && !grandfathered.includes(value)) oddCIDR(cidr, value, at, c);
}

/** What strict reading does not take. */
function oddCIDR(cidr: ParsedCIDR, value: string, at: Path, c: Check): void {
  const fault = (text: string) => c.errors.push(invalidValue(at, value, text));
  if (cidr.leadingZeros) fault('must not have leading 0s in IP or prefix length');
  else if (cidr.ip.mapped) fault('must not have an IPv4-mapped IPv6 address');
  else if (cidr.hostBits) fault('must not have bits set beyond the prefix length');
}

/** An address in its one canonical text. */
export function validateCanonicalIP(value: string, at: Path, c: Check): void {
  const ip = parseIP(value);
  const fault = (text: string) => c.errors.push(invalidValue(at, value, text));
  if (!ip) fault(BAD_IP);
  else if (ip.leadingZeros) fault(LEADING_ZEROS);
  else if (ip.mapped) fault(MAPPED);
  else if (formatIP(ip.bytes) !== value) fault(`must be in canonical form (${JSON.stringify(formatIP(ip.bytes))})`);
}

/** A network in its one canonical text. */
export function validateCanonicalCIDR(value: string, at: Path, c: Check): void {
  const cidr = parseCIDR(value);
  const before = c.errors.length;
  if (!cidr) c.errors.push(invalidValue(at, value, BAD_CIDR));
  else oddCIDR(cidr, value, at, c);
  if (cidr && c.errors.length === before && formatCIDR(cidr) !== value)
    c.errors.push(invalidValue(at, value, `must be in canonical form (${JSON.stringify(formatCIDR(cidr))})`));
}

export const ip: Rule = (v, at, c) => validateIP(typeof v === 'string' ? v : '', at, c);
export const cidr: Rule = (v, at, c) => validateCIDR(typeof v === 'string' ? v : '', at, c);

/** Warnings for stored addresses in forms that a later release will refuse. */
export function ipWarnings(at: Path, value: string): string[] {
  const ip = parseIP(value);
  if (!ip) return [];
  const canonical = formatIP(ip.bytes);
  if (ip.leadingZeros || ip.mapped)
    return [
      `${at}: non-standard IP address ${JSON.stringify(value)} will be considered invalid in a future Kubernetes release: use ${JSON.stringify(canonical)}`,
    ];
  if (ip.family === 6 && canonical !== value)
    return [
      `${at}: IPv6 address ${JSON.stringify(value)} should be in RFC 5952 canonical format (${JSON.stringify(canonical)})`,
    ];
  return [];
}

export function cidrWarnings(at: Path, value: string): string[] {
  const cidr = parseCIDR(value);
  if (!cidr) return [];
  const out: string[] = [];
  const canonical = formatCIDR(cidr);
  const q = JSON.stringify;
  if (cidr.hostBits) {
    const single = `${formatIP(cidr.ip.bytes)}/${cidr.ip.bytes.length * 8}`;
    out.push(`${at}: CIDR value ${q(value)} is ambiguous in this context (should be ${q(canonical)} or ${q(single)}?)`);
  }
  if (cidr.leadingZeros || cidr.ip.mapped)
    out.push(
      `${at}: non-standard CIDR value ${q(value)} will be considered invalid in a future Kubernetes release: use ${q(canonical)}`,
    );
  if (out.length === 0 && cidr.ip.family === 6 && canonical !== value)
    out.push(`${at}: IPv6 CIDR value ${q(value)} should be in RFC 5952 canonical format (${q(canonical)})`);
  return out;
}
