import { isIPv4, isIPv6 } from 'node:net';
import { DerError, DerReader, decodeOid } from './der-reader.js';
import * as der from './der-writer.js';
import { OID } from './oids.js';

/** Bits of the keyUsage extension (RFC 5280, 4.2.1.3). */
export const KEY_USAGE = {
  digitalSignature: 1 << 0,
  contentCommitment: 1 << 1,
  keyEncipherment: 1 << 2,
  dataEncipherment: 1 << 3,
  keyAgreement: 1 << 4,
  certSign: 1 << 5,
  crlSign: 1 << 6,
  encipherOnly: 1 << 7,
  decipherOnly: 1 << 8,
} as const;

export interface SubjectAltNames {
  readonly dns: readonly string[];
  readonly emails: readonly string[];
  /** 4 or 16 bytes each. */
  readonly ips: readonly Buffer[];
  readonly uris: readonly string[];
}

export interface Extension {
  readonly id: string;
  readonly critical: boolean;
  readonly value: Buffer;
}

/** Reads the content of an Extensions SEQUENCE. One that appears twice is an error. */
export function readExtensions(reader: DerReader): Extension[] {
  const found: Extension[] = [];
  while (!reader.done) {
    const one = reader.sequence();
    const id = decodeOid(one.expect(der.TAG.oid).content);
    const critical = one.peek() === der.TAG.boolean ? one.boolean() : false;
    const value = one.expect(der.TAG.octetString).content;
    one.end();
    if (found.some((e) => e.id === id)) throw new DerError('certificate contains duplicate extensions');
    found.push({ id, critical, value });
  }
  return found;
}

export function readSubjectAltNames(value: Buffer): SubjectAltNames {
  const dns: string[] = [];
  const emails: string[] = [];
  const ips: Buffer[] = [];
  const uris: string[] = [];
  const outer = new DerReader(value);
  const names = outer.sequence();
  outer.end();
  while (!names.done) {
    const { tag, content } = names.next();
    if (tag === 0x81) emails.push(ia5(content));
    else if (tag === 0x82) dns.push(ia5(content));
    else if (tag === 0x86) uris.push(ia5(content));
    else if (tag === 0x87) {
      if (content.length !== 4 && content.length !== 16) throw new DerError('cannot parse IP address');
      ips.push(content);
    }
  }
  return { dns, emails, ips, uris };
}

function ia5(content: Buffer): string {
  if (content.some((byte) => byte >= 0x80)) throw new DerError('SAN is malformed');
  return content.toString('latin1');
}

export function readKeyUsage(value: Buffer): number {
  const { bytes } = new DerReader(value).bitString();
  let usage = 0;
  for (let bit = 0; bit < 9; bit++) if ((bytes[bit >> 3] ?? 0) & (0x80 >> (bit & 7))) usage |= 1 << bit;
  return usage;
}

export function readExtKeyUsage(value: Buffer): string[] {
  const reader = new DerReader(value).sequence();
  const usages: string[] = [];
  while (!reader.done) usages.push(reader.oid());
  return usages;
}

export function readBasicConstraints(value: Buffer): { isCa: boolean; maxPathLength: number | undefined } {
  const reader = new DerReader(value).sequence();
  const isCa = reader.peek() === der.TAG.boolean ? reader.boolean() : false;
  const maxPathLength = reader.peek() === der.TAG.integer ? Number(reader.integer()) : undefined;
  reader.end();
  return { isCa, maxPathLength };
}

const extension = (id: string, critical: boolean, value: Buffer): Buffer =>
  der.sequence(der.oid(id), ...(critical ? [der.boolean(true)] : []), der.octetString(value));

export function keyUsageExtension(usage: number): Buffer {
  const bytes = Buffer.alloc(usage > 0xff ? 2 : 1);
  let last = 0;
  for (let bit = 0; bit < 9; bit++) {
    if (!(usage & (1 << bit))) continue;
    bytes[bit >> 3]! |= 0x80 >> (bit & 7);
    last = bit;
  }
  return extension(OID.keyUsage, true, der.bitString(bytes, 7 - (last & 7)));
}

export const extKeyUsageExtension = (usages: readonly string[]): Buffer =>
  extension(OID.extKeyUsage, false, der.sequence(...usages.map(der.oid)));

export const basicConstraintsExtension = (isCa: boolean): Buffer =>
  extension(OID.basicConstraints, true, der.sequence(...(isCa ? [der.boolean(true)] : [])));

export const subjectKeyIdExtension = (id: Buffer): Buffer => extension(OID.subjectKeyId, false, der.octetString(id));

export const authorityKeyIdExtension = (id: Buffer): Buffer =>
  extension(OID.authorityKeyId, false, der.sequence(der.context(0, id, false)));

/** Critical when the subject is empty (RFC 5280, 4.2.1.6). */
export function subjectAltNameExtension(names: Partial<SubjectAltNames>, critical: boolean): Buffer {
  const text = (tag: number, value: string): Buffer => der.context(tag, Buffer.from(value, 'latin1'), false);
  return extension(
    OID.subjectAltName,
    critical,
    der.sequence(
      ...(names.dns ?? []).map((n) => text(2, n)),
      ...(names.emails ?? []).map((n) => text(1, n)),
      ...(names.ips ?? []).map((n) => der.context(7, n, false)),
      ...(names.uris ?? []).map((n) => text(6, n)),
    ),
  );
}

/** The bytes of an IP address; undefined when the text is none. IPv4-mapped addresses are written as IPv4. */
export function ipBytes(text: string): Buffer | undefined {
  if (isIPv4(text)) return Buffer.from(text.split('.').map(Number));
  if (!isIPv6(text)) return undefined;
  const [address] = text.split('%');
  const dotted = /^(.*:)(\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(address!);
  const groups = (part: string): number[] =>
    part === '' ? [] : part.split(':').map((group) => Number.parseInt(group, 16));
  const hex = dotted
    ? `${dotted[1]}${((Number(dotted[2]) << 8) | Number(dotted[3])).toString(16)}:${((Number(dotted[4]) << 8) | Number(dotted[5])).toString(16)}`
    : address!;
  const [head, tail] = hex.split('::');
  const start = groups(head!);
  const end = tail === undefined ? [] : groups(tail);
  const all = [...start, ...new Array<number>(8 - start.length - end.length).fill(0), ...end];
  const bytes = Buffer.alloc(16);
  all.forEach((group, i) => {
    bytes.writeUInt16BE(group, i * 2);
  });
  return bytes.subarray(0, 12).equals(MAPPED) ? bytes.subarray(12) : bytes;
}
const MAPPED = Buffer.from('00000000000000000000ffff', 'hex');
