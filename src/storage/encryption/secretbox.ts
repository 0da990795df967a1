import { timingSafeEqual } from 'node:crypto';

// NaCl's secretbox: XSalsa20 for secrecy, Poly1305 for authenticity. Node.js has neither.

export const SECRETBOX_KEY = 32;
export const SECRETBOX_NONCE = 24;
const TAG = 16;
const BLOCK = 64;

/** Tag, then ciphertext. */
export function sealBox(message: Buffer, nonce: Buffer, key: Buffer): Buffer {
  const { macKey, stream } = keystream(nonce, key, message.length);
  const out = Buffer.alloc(TAG + message.length);
  for (let i = 0; i < message.length; i++) out[TAG + i] = message[i]! ^ stream[i]!;
  poly1305(out.subarray(TAG), macKey).copy(out);
  return out;
}

/** Undefined when it was not sealed with this key and nonce. */
export function openBox(box: Buffer, nonce: Buffer, key: Buffer): Buffer | undefined {
  if (box.length < TAG) return undefined;
  const sealed = box.subarray(TAG);
  const { macKey, stream } = keystream(nonce, key, sealed.length);
  if (!timingSafeEqual(box.subarray(0, TAG), poly1305(sealed, macKey))) return undefined;
  const out = Buffer.alloc(sealed.length);
  for (let i = 0; i < out.length; i++) out[i] = sealed[i]! ^ stream[i]!;
  return out;
}

/** The first 32 bytes of the stream are the key of the authenticator. */
function keystream(nonce: Buffer, key: Buffer, length: number): { macKey: Buffer; stream: Buffer } {
  const subkey = hsalsa20(key, nonce.subarray(0, 16));
  const blocks = Math.ceil((length + 32) / BLOCK);
  const all = Buffer.alloc(blocks * BLOCK);
  const state = initial(subkey);
  state[6] = nonce.readUInt32LE(16);
  state[7] = nonce.readUInt32LE(20);
  for (let i = 0; i < blocks; i++) {
    state[8] = i;
    const mixed = rounds(state);
    for (let w = 0; w < 16; w++) all.writeUInt32LE((mixed[w]! + state[w]!) >>> 0, i * BLOCK + w * 4);
  }
  return { macKey: all.subarray(0, 32), stream: all.subarray(32) };
}

/** `expand 32-byte k` */
const SIGMA = [0x61707865, 0x3320646e, 0x79622d32, 0x6b206574] as const;

/** Salsa20's matrix for a key, with nonce and counter at zero. */
function initial(key: Buffer): Uint32Array {
  const state = new Uint32Array(16);
  for (let i = 0; i < 4; i++) {
    state[i * 5] = SIGMA[i]!;
    state[1 + i] = key.readUInt32LE(i * 4);
    state[11 + i] = key.readUInt32LE(16 + i * 4);
  }
  return state;
}

function hsalsa20(key: Buffer, nonce: Buffer): Buffer {
  const state = initial(key);
  for (let i = 0; i < 4; i++) state[6 + i] = nonce.readUInt32LE(i * 4);
  const mixed = rounds(state);
  const out = Buffer.alloc(32);
  for (const [i, w] of [0, 5, 10, 15, 6, 7, 8, 9].entries()) out.writeUInt32LE(mixed[w]!, i * 4);
  return out;
}

/** The quarters of a double round: four columns, then four rows. */
const QUARTERS = [
  [0, 4, 8, 12],
  [5, 9, 13, 1],
  [10, 14, 2, 6],
  [15, 3, 7, 11],
  [0, 1, 2, 3],
  [5, 6, 7, 4],
  [10, 11, 8, 9],
  [15, 12, 13, 14],
] as const;

/** Salsa20's twenty rounds. */
function rounds(state: Uint32Array): Uint32Array {
  const x = Uint32Array.from(state);
  for (let i = 0; i < 10; i++) {
    for (const [a, b, c, d] of QUARTERS) {
      x[b]! ^= rotate(x[a]! + x[d]!, 7);
      x[c]! ^= rotate(x[b]! + x[a]!, 9);
      x[d]! ^= rotate(x[c]! + x[b]!, 13);
      x[a]! ^= rotate(x[d]! + x[c]!, 18);
    }
  }
  return x;
}

function rotate(sum: number, by: number): number {
  const word = sum >>> 0;
  return (word << by) | (word >>> (32 - by));
}

const PRIME = (1n << 130n) - 5n;
const CLAMP = 0x0ffffffc0ffffffc0ffffffc0fffffffn;

function poly1305(message: Buffer, key: Buffer): Buffer {
  const r = littleEndian(key.subarray(0, 16)) & CLAMP;
  let sum = 0n;
  for (let at = 0; at < message.length; at += 16) {
    const block = message.subarray(at, at + 16);
    sum = ((sum + littleEndian(block) + (1n << BigInt(8 * block.length))) * r) % PRIME;
  }
  const tag = BigInt.asUintN(128, sum + littleEndian(key.subarray(16, 32)));
  const out = Buffer.alloc(TAG);
  out.writeBigUInt64LE(BigInt.asUintN(64, tag), 0);
  out.writeBigUInt64LE(tag >> 64n, 8);
  return out;
}

function littleEndian(bytes: Buffer): bigint {
  if (bytes.length === 16) return bytes.readBigUInt64LE(0) | (bytes.readBigUInt64LE(8) << 64n);
  let value = 0n;
  for (let i = bytes.length - 1; i >= 0; i--) value = (value << 8n) | BigInt(bytes[i]!);
  return value;
}
