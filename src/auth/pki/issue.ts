import type { KeyObject } from 'node:crypto';
import type { Certificate } from './certificate.js';
import { parseCertificate } from './certificate.js';
import * as der from './der-writer.js';
import * as ext from './extensions.js';
import { algorithmIdentifier, keyId, publicKeyInfo, signatureAlgorithmFor, signBytes } from './keys.js';
import { encodeName, type NameAttribute, userAttributes } from './name.js';
import { OID } from './oids.js';

/** A certificate authority that can sign. */
export interface Authority {
  readonly certificate: Certificate;
  readonly key: KeyObject;
}

/** What goes into a new certificate. Times are milliseconds since the epoch. */
export interface CertificateTemplate {
  readonly subject: readonly NameAttribute[];
  /** DER of the holder's SubjectPublicKeyInfo. */
  readonly publicKeyInfo: Buffer;
  readonly notBefore: number;
  readonly notAfter: number;
  readonly isCa?: boolean;
  readonly keyUsage?: number;
  readonly extKeyUsage?: readonly string[];
  readonly names?: Partial<ext.SubjectAltNames>;
}

/** Serial numbers: 128 random bits. */
export type Random = (bytes: number) => Buffer;

/** Signs a version 3 certificate. Without an authority it is self-signed by `key`. */
export function issueCertificate(
  template: CertificateTemplate,
  by: Authority | { readonly key: KeyObject },
  random: Random,
): Buffer {
  const issuer = 'certificate' in by ? by.certificate : undefined;
  const subject = encodeName(template.subject);
  const algorithm = algorithmIdentifier(signatureAlgorithmFor(by.key));
  const serial = random(16);
  serial[0]! |= 1; // never zero, RFC 5280 4.1.2.2
  const extensions = [
    ...(template.keyUsage ? [ext.keyUsageExtension(template.keyUsage)] : []),
    ...(template.extKeyUsage?.length ? [ext.extKeyUsageExtension(template.extKeyUsage)] : []),
    ext.basicConstraintsExtension(template.isCa === true),
    ...(template.isCa ? [ext.subjectKeyIdExtension(keyId(template.publicKeyInfo))] : []),
    ...(issuer?.subjectKeyId ? [ext.authorityKeyIdExtension(issuer.subjectKeyId)] : []),
    ...(hasNames(template.names) ? [ext.subjectAltNameExtension(template.names, template.subject.length === 0)] : []),
  ];
  const tbs = der.sequence(
    der.context(0, der.smallInteger(2)),
    der.unsignedInteger(serial),
    algorithm,
    issuer?.subjectName ?? subject,
    der.sequence(der.time(template.notBefore), der.time(template.notAfter)),
    subject,
    template.publicKeyInfo,
    der.context(3, der.sequence(...extensions)),
  );
  return der.sequence(tbs, algorithm, der.bitString(signBytes(by.key, tbs)));
}

function hasNames(names: Partial<ext.SubjectAltNames> | undefined): names is Partial<ext.SubjectAltNames> {
  return names !== undefined && [names.dns, names.emails, names.ips, names.uris].some((list) => list?.length);
}

export interface Validity {
  readonly notBefore: number;
  readonly notAfter: number;
}

/** A new self-signed authority. */
export function issueAuthority(commonName: string, key: KeyObject, validity: Validity, random: Random): Authority {
  const raw = issueCertificate(
    {
      ...validity,
      subject: userAttributes({ commonName }),
      publicKeyInfo: publicKeyInfo(key),
      isCa: true,
      keyUsage: ext.KEY_USAGE.digitalSignature | ext.KEY_USAGE.keyEncipherment | ext.KEY_USAGE.certSign,
      names: { dns: [commonName] },
    },
    { key },
    random,
  );
  return { certificate: parseCertificate(raw), key };
}

/** A certificate for a server; `hosts` are DNS names and IP addresses. */
export function issueServing(
  commonName: string,
  hosts: readonly string[],
  key: KeyObject,
  authority: Authority,
  validity: Validity,
  random: Random,
): Buffer {
  const dns: string[] = [];
  const ips: Buffer[] = [];
  for (const host of hosts) {
    const ip = ext.ipBytes(host);
    if (ip) ips.push(ip);
    else dns.push(host);
  }
  return issueCertificate(
    {
      ...validity,
      subject: userAttributes({ commonName }),
      publicKeyInfo: publicKeyInfo(key),
      keyUsage: ext.KEY_USAGE.digitalSignature | ext.KEY_USAGE.keyEncipherment,
      extKeyUsage: [OID.serverAuth],
      names: { dns, ips },
    },
    authority,
    random,
  );
}

/** A certificate that authenticates a user: name as CN, groups as O. */
export function issueClient(
  user: { readonly name: string; readonly groups?: readonly string[]; readonly uid?: string },
  key: KeyObject,
  authority: Authority,
  validity: Validity,
  random: Random,
): Buffer {
  return issueCertificate(
    {
      ...validity,
      subject: userAttributes({ commonName: user.name, organization: user.groups, uid: user.uid }),
      publicKeyInfo: publicKeyInfo(key),
      keyUsage: ext.KEY_USAGE.digitalSignature | ext.KEY_USAGE.keyEncipherment,
      extKeyUsage: [OID.clientAuth],
    },
    authority,
    random,
  );
}
