import { X509Certificate } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Material } from '../auth/pki/material.js';
import type { KeyPair, ServingCertificates } from '../server/transport/contract.js';
import type { ControlPlaneOptions } from './options.js';

type Options = Pick<ControlPlaneOptions, 'tlsCertFile' | 'tlsPrivateKeyFile' | 'tlsSniCertKey' | 'certDir'>;

/**
 * What to serve with: the files that are named, those in the certificate directory, or one of the own authority, which
 * is left in that directory for the next start; and the certificates that clients choose by the name they ask for.
 *
 * @throws Error for files that can't be read, and for what is no `cert,key[:name,…]`
 */
export function servingCertificates(options: Options, material: Pick<Material, 'serving'>): ServingCertificates {
  const sni = (options.tlsSniCertKey ?? []).map(parseSni);
  return { ...defaultPair(options, material), sni: byPrecedence(sni) };
}

/** The files that certificates come from, whose changes count while the server runs. */
export function certificateFiles({ tlsCertFile, tlsPrivateKeyFile, tlsSniCertKey = [] }: Options): string[] {
  const named = [tlsCertFile, tlsPrivateKeyFile].filter((path) => path !== undefined && path !== '') as string[];
  return [...named, ...tlsSniCertKey.map(parseSni).flatMap(({ cert, key }) => [cert, key])];
}

function defaultPair(
  { tlsCertFile, tlsPrivateKeyFile, certDir }: Options,
  material: Pick<Material, 'serving'>,
): KeyPair {
  if (tlsCertFile && tlsPrivateKeyFile) return read(tlsCertFile, tlsPrivateKeyFile);
  const { serving } = material;
  if (!certDir) return serving;
  const [cert, key] = ['apiserver.crt', 'apiserver.key'].map((name) => join(certDir, name)) as [string, string];
  if (!existsSync(cert) || !existsSync(key)) {
    mkdirSync(certDir, { recursive: true });
    writeFileSync(cert, serving.cert);
    writeFileSync(key, serving.key, { mode: 0o600 });
  }
  return read(cert, key);
}

function read(cert: string, key: string): KeyPair {
  return { cert: readFileSync(cert), key: readFileSync(key) };
}

interface SniFiles {
  readonly cert: string;
  readonly key: string;
  /** Empty: those of the certificate. */
  readonly names: readonly string[];
}

function parseSni(text: string): SniFiles {
  const colon = text.indexOf(':');
  const [cert = '', key = '', more] = (colon < 0 ? text : text.slice(0, colon)).split(',').map((part) => part.trim());
  if (!cert || !key || more !== undefined) {
    throw new Error(`--tls-sni-cert-key ${text}: expected comma separated certificate and key file paths`);
  }
  const names =
    colon < 0
      ? []
      : text
          .slice(colon + 1)
          .split(',')
          .map((name) => name.trim());
  if (names.includes('')) throw new Error(`--tls-sni-cert-key ${text}: empty domain name`);
  return { cert, key, names };
}

/** Whole names count before wildcards, names that the flag gives before those of certificates. */
function byPrecedence(entries: readonly SniFiles[]): NonNullable<ServingCertificates['sni']> {
  const found: { names: string[]; rank: number; pair: KeyPair }[] = [];
  for (const entry of entries) {
    const pair = read(entry.cert, entry.key);
    const given = entry.names.length > 0;
    const names = given ? entry.names : namesOf(pair);
    for (const wild of [false, true]) {
      const some = names.filter((name) => name.startsWith('*.') === wild);
      if (some.length > 0) found.push({ names: some, rank: (wild ? 2 : 0) + (given ? 0 : 1), pair });
    }
  }
  return found.sort((a, b) => a.rank - b.rank).map(({ names, pair }) => ({ ...pair, names }));
}

/** The DNS names of a certificate, or else its common name. */
function namesOf({ cert }: KeyPair): string[] {
  const { subjectAltName = '', subject } = new X509Certificate(cert);
  const names = subjectAltName.split(', ').flatMap((entry) => (entry.startsWith('DNS:') ? [entry.slice(4)] : []));
  if (names.length > 0) return names;
  const common = /^CN=(.+)$/m.exec(subject)?.[1];
  return common === undefined ? [] : [common];
}
