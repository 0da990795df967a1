import type { IncomingHttpHeaders, OutgoingHttpHeaders } from 'node:http';
import type { Readable } from 'node:stream';
import type { TLSSocket } from 'node:tls';
import type { PeerCertificate } from '../../auth/contract.js';
import { tooLarge } from '../../machinery/errors.js';
import type { HttpRequest, HttpResponse } from '../http.js';
import { BodyReader } from './body.js';
import { cleanHeaders } from './headers.js';
import { peerCertificate } from './peer.js';

/** What all exchanges on one TLS connection share. */
export class Connection {
  readonly socket: TLSSocket;
  readonly remoteAddress: string;
  /** No more requests can come: the connection ends with the answers that are under way. */
  ending = false;
  #peer: PeerCertificate | undefined | null = null;

  constructor(socket: TLSSocket) {
    this.socket = socket;
    this.remoteAddress = socket.remoteAddress ?? '';
  }

  get peerCertificate(): PeerCertificate | undefined {
    if (this.#peer === null) this.#peer = peerCertificate(this.socket);
    return this.#peer;
  }
}

/**
 * Larger writes go out in pieces of this size: encrypting many megabytes at once would stall everybody, and pieces
 * show whether the peer reads.
 */
const PIECE = 256 * 1024;

/**
 * One request with its answer. Both protocols are Node streams underneath, so all that is not about writing heads is
 * here. The object is the HttpRequest and the HttpResponse at once: one allocation a request.
 */
export abstract class Exchange implements HttpRequest, HttpResponse {
  abstract readonly httpVersion: '1.1' | '2.0';
  readonly method: string;
  readonly path: string;
  readonly query: string;
  readonly headers: IncomingHttpHeaders;
  protected readonly connection: Connection;
  protected readonly source: Readable;
  /** Nothing more may be written: ended, aborted, or the peer is gone. */
  protected ended = false;
  #status = 0;
  #bytes = 0;
  #headers: OutgoingHttpHeaders | undefined;
  #controller: AbortController | undefined;
  #gone = false;
  #bodyTaken = false;
  #waiting: (() => void)[] = [];
  /** What waits for the peer to take the pieces before it. */
  #backlog: Buffer[] = [];
  /** Milliseconds of the sweep's clock; 0: not waiting for the peer. */
  #stalledSince = 0;
  #stalledAt = 0;
  /** Where it is among those under way. */
  slot = -1;
  #reading: BodyReader | undefined;

  constructor(connection: Connection, source: Readable, method: string, target: string, headers: IncomingHttpHeaders) {
    this.connection = connection;
    this.source = source;
    this.method = method;
    this.headers = headers;
    const origin = originForm(target);
    const mark = origin.indexOf('?');
    this.path = mark < 0 ? origin : origin.slice(0, mark);
    this.query = mark < 0 ? '' : origin.slice(mark + 1);
  }

  /** Writes status and headers, to be sent with what follows. */
  protected abstract writeHead(status: number, headers: Record<string, number | string | string[]>): void;
  protected abstract writeChunk(chunk: Buffer | string): boolean;
  protected abstract writeEnd(chunk: Buffer | string | undefined): void;
  /** Bytes written and not yet taken by the kernel. */
  protected abstract pendingBytes(): number;
  protected abstract needsDrain(): boolean;
  protected abstract bodyIsWhole(): boolean;
  /** Tells a client that waits for it to send the body. */
  protected abstract sendContinue(): void;
  abstract abort(): void;

