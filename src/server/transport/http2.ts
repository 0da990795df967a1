import { constants, type IncomingHttpHeaders, type ServerHttp2Stream } from 'node:http2';
import { type Connection, Exchange, mayHaveBody } from './exchange.js';
import { collectHeaders } from './headers.js';

/** Meaningless in HTTP/2 (RFC 9113 8.2.2); proxied answers may have them. */
const CONNECTION_HEADERS = new Set([
  'connection',
  'http2-settings',
  'keep-alive',
  'proxy-connection',
  'te',
  'transfer-encoding',
  'upgrade',
]);

/** An exchange over one stream of HTTP/2, on Node's core API. */
export class Http2Exchange extends Exchange {
  readonly httpVersion = '2.0';
  readonly #stream: ServerHttp2Stream;
  #bodyless = false;

  constructor(connection: Connection, stream: ServerHttp2Stream, headers: IncomingHttpHeaders, raw: readonly string[]) {
    super(connection, stream, headers[':method'] ?? 'GET', headers[':path'] ?? '', collectHeaders(raw));
    this.#stream = stream;
    stream.on('drain', () => this.onDrain());
  }

  abort(): void {
    this.ended = true;
    // close() would first finish the body, and the client would take it for whole.
    this.#stream.destroy(new Error('response cut'));
  }

  protected writeHead(status: number, headers: Record<string, number | string | string[]>): void {
    const stream = this.#stream;
    const out: Record<string, number | string | string[]> = { ':status': status };
    let goAway = false;
    for (const name of Object.keys(headers)) {
      const lower = name.toLowerCase();
      if (!CONNECTION_HEADERS.has(lower)) out[lower] = headers[name]!;
      else if (lower === 'connection') goAway ||= headers[name] === 'close';
    }
    this.#bodyless = this.method === 'HEAD' || !mayHaveBody(status);
    stream.respond(out, this.#bodyless ? { endStream: true } : undefined);
    // What closes a connection in HTTP/1.1 sends the client elsewhere in HTTP/2.
    if (goAway) stream.session?.close();
  }

  protected writeChunk(chunk: Buffer | string): boolean {
    return this.#bodyless || this.#stream.write(chunk);
  }

  protected writeEnd(chunk: Buffer | string | undefined): void {
    const stream = this.#stream;
    if (!this.#bodyless) stream.end(chunk);
    if (!stream.readableEnded) {
      // The client may stop sending: the answer does not depend on the rest (RFC 9113 8.1).
      if (stream.writableFinished) stream.close(constants.NGHTTP2_NO_ERROR);
      else stream.once('finish', () => stream.close(constants.NGHTTP2_NO_ERROR));
    }
  }

  protected needsDrain(): boolean {
    return this.#stream.writableNeedDrain;
  }

  protected pendingBytes(): number {
    return this.#stream.writableLength;
  }

  protected bodyIsWhole(): boolean {
    return this.#stream.rstCode === constants.NGHTTP2_NO_ERROR && !this.#stream.aborted;
  }

  protected sendContinue(): void {
    this.#stream.additionalHeaders({ ':status': 100 });
  }
}
