import type { IncomingHttpHeaders, IncomingMessage, OutgoingHttpHeaders } from 'node:http';
import { type FrontProxyHeaders, withoutCredentials } from '../../auth/authentication/headers.js';
import type { UserInfo } from '../../auth/contract.js';
import { headerValue } from '../../server/transport/headers.js';

/** About one connection, never passed on (RFC 9110 7.6.1, and what Go's reverse proxy drops). */
const HOP_BY_HOP = [
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
];

/** Who asks, as an aggregated API server reads it behind `--requestheader-*`. */
export function userHeaders({ name, uid, groups, extra }: UserInfo): OutgoingHttpHeaders {
  const headers: OutgoingHttpHeaders = { 'X-Remote-User': headerValue(name) };
  if (uid) headers['X-Remote-Uid'] = headerValue(uid);
  if (groups.length > 0) headers['X-Remote-Group'] = groups.map(headerValue);
  for (const [key, values] of Object.entries(extra ?? {})) {
    if (values.length > 0) headers[`X-Remote-Extra-${escapeKey(key)}`] = values.map(headerValue);
  }
  return headers;
}

/** Everything that may not stand in a header's name is percent-encoded, and `%` itself. */
function escapeKey(key: string): string {
  let out = '';
  for (const byte of Buffer.from(key)) {
    const char = String.fromCharCode(byte);
    out += /[a-zA-Z0-9!#$&'*+.^_`|~-]/.test(char) ? char : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  }
  return out;
}

export interface Forwarding {
  readonly headers: IncomingHttpHeaders;
  readonly user: UserInfo;
  readonly auditId: string;
  readonly remoteAddress: string;
  readonly frontProxy: FrontProxyHeaders | undefined;
}

/**
 * Headers of a request as the aggregated server gets them: without anything that proves or names a user, and with who
 * really asks. Those about the connection stay; see {@link withoutHopByHop}.
 */
export function forwardedHeaders({
  headers,
  user,
  auditId,
  remoteAddress,
  frontProxy,
}: Forwarding): OutgoingHttpHeaders {
  const out: OutgoingHttpHeaders = { ...withoutCredentials(headers, frontProxy) };
  for (const name of ['host', 'expect', 'audit-id']) delete out[name];
  const before = out['x-forwarded-for'];
  const chain = before === undefined ? [] : [before].flat().map(String);
  if (remoteAddress) out['x-forwarded-for'] = [...chain, remoteAddress].join(', ');
  return { ...out, 'Audit-Id': auditId, ...userHeaders(user) };
}

export function withoutHopByHop(headers: OutgoingHttpHeaders): OutgoingHttpHeaders {
  const gone = new Set([...HOP_BY_HOP, ...listOf(headers.connection)]);
  const out = Object.fromEntries(Object.entries(headers).filter(([name]) => !gone.has(name.toLowerCase())));
  if (listOf(headers.te).includes('trailers')) out.te = 'trailers';
  return out;
}

/** The connection is to become another protocol's; Go only looks at this word. */
export function asksForUpgrade(headers: IncomingHttpHeaders): boolean {
  return /upgrade/i.test(`${headers.connection ?? ''}`);
}

function listOf(value: unknown): string[] {
  return `${value ?? ''}`.split(',').map((part) => part.trim().toLowerCase());
}

/** Never taken from an aggregated server: what a browser may do here is ours to say. */
const CORS = [
  'access-control-allow-credentials',
  'access-control-allow-headers',
  'access-control-allow-methods',
  'access-control-allow-origin',
];

/** Headers of an answer as the client gets them; repeated ones stay apart. */
export function answeredHeaders(response: IncomingMessage): OutgoingHttpHeaders {
  const gone = new Set([...HOP_BY_HOP, ...CORS, ...listOf(response.headers.connection), 'audit-id']);
  const out: OutgoingHttpHeaders = {};
  for (const [name, values] of Object.entries(response.headersDistinct)) {
    if (!gone.has(name) && values) out[name] = values.length === 1 ? values[0] : values;
  }
  return out;
}

/**
 * Where an answer sends its reader. A path is made a whole URL of the server that said it, as kube-apiserver does; other
 * hosts and relative paths stay.
 *
 * @param backend host:port
 */
export function rewriteLocation(location: string, backend: string): string {
  let url: URL;
  try {
    url = new URL(location, 'relative://');
  } catch {
    return location;
  }
  if (!location.startsWith('/') && url.host !== backend) return location;
  if (location.startsWith('//') && url.host !== backend) return location;
  return `https://${backend}${url.pathname}${url.search}${url.hash}`;
}
