import { xsalsa20poly1305 } from '@noble/ciphers/salsa.js';

// NaCl's secretbox: XSalsa20 for secrecy, Poly1305 for authenticity. Node.js has neither.

export const SECRETBOX_KEY = 32;
export const SECRETBOX_NONCE = 24;

/** Tag, then ciphertext. */
export function sealBox(message: Buffer, nonce: Buffer, key: Buffer): Buffer {
  return Buffer.from(xsalsa20poly1305(key, nonce).encrypt(message));
}

/** Undefined when it was not sealed with this key and nonce. */
export function openBox(box: Buffer, nonce: Buffer, key: Buffer): Buffer | undefined {
  try {
    return Buffer.from(xsalsa20poly1305(key, nonce).decrypt(box));
  } catch {
    return undefined;
  }
}
