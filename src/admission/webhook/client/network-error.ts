/** What a failed connection or exchange is called in Go's words, which is how clients know them. */
export function networkError(e: unknown): string {
  const error = rootOf(e);
  const { code = '' } = error;
  const known = tlsError(code, error) ?? socketError(code, error);
  return known ?? error.message;
}

interface Failure extends Error {
  code?: string;
  errno?: number;
  address?: string;
  port?: number;
  hostname?: string;
  host?: string;
  cert?: { subjectaltname?: string; valid_to?: string };
  errors?: Failure[];
}

function rootOf(e: unknown): Failure {
  const error: Failure = e instanceof Error ? e : new Error(String(e));
  // Several addresses were tried: the first stands for all.
  if (error.errors?.[0]) return rootOf(error.errors[0]);
  return error.cause instanceof Error ? rootOf(error.cause) : error;
}

const UNKNOWN_AUTHORITY = new Set([
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'CERT_UNTRUSTED',
  'INVALID_CA',
]);
const NOT_TLS = new Set(['ERR_SSL_WRONG_VERSION_NUMBER', 'ERR_SSL_PACKET_LENGTH_TOO_LONG', 'ERR_SSL_HTTP_REQUEST']);

function tlsError(code: string, error: Failure): string | undefined {
  const refused = (why: string) => `tls: failed to verify certificate: x509: ${why}`;
  if (UNKNOWN_AUTHORITY.has(code)) return refused('certificate signed by unknown authority');
  if (code === 'CERT_HAS_EXPIRED' || code === 'CERT_NOT_YET_VALID') {
    return refused('certificate has expired or is not yet valid');
  }
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') return refused(wrongName(error));
  if (NOT_TLS.has(code)) return 'http: server gave HTTP response to HTTPS client';
  if (code.startsWith('ERR_SSL_')) return `remote error: tls: ${alert(error.message)}`;
  return undefined;
}

/** `error:0A000410:SSL routines:ssl3_read_bytes:ssl/tls alert handshake failure:…` */
function alert(message: string): string {
  return /alert ([a-z ]+?)(?::|$)/.exec(message)?.[1]?.trim() ?? message;
}

function wrongName({ host = '', cert }: Failure): string {
  const names = (cert?.subjectaltname ?? '').split(', ').filter((n) => n !== '');
  const of = (kind: string) => names.filter((n) => n.startsWith(kind)).map((n) => n.slice(kind.length));
  const ip = /^[0-9.]+$|:/.test(host);
  const valid = ip ? of('IP Address:') : of('DNS:');
  if (valid.length > 0) return `certificate is valid for ${valid.join(', ')}, not ${host}`;
  if (ip) return `cannot validate certificate for ${host} because it doesn't contain any IP SANs`;
  return `certificate is not valid for any names, but wanted to match ${host}`;
}

const SYSTEM: Record<string, string> = {
  ECONNREFUSED: 'connection refused',
  EHOSTUNREACH: 'no route to host',
  ENETUNREACH: 'network is unreachable',
  EADDRNOTAVAIL: 'cannot assign requested address',
  ETIMEDOUT: 'connection timed out',
};

function socketError(code: string, error: Failure): string | undefined {
  const system = SYSTEM[code];
  if (system) return `dial tcp ${hostPort(error)}: connect: ${system}`;
  switch (code) {
    case 'ENOTFOUND':
      return `dial tcp: lookup ${error.hostname ?? ''}: no such host`;
    case 'EAI_AGAIN':
      return `dial tcp: lookup ${error.hostname ?? ''}: server misbehaving`;
    case 'ECONNRESET':
      // Node says the same of a connection that was closed while TLS was still being set up.
      return error.message.includes('before secure TLS connection') ? 'EOF' : 'read: connection reset by peer';
    case 'EPIPE':
      return 'write: broken pipe';
    case 'UND_ERR_SOCKET':
      return 'EOF';
    case 'UND_ERR_CONNECT_TIMEOUT':
      return 'dial tcp: i/o timeout';
    case 'UND_ERR_HEADERS_OVERFLOW':
      return 'net/http: server response headers exceeded the limit';
    default:
      return code.startsWith('HPE_') ? `net/http: HTTP/1.x transport connection broken: ${error.message}` : undefined;
  }
}

function hostPort({ address = '', port }: Failure): string {
  const host = address.includes(':') ? `[${address}]` : address;
  return port === undefined ? host : `${host}:${port}`;
}
