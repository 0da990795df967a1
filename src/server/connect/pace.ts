import { Transform, type TransformCallback } from 'node:stream';

/** Pieces a second: small enough that nothing comes in bursts. */
const PIECES = 20;

/** Passes bytes on no faster than so many a second (`--max-connection-bytes-per-sec`). */
export class Pace extends Transform {
  readonly #bytesPerSecond: number;
  #timer: NodeJS.Timeout | undefined;

  constructor(bytesPerSecond: number) {
    super({ highWaterMark: 64 * 1024 });
    this.#bytesPerSecond = bytesPerSecond;
  }

  override _transform(chunk: Buffer, _: BufferEncoding, done: TransformCallback): void {
    const size = Math.max(1, Math.floor(this.#bytesPerSecond / PIECES));
    const piece = chunk.subarray(0, size);
    const rest = chunk.subarray(size);
    this.push(piece);
    this.#timer = setTimeout(
      () => {
        if (rest.length > 0) this._transform(rest, _, done);
        else done();
      },
      (piece.length / this.#bytesPerSecond) * 1000,
    );
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    clearTimeout(this.#timer);
    done(error);
  }
}
