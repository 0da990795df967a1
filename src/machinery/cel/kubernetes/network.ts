import { goQuote } from '../../go-format.js';
import { member, type Overload, overload } from '../types/declarations.js';
import { BOOL, INT, opaqueType, STRING } from '../types/type.js';
import { OpaqueValue } from '../values/containers.js';
import { CelError } from '../values/error.js';
import { type Address, formatAddress, isMapped, parseAddress } from './ip-address.js';

export const IP = opaqueType('net.IP');
export const CIDR = opaqueType('net.CIDR');

export class IPValue extends OpaqueValue {
  readonly typeName = IP.name;
  readonly bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    super();
    this.bytes = bytes;
  }
  override get costSize(): number {
    return this.bytes.length;
  }
  equals(other: IPValue): boolean {
    return Buffer.compare(this.bytes, other.bytes) === 0;
  }
  override toString(): string {
    return formatAddress({ bytes: this.bytes, zone: '' });
  }
}

export class CIDRValue extends OpaqueValue {
  readonly typeName = CIDR.name;
  readonly bytes: Uint8Array;
  /** Length of the prefix in bits. */
  readonly bits: number;

  constructor(bytes: Uint8Array, bits: number) {
    super();
    this.bytes = bytes;
    this.bits = bits;
  }
  override get costSize(): number {
    return Math.ceil(this.bits / 8);
  }
  equals(other: CIDRValue): boolean {
    return this.bits === other.bits && Buffer.compare(this.bytes, other.bytes) === 0;
  }
  override toString(): string {
    return `${formatAddress({ bytes: this.bytes, zone: '' })}/${this.bits}`;
  }
  contains(bytes: Uint8Array): boolean {
    if (bytes.length !== this.bytes.length) return false;
    const whole = this.bits >> 3;
    for (let i = 0; i < whole; i++) if (bytes[i] !== this.bytes[i]) return false;
    const rest = 0xff & (0xff00 >> (this.bits & 7));
    return rest === 0 || (bytes[whole]! & rest) === (this.bytes[whole]! & rest);
  }
  masked(): CIDRValue {
    const bytes = this.bytes.map((byte, i) => byte & (0xff00 >> Math.min(8, Math.max(0, this.bits - 8 * i))) & 0xff);
    return new CIDRValue(bytes, this.bits);
  }
}

function read(text: string): Address {
  try {
    return parseAddress(text);
  } catch (e) {
    throw new CelError(
      `IP Address ${goQuote(text)} parse error during conversion from string: ${(e as Error).message}`,
    );
  }
}

function toIP(text: string): IPValue {
  const { bytes, zone } = read(text);
  if (zone !== '') throw new CelError(`IP address ${goQuote(text)} with zone value is not allowed`);
  if (isMapped(bytes)) throw new CelError(`IPv4-mapped IPv6 address ${goQuote(text)} is not allowed`);
  return new IPValue(bytes);
}

const PARSE_ERROR = 'network address parse error during conversion from string';

function toCIDR(text: string): CIDRValue {
  const fail = (reason: string) =>
    new CelError(`${PARSE_ERROR}: ${PARSE_ERROR}: netip.ParsePrefix(${goQuote(text)}): ${reason}`);
  const slash = text.lastIndexOf('/');
  if (slash < 0) throw fail("no '/'");
  let address: Address;
  try {
    address = parseAddress(text.slice(0, slash));
  } catch (e) {
    throw fail((e as Error).message);
  }
  if (address.zone !== '') throw fail('IPv6 zones cannot be present in a prefix');
  const bits = text.slice(slash + 1);
  if (!/^(?:0|[1-9]\d*)$/.test(bits)) throw fail(`bad bits after slash: ${goQuote(bits)}`);
  if (Number(bits) > address.bytes.length * 8) throw fail('prefix length out of range');
  if (isMapped(address.bytes)) {
    throw new CelError(`${PARSE_ERROR}: IPv4-mapped IPv6 address ${goQuote(text)} is not allowed`);
  }
  return new CIDRValue(address.bytes, Number(bits));
}

