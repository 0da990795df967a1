/**
 * Writes protobuf from the last byte to the first, so that the length of a nested message is known when it is written.
 * Callers write the value, then its tag; fields in descending order.
 */
export class ProtoWriter {
  #buffer: Buffer;
  /** Where the written bytes start. */
  #start: number;

  constructor(size = 1024) {
    this.#buffer = Buffer.allocUnsafe(size);
    this.#start = size;
  }

  /** Bytes written so far. A mark for {@link lengthSince}. */
  get length(): number {
    return this.#buffer.length - this.#start;
  }

  finish(): Buffer {
    return this.#buffer.subarray(this.#start);
  }

  /** A non-negative integer within the safe range. */
  varint(n: number): void {
    if (n < 0x80) {
      this.#reserve(1);
      this.#buffer[this.#start] = n;
      return;
    }
    let size = 1;
    for (let rest = n; rest >= 0x80; rest = Math.floor(rest / 128)) size++;
    this.#reserve(size);
    let at = this.#start;
    for (let i = 1; i < size; i++) {
      this.#buffer[at++] = (n % 128) | 0x80;
      n = Math.floor(n / 128);
    }
    this.#buffer[at] = n;
  }

  /** Any int32 or int64; a negative one takes ten bytes. */
  int(n: number | bigint): void {
    if (typeof n === 'number' && n >= 0) {
      this.varint(n);
      return;
    }
    let rest = BigInt.asUintN(64, BigInt(n));
    const bytes: number[] = [];
    while (rest >= 0x80n) {
      bytes.push(Number(rest & 0x7fn) | 0x80);
      rest >>= 7n;
    }
    bytes.push(Number(rest));
    this.bytes(Uint8Array.from(bytes));
  }

  double(n: number): void {
    this.#reserve(8);
    this.#buffer.writeDoubleLE(n, this.#start);
  }

  bytes(data: Uint8Array): void {
    this.#reserve(data.length);
    this.#buffer.set(data, this.#start);
  }

  /** The string with its length. */
  string(text: string): void {
    const length = this.#ascii(text) ? text.length : Buffer.byteLength(text, 'utf8');
    if (length !== text.length || text.length > SHORT) {
      this.#reserve(length);
      this.#buffer.write(text, this.#start, length, 'utf8');
    }
    this.varint(length);
  }

  /** The bytes with their length. */
  lengthDelimited(data: Uint8Array): void {
    this.bytes(data);
    this.varint(data.length);
  }

  /** The length of what was written since the mark. */
  lengthSince(mark: number): void {
    this.varint(this.length - mark);
  }

  /** Writes a short ASCII string at once; false when the text is neither, with nothing written. */
  #ascii(text: string): boolean {
    const n = text.length;
    if (n > SHORT) return false;
    this.#reserve(n);
    for (let i = 0; i < n; i++) {
      const c = text.charCodeAt(i);
      if (c >= 0x80) {
        this.#start += n;
        return false;
      }
      this.#buffer[this.#start + i] = c;
    }
    return true;
  }

  #reserve(n: number): void {
    if (this.#start < n) {
      const used = this.length;
      const larger = Buffer.allocUnsafe(Math.max(this.#buffer.length * 2, used + n));
      this.#buffer.copy(larger, larger.length - used, this.#start);
      this.#start = larger.length - used;
      this.#buffer = larger;
    }
    this.#start -= n;
  }
}

/** Up to this length a loop is faster than a call into Buffer. */
const SHORT = 48;
