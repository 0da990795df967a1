import { randomBytes } from 'node:crypto';
import { type Certificate, parseCertificate } from './certificate.js';
import { type Authority, type CertificateTemplate, issueAuthority, issueCertificate } from './issue.js';
import { generateKey, publicKeyInfo } from './keys.js';
import { userAttributes } from './name.js';
import { OID } from './oids.js';

// Certificates for tests. Times are around NOW.

export const NOW = Date.parse('2026-06-01T12:00:00Z');
export const HOUR = 3_600_000;
export const validity = { notBefore: NOW - HOUR, notAfter: NOW + HOUR };

export const makeAuthority = (name: string): Authority => issueAuthority(name, generateKey(), validity, randomBytes);

/** A certificate by `by` with a key of its own; client authentication unless told otherwise. */
export function makeCertificate(
  by: Authority,
  name: string,
  over: Partial<CertificateTemplate> & { readonly groups?: readonly string[]; readonly uid?: string } = {},
): Certificate {
  return makeAuthorityUnder(by, name, { isCa: false, keyUsage: 1, extKeyUsage: [OID.clientAuth], ...over }).certificate;
}

/** An intermediate authority. */
export function makeAuthorityUnder(
  by: Authority,
  name: string,
  over: Partial<CertificateTemplate> & { readonly groups?: readonly string[]; readonly uid?: string } = {},
): Authority {
  const key = generateKey();
  const { groups, uid, ...template } = over;
  const raw = issueCertificate(
    {
      ...validity,
      subject: userAttributes({ commonName: name, organization: groups, uid }),
      publicKeyInfo: publicKeyInfo(key),
      isCa: true,
      keyUsage: 1 << 5,
      ...template,
    },
    by,
    randomBytes,
  );
  return { certificate: parseCertificate(raw), key };
}