function readable(read: (text: string) => unknown) {
  return (text: string): boolean => {
    try {
      read(text);
      return true;
    } catch (e) {
      if (e instanceof CelError) return false;
      throw e;
    }
  };
}

const is4 = (ip: IPValue) => ip.bytes.length === 4;
const every = (bytes: Uint8Array, value: number) => bytes.every((b) => b === value);

function isLoopback(ip: IPValue): boolean {
  return is4(ip) ? ip.bytes[0] === 127 : every(ip.bytes.slice(0, 15), 0) && ip.bytes[15] === 1;
}
function isLinkLocalMulticast({ bytes }: IPValue): boolean {
  return bytes.length === 4
    ? bytes[0] === 224 && bytes[1] === 0 && bytes[2] === 0
    : bytes[0] === 0xff && (bytes[1]! & 0x0f) === 2;
}
function isLinkLocalUnicast({ bytes }: IPValue): boolean {
  return bytes.length === 4 ? bytes[0] === 169 && bytes[1] === 254 : bytes[0] === 0xfe && (bytes[1]! & 0xc0) === 0x80;
}
function isMulticast({ bytes }: IPValue): boolean {
  return bytes.length === 4 ? (bytes[0]! & 0xf0) === 0xe0 : bytes[0] === 0xff;
}
function isGlobalUnicast(ip: IPValue): boolean {
  const broadcast = is4(ip) && every(ip.bytes, 255);
  return !broadcast && !every(ip.bytes, 0) && !isLoopback(ip) && !isMulticast(ip) && !isLinkLocalUnicast(ip);
}

function containsCIDR(outer: CIDRValue, inner: CIDRValue): boolean {
  return outer.bits <= inner.bits && outer.contains(inner.bytes);
}

/** Kubernetes' libraries of IP addresses and networks. */
export const NETWORK: Record<string, Overload[]> = {
  ip: [
    overload('string_to_ip', [STRING], IP, toIP),
    member('cidr_ip', [CIDR], IP, (cidr: CIDRValue) => new IPValue(cidr.bytes)),
  ],
  isIP: [overload('is_ip', [STRING], BOOL, readable(toIP))],
  'ip.isCanonical': [overload('ip_is_canonical', [STRING], BOOL, (text: string) => toIP(text).toString() === text)],
  family: [member('ip_family', [IP], INT, (ip: IPValue) => (is4(ip) ? 4 : 6))],
  isUnspecified: [member('ip_is_unspecified', [IP], BOOL, (ip: IPValue) => every(ip.bytes, 0))],
  isLoopback: [member('ip_is_loopback', [IP], BOOL, isLoopback)],
  isLinkLocalMulticast: [member('ip_is_link_local_multicast', [IP], BOOL, isLinkLocalMulticast)],
  isLinkLocalUnicast: [member('ip_is_link_local_unicast', [IP], BOOL, isLinkLocalUnicast)],
  isGlobalUnicast: [member('ip_is_global_unicast', [IP], BOOL, isGlobalUnicast)],
  cidr: [overload('string_to_cidr', [STRING], CIDR, toCIDR)],
  isCIDR: [overload('is_cidr', [STRING], BOOL, readable(toCIDR))],
  containsIP: [
    member('cidr_contains_ip_string', [CIDR, STRING], BOOL, (c: CIDRValue, text: string) =>
      c.contains(toIP(text).bytes),
    ),
    member('cidr_contains_ip_ip', [CIDR, IP], BOOL, (c: CIDRValue, ip: IPValue) => c.contains(ip.bytes)),
  ],
  containsCIDR: [
    member('cidr_contains_cidr_string', [CIDR, STRING], BOOL, (c: CIDRValue, text: string) =>
      containsCIDR(c, toCIDR(text)),
    ),
    member('cidr_contains_cidr', [CIDR, CIDR], BOOL, containsCIDR),
  ],
  prefixLength: [member('cidr_prefix_length', [CIDR], INT, (cidr: CIDRValue) => cidr.bits)],
  masked: [member('cidr_masked', [CIDR], CIDR, (cidr: CIDRValue) => cidr.masked())],
  string: [overload('ip_to_string', [IP], STRING, String), overload('cidr_to_string', [CIDR], STRING, String)],
};
