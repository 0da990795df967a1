import { type CertificateRequest, isSelfSigned, parseRequestPem } from '../../auth/pki/certificate-request.js';
import { KEY_USAGE } from '../../auth/pki/extensions.js';
import { type Authority, issueCertificate, type Random } from '../../auth/pki/issue.js';
import { requestedAttributes } from '../../auth/pki/name.js';
import { encodePem } from '../../auth/pki/pem.js';
import { goQuoteList } from '../../machinery/go-format.js';
import type { JsonObject, KubeObject } from '../../machinery/json.js';
import {
  certificatePem,
  conditionsOf,
  expirationSecondsOf,
  hasCondition,
  isApproved,
  requestPem,
  signerOf,
  timestamp,
  usagesOf,
} from './request-object.js';
import { signerRule } from './rules.js';

export interface SigningOptions {
  readonly authority: Authority;
  /** The longest lifetime given, milliseconds (`--cluster-signing-duration`; a year). */
  readonly maxLifetime: number;
  /** Milliseconds since the epoch. */
  readonly now: number;
  readonly random: Random;
}

const MINUTE = 60_000;
/** Clocks of clients may be behind by this much. Less than the shortest lifetime. */
const BACKDATE = 5 * MINUTE;
const MIN_LIFETIME = 10 * MINUTE;
/** From this lifetime on the five minutes before now count as part of it. */
const SHORT = 8 * 60 * MINUTE;

/**
 * Does for one CertificateSigningRequest what the built-in signers do: gives the status with the certificate, or with the
 * condition Failed when the request breaks a rule of its signer. Undefined: nothing to do, as it is not approved, already
 * answered, or for another signer. Throws an Error when it can't be signed now, so that the caller tries again later.
 */
export function signCertificateRequest(csr: KubeObject, options: SigningOptions): JsonObject | undefined {
  const rule = signerRule(signerOf(csr));
  if (!rule || !isApproved(csr) || hasCondition(csr, 'Failed') || certificatePem(csr) !== '') return undefined;
  const status = { ...(csr.status as JsonObject) };
  let request: CertificateRequest;
  try {
    request = parseRequestPem(requestPem(csr));
  } catch (e) {
    throw new Error(`unable to parse csr "${csr.metadata.name}": ${(e as Error).message}`);
  }
  const fault = rule(request, usagesOf(csr));
  if (fault !== undefined) {
    const failed = {
      type: 'Failed',
      status: 'True',
      reason: 'SignerValidationFailure',
      message: fault,
      lastUpdateTime: timestamp(options.now),
    };
    return { ...status, conditions: [...conditionsOf(csr), failed] };
  }
  const certificate = sign(request, usagesOf(csr), expirationSecondsOf(csr), options);
  return { ...status, certificate: Buffer.from(encodePem('CERTIFICATE', certificate)).toString('base64') };
}

function sign(
  request: CertificateRequest,
  usages: readonly string[],
  expirationSeconds: number | undefined,
  { authority, maxLifetime, now, random }: SigningOptions,
): Buffer {
  if (!isSelfSigned(request)) throw new Error('unable to verify certificate request signature');
  const { keyUsage, extKeyUsage } = keyUsages(usages);
  const end = authority.certificate.notAfter;
  if (now >= end)
    throw new Error(`refusing to sign a certificate that expired in the past: NotAfter=${timestamp(end)}`);
  const lifetime =
    expirationSeconds === undefined
      ? maxLifetime
      : Math.min(Math.max(expirationSeconds * 1000, MIN_LIFETIME), maxLifetime);
  return issueCertificate(
    {
      subject: requestedAttributes(request.subject),
      publicKeyInfo: request.publicKeyInfo,
      notBefore: now - BACKDATE,
      notAfter: Math.min(now + (lifetime < SHORT ? lifetime : lifetime - BACKDATE), end),
      keyUsage,
      extKeyUsage,
      names: request.names,
    },
    authority,
    random,
  );
}

const KEY_USAGES: ReadonlyMap<string, number> = new Map([
  ['signing', KEY_USAGE.digitalSignature],
  ['digital signature', KEY_USAGE.digitalSignature],
  ['content commitment', KEY_USAGE.contentCommitment],
  ['key encipherment', KEY_USAGE.keyEncipherment],
  ['key agreement', KEY_USAGE.keyAgreement],
  ['data encipherment', KEY_USAGE.dataEncipherment],
  ['cert sign', KEY_USAGE.certSign],
  ['crl sign', KEY_USAGE.crlSign],
  ['encipher only', KEY_USAGE.encipherOnly],
  ['decipher only', KEY_USAGE.decipherOnly],
]);

/** In the order they are written. */
const EXT_KEY_USAGES: ReadonlyMap<string, string> = new Map([
  ['any', '2.5.29.37.0'],
  ['server auth', '1.3.6.1.5.5.7.3.1'],
  ['client auth', '1.3.6.1.5.5.7.3.2'],
  ['code signing', '1.3.6.1.5.5.7.3.3'],
  ['email protection', '1.3.6.1.5.5.7.3.4'],
  ['s/mime', '1.3.6.1.5.5.7.3.4'],
  ['ipsec end system', '1.3.6.1.5.5.7.3.5'],
  ['ipsec tunnel', '1.3.6.1.5.5.7.3.6'],
  ['ipsec user', '1.3.6.1.5.5.7.3.7'],
  ['timestamping', '1.3.6.1.5.5.7.3.8'],
  ['ocsp signing', '1.3.6.1.5.5.7.3.9'],
  ['microsoft sgc', '1.3.6.1.4.1.311.10.3.3'],
  ['netscape sgc', '2.16.840.1.113730.4.1'],
]);

function keyUsages(usages: readonly string[]): { keyUsage: number; extKeyUsage: string[] } {
  const unknown = usages.filter((usage) => !KEY_USAGES.has(usage) && !EXT_KEY_USAGES.has(usage));
  if (unknown.length > 0) throw new Error(`unrecognized usage values: ${goQuoteList(unknown)}`);
  const keyUsage = usages.reduce((bits, usage) => bits | (KEY_USAGES.get(usage) ?? 0), 0);
  const extKeyUsage = [...EXT_KEY_USAGES].filter(([usage]) => usages.includes(usage)).map(([, id]) => id);
  return { keyUsage, extKeyUsage: [...new Set(extKeyUsage)] };
}
