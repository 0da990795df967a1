import type { IncomingHttpHeaders, OutgoingHttpHeaders } from 'node:http';
import type { Duplex } from 'node:stream';
import type { PeerCertificate } from '../auth/contract.js';

/** A request as the request path sees it: HTTP/1.1, HTTP/2 and `inject()` all come as one of these. */
export interface HttpRequest {
  readonly method: string;
  /** Raw path, percent-encoded, without the query. */
  readonly path: string;
  /** Raw query without `?`; '' when there is none. */
  readonly query: string;
  readonly headers: IncomingHttpHeaders;
  readonly httpVersion: '1.1' | '2.0';
  readonly remoteAddress: string;
  readonly peerCertificate: PeerCertificate | undefined;
  /** Reads the whole body; rejects with a 413 StatusError past `limit` bytes, and a 400 one when the upload is cut. */
  readBody(limit: number): Promise<Buffer>;
  /** The body as it comes, for proxied requests. */
  readonly stream: AsyncIterable<Buffer>;
  /** Aborted when the client goes away or the server shuts down. */
  readonly signal: AbortSignal;
  /** Aborts `signal` while the connection stays: nobody waits any more for what the handler does. */
  interrupt?(): void;
}

/** The answer to one request. Header names are written as given; nothing may follow `end`. */
export interface HttpResponse {
  readonly headersSent: boolean;
  readonly closed: boolean;
  /** 0 before `head`. */
  readonly status: number;
  /** Bytes of the body so far. */
  readonly bytesWritten: number;
  head(status: number, headers: OutgoingHttpHeaders): void;
  /** Sends the headers now, before there is a body: a watch may be silent for long. */
  flush?(): void;
  /** False: the peer is slow, wait for `drained()` before the next write. */
  write(chunk: Buffer | string): boolean;
  drained(): Promise<void>;
  end(chunk?: Buffer | string): void;
  /** Takes over the connection for exec, attach, port-forward and proxied upgrades. Undefined on HTTP/2 and inject(). */
  upgrade?(): { socket: Duplex; head: Buffer };
  /** Ends the connection without a proper end of the answer, when it broke half-way. */
  abort(): void;
}

/** Resolves when the answer is complete. One that is still open then is cut; one that never began is a 500. */
export type HttpHandler = (request: HttpRequest, response: HttpResponse) => Promise<void>;
