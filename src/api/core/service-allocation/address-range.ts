import { formatIP, type ParsedIP, parseCIDR, parseIP } from '../../validation/index.js';

export type Family = 'IPv4' | 'IPv6';

/** A network that service addresses are taken from. Addresses are numbers, so that ranges of IPv6 take no room. */
export interface AddressRange {
  /** As the ServiceCIDR writes it. */
  readonly cidr: string;
  readonly family: Family;
  /** The address of the network itself. */
  readonly network: bigint;
  /** The usable ones: neither the network's own address nor, with IPv4, the broadcast one. `last < first`: none. */
  readonly first: bigint;
  readonly last: bigint;
  /** From here on addresses are handed out first; those before are left to who asks for one by name (KEP-3070). */
  readonly dynamic: bigint;
}

const STATIC_MIN = 16n;
const STATIC_MAX = 256n;
const STATIC_SHARE = 16n;

/** Undefined for text that is no network. */
export function addressRange(cidr: string): AddressRange | undefined {
  const parsed = parseCIDR(cidr);
  if (!parsed) return undefined;
  const network = toNumber(parsed.network);
  const bits = parsed.network.length * 8;
  const size = 1n << BigInt(bits - parsed.prefix);
  const v4 = bits === 32;
  const first = network + 1n;
  return {
    cidr,
    family: v4 ? 'IPv4' : 'IPv6',
    network,
    first,
    last: network + size - (v4 ? 2n : 1n),
    dynamic: first + staticBand(size),
  };
}

/** How many addresses, from the first on, are handed out last: a sixteenth, at least 16 and at most 256. */
function staticBand(size: bigint): bigint {
  if (size < STATIC_MIN) return 0n;
  const share = size / STATIC_SHARE;
  return share < STATIC_MIN ? STATIC_MIN : share > STATIC_MAX ? STATIC_MAX : share;
}

export const inRange = (range: AddressRange, address: bigint): boolean =>
  range.first <= address && address <= range.last;

/** An address in any of its spellings; undefined for other text. */
export function readAddress(text: string): { family: Family; value: bigint } | undefined {
  const ip = parseIP(text);
  return ip && { family: familyOf(ip), value: toNumber(ip.bytes) };
}

/** The canonical text, which is the name of the IPAddress object. */
export function addressText(family: Family, value: bigint): string {
  const bytes = new Uint8Array(family === 'IPv4' ? 4 : 16);
  for (let i = bytes.length - 1, rest = value; i >= 0; i--, rest >>= 8n) bytes[i] = Number(rest & 255n);
  return formatIP(bytes);
}

const familyOf = (ip: ParsedIP): Family => (ip.family === 4 ? 'IPv4' : 'IPv6');

function toNumber(bytes: Uint8Array): bigint {
  let value = 0n;
  for (const byte of bytes) value = (value << 8n) | BigInt(byte);
  return value;
}