  get remoteAddress(): string {
    return this.connection.remoteAddress;
  }
  get peerCertificate(): PeerCertificate | undefined {
    return this.connection.peerCertificate;
  }
  get signal(): AbortSignal {
    if (!this.#controller) {
      this.#controller = new AbortController();
      if (this.#gone) this.#controller.abort();
    }
    return this.#controller.signal;
  }
  get headersSent(): boolean {
    return this.#status !== 0;
  }
  get status(): number {
    return this.#status;
  }
  get bytesWritten(): number {
    return this.#bytes;
  }
  get closed(): boolean {
    return this.ended || this.#gone;
  }

  head(status: number, headers: OutgoingHttpHeaders): void {
    if (this.#status !== 0) throw new Error(`response head written twice (${this.#status}, then ${status})`);
    this.#status = status;
    this.#headers = headers;
    // Usually the body follows at once and goes into the same packet; a watch may have nothing to say for minutes.
    process.nextTick(pushHead, this);
  }

  write(chunk: Buffer | string): boolean {
    if (this.closed) return true;
    this.#bytes += chunk.length;
    this.flushHead();
    if (this.#backlog.length === 0 && chunk.length <= PIECE) return chunk.length === 0 || this.writeChunk(chunk);
    this.#backlog.push(typeof chunk === 'string' ? Buffer.from(chunk) : chunk);
    return this.#pump();
  }

  end(chunk?: Buffer | string): void {
    if (this.closed) return;
    this.#bytes += chunk?.length ?? 0;
    const headers = this.#headers;
    if (
      headers &&
      mayHaveBody(this.#status) &&
      headers['Content-Length'] === undefined &&
      !hasHeader(headers, 'content-length')
    ) {
      const length = chunk === undefined ? 0 : typeof chunk === 'string' ? Buffer.byteLength(chunk) : chunk.length;
      if (length > 0 || this.method !== 'HEAD') this.#headers = { ...headers, 'Content-Length': length };
    }
    this.flushHead();
    if (this.#backlog.length === 0 && (chunk?.length ?? 0) <= PIECE) {
      this.ended = true;
      this.writeEnd(chunk?.length ? chunk : undefined);
      return;
    }
    if (chunk) this.#backlog.push(typeof chunk === 'string' ? Buffer.from(chunk) : chunk);
    this.ended = true;
    this.#pump();
  }

  /** Writes pieces until the peer has enough; true when nothing is left. */
  #pump(): boolean {
    const backlog = this.#backlog;
    while (backlog.length > 0) {
      const first = backlog[0]!;
      if (first.length > PIECE) backlog[0] = first.subarray(PIECE);
      else backlog.shift();
      if (this.ended && backlog.length === 0) {
        this.writeEnd(first);
        return true;
      }
      if (!this.writeChunk(first.subarray(0, PIECE))) return false;
    }
    return true;
  }

  flushHead(): void {
    const headers = this.#headers;
    if (!headers || this.closed) return;
    this.#headers = undefined;
    this.writeHead(this.#status, cleanHeaders(headers));
  }

  /** Sends the head although no body follows yet. */
  pushHead(): void {
    this.flushHead();
  }

  drained(): Promise<void> {
    if (this.closed || (this.#backlog.length === 0 && !this.needsDrain())) return Promise.resolve();
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
    });
  }

  /** The peer took what was pending. */
  onDrain(): void {
    this.#stalledSince = 0;
    if (this.#backlog.length > 0 && !this.#pump()) return;
    const waiting = this.#waiting;
    if (waiting.length === 0) return;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }

  /** The handler is done, properly or not: makes sure that the client gets an end. */
  settle(): void {
    if (this.closed) return;
    if (this.headersSent) {
      this.abort();
      return;
    }
    this.head(500, { 'Content-Type': 'text/plain; charset=utf-8' });
    this.end('Internal Server Error');
  }

  /** The exchange is over: properly when `complete`, else the client went away. */
  onClose(complete: boolean): void {
    this.#gone = true;
    this.#backlog = [];
    if (!complete) this.#controller?.abort();
    this.onDrain();
  }

  /** Aborts `signal` while the connection stays: the server wants the handler to come to an end. */
  interrupt(): void {
    this.#controller ??= new AbortController();
    this.#controller.abort();
  }

  /** The upload ended before its end. */
  onCut(): void {
    this.#reading?.cut();
  }

  get stream(): AsyncIterable<Buffer> {
    this.#takeBody();
    return this.source.iterator({ destroyOnReturn: false });
  }

  readBody(limit: number): Promise<Buffer> {
    if (Number(this.headers['content-length']) > limit) return Promise.reject(tooLarge(`limit is ${limit}`));
    this.#takeBody();
    this.#reading = new BodyReader(this.source, limit, () => this.bodyIsWhole());
    return this.#reading.done.finally(() => {
      this.#reading = undefined;
    });
  }

  #takeBody(): void {
    if (this.#bodyTaken) throw new Error('request body read twice');
    this.#bodyTaken = true;
    if (this.headers.expect !== undefined && !this.closed && !this.headersSent) this.sendContinue();
  }

  /**
   * Called every now and then: cuts the exchange when its peer sends nothing of a body that is being read for
   * `bodyIdle` ms, or takes nothing of a response for `writeIdle` ms.
   */
  sweep(now: number, bodyIdle: number, writeIdle: number): void {
    let at: number;
    let patience: number;
    if (this.#reading) {
      at = this.#reading.length;
      patience = bodyIdle;
    } else if (this.ended || this.#waiting.length > 0) {
      at = this.pendingBytes();
      patience = writeIdle;
    } else {
      this.#stalledSince = 0;
      return;
    }
    if (this.#stalledSince === 0 || at !== this.#stalledAt) {
      this.#stalledSince = now;
      this.#stalledAt = at;
    } else if (now - this.#stalledSince > patience) this.abort();
  }
}

function pushHead(exchange: Exchange): void {
  exchange.pushHead();
}

/** Clients of a proxy may send the absolute form (RFC 9112 3.2.2); the authority is dropped. */
function originForm(target: string): string {
  if (target.startsWith('/')) return target;
  const scheme = /^https?:\/\/[^/?#]*/i.exec(target);
  if (!scheme) return target;
  const rest = target.slice(scheme[0].length);
  return rest.startsWith('/') ? rest : `/${rest}`;
}

export function mayHaveBody(status: number): boolean {
  return status >= 200 && status !== 204 && status !== 304;
}

function hasHeader(headers: OutgoingHttpHeaders, name: string): boolean {
  for (const key in headers) if (key.length === name.length && key.toLowerCase() === name) return true;
  return false;
}
