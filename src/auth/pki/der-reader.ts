import { TAG } from './der-writer.js';

// Reads DER strictly: definite minimal lengths, single-byte tags, nothing past the end of what encloses an element.

/** The input is not what DER or the caller demands. The message never holds content of the input. */
export class DerError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'DerError';
  }
}

export interface Element {
  readonly tag: number;
  /** Content octets. */
  readonly content: Buffer;
  /** Header and content. */
  readonly raw: Buffer;
}

/** Walks the elements of one buffer in order. Buffers given out share memory with the input. */
export class DerReader {
  readonly bytes: Buffer;
  position = 0;

  constructor(bytes: Buffer) {
    this.bytes = bytes;
  }
  get done(): boolean {
    return this.position >= this.bytes.length;
  }
  /** Tag of the next element, undefined at the end. */
  peek(): number | undefined {
    return this.bytes[this.position];
  }

  next(): Element {
    const start = this.position;
    const tag = this.bytes[start];
    if (tag === undefined) throw new DerError('sequence truncated');
    if ((tag & 0x1f) === 0x1f) throw new DerError('multi-byte tag');
    const { length, at } = this.length(start + 1);
    const end = at + length;
    if (end > this.bytes.length) throw new DerError('data truncated');
    this.position = end;
    return { tag, content: this.bytes.subarray(at, end), raw: this.bytes.subarray(start, end) };
  }

  private length(from: number): { length: number; at: number } {
    const first = this.bytes[from];
    if (first === undefined) throw new DerError('truncated tag or length');
    if (first < 0x80) return { length: first, at: from + 1 };
    const count = first & 0x7f;
    if (count === 0) throw new DerError('indefinite length found (not DER)');
    if (count > 4) throw new DerError('length too large');
    let length = 0;
    for (let i = 1; i <= count; i++) {
      const byte = this.bytes[from + i];
      if (byte === undefined) throw new DerError('truncated tag or length');
      length = length * 256 + byte;
      if (length === 0) throw new DerError('superfluous leading zeros in length');
    }
    if (length < 0x80) throw new DerError('non-minimal length');
    return { length, at: from + 1 + count };
  }

  /** The next element, which must have this tag. */
  expect(tag: number): Element {
    if (this.peek() !== tag) throw new DerError(`unexpected element`);
    return this.next();
  }
  /** The next element when it has this tag. */
  optional(tag: number): Element | undefined {
    return this.peek() === tag ? this.next() : undefined;
  }
  /** A reader of the content of the next element. */
  enter(tag: number): DerReader {
    return new DerReader(this.expect(tag).content);
  }
  sequence(): DerReader {
    return this.enter(TAG.sequence);
  }
  end(): void {
    if (!this.done) throw new DerError('trailing data');
  }

  oid(): string {
    return decodeOid(this.expect(TAG.oid).content);
  }
  integer(): bigint {
    const { content } = this.expect(TAG.integer);
    if (content.length === 0) throw new DerError('empty integer');
    const [first, second] = [content[0]!, content[1]];
    if (second !== undefined && ((first === 0 && second < 0x80) || (first === 0xff && second >= 0x80))) {
      throw new DerError('integer not minimally-encoded');
    }
    return BigInt.asIntN(content.length * 8, BigInt(`0x${content.toString('hex')}`));
  }
  boolean(): boolean {
    const { content } = this.expect(TAG.boolean);
    if (content.length !== 1 || (content[0] !== 0 && content[0] !== 0xff)) throw new DerError('invalid boolean');
    return content[0] === 0xff;
  }
  /** The bits of a BIT STRING and how many of the last byte do not count. */
  bitString(): { bytes: Buffer; unused: number } {
    const { content } = this.expect(TAG.bitString);
    const unused = content[0];
    if (unused === undefined || unused > 7 || (content.length === 1 && unused > 0)) {
      throw new DerError('invalid padding bits in BIT STRING');
    }
    if (unused > 0 && (content[content.length - 1]! & ((1 << unused) - 1)) !== 0) {
      throw new DerError('invalid padding bits in BIT STRING');
    }
    return { bytes: content.subarray(1), unused };
  }
  /** UTCTime or GeneralizedTime in the forms RFC 5280 allows, in milliseconds since the epoch. */
  time(): number {
    const { tag, content } = this.next();
    const text = content.toString('latin1');
    if (tag === TAG.utcTime && /^\d{12}Z$/.test(text)) {
      const year = Number(text.slice(0, 2));
      return digits(`${year >= 50 ? 19 : 20}${text}`);
    }
    if (tag === TAG.generalizedTime && /^\d{14}Z$/.test(text)) return digits(text);
    throw new DerError('malformed time');
  }
}

function digits(text: string): number {
  const part = (from: number, to: number): number => Number(text.slice(from, to));
  const ms = Date.UTC(part(0, 4), part(4, 6) - 1, part(6, 8), part(8, 10), part(10, 12), part(12, 14));
  // A day that does not exist rolls over to another one, which shows in the way back.
  const back = new Date(ms).toISOString().replace(/[-:T]/g, '').slice(0, 14);
  if (back !== text.slice(0, 14)) throw new DerError('malformed time');
  return ms;
}

export function decodeOid(content: Buffer): string {
  if (content.length === 0 || content[content.length - 1]! & 0x80) throw new DerError('invalid object identifier');
  const arcs: number[] = [];
  let arc = 0;
  let groups = 0;
  for (const byte of content) {
    if (groups === 0 && byte === 0x80) throw new DerError('invalid object identifier');
    if (++groups > 5) throw new DerError('base 128 integer too large');
    arc = arc * 128 + (byte & 0x7f);
    if (byte & 0x80) continue;
    if (arcs.length === 0) {
      const root = Math.min(2, Math.floor(arc / 40));
      arcs.push(root, arc - root * 40);
    } else arcs.push(arc);
    arc = 0;
    groups = 0;
  }
  return arcs.join('.');
}
