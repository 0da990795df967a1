import type { JsonObject, JsonValue } from '../../json.js';
import type { SchemaNode, Type } from '../../scheme/type.js';

/** The tag "self-described CBOR" (RFC 8949, 3.4.6), with which every body starts. */
export const CBOR_PREFIX = Buffer.from([0xd9, 0xd9, 0xf7]);

/**
 * CBOR of a JSON value as the API writes it (KEP-4222): strings as byte strings, keys in bytewise order of their
 * encoding, the shortest floating point that keeps the value. With the object's type, its bytes fields (base64 text in
 * JSON) become byte strings under tag 22 and its floating-point fields stay floating-point. The value must be complete:
 * pass what the JSON encoder would write, not the minimal form. No prefix.
 */
export function encodeCborItem(value: JsonValue, type?: Type): Buffer {
  const w = new CborWriter();
  w.value(value, type ? { kind: 'struct', type } : undefined);
  return w.finish();
}

/** A whole body: the prefix and the item. */
export function encodeCbor(value: JsonValue, type?: Type): Buffer {
  return Buffer.concat([CBOR_PREFIX, encodeCborItem(value, type)]);
}

/** One watch event of `application/cbor-seq`, around the whole body of its object. */
export function cborWatchEvent(type: string, object: Uint8Array): Buffer {
  const w = new CborWriter();
  w.head(5, 2);
  w.string('type');
  w.string(type);
  w.string('object');
  return Buffer.concat([CBOR_PREFIX, w.finish(), object]);
}

class CborWriter {
  #buffer = Buffer.allocUnsafe(1024);
  #length = 0;

  finish(): Buffer {
    return this.#buffer.subarray(0, this.#length);
  }

  value(v: JsonValue, node: SchemaNode | undefined): void {
    if (typeof v === 'string') {
      if (node?.kind === 'string' && node.format === 'byte') this.#bytes(v);
      else this.string(v);
    } else if (typeof v === 'boolean') this.#byte(v ? 0xf5 : 0xf4);
    else if (typeof v === 'bigint') {
      // An integer beyond 64 bits is a float to a reader of JSON, and no reader of CBOR takes it as an integer.
      if (BigInt.asIntN(64, v) === v) this.#integer(v);
      else this.#float(Number(v));
    } else if (typeof v === 'number') {
      if (Number.isSafeInteger(v) && node?.kind !== 'number') this.#integer(v);
      else this.#float(v);
    } else if (v === null) this.#byte(0xf6);
    else if (Array.isArray(v)) {
      this.head(4, v.length);
      for (const e of v) this.value(e, node?.items);
    } else this.#map(v, node);
  }

  string(text: string): void {
    const length = Buffer.byteLength(text, 'utf8');
    this.head(2, length);
    this.#reserve(length);
    this.#buffer.write(text, this.#length, length, 'utf8');
    this.#length += length;
  }

  /** Major type and argument in the shortest form. */
  head(major: number, n: number | bigint): void {
    const type = major << 5;
    this.#reserve(9);
    const b = this.#buffer;
    const at = this.#length;
    if (n < 24) {
      b[at] = type | Number(n);
      this.#length++;
    } else if (n < 0x100) {
      b[at] = type | 24;
      b[at + 1] = Number(n);
      this.#length += 2;
    } else if (n < 0x10000) {
      b[at] = type | 25;
      b.writeUInt16BE(Number(n), at + 1);
      this.#length += 3;
    } else if (n < 0x100000000) {
      b[at] = type | 26;
      b.writeUInt32BE(Number(n), at + 1);
      this.#length += 5;
    } else {
      b[at] = type | 27;
      b.writeBigUInt64BE(BigInt(n), at + 1);
      this.#length += 9;
    }
  }

  #map(object: JsonObject, node: SchemaNode | undefined): void {
    const keys = Object.keys(object)
      .filter((k) => object[k] !== undefined)
      .map((key) => ({ key, bytes: Buffer.from(key, 'utf8') }))
      .sort((a, b) => a.bytes.length - b.bytes.length || a.bytes.compare(b.bytes));
    this.head(5, keys.length);
    for (const { key } of keys) {
      this.string(key);
      this.value(object[key]!, node?.kind === 'map' ? node.values : node?.type?.field.get(key)?.node);
    }
  }

  #bytes(base64: string): void {
    const data = Buffer.from(base64, 'base64');
    this.head(6, 22);
    this.head(2, data.length);
    this.#reserve(data.length);
    this.#buffer.set(data, this.#length);
    this.#length += data.length;
  }

  #integer(n: number | bigint): void {
    if (n >= 0) this.head(0, n);
    else this.head(1, -1n - BigInt(n));
  }

  #float(n: number): void {
    this.#reserve(9);
    const b = this.#buffer;
    const half = toHalf(n);
    if (half !== undefined) {
      b[this.#length] = 0xf9;
      b.writeUInt16BE(half, this.#length + 1);
      this.#length += 3;
    } else if (Math.fround(n) === n) {
      b[this.#length] = 0xfa;
      b.writeFloatBE(n, this.#length + 1);
      this.#length += 5;
    } else {
      b[this.#length] = 0xfb;
      b.writeDoubleBE(n, this.#length + 1);
      this.#length += 9;
    }
  }

  #byte(b: number): void {
    this.#reserve(1);
    this.#buffer[this.#length++] = b;
  }

  #reserve(n: number): void {
    if (this.#length + n <= this.#buffer.length) return;
    const larger = Buffer.allocUnsafe(Math.max(this.#buffer.length * 2, this.#length + n));
    this.#buffer.copy(larger, 0, 0, this.#length);
    this.#buffer = larger;
  }
}

/** The bits of the half-precision number with exactly this value, if there is one. */
function toHalf(n: number): number | undefined {
  const sign = Object.is(n, -0) || n < 0 ? 0x8000 : 0;
  const magnitude = Math.abs(n);
  if (magnitude === 0) return sign;
  const exponent = Math.max(Math.floor(Math.log2(magnitude)), -14);
  const mantissa = (magnitude / 2 ** exponent) * 1024;
  if (exponent > 15 || !Number.isInteger(mantissa)) return undefined;
  return mantissa >= 1024 ? sign | ((exponent + 15) << 10) | (mantissa - 1024) : sign | mantissa;
}
