import { isIP } from 'node:net';
import { connect, type TLSSocket } from 'node:tls';
import type { Target } from './service-resolver.js';

export interface Trust {
  /** PEM of the authorities to trust; this host's own when absent. */
  readonly ca: string | undefined;
  /** The name that the certificate must be for; the host when absent. */
  readonly serverName: string | undefined;
}

/** Gets the connection, or why there is none. */
export type Connected = (error: Error | null, socket: TLSSocket | null) => void;

/** Opens TLS connections for HTTP/1.1 and knows all that are open, so that none outlives its owner. */
export class Connections {
  readonly #open = new Set<TLSSocket>();
  readonly #timeoutMs: number;
  #closed = false;

  /** @param timeoutMs for TCP and TLS together */
  constructor(timeoutMs: number) {
    this.#timeoutMs = timeoutMs;
  }

  connect({ host, port }: Target, { ca, serverName }: Trust, connected: Connected): void {
    if (this.#closed) {
      connected(new Error('the server is shutting down'), null);
      return;
    }
    const name = serverName ?? (isIP(host) ? undefined : host);
    const socket = connect({ host, port, ...(name && { servername: name }), ...(ca && { ca }), ALPNProtocols: HTTP_1 });
    this.#open.add(socket);
    socket.once('close', () => this.#open.delete(socket));
    socket.setNoDelay(true).setKeepAlive(true, KEEP_ALIVE_MS);
    socket.setTimeout(this.#timeoutMs, () => socket.destroy(new ConnectTimeout()));
    const failed = (error: Error): void => connected(error, null);
    const ended = (): void => failed(new ConnectionClosed());
    socket.once('error', failed).once('close', ended);
    socket.once('secureConnect', () => {
      socket.off('error', failed).off('close', ended);
      socket.setTimeout(0);
      connected(null, socket);
    });
  }

  close(): void {
    this.#closed = true;
    for (const socket of this.#open) socket.destroy();
  }
}

const HTTP_1 = ['http/1.1'];
const KEEP_ALIVE_MS = 30_000;

/** The codes are those of node's network errors. */
class ConnectTimeout extends Error {
  readonly code = 'UND_ERR_CONNECT_TIMEOUT';
}
class ConnectionClosed extends Error {
  readonly code = 'UND_ERR_SOCKET';
}
