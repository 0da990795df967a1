import { createCipheriv, createDecipheriv } from 'node:crypto';
import { openBox, SECRETBOX_KEY, SECRETBOX_NONCE, sealBox } from './secretbox.js';

/** Names of the ciphers that keys are for, as configuration files write them. */
export type Cipher = 'aescbc' | 'aesgcm' | 'secretbox';

export const KEY_SIZES: Readonly<Record<Cipher, readonly number[]>> = {
  aescbc: [16, 24, 32],
  aesgcm: [16, 24, 32],
  secretbox: [SECRETBOX_KEY],
};

export interface EncryptionKey {
  readonly name: string;
  /** Of a size in KEY_SIZES. */
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
export function keyProvider(
  cipher: Cipher,
  keys: readonly EncryptionKey[],
  random: (count: number) => Buffer,
): Provider {
  const { seal, open } = MODES[cipher];
  const kind = cipher === 'secretbox' ? 'Secretbox' : 'AES';
  const prefix = `k8s:enc:${cipher}:v1:`;
  const named = keys.map((key) => ({ key, prefix: Buffer.from(`${prefix}${key.name}:`) }));
  return {
    prefix,
    encrypt: (value, path) => Buffer.concat([named[0]!.prefix, ...seal(value, named[0]!.key.secret, path, random)]),
    decrypt(stored, path) {
      let failure = new Error(`no matching key was found for the provided ${kind} transformer`);
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

/** Nonce, tag, ciphertext. */
const SECRETBOX: Mode = {
  seal(value, key, _, random) {
    const nonce = random(SECRETBOX_NONCE);
    return [nonce, sealBox(value, nonce, key)];
  },
  open(sealed, key) {
    if (sealed.length < SECRETBOX_NONCE) throw new Error('the stored data was shorter than the required size');
    const value = openBox(sealed.subarray(SECRETBOX_NONCE), sealed.subarray(0, SECRETBOX_NONCE), key);
    if (!value) throw new Error('the stored data does not open with this key');
    return value;
  },
};

const MODES: Readonly<Record<Cipher, Mode>> = { aesgcm: GCM, aescbc: CBC, secretbox: SECRETBOX };

function gcm(key: Buffer): 'aes-128-gcm' | 'aes-192-gcm' | 'aes-256-gcm' {
  return key.length === 16 ? 'aes-128-gcm' : key.length === 24 ? 'aes-192-gcm' : 'aes-256-gcm';
}
