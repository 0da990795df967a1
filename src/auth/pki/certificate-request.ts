import { createPublicKey, type KeyObject, verify } from 'node:crypto';
import { DerError, DerReader } from './der-reader.js';
import * as der from './der-writer.js';
import { readExtensions, readSubjectAltNames, type SubjectAltNames, subjectAltNameExtension } from './extensions.js';
import { algorithmIdentifier, publicKeyInfo, signatureAlgorithmFor, signBytes } from './keys.js';
import { encodeName, readName, type Subject, userAttributes } from './name.js';
import { OID, SIGNATURE_ALGORITHMS } from './oids.js';
import { decodePem, encodePem } from './pem.js';

/** A PKCS#10 certification request (RFC 2986) as parsed; its signature is not verified. */
export interface CertificateRequest {
  readonly raw: Buffer;
  readonly signed: Buffer;
  readonly signatureAlgorithm: string;
  readonly signature: Buffer;
  readonly subject: Subject;
  readonly publicKeyInfo: Buffer;
  readonly names: SubjectAltNames;
}

const NOT_A_REQUEST = 'PEM block type must be CERTIFICATE REQUEST';

/**
 * Parses `spec.request` of a CertificateSigningRequest, decoded from base64. The first PEM block counts. Throws an error
 * with the message that kube-apiserver puts into its field error.
 */
export function parseRequestPem(pem: string | Buffer): CertificateRequest {
  const [block] = decodePem(pem);
  if (block?.label !== 'CERTIFICATE REQUEST') throw new DerError(NOT_A_REQUEST);
  return parseRequest(block.bytes);
}

/** Parses one DER request. Throws a DerError with the text of Go's encoding/asn1 where the outline is wrong. */
export function parseRequest(raw: Buffer): CertificateRequest {
  const all = new DerReader(raw);
  const outer = new DerReader(want(all, 16, 'certificateRequest').content);
  if (!all.done) throw new DerError('asn1: syntax error: trailing data');
  const info = want(outer, 16, 'tbsCertificateRequest');
  const algorithm = want(outer, 16, 'AlgorithmIdentifier');
  const signature = inDer(() => outer.bitString().bytes);

  const body = new DerReader(info.content);
  want(body, 2, 'int');
  return inDer(() => {
    const subject = readName(new DerReader(body.next().raw));
    const spki = body.expect(der.TAG.sequence).raw;
    const attributes = body.peek() === 0xa0 ? body.enter(0xa0) : undefined;
    return {
      raw,
      signed: info.raw,
      signatureAlgorithm: new DerReader(algorithm.content).oid(),
      signature,
      subject,
      publicKeyInfo: spki,
      names: requestedNames(attributes),
    };
  });
}

/** The next element, which must have this universal tag; otherwise the error that Go's reflection would give. */
function want(reader: DerReader, tag: number, goType: string): { content: Buffer; raw: Buffer } {
  const first = reader.peek();
  const constructed = tag === 16 ? 0x20 : 0;
  if (first !== undefined && first !== (tag | constructed)) {
    const { length, headerLength } = outline(reader);
    const found = `{class:${first >> 6} tag:${first & 0x1f} length:${length} isCompound:${(first & 0x20) !== 0}}`;
    throw new DerError(
      `asn1: structure error: tags don't match (${tag} vs ${found}) ${GO_PARAMETERS} ${goType} @${headerLength}`,
    );
  }
  return inDer(() => reader.next());
}
const GO_PARAMETERS =
  '{optional:false explicit:false application:false private:false defaultValue:<nil> tag:<nil> stringType:0 timeType:0 set:false omitEmpty:false}';

/** Length octets of an element that may reach past the end. */
function outline(reader: DerReader): { length: number; headerLength: number } {
  const at = reader.position + 1;
  const first = reader.bytes[at];
  if (first === undefined) throw new DerError('asn1: syntax error: truncated tag or length');
  if (first < 0x80) return { length: first, headerLength: at + 1 };
  const count = first & 0x7f;
  if (count === 0 || count > 4) throw new DerError('asn1: structure error: length too large');
  let length = 0;
  for (let i = 1; i <= count; i++) length = length * 256 + (reader.bytes[at + i] ?? 0);
  return { length, headerLength: at + 1 + count };
}

function inDer<T>(read: () => T): T {
  try {
    return read();
  } catch (e) {
    if (!(e instanceof DerError)) throw e;
    throw new DerError(e.message.startsWith('asn1: ') ? e.message : `asn1: syntax error: ${e.message}`);
  }
}

function requestedNames(attributes: DerReader | undefined): SubjectAltNames {
  let names: SubjectAltNames = { dns: [], emails: [], ips: [], uris: [] };
  while (attributes && !attributes.done) {
    const attribute = attributes.sequence();
    if (attribute.oid() !== OID.extensionRequest) continue;
    const values = attribute.enter(der.TAG.set);
    for (const extension of readExtensions(values.sequence())) {
      if (extension.id === OID.subjectAltName) names = readSubjectAltNames(extension.value);
    }
  }
  return names;
}

/** True when the holder of the key signed the request (proof of possession). */
export function isSelfSigned(request: CertificateRequest): boolean {
  const algorithm = SIGNATURE_ALGORITHMS.find((a) => a.oid === request.signatureAlgorithm);
  if (!algorithm) return false;
  try {
    const key = createPublicKey({ key: request.publicKeyInfo, format: 'der', type: 'spki' });
    return (
      key.asymmetricKeyType === algorithm.keyType && verify(algorithm.digest, request.signed, key, request.signature)
    );
  } catch {
    return false;
  }
}

/** Makes a request, as a client does: PEM. */
export function makeRequest(
  subject: { readonly commonName?: string; readonly organization?: readonly string[] },
  key: KeyObject,
  names?: Partial<SubjectAltNames>,
): string {
  const algorithm = algorithmIdentifier(signatureAlgorithmFor(key));
  const attributes = names
    ? der.sequence(der.oid(OID.extensionRequest), der.set(der.sequence(subjectAltNameExtension(names, false))))
    : Buffer.alloc(0);
  const info = der.sequence(
    der.smallInteger(0),
    encodeName(userAttributes(subject)),
    publicKeyInfo(key),
    der.context(0, attributes),
  );
  return encodePem('CERTIFICATE REQUEST', der.sequence(info, algorithm, der.bitString(signBytes(key, info))));
}
