import { DecodeError } from '../errors.js';

const EOF = 'unexpected EOF';

/** Reads protobuf within bounds. Every fault is a DecodeError with the text of upstream's generated code. */
export class ProtoReader {
  readonly #data: Buffer;
  pos: number;
  end: number;

  constructor(data: Uint8Array) {
    this.#data = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
    this.pos = 0;
    this.end = data.length;
  }

  /** A varint whose value matters only within the safe range; more bits are cut off as Go cuts them to an int. */
  varint(): number {
    let value = 0;
    for (let shift = 0, factor = 1; shift < 64; shift += 7, factor *= 128) {
      if (this.pos >= this.end) throw new DecodeError(EOF);
      const b = this.#data[this.pos++]!;
      if (shift < 49) value += (b & 0x7f) * factor;
      else if ((b & 0x7f) !== 0) value = Number.MAX_SAFE_INTEGER;
      if (b < 0x80) return value;
    }
    throw new DecodeError('proto: integer overflow');
  }

  bool(): boolean {
    return this.int64() !== 0;
  }

  int32(): number {
    const v = this.int64();
    return typeof v === 'number' ? v | 0 : Number(BigInt.asIntN(32, v));
  }

  /** Exact: a bigint outside the safe range. */
  int64(): number | bigint {
    const start = this.pos;
    let value = 0;
    for (let shift = 0, factor = 1; shift < 49; shift += 7, factor *= 128) {
      if (this.pos >= this.end) throw new DecodeError(EOF);
      const b = this.#data[this.pos++]!;
      value += (b & 0x7f) * factor;
      if (b < 0x80) return value;
    }
    this.pos = start;
    let wide = 0n;
    for (let shift = 0n; shift < 64n; shift += 7n) {
      if (this.pos >= this.end) throw new DecodeError(EOF);
      const b = this.#data[this.pos++]!;
      wide |= BigInt(b & 0x7f) << shift;
      if (b < 0x80) {
        const signed = BigInt.asIntN(64, wide);
        return Number.isSafeInteger(Number(signed)) ? Number(signed) : signed;
      }
    }
    throw new DecodeError('proto: integer overflow');
  }

  double(): number {
    if (this.pos + 8 > this.end) throw new DecodeError(EOF);
    const value = this.#data.readDoubleLE(this.pos);
    this.pos += 8;
    return value;
  }

  /** The length of what follows, checked against what is left. */
  length(): number {
    const n = this.varint();
    if (n > this.end - this.pos) {
      throw new DecodeError(n >= 2 ** 48 ? 'proto: negative length found during unmarshaling' : EOF);
    }
    return n;
  }

  /** A view, not a copy. */
  bytes(): Buffer {
    const n = this.length();
    this.pos += n;
    return this.#data.subarray(this.pos - n, this.pos);
  }

  string(): string {
    const n = this.length();
    const start = this.pos;
    this.pos += n;
    if (n < 16) {
      let text = '';
      let i = start;
      for (; i < this.pos; i++) {
        const c = this.#data[i]!;
        if (c >= 0x80) break;
        text += String.fromCharCode(c);
      }
      if (i === this.pos) return text;
    }
    return this.#data.toString('utf8', start, this.pos);
  }

  /** Skips a field's value, with everything in it when it is a group. */
  skip(wire: number): void {
    let depth = 0;
    for (;;) {
      switch (wire) {
        case 0:
          this.varint();
          break;
        case 1:
          this.pos += 8;
          break;
        case 2:
          this.bytes();
          break;
        case 3:
          depth++;
          break;
        case 4:
          if (depth === 0) throw new DecodeError('proto: unexpected end of group');
          depth--;
          break;
        case 5:
          this.pos += 4;
          break;
        default:
          throw new DecodeError(`proto: illegal wireType ${wire}`);
      }
      if (this.pos > this.end) throw new DecodeError(EOF);
      if (depth === 0) return;
      wire = this.varint() & 7;
    }
  }
}
