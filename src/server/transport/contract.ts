import type { OutgoingHttpHeaders } from 'node:http';
import type { UserInfo } from '../../auth/contract.js';
import type { HttpRequest } from '../http.js';

/** A certificate with its key, PEM. */
export interface KeyPair {
  readonly cert: string | Buffer;
  readonly key: string | Buffer;
}

/** What the serving side of TLS is made of. Replaced as a whole by `Transport.setSecureContext` when files change. */
export interface ServingCertificates extends KeyPair {
  /** Chosen by the client's SNI; `names` are exact or `*.`-wildcard DNS names. The first match wins. */
  readonly sni?: readonly (KeyPair & { readonly names: readonly string[] })[];
  /** PEM bundle whose subjects are sent as acceptable CAs, so that clients know which certificate to offer. */
  readonly clientCa?: string | Buffer;
}

export interface TlsOptions extends ServingCertificates {
  /** `VersionTLS12` (default) or `VersionTLS13`; older ones are refused by name. */
  readonly minVersion?: string;
  /** Names as Go and `--tls-cipher-suites` write them. TLS 1.3 suites are always on, as in Go. */
  readonly cipherSuites?: readonly string[];
  /** Numbers of Go's crypto/tls CurveIDs; their order does not matter. Left out: what OpenSSL prefers. */
  readonly curves?: readonly string[];
  /** False: offer HTTP/1.1 only (`--disable-http2-serving`). */
  readonly http2?: boolean;
}

/** Milliseconds, bytes and counts. Defaults are those of kube-apiserver and Go's servers where those have one. */
export interface TransportLimits {
  /** From the connection's start to the end of its TLS handshake. 32 s. */
  readonly handshakeTimeout: number;
  /** From the end of the handshake or of the last request to the end of a request's headers, once they began. 32 s. */
  readonly headerTimeout: number;
  /** Between requests on a connection that is kept alive, and without any stream on HTTP/2. 90 s. */
  readonly idleTimeout: number;
  /** Between two pieces of a request body that somebody reads. 60 s. */
  readonly bodyIdleTimeout: number;
  /** How long a peer may stop reading a response that is complete or waits for it, before the stream is cut. 60 s. */
  readonly writeIdleTimeout: number;
  /** 1 MiB. */
  readonly maxHeaderBytes: number;
  /** Of one HTTP/2 connection. 100. */
  readonly maxConcurrentStreams: number;
  /** Of one listener; more are closed at once. */
  readonly maxConnections: number;
}

export interface ListenAddress {
  readonly host: string;
  /** 0: a free one. */
  readonly port: number;
  /** Others may listen on the same port (SO_REUSEPORT); the system shares the connections out. */
  readonly reusePort?: boolean;
}

export interface TransportOptions {
  readonly tls: TlsOptions;
  readonly limits?: Partial<TransportLimits>;
  /** Asked at shutdown: requests whose `signal` is aborted at once, so that watches and tunnels end. */
  isLongRunning(request: HttpRequest): boolean;
  /** Handlers that threw, and sockets that failed in an unexpected way. Nothing is logged otherwise. */
  onError?(error: unknown, request?: HttpRequest): void;
  /** A handshake that failed: wrong certificate, plain HTTP, a port scanner. */
  onHandshakeError?(error: Error): void;
}

/** The sockets of one server. */
export interface Transport {
  /** May be called more than once. Resolves to the address that is really bound. */
  listen(address: ListenAddress): Promise<ListenAddress>;
  /** New connections get the new certificates, open ones keep theirs. Throws, and changes nothing, on unusable ones. */
  setSecureContext(certificates: ServingCertificates): void;
  /**
   * Stops accepting, aborts the `signal` of long-running requests (watches end cleanly), lets the others finish, and
   * destroys what is left after `drainTimeout` ms (60 s). Resolves when no connection is open. Idempotent.
   */
  shutdown(options?: { readonly drainTimeout?: number }): Promise<void>;
  readonly connections: number;
}

/** One request to `inject()`. */
export interface InjectRequest {
  readonly method?: string;
  /** With the query, if any. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  /** Objects are sent as JSON. */
  readonly body?: string | Uint8Array | AsyncIterable<Uint8Array> | object;
  readonly signal?: AbortSignal;
  /** Who asks, past authentication; see `injectedUser`. */
  readonly user?: UserInfo;
}

/** Resolves with the headers; the body may still be growing, as a watch does. */
export interface InjectResponse {
  readonly status: number;
  readonly headers: OutgoingHttpHeaders;
  /** The body as it comes, once. Leaving the loop tells the handler that the client is gone. */
  readonly stream: AsyncIterable<Buffer>;
  /** Waits for the end. */
  body(): Promise<Buffer>;
  text(): Promise<string>;
  json<T = unknown>(): Promise<T>;
}
