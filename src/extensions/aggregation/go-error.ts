import { networkError } from '../../admission/webhook/client/network-error.js';
import { goQuote } from '../../machinery/go-format.js';

interface NodeFailure extends Error {
  code?: string;
  address?: string;
  errors?: NodeFailure[];
  /** What the parser choked on. */
  rawPacket?: Buffer;
}

/** What went wrong with another server, in the words of Go's HTTP client, which clients of kube-apiserver know. */
export function goError(e: unknown): string {
  const error: NodeFailure = e instanceof Error ? e : new Error(String(e));
  // Of several addresses that were tried the IPv4 one speaks.
  const tried = error.errors?.find((one) => !one.address?.includes(':'));
  if (tried) return goError(tried);
  if (error.name === 'AbortError') return 'context canceled';
  if (error.name === 'TimeoutError') return 'context deadline exceeded';
  if (error.message === 'socket hang up') return 'EOF';
  if (error.code === 'HPE_HEADER_OVERFLOW') return 'net/http: server response headers exceeded the limit';
  if (error.code?.startsWith('HPE_') && error.rawPacket) {
    return `net/http: HTTP/1.x transport connection broken: ${malformed(error.rawPacket)}`;
  }
  return networkError(error);
}

/** What Go's reader of responses says of a text that is none. */
function malformed(packet: Buffer): string {
  const [line = ''] = packet.toString('latin1').split(/\r?\n/, 1);
  const blank = line.indexOf(' ');
  if (blank < 0) return `malformed HTTP response ${goQuote(line)}`;
  const [code = ''] = line.slice(blank).trimStart().split(' ', 1);
  if (!/^\d{3}$/.test(code)) return `malformed HTTP status code ${goQuote(code)}`;
  if (!/^HTTP\/\d\.\d$/.test(line.slice(0, blank))) return `malformed HTTP version ${goQuote(line.slice(0, blank))}`;
  return 'malformed MIME header';
}
