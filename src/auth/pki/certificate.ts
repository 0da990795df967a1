import { createPublicKey, type KeyObject, X509Certificate } from 'node:crypto';
import { DerError, DerReader } from './der-reader.js';
import { TAG } from './der-writer.js';
import {
  readBasicConstraints,
  readExtensions,
  readExtKeyUsage,
  readKeyUsage,
  readSubjectAltNames,
  type SubjectAltNames,
} from './extensions.js';
import { readName, type Subject } from './name.js';
import { OID } from './oids.js';
import { decodePem } from './pem.js';

/** A certificate as parsed; nothing of it is verified. Times are milliseconds since the epoch. */
export interface Certificate {
  readonly raw: Buffer;
  /** The part the signature covers. */
  readonly signed: Buffer;
  readonly signatureAlgorithm: string;
  readonly serial: bigint;
  readonly version: number;
  readonly issuerName: Buffer;
  readonly subjectName: Buffer;
  readonly subject: Subject;
  readonly notBefore: number;
  readonly notAfter: number;
  readonly publicKeyInfo: Buffer;
  readonly names: SubjectAltNames;
  readonly keyUsage: number | undefined;
  readonly extKeyUsage: readonly string[] | undefined;
  readonly basicConstraints: { readonly isCa: boolean; readonly maxPathLength: number | undefined } | undefined;
  readonly subjectKeyId: Buffer | undefined;
  readonly authorityKeyId: Buffer | undefined;
  readonly nameConstraints: Buffer | undefined;
  /** Critical extensions that nothing here looks at: such a certificate must not be accepted. */
  readonly unknownCritical: readonly string[];
}

const NO_NAMES: SubjectAltNames = { dns: [], emails: [], ips: [], uris: [] };
const UNDERSTOOD: readonly string[] = [
  OID.keyUsage,
  OID.subjectAltName,
  OID.basicConstraints,
  OID.nameConstraints,
  OID.extKeyUsage,
];

/** Parses one DER certificate (RFC 5280). Throws a DerError that begins with `x509: `. */
export function parseCertificate(raw: Buffer): Certificate {
  try {
    return read(raw);
  } catch (e) {
    if (e instanceof DerError && e.message.startsWith('x509: ')) throw e;
    throw new DerError('x509: malformed certificate');
  }
}

function read(raw: Buffer): Certificate {
  const all = new DerReader(raw);
  const outer = all.sequence();
  if (!all.done) throw new DerError('x509: trailing data');
  const tbs = outer.expect(TAG.sequence);
  const algorithm = outer.expect(TAG.sequence).raw;
  outer.bitString();
  outer.end();

  const body = new DerReader(tbs.content);
  const version = body.peek() === 0xa0 ? Number(body.enter(0xa0).integer()) + 1 : 1;
  if (version > 3) throw new DerError('x509: invalid version');
  const serial = body.integer();
  if (serial < 0n) throw new DerError('x509: negative serial number');
  if (!body.expect(TAG.sequence).raw.equals(algorithm)) {
    throw new DerError("x509: inner and outer signature algorithm identifiers don't match");
  }
  const issuerName = body.expect(TAG.sequence).raw;
  const validity = body.sequence();
  const notBefore = validity.time();
  const notAfter = validity.time();
  const subjectName = body.expect(TAG.sequence).raw;
  const publicKeyInfo = body.expect(TAG.sequence).raw;
  body.optional(0x81);
  body.optional(0x82);
  const extensions = body.peek() === 0xa3 ? readExtensions(body.enter(0xa3).sequence()) : [];
  body.end();

  const value = <T>(id: string, parse: (value: Buffer) => T): T | undefined => {
    const found = extensions.find((e) => e.id === id);
    return found === undefined ? undefined : parse(found.value);
  };
  return {
    raw,
    signed: tbs.raw,
    signatureAlgorithm: new DerReader(algorithm).sequence().oid(),
    serial,
    version,
    issuerName,
    subjectName,
    subject: readName(new DerReader(subjectName)),
    notBefore,
    notAfter,
    publicKeyInfo,
    names: value(OID.subjectAltName, readSubjectAltNames) ?? NO_NAMES,
    keyUsage: value(OID.keyUsage, readKeyUsage),
    extKeyUsage: value(OID.extKeyUsage, readExtKeyUsage),
    basicConstraints: value(OID.basicConstraints, readBasicConstraints),
    subjectKeyId: value(OID.subjectKeyId, (v) => new DerReader(v).expect(TAG.octetString).content),
    authorityKeyId: value(OID.authorityKeyId, (v) => new DerReader(v).sequence().optional(0x80)?.content),
    nameConstraints: value(OID.nameConstraints, (v) => v),
    unknownCritical: extensions.filter((e) => e.critical && !UNDERSTOOD.includes(e.id)).map((e) => e.id),
  };
}

/** The key of a certificate. Throws on key types that OpenSSL does not know. */
export function publicKeyOf(certificate: Certificate): KeyObject {
  return createPublicKey({ key: certificate.publicKeyInfo, format: 'der', type: 'spki' });
}

/** True when `issuer` signed it, with an algorithm that is still trusted. */
export function signedBy(certificate: Certificate, issuer: KeyObject): boolean {
  try {
    return TRUSTED.has(certificate.signatureAlgorithm) && new X509Certificate(certificate.raw).verify(issuer);
  } catch {
    return false;
  }
}
const TRUSTED: ReadonlySet<string> = new Set([
  '1.2.840.113549.1.1.10',
  '1.2.840.113549.1.1.11',
  '1.2.840.113549.1.1.12',
  '1.2.840.113549.1.1.13',
  '1.2.840.10045.4.3.2',
  '1.2.840.10045.4.3.3',
  '1.2.840.10045.4.3.4',
  '1.3.101.112',
]);

/**
 * The certificates of a PEM bundle. Blocks of other kinds and blocks with headers are skipped. Throws when there is none,
 * or one does not parse.
 */
export function parseBundle(pem: string | Buffer): Certificate[] {
  const certificates = decodePem(pem)
    .filter((block) => block.label === 'CERTIFICATE' && !block.headers)
    .map((block) => parseCertificate(block.bytes));
  if (certificates.length === 0) throw new Error('data does not contain any valid RSA or ECDSA certificates');
  return certificates;
}
