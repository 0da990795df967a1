import { createHash, type KeyObject } from 'node:crypto';
import { publicKeyInfo } from '../pki/keys.js';

/** A public key that service-account tokens may be signed with. */
export interface VerificationKey {
  /** base64url of the SHA-256 of its SubjectPublicKeyInfo: does not give the key away. */
  readonly kid: string;
  readonly key: KeyObject;
}

export function keyIdOf(key: KeyObject): string {
  return createHash('sha256').update(publicKeyInfo(key)).digest('base64url');
}

/** All keys that may have signed a token, found by the id in its header. */
export interface VerificationKeys {
  readonly all: readonly VerificationKey[];
  /** Keys with this id; every key when the token names none. */
  withId(kid: string | undefined): readonly VerificationKey[];
}

export function verificationKeys(keys: readonly KeyObject[]): VerificationKeys {
  const all: VerificationKey[] = [];
  const byId = new Map<string, VerificationKey[]>();
  for (const key of keys) {
    const entry = { kid: keyIdOf(key), key };
    all.push(entry);
    byId.set(entry.kid, [...(byId.get(entry.kid) ?? []), entry]);
  }
  return { all, withId: (kid) => (kid === undefined ? all : (byId.get(kid) ?? [])) };
}
