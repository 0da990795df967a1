import type { OutgoingHttpHeaders } from 'node:http';
import { createGzip, type Gzip } from 'node:zlib';
import type { HttpResponse } from '../http.js';

/** Shorter answers cost more to compress than to send. The number is kube-apiserver's. */
const THRESHOLD = 128 * 1024;

/**
 * A response that compresses what is written, once it turns out to be long. For answers that end: what is written may
 * stay in the compressor until more comes, so watches must not go through it.
 */
export function gzipResponse(response: HttpResponse): HttpResponse {
  return new GzipResponse(response);
}

class GzipResponse implements HttpResponse {
  readonly #inner: HttpResponse;
  readonly #held: Buffer[] = [];
  #length = 0;
  #status = 0;
  #headers: OutgoingHttpHeaders = {};
  #gzip: Gzip | undefined;
  #finished: Promise<void> = Promise.resolve();

  constructor(inner: HttpResponse) {
    this.#inner = inner;
  }

  get headersSent(): boolean {
    return this.#status !== 0;
  }
  get closed(): boolean {
    return this.#inner.closed || this.#gzip?.writableEnded === true;
  }
  get status(): number {
    return this.#status;
  }
  get bytesWritten(): number {
    return this.#inner.bytesWritten;
  }

  head(status: number, headers: OutgoingHttpHeaders): void {
    this.#status = status;
    this.#headers = headers;
  }

  write(chunk: Buffer | string): boolean {
    if (this.closed || chunk.length === 0) return true;
    if (this.#gzip) return this.#gzip.write(chunk);
    const bytes = typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
    this.#held.push(bytes);
    this.#length += bytes.length;
    return this.#length <= THRESHOLD || this.#start().write(Buffer.concat(this.#held.splice(0)));
  }

  /** After `end`: everything has left the compressor. A handler must wait for that before it returns. */
  drained(): Promise<void> {
    const gzip = this.#gzip;
    if (gzip?.writableEnded) return this.#finished;
    if (!gzip?.writableNeedDrain || this.closed) return Promise.resolve();
    return new Promise((resolve) => {
      const done = () => {
        gzip.off('drain', done).off('close', done);
        resolve();
      };
      gzip.on('drain', done).on('close', done);
    });
  }

  end(chunk?: Buffer | string): void {
    if (this.closed) return;
    if (chunk !== undefined) this.write(chunk);
    if (this.#gzip) this.#gzip.end();
    else {
      this.#inner.head(this.#status, this.#headers);
      this.#inner.end(Buffer.concat(this.#held));
    }
  }

  abort(): void {
    this.#gzip?.destroy();
    this.#inner.abort();
  }

  #start(): Gzip {
    const inner = this.#inner;
    const headers: OutgoingHttpHeaders = { ...this.#headers, 'Content-Encoding': 'gzip', Vary: 'Accept-Encoding' };
    delete headers['Content-Length'];
    inner.head(this.#status, headers);
    const gzip = createGzip({ level: 1 });
    gzip.on('data', (chunk: Buffer) => {
      if (inner.closed) gzip.destroy();
      else if (!inner.write(chunk)) {
        gzip.pause();
        void inner.drained().then(() => gzip.resume());
      }
    });
    gzip.on('end', () => inner.end());
    gzip.on('error', () => inner.abort());
    this.#finished = new Promise((resolve) => gzip.on('close', resolve));
    this.#gzip = gzip;
    return gzip;
  }
}
