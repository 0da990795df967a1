import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { type Connection, Exchange } from './exchange.js';
import { collectHeaders } from './headers.js';

/** Bodies up to this size are sent together with their head. */
const ONE_RECORD = 15 * 1024;
/** An unread rest of a body up to this size is read and dropped so that the connection can be kept, as Go does. */
const DISCARD_LIMIT = 256 * 1024;
/** How long a client that still uploads may take to see an early answer before its connection is closed. */
export const LINGER = 500;

/** An exchange over HTTP/1.1. */
export class Http1Exchange extends Exchange {
  readonly httpVersion = '1.1';
  readonly #incoming: IncomingMessage;
  readonly #outgoing: ServerResponse;
  readonly #upgradeHead: Buffer | undefined;
  readonly #draining: () => boolean;
  readonly #onDrain = (): void => this.onDrain();
  #linger: NodeJS.Timeout | undefined;
  #takenOver = false;

  constructor(
    connection: Connection,
    incoming: IncomingMessage,
    outgoing: ServerResponse,
    draining: () => boolean,
    upgradeHead?: Buffer,
  ) {
    const plain = incoming.headers;
    // Node joins or drops repeated lines; take our own view of them when there are any.
    const headers =
      Object.keys(plain).length * 2 === incoming.rawHeaders.length ? plain : collectHeaders(incoming.rawHeaders);
    super(connection, incoming, incoming.method ?? 'GET', incoming.url ?? '/', headers);
    this.#incoming = incoming;
    this.#outgoing = outgoing;
    this.#draining = draining;
    this.#upgradeHead = upgradeHead;
    // In HTTP/1.1 connections are kept without saying so; Go sends neither Connection nor Keep-Alive.
    if (incoming.httpVersionMinor > 0) outgoing.removeHeader('connection');
    incoming.on('error', ignore);
    outgoing.on('error', ignore);
  }

  get upgrade(): (() => { socket: Duplex; head: Buffer }) | undefined {
    const head = this.#upgradeHead;
    if (!head || this.headersSent || this.closed) return undefined;
    return () => {
      this.ended = true;
      this.#takenOver = true;
      const socket = this.connection.socket;
      this.#outgoing.detachSocket(socket);
      return { socket, head };
    };
  }

  /** The whole answer was handed to the system. */
  get finished(): boolean {
    return this.#outgoing.writableFinished;
  }

  abort(): void {
    this.ended = true;
    this.connection.socket.destroy();
  }

  override sweep(now: number, bodyIdle: number, writeIdle: number): void {
    // Whoever has the connection now knows how long it may be silent.
    if (!this.#takenOver) super.sweep(now, bodyIdle, writeIdle);
  }

  protected writeHead(status: number, headers: Record<string, number | string | string[]>): void {
    const last = this.connection.ending || this.#draining() || !this.#outgoing.shouldKeepAlive;
    if (last || this.#bodyLeft() > DISCARD_LIMIT) headers.Connection = 'close';
    this.#outgoing.writeHead(status, headers);
  }

  override pushHead(): void {
    super.pushHead();
    if (!this.closed) this.#outgoing.flushHeaders();
  }

  protected writeChunk(chunk: Buffer | string): boolean {
    const more = this.#outgoing.write(chunk);
    if (!more) this.#outgoing.once('drain', this.#onDrain);
    return more;
  }

  protected writeEnd(chunk: Buffer | string | undefined): void {
    const outgoing = this.#outgoing;
    if (this.connection.ending || this.#bodyLeft() <= DISCARD_LIMIT) {
      if (chunk instanceof Buffer && chunk.length <= ONE_RECORD) endSoon(outgoing, chunk);
      else outgoing.end(chunk);
      return;
    }
    // Closing on a client that is busy sending would reset the connection before it reads the answer. So the answer
    // goes out whole, what still comes is dropped for a moment, then the connection ends.
    if (chunk) outgoing.write(chunk);
    const finish = () => {
      clearTimeout(this.#linger);
      if (!outgoing.writableEnded) outgoing.end();
    };
    this.#linger = setTimeout(finish, LINGER);
    this.#incoming.on('end', finish).on('close', finish).resume();
  }

  protected needsDrain(): boolean {
    return this.#outgoing.writableNeedDrain;
  }

  protected pendingBytes(): number {
    return this.#outgoing.writableLength;
  }

  protected bodyIsWhole(): boolean {
    return this.#incoming.complete || this.#upgradeHead !== undefined;
  }

  protected sendContinue(): void {
    this.#outgoing.writeContinue();
  }

  /** Bytes of the body that were not read yet, as far as one knows. */
  #bodyLeft(): number {
    if (this.#incoming.complete || this.#upgradeHead) return 0;
    const { 'content-length': length, 'transfer-encoding': coding } = this.headers;
    if (coding !== undefined) return Number.POSITIVE_INFINITY;
    return length === undefined ? 0 : Number(length);
  }
}

interface SmallAnswer {
  readonly outgoing: ServerResponse;
  readonly body: Buffer;
}

let small: SmallAnswer[] = [];

/**
 * Small answers of one turn of the event loop leave together. Each write may have to wake up its client, and that costs
 * as much as making the answer; clients on one machine that are woken up once stay awake for the rest.
 */
function endSoon(outgoing: ServerResponse, body: Buffer): void {
  if (small.length === 0) setImmediate(endSmall);
  small.push({ outgoing, body });
}

function endSmall(): void {
  const all = small;
  small = [];
  // As latin1 text a small body goes into one buffer, one TLS record and one system call with the head.
  for (const { outgoing, body } of all) outgoing.end(body.toString('latin1'), 'latin1');
}

function ignore(): void {}
