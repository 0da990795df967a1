import { createCipheriv, createDecipheriv } from 'node:crypto';

/** Names of the ciphers that keys are for, as configuration files write them. */
export type Cipher = 'aescbc' | 'aesgcm';

export interface EncryptionKey {
  readonly name: string;
  /** 16, 24 or 32 bytes. */
  readonly secret: Buffer;
}

/** One way to keep a value. What it writes is laid out as kube-apiserver does, behind a prefix that names way and key. */
export interface Provider {
  /** `k8s:enc:aesgcm:v1:`; '' for values as they are. */
  readonly prefix: string;
  /** The whole stored value. */
  encrypt(value: Buffer, path: string): Buffer;
  /**
   * A value that begins with the prefix. `stale`: it would be written otherwise today, with the first key.
   * @throws Error when no key fits, or somebody tampered with it
   */
  decrypt(stored: Buffer, path: string): { value: Buffer; stale: boolean };
}

/** Values as they are. What another provider wrote is not taken for one. */
export const IDENTITY: Provider = {
  prefix: '',
  encrypt: (value) => value,
  decrypt(stored) {
    if (stored.subarray(0, ENCRYPTED.length).equals(ENCRYPTED)) {
      throw new Error('identity transformer tried to read encrypted data');
    }
    return { value: stored, stale: false };
  },
};
const ENCRYPTED = Buffer.from('k8s:enc:');

/** @param random bytes that nobody can foresee, so many @param keys the first one writes */
export function aesProvider(
  cipher: Cipher,
  keys: readonly EncryptionKey[],
  random: (count: number) => Buffer,
): Provider {
  const { seal, open } = cipher === 'aesgcm' ? GCM : CBC;
  const prefix = `k8s:enc:${cipher}:v1:`;
  const named = keys.map((key) => ({ key, prefix: Buffer.from(`${prefix}${key.name}:`) }));
  return {
    prefix,
    encrypt: (value, path) => Buffer.concat([named[0]!.prefix, ...seal(value, named[0]!.key.secret, path, random)]),
    decrypt(stored, path) {
      let failure = new Error('no matching key was found for the provided AES transformer');
      // Keys may share a name: the next one is tried when one does not fit.
      for (const [i, { key, prefix: own }] of named.entries()) {
        if (!stored.subarray(0, own.length).equals(own)) continue;
        try {
          return { value: open(stored.subarray(own.length), key.secret, path), stale: i > 0 };
        } catch (e) {
          failure = e as Error;
        }
      }
      throw failure;
    },
  };
}

interface Mode {
  seal(value: Buffer, key: Buffer, path: string, random: (count: number) => Buffer): Buffer[];
  open(sealed: Buffer, key: Buffer, path: string): Buffer;
}

const NONCE = 12;
const TAG = 16;
const BLOCK = 16;

/** Nonce, ciphertext, tag; bound to the path, so that values can't be swapped. */
const GCM: Mode = {
  seal(value, key, path, random) {
    const nonce = random(NONCE);
    const cipher = createCipheriv(gcm(key), key, nonce).setAAD(Buffer.from(path));
    return [nonce, cipher.update(value), cipher.final(), cipher.getAuthTag()];
  },
  open(sealed, key, path) {
    if (sealed.length < NONCE + TAG) throw new Error('the stored data was shorter than the required size');
    const decipher = createDecipheriv(gcm(key), key, sealed.subarray(0, NONCE), { authTagLength: TAG });
    decipher.setAAD(Buffer.from(path)).setAuthTag(sealed.subarray(-TAG));
    return Buffer.concat([decipher.update(sealed.subarray(NONCE, -TAG)), decipher.final()]);
  },
};

/** Initialization vector, ciphertext with PKCS #7 padding. */
const CBC: Mode = {
  seal(value, key, _, random) {
    const iv = random(BLOCK);
    const cipher = createCipheriv(`aes-${key.length * 8}-cbc`, key, iv);
    return [iv, cipher.update(value), cipher.final()];
  },
  open(sealed, key) {
    if (sealed.length < BLOCK) throw new Error('the stored data was shorter than the required size');
    const decipher = createDecipheriv(`aes-${key.length * 8}-cbc`, key, sealed.subarray(0, BLOCK));
    return Buffer.concat([decipher.update(sealed.subarray(BLOCK)), decipher.final()]);
  },
};

function gcm(key: Buffer): 'aes-128-gcm' | 'aes-192-gcm' | 'aes-256-gcm' {
  return key.length === 16 ? 'aes-128-gcm' : key.length === 24 ? 'aes-192-gcm' : 'aes-256-gcm';
}
