import { isUtf8 } from 'node:buffer';
import { type JsonObject, type JsonValue, setOwn } from '../../json.js';
import { DecodeError } from '../errors.js';
import { MAX_DEPTH } from '../json/parse.js';

/** Whether a body says of itself that it is CBOR. */
export function isSelfDescribedCbor(body: Uint8Array): boolean {
  return body.length >= 3 && body[0] === 0xd9 && body[1] === 0xd9 && body[2] === 0xf7;
}

/**
 * Reads one CBOR item as a JSON value (KEP-4222): byte strings are text, under tag 22 (21, 23) they become base64
 * (base64url, base16) text; repeated keys, big numbers, NaN, infinities, undefined and trailing bytes are refused.
 */
export function decodeCbor(body: Uint8Array): JsonValue {
  const r = new CborReader(body);
  const value = r.value(0);
  if (r.left > 0) {
    throw new DecodeError(`cbor: ${r.left} bytes of extraneous data starting at index ${body.length - r.left}`);
  }
  return value;
}

const EOF = 'unexpected EOF';
/** The end of an item of indefinite length. */
const BREAK = Symbol('break');

class CborReader {
  readonly #data: Buffer;
  #pos = 0;

  constructor(data: Uint8Array) {
    this.#data = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  }

  get left(): number {
    return this.#data.length - this.#pos;
  }

  value(depth: number): JsonValue {
    const v = this.#item(depth);
    if (v === BREAK) throw new DecodeError('cbor: unexpected "break" code');
    return v;
  }

  #item(depth: number): JsonValue | typeof BREAK {
    if (depth > MAX_DEPTH) throw new DecodeError(`cbor: exceeded max nested level ${MAX_DEPTH}`);
    const first = this.#byte();
    const major = first >> 5;
    const info = first & 31;
    switch (major) {
      case 0:
        return this.#integer(this.#argument(info));
      case 1:
        return this.#integer(-1n - BigInt(this.#argument(info)));
      case 2:
      case 3:
        return this.#string(major, info).toString('utf8');
      case 4:
        return this.#array(info, depth);
      case 5:
        return this.#map(info, depth);
      case 6:
        return this.#tagged(Number(this.#argument(info)), depth);
      default:
        return this.#simple(first, info);
    }
  }

  #byte(): number {
    if (this.#pos >= this.#data.length) throw new DecodeError(EOF);
    return this.#data[this.#pos++]!;
  }

  #take(n: number): Buffer {
    if (n > this.left) throw new DecodeError(EOF);
    this.#pos += n;
    return this.#data.subarray(this.#pos - n, this.#pos);
  }

  #argument(info: number): number | bigint {
    if (info < 24) return info;
    switch (info) {
      case 24:
        return this.#byte();
      case 25:
        return this.#take(2).readUInt16BE();
      case 26:
        return this.#take(4).readUInt32BE();
      case 27:
        return this.#take(8).readBigUInt64BE();
      default:
        throw new DecodeError(`cbor: invalid additional information ${info}`);
    }
  }

  #integer(n: number | bigint): number | bigint {
    const value = Number(n);
    if (Number.isSafeInteger(value)) return value;
    if (BigInt.asIntN(64, BigInt(n)) !== BigInt(n)) {
      const kind = n < 0 ? 'negative integer' : 'positive integer';
      const why = n < 0 ? '' : ` (${n} overflows Go's int64)`;
      throw new DecodeError(`cbor: cannot unmarshal ${kind} into Go value of type int64${why}`);
    }
    return BigInt(n);
  }

  /** The number of items that a head announces, or undefined when a break ends them. Each takes at least a byte. */
  #count(info: number, perItem: number): number | undefined {
    if (info === 31) return undefined;
    const n = this.#argument(info);
    if (n > this.left / perItem) throw new DecodeError(EOF);
    return Number(n);
  }

  #string(major: number, info: number): Buffer {
    const length = this.#count(info, 1);
    let data: Buffer;
    if (length !== undefined) data = this.#take(length);
    else {
      const chunks: Buffer[] = [];
      for (let first = this.#byte(); first !== 0xff; first = this.#byte()) {
        if (first >> 5 !== major || (first & 31) === 31)
          throw new DecodeError('cbor: wrong element in a string of chunks');
        chunks.push(this.#take(this.#count(first & 31, 1)!));
      }
      data = Buffer.concat(chunks);
    }
    if (major === 3 && !isUtf8(data)) throw new DecodeError('cbor: invalid UTF-8 string');
    return data;
  }

  #array(info: number, depth: number): JsonValue[] {
    const out: JsonValue[] = [];
    const count = this.#count(info, 1);
    for (let i = 0; count === undefined || i < count; i++) {
      const v = this.#item(depth + 1);
      if (v === BREAK) {
        if (count === undefined) break;
        throw new DecodeError('cbor: unexpected "break" code');
      }
      out.push(v);
    }
    return out;
  }

  #map(info: number, depth: number): JsonObject {
    const out: JsonObject = {};
    const count = this.#count(info, 2);
    for (let i = 0; count === undefined || i < count; i++) {
      const first = this.#byte();
      if (first === 0xff && count === undefined) break;
      const major = first >> 5;
      if (major !== 2 && major !== 3) throw new DecodeError('cbor: cannot unmarshal a map key that is not a string');
      const key = this.#string(major, first & 31).toString('utf8');
      if (Object.hasOwn(out, key)) {
        throw new DecodeError(`cbor: found duplicate map key ${JSON.stringify(key)} at map element index ${i}`);
      }
      setOwn(out, key, this.value(depth + 1));
    }
    return out;
  }

  /** Tags that change how a string reads; the content of any other one stands for itself. */
  #tagged(tag: number, depth: number): JsonValue {
    if (tag === 2 || tag === 3) throw new DecodeError('cbor: cannot unmarshal bignum into Go value of type int64');
    if (tag >= 21 && tag <= 23 && this.#pos < this.#data.length && this.#data[this.#pos]! >> 5 === 2) {
      const bytes = this.#string(2, this.#byte() & 31);
      return tag === 21 ? bytes.toString('base64url') : bytes.toString(tag === 22 ? 'base64' : 'hex');
    }
    const value = this.value(depth + 1);
    if (tag === 1 && typeof value === 'number') return epochTime(value);
    return value;
  }

  #simple(first: number, info: number): JsonValue | typeof BREAK {
    switch (first) {
      case 0xf4:
        return false;
      case 0xf5:
        return true;
      case 0xf6:
        return null;
      case 0xf9:
        return finite(fromHalf(this.#take(2).readUInt16BE()));
      case 0xfa:
        return finite(this.#take(4).readFloatBE());
      case 0xfb:
        return finite(this.#take(8).readDoubleBE());
      case 0xff:
        return BREAK;
      default:
        throw new DecodeError(`cbor: simple value ${info === 24 ? this.#byte() : info} is not recognized`);
    }
  }
}

function finite(n: number): number {
  if (Number.isFinite(n)) return n;
  throw new DecodeError(`cbor: floating-point ${Number.isNaN(n) ? 'NaN' : 'infinity'}`);
}

function fromHalf(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const mantissa = bits & 1023;
  if (exponent === 0) return sign * mantissa * 2 ** -24;
  if (exponent === 31) return mantissa ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  return sign * (1024 + mantissa) * 2 ** (exponent - 25);
}

function epochTime(seconds: number): string {
  const time = new Date(seconds * 1000);
  if (Number.isNaN(time.getTime())) throw new DecodeError('cbor: time is out of range');
  return time.toISOString().replace('.000Z', 'Z');
}
