import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Material } from '../auth/pki/material.js';
import type { KeyPair } from '../server/transport/contract.js';
import type { ControlPlaneOptions } from './options.js';

type Options = Pick<ControlPlaneOptions, 'tlsCertFile' | 'tlsPrivateKeyFile' | 'certDir'>;

/**
 * What to serve with: the files that are named, those in the certificate directory, or one of the own authority, which
 * is left in that directory for the next start.
 */
export function servingCertificate(options: Options, { serving }: Pick<Material, 'serving'>): KeyPair {
  const { tlsCertFile, tlsPrivateKeyFile, certDir } = options;
  if (tlsCertFile && tlsPrivateKeyFile) return read(tlsCertFile, tlsPrivateKeyFile);
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
