import { Agent, type AgentOptions, type RequestOptions } from 'node:http';
import type { Duplex } from 'node:stream';
import { checkServerIdentity, connect, createSecureContext, type SecureContext, type TLSSocket } from 'node:tls';

/** How an aggregated API server proves who it is, and we who we are. PEM texts. */
export interface BackendTls {
  /** `<service>.<namespace>.svc` */
  readonly serverName: string;
  /** Authorities to trust; '' for those of this host. */
  readonly ca: string;
  /** True: whoever answers is believed. */
  readonly insecure: boolean;
  /** What we show when we are asked for a certificate. */
  readonly identity: { readonly cert: string | Buffer; readonly key: string | Buffer } | undefined;
}

/** Options of a request that goes through a {@link TlsAgent}. */
export interface TlsRequestOptions extends RequestOptions {
  /** Ends the connection that is being made for the request. Node keeps `signal` to itself, and waits for it. */
  readonly abandon?: AbortSignal;
}

/** From the first packet to the end of the TLS handshake. */
const CONNECT_MS = 10_000;
/** A connection that nobody has used for so long is closed, before the other side does it while we write. */
const IDLE_MS = 30_000;
const IDLE_CONNECTIONS = 16;

/**
 * Connections over TLS to one server, kept for the next request. A server that is not trusted gets not one byte.
 * Sessions are not resumed, so that every connection is checked in full.
 */
export class TlsAgent extends Agent {
  readonly #tls: BackendTls;
  readonly #context: SecureContext;

  /** @throws Error for a CA bundle, certificate or key that can't be read */
  constructor(tls: BackendTls) {
    const options: AgentOptions = { keepAlive: true, maxFreeSockets: IDLE_CONNECTIONS, timeout: IDLE_MS };
    super(options);
    this.#tls = tls;
    this.#context = secureContext(tls);
  }

  override createConnection(
    { host, port, abandon: signal }: TlsRequestOptions,
    callback?: (error: Error | null, socket: Duplex) => void,
  ): Duplex | null | undefined {
    const socket = connect({
      host: host ?? undefined,
      port: Number(port),
      servername: this.#tls.serverName,
      secureContext: this.#context,
      // Checked below: here it would stop at the first fault, and in another order.
      rejectUnauthorized: false,
      checkServerIdentity: () => undefined,
      ALPNProtocols: ['http/1.1'],
    });
    const timer = setTimeout(() => socket.destroy(new Error('net/http: TLS handshake timeout')), CONNECT_MS);
    const abort = () => socket.destroy(new Error('aborted'));
    const done = (error: Error | null) => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', abort);
      socket.off('error', done).off('close', closed);
      if (error) socket.on('error', () => {}).destroy();
      callback?.(error, socket);
    };
    const closed = () => done(new Error('EOF'));
    socket.once('error', done).once('close', closed);
    signal?.addEventListener('abort', abort);
    if (signal?.aborted) abort();
    socket.once('secureConnect', () =>
      done(this.#tls.insecure ? null : (mistrust(socket, this.#tls.serverName) ?? null)),
    );
    return undefined;
  }

  /** Connections in use live on until they are free; there are no more after them. */
  retire(): void {
    this.maxFreeSockets = 0;
    this.dropIdle();
  }

  /** Closes the connections that nobody uses. */
  dropIdle(): void {
    for (const sockets of Object.values(this.freeSockets)) for (const socket of sockets ?? []) socket.destroy();
  }
}

function secureContext({ ca, identity }: BackendTls): SecureContext {
  if (ca !== '' && !ca.includes('-----BEGIN CERTIFICATE-----')) {
    throw new Error('unable to load root certificates: unable to parse bytes as PEM block');
  }
  return createSecureContext({
    ...(ca !== '' && { ca }),
    ...(identity && { cert: identity.cert, key: identity.key }),
  });
}

/** What is wrong with the certificate: its names first, as Go looks at them first. */
function mistrust(socket: TLSSocket, serverName: string): Error | undefined {
  const wrongName = checkServerIdentity(serverName, socket.getPeerCertificate());
  if (wrongName) return wrongName;
  if (socket.authorized) return undefined;
  const code = `${socket.authorizationError}`;
  return Object.assign(new Error(code), { code });
}
