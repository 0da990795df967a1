import type { IncomingHttpHeaders, OutgoingHttpHeaders } from 'node:http';
import { type FrontProxyHeaders, withoutCredentials } from '../../auth/authentication/headers.js';
import { webSocketProtocols } from '../../auth/authentication/websocket.js';
import type { HttpRequest } from '../http.js';

/** Meant for the next host only (RFC 9110 7.6.1). */
const HOP_BY_HOP = [
  'connection',
  'proxy-connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
];
/** The backend does not decide what browsers may do with this server's answers. */
const CORS = [
  'access-control-allow-credentials',
  'access-control-allow-headers',
  'access-control-allow-methods',
  'access-control-allow-origin',
];

type Headers = Record<string, string | string[]>;

/** What a backend gets to see of a request: no credentials, the client's address added. */
export function forwardedHeaders(http: HttpRequest, frontProxy: FrontProxyHeaders | undefined): Headers {
  const headers: Headers = {};
  for (const [name, value] of Object.entries(withoutCredentials(http.headers, frontProxy))) {
    if (value !== undefined) headers[name] = value;
  }
  const before = headers['x-forwarded-for'];
  const chain = [...(before === undefined ? [] : [before].flat()), http.remoteAddress].filter((a) => a !== '');
  if (chain.length > 0) headers['x-forwarded-for'] = chain.join(', ');
  return headers;
}

/** Headers of an ordinary proxied request. */
export function requestHeaders(http: HttpRequest, frontProxy: FrontProxyHeaders | undefined): Headers {
  const headers = forwardedHeaders(http, frontProxy);
  const trailers = `${headers.te ?? ''}`.toLowerCase().includes('trailers');
  dropHopByHop(headers);
  if (trailers) headers.te = 'trailers';
  return headers;
}

/** Headers of a request that turns its connection into a tunnel. A token among the subprotocols is taken out. */
export function upgradeHeaders(http: HttpRequest, frontProxy: FrontProxyHeaders | undefined): Headers {
  const headers = forwardedHeaders(http, frontProxy);
  const given = webSocketProtocols(http.headers);
  if (given?.token !== undefined) headers['sec-websocket-protocol'] = given.protocols.join(', ');
  // What follows the request belongs to the tunnel.
  delete headers['content-length'];
  delete headers['transfer-encoding'];
  return headers;
}

/** Headers of a backend's answer as the client gets them. */
export function responseHeaders(raw: readonly string[]): Headers {
  const headers: Headers = {};
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const name = raw[i]!.toLowerCase();
    const value = raw[i + 1]!;
    const before = headers[name];
    headers[name] = before === undefined ? value : [before, value].flat();
  }
  dropHopByHop(headers);
  for (const name of CORS) delete headers[name];
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [canonical(name), value]));
}

/** What this server says in its answer, and what the backend says; both, where they speak of the same. */
export function mergeHeaders(own: OutgoingHttpHeaders, theirs: Headers): OutgoingHttpHeaders {
  const merged: OutgoingHttpHeaders = { ...own };
  for (const [name, value] of Object.entries(theirs)) {
    const known = own[name];
    merged[name] = known === undefined ? value : [known, value].flat().map(String);
  }
  return merged;
}

/** `sec-websocket-key` → `Sec-Websocket-Key`. */
export function canonical(name: string): string {
  return name.replace(/(^|-)[a-z]/g, (c) => c.toUpperCase());
}

function dropHopByHop(headers: IncomingHttpHeaders): void {
  const named = [headers.connection ?? []].flat().flatMap((value) => value.split(','));
  for (const name of named) delete headers[name.trim().toLowerCase()];
  for (const name of HOP_BY_HOP) delete headers[name];
}

/** Whether the client wants its connection to become a tunnel. */
export function wantsUpgrade(http: HttpRequest): boolean {
  return [http.headers.connection ?? []].flat().some((value) => value.toLowerCase().includes('upgrade'));
}
