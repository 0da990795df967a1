import type { Readable } from 'node:stream';
import { badRequest, tooLarge } from '../../machinery/errors.js';

/** Reads the whole of a request body, at most `limit` bytes of it. */
export class BodyReader {
  /** Rejects with a StatusError: 413 past the limit, 400 when the upload is cut. */
  readonly done: Promise<Buffer>;
  /** Bytes so far. */
  length = 0;
  readonly #source: Readable;
  readonly #limit: number;
  readonly #isWhole: () => boolean;
  #chunks: Buffer[] = [];
  #resolve: (body: Buffer) => void = () => {};
  #reject: (error: Error) => void = () => {};

  /** `isWhole`, asked at the stream's end: whether that was the body's end as well. */
  constructor(source: Readable, limit: number, isWhole: () => boolean) {
    this.#source = source;
    this.#limit = limit;
    this.#isWhole = isWhole;
    this.done = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    if (source.readableEnded) this.#onEnd();
    else if (source.destroyed) this.cut();
    else {
      source.on('data', this.#onData).on('end', this.#onEnd);
      source.on('aborted', this.cut).on('error', this.cut).on('close', this.cut);
    }
  }

  readonly cut = (): void => {
    this.#stop();
    this.#reject(badRequest('unexpected EOF'));
  };

  readonly #onData = (chunk: Buffer): void => {
    this.length += chunk.length;
    if (this.length <= this.#limit) {
      this.#chunks.push(chunk);
      return;
    }
    this.#stop();
    this.#source.pause();
    this.#reject(tooLarge(`limit is ${this.#limit}`));
  };

  readonly #onEnd = (): void => {
    if (!this.#isWhole()) {
      this.cut();
      return;
    }
    const chunks = this.#chunks;
    this.#stop();
    this.#resolve(chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks, this.length));
  };

  #stop(): void {
    const source = this.#source;
    source.off('data', this.#onData).off('end', this.#onEnd);
    source.off('aborted', this.cut).off('error', this.cut).off('close', this.cut);
    this.#chunks = [];
  }
}
