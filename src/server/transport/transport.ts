import { type Server as Http1Server, type IncomingMessage, ServerResponse } from 'node:http';
import {
  constants,
  type IncomingHttpHeaders,
  performServerHandshake,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2';
import type { AddressInfo, Socket } from 'node:net';
import { createServer as createTls, type TLSSocket, type Server as TlsServer } from 'node:tls';
import type { HttpHandler } from '../http.js';
import { ActiveExchanges } from './active.js';
import type { ListenAddress, ServingCertificates, Transport, TransportLimits, TransportOptions } from './contract.js';
import { Connection, type Exchange } from './exchange.js';
import { Http1Exchange, LINGER } from './http1.js';
import { Http2Exchange } from './http2.js';
import { DEFAULT_LIMITS, http1Server, http2Options } from './protocols.js';
import { type CertificateSet, loadCertificates, serverOptions, type TlsPolicy, tlsPolicy } from './tls.js';

/** More requests than this sent ahead on one HTTP/1.1 connection: nobody who means well does it. */
const MAX_PIPELINED = 64;
/** What connections that have nothing to do get at shutdown for their goodbyes, in ms. */
const GOODBYE = 250;

/**
 * Serves a handler over TLS, HTTP/1.1 and HTTP/2. Throws an Error that names the version, suite or certificate which
 * is of no use.
 */
export function createTransport(handler: HttpHandler, options: TransportOptions): Transport {
  return new TlsTransport(handler, options);
}

class TlsTransport implements Transport {
  readonly #handler: HttpHandler;
  readonly #options: TransportOptions;
  readonly #limits: TransportLimits;
  readonly #policy: TlsPolicy;
  #certificates: CertificateSet;
  readonly #http1: Http1Server;
  readonly #listeners = new Set<TlsServer>();
  /** Below TLS, so that stuck handshakes are in it. */
  readonly #sockets = new Set<Socket>();
  /** Exchanges of each HTTP/1.1 connection in the order of their requests; the first one is being handled. */
  readonly #queues = new Map<Connection, Http1Exchange[]>();
  readonly #connectionOf = new WeakMap<object, Connection>();
  /** Connections on which something that is not HTTP came while an answer was under way. */
  readonly #garbled = new WeakSet<Connection>();
  /** Connections whose client was told that it does not speak HTTP, and may still be talking. */
  readonly #refused = new WeakSet<Connection>();
  readonly #sessions = new Set<ServerHttp2Session>();
  readonly #active = new ActiveExchanges();
  readonly #sweeper: NodeJS.Timeout;
  #closed: Promise<void> | undefined;

  constructor(handler: HttpHandler, options: TransportOptions) {
    this.#handler = handler;
    this.#options = options;
    this.#limits = { ...DEFAULT_LIMITS, ...options.limits };
    this.#policy = tlsPolicy(options.tls);
    this.#certificates = loadCertificates(this.#policy, options.tls);
    this.#http1 = http1Server(this.#limits);
    this.#http1.on('request', this.#onRequest).on('checkContinue', this.#onRequest).on('upgrade', this.#onUpgrade);
    this.#http1.on('connect', this.#onConnect).on('clientError', this.#onClientError);
    const { bodyIdleTimeout, writeIdleTimeout } = this.#limits;
    const interval = Math.min(5000, bodyIdleTimeout / 2, writeIdleTimeout / 2);
    this.#sweeper = setInterval(() => {
      const now = performance.now();
      for (const exchange of this.#active) exchange.sweep(now, bodyIdleTimeout, writeIdleTimeout);
    }, interval).unref();
  }

  get connections(): number {
    return this.#sockets.size;
  }

  async listen(address: ListenAddress): Promise<ListenAddress> {
    if (this.#closed) throw new Error('the transport is shut down');
    const server = createTls({
      ...serverOptions(this.#policy, () => this.#certificates),
      handshakeTimeout: this.#limits.handshakeTimeout,
      noDelay: true,
      keepAlive: true,
      keepAliveInitialDelay: 180_000,
      allowHalfOpen: true,
    });
    server.maxConnections = this.#limits.maxConnections;
    server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
    });
    server.on('secureConnection', this.#onSecureConnection);
    server.on('tlsClientError', (error, socket) => {
      this.#options.onHandshakeError?.(error);
      socket.destroy();
    });
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen({ ...address }, () => {
        server.off('error', reject);
        resolve();
      });
    });
    server.on('error', (error) => this.#options.onError?.(error));
    this.#listeners.add(server);
    const bound = server.address() as AddressInfo;
    return { host: bound.address, port: bound.port };
  }

  setSecureContext(certificates: ServingCertificates): void {
    const next = loadCertificates(this.#policy, certificates);
    this.#certificates = next;
    for (const server of this.#listeners) server.setSecureContext(next.options);
  }

  shutdown(options: { readonly drainTimeout?: number } = {}): Promise<void> {
    this.#closed ??= this.#drain(options.drainTimeout ?? 60_000);
    return this.#closed;
  }

  async #drain(timeout: number): Promise<void> {
    const closed = [
      ...[...this.#listeners].map((server) => new Promise<void>((resolve) => server.close(() => resolve()))),
      ...[...this.#sockets].map((socket) => new Promise<void>((resolve) => socket.once('close', () => resolve()))),
    ];
    const deadline = setTimeout(() => this.#destroySockets(), timeout);
    // Let `#closed` be set first: the exchanges that end now must see it.
    await Promise.resolve();
    for (const session of this.#sessions) session.close();
    for (const exchange of this.#active) if (this.#options.isLongRunning(exchange)) exchange.interrupt();
    this.#closeIdle();
    await Promise.all(closed);
    clearTimeout(deadline);
    clearInterval(this.#sweeper);
    this.#http1.close();
  }

  /** At shutdown: ends connections without requests, and when no request is left, all of them. */
  #closeIdle(): void {
    for (const [{ socket }, queue] of this.#queues) {
      // Once is enough: each call would add a listener to a socket that is on its way out.
      if (queue.length === 0 && !socket.writableEnded) socket.destroySoon();
    }
    if (this.#active.size === 0 && this.#sockets.size > 0) setTimeout(() => this.#destroySockets(), GOODBYE);
  }

  #destroySockets(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  readonly #isDraining = (): boolean => this.#closed !== undefined;

  readonly #onSecureConnection = (socket: TLSSocket): void => {
    socket.on('error', ignore);
    if (this.#closed) {
      socket.destroySoon();
      return;
    }
    const connection = new Connection(socket);
    if (socket.alpnProtocol === 'h2') {
      this.#onSession(connection, performServerHandshake(socket, http2Options(this.#limits)));
      return;
    }
    const queue: Http1Exchange[] = [];
    this.#connectionOf.set(socket, connection);
    this.#queues.set(connection, queue);
    // The peer sends nothing more: usually it is gone, as Go takes it too. Should it only have closed its side, then
    // it still gets what the handlers answer.
    socket.on('end', () => {
      connection.ending = true;
      for (const exchange of queue) exchange.interrupt();
    });
    socket.on('close', () => {
      this.#queues.delete(connection);
      // Node closes only the response that has the connection, not those that wait behind it.
      for (const exchange of queue.splice(0)) this.#over(exchange, exchange.finished);
    });
    this.#http1.emit('connection', socket);
  };

  #onSession(connection: Connection, session: ServerHttp2Session): void {
    let streams = 0;
    this.#sessions.add(session);
    session.setLocalWindowSize(
      http2Options(this.#limits).settings.initialWindowSize * this.#limits.maxConcurrentStreams,
    );
    session.on('error', ignore);
    // HTTP/2 knows no half-closed connections.
    connection.socket.on('end', () => connection.socket.destroy());
    session.on('close', () => {
      this.#sessions.delete(session);
      connection.socket.destroy();
    });
    session.setTimeout(this.#limits.idleTimeout, () => {
      if (streams === 0) session.close();
    });
    session.on('stream', (stream: ServerHttp2Stream, headers: IncomingHttpHeaders, _flags: number, raw: string[]) => {
      stream.on('error', ignore);
      const exchange = new Http2Exchange(connection, stream, headers, raw);
      streams++;
      stream.on('close', () => {
        streams--;
        this.#over(exchange, stream.rstCode === constants.NGHTTP2_NO_ERROR && stream.writableFinished);
      });
      this.#active.add(exchange);
      void this.#run(exchange);
    });
  }

  readonly #onRequest = (incoming: IncomingMessage, outgoing: ServerResponse): void => {
    const connection = this.#connectionOf.get(incoming.socket)!;
    const queue = this.#queues.get(connection);
    if (!queue || queue.length > MAX_PIPELINED) {
      incoming.socket.destroy();
      return;
    }
    const exchange = new Http1Exchange(connection, incoming, outgoing, this.#isDraining);
    outgoing.on('close', () => {
      if (queue[0] !== exchange) return;
      this.#over(exchange, exchange.finished);
      queue.shift();
      if (queue[0]) void this.#run(queue[0]);
      else if (this.#closed) connection.socket.destroySoon();
    });
    this.#active.add(exchange);
    if (queue.push(exchange) === 1) void this.#run(exchange);
  };

  readonly #onUpgrade = (incoming: IncomingMessage, stream: object, head: Buffer): void => {
    const connection = this.#connectionOf.get(stream)!;
    const { socket } = connection;
    const queue = this.#queues.get(connection);
    if (!queue || queue.length > 0) {
      socket.destroy();
      return;
    }
    // The parser has let go of the connection: an ordinary answer needs a response object of its own.
    const outgoing = new ServerResponse(incoming);
    outgoing.shouldKeepAlive = false;
    try {
      outgoing.assignSocket(socket);
    } catch {
      // What Node refuses itself (no Host, an unknown Expect) is in no queue, but its answer is still under way.
      socket.destroy();
      return;
    }
    const exchange = new Http1Exchange(connection, incoming, outgoing, this.#isDraining, head);
    queue.push(exchange);
    outgoing.on('finish', () => socket.destroySoon());
    this.#active.add(exchange);
    void this.#run(exchange);
  };

  /** What the HTTP/1.1 parser or its timers found: RFC 9112 wants an answer where one is still possible. */
  readonly #onClientError = (error: Error & { code?: string }, stream: object): void => {
    const connection = this.#connectionOf.get(stream);
    if (!connection) return;
    // What comes after a refusal is dropped.
    if (this.#refused.has(connection)) return;
    const { socket } = connection;
    const current = this.#queues.get(connection)?.[0];
    if (current && socket.writable && !this.#garbled.has(connection)) {
      this.#garbled.add(connection);
      connection.ending = true;
      current.onCut();
      return;
    }
    if (current || !socket.writable || error.code === 'ECONNRESET') {
      socket.destroy();
      return;
    }
    this.#refuse(connection, CLIENT_ERRORS[error.code ?? ''] ?? '400 Bad Request');
  };

  /** Tunnels to elsewhere are none of our business. */
  readonly #onConnect = (_incoming: IncomingMessage, stream: object): void => {
    const connection = this.#connectionOf.get(stream)!;
    if (this.#queues.get(connection)?.length !== 0) connection.socket.destroy();
    else this.#refuse(connection, '405 Method Not Allowed');
  };

  /** The last answer on a connection. */
  #refuse(connection: Connection, status: string): void {
    const { socket } = connection;
    this.#refused.add(connection);
    socket.end(`HTTP/1.1 ${status}\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n${status}`);
    // Closing on a client that still sends would reset the connection before it reads the answer.
    const timer = setTimeout(() => socket.destroy(), LINGER);
    socket.on('end', () => socket.destroySoon()).on('close', () => clearTimeout(timer));
  }

  async #run(exchange: Exchange): Promise<void> {
    try {
      await this.#handler(exchange, exchange);
    } catch (error) {
      this.#options.onError?.(error, exchange);
    }
    exchange.settle();
  }

  #over(exchange: Exchange, complete: boolean): void {
    this.#active.delete(exchange);
    exchange.onClose(complete);
    if (this.#closed) this.#closeIdle();
  }
}

const CLIENT_ERRORS: Record<string, string> = {
  HPE_HEADER_OVERFLOW: '431 Request Header Fields Too Large',
  ERR_HTTP_REQUEST_TIMEOUT: '408 Request Timeout',
};

function ignore(): void {}
