import { connect as connectPlain, isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { type BackendTls, hostPort, type Target } from './target.js';

/** Options that node:tls and node:https share. */
export function tlsOptions({ ca, cert, key, insecure }: BackendTls, host: string) {
  return {
    ...(ca && { ca }),
    ...(cert && { cert, key }),
    rejectUnauthorized: !insecure,
    ...(isIP(host) === 0 && { servername: host }),
  };
}

/** Opens a connection, TLS included. Rejects with what `networkFault` can word. */
export function dial(target: Target, timeoutMs: number, signal: AbortSignal): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const { host, port } = target;
    const secure = target.scheme === 'https';
    const socket: Socket = secure
      ? connectTls({ host, port, ...tlsOptions(target.tls, host), ALPNProtocols: ['http/1.1'] })
      : connectPlain({ host, port });
    const settle = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', abandon);
      socket.off('error', fail).off('close', closed);
    };
    const fail = (e: Error) => {
      settle();
      socket.on('error', () => {});
      socket.destroy();
      reject(e);
    };
    const closed = () => fail(Object.assign(new Error('EOF'), { code: 'EOF' }));
    const abandon = () => fail(new DOMException('the client went away', 'AbortError'));
    const timer = setTimeout(() => fail(Object.assign(new Error('timeout'), { code: 'ETIMEDOUT' })), timeoutMs);
    socket.on('error', fail).on('close', closed);
    signal.addEventListener('abort', abandon);
    if (signal.aborted) abandon();
    socket.once(secure ? 'secureConnect' : 'connect', () => {
      settle();
      socket.setNoDelay(true);
      resolve(socket);
    });
  });
}

const CONNECT_FAULTS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connect: connection refused',
  EHOSTUNREACH: 'connect: no route to host',
  ENETUNREACH: 'connect: network is unreachable',
  ETIMEDOUT: 'i/o timeout',
};

/** What went wrong, in the words of Go's net package, as clients know them. */
export function networkFault(error: unknown, target: Target): string {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code && Object.hasOwn(CONNECT_FAULTS, code)) return `dial tcp ${hostPort(target)}: ${CONNECT_FAULTS[code]}`;
  switch (code) {
    case 'ENOTFOUND':
      return `dial tcp: lookup ${target.host}: no such host`;
    case 'EAI_AGAIN':
      return `dial tcp: lookup ${target.host}: Temporary failure in name resolution`;
    case 'ECONNRESET':
      return `read tcp ${hostPort(target)}: read: connection reset by peer`;
    case 'EOF':
      return 'EOF';
    case 'ERR_TLS_CERT_ALTNAME_INVALID':
    case 'CERT_HAS_EXPIRED':
    case 'DEPTH_ZERO_SELF_SIGNED_CERT':
    case 'SELF_SIGNED_CERT_IN_CHAIN':
    case 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY':
    case 'UNABLE_TO_VERIFY_LEAF_SIGNATURE':
      return `tls: failed to verify certificate: x509: ${message}`;
    default:
      return message;
  }
}
