import type { FrontProxyHeaders } from '../../auth/authentication/headers.js';
import { serviceUnavailable } from '../../machinery/errors.js';
import type { ApiRequest } from '../api-request.js';
import { mergeHeaders, requestHeaders, responseHeaders } from './headers.js';
import { askBackend } from './http-backend.js';
import { networkFault } from './network.js';
import { type Rewriting, rewriteUrl } from './rewrite.js';
import { rewriteHtml } from './rewrite-html.js';
import { streamBody } from './stream-body.js';
import { escapePath, hostPort, type Location } from './target.js';

export interface ProxyOptions {
  readonly dialTimeoutMs: number;
  readonly frontProxy: FrontProxyHeaders | undefined;
}

/**
 * Passes an ordinary request on to a backend, and its answer back. The backend's own absolute paths (redirects, links in
 * HTML) are made to lead through this server again.
 *
 * @throws 503 when the backend can't be reached
 */
export async function proxy(request: ApiRequest, location: Location, options: ProxyOptions): Promise<void> {
  const { http, response, info } = request;
  if (location.path === '' && (http.method === 'GET' || http.method === 'HEAD')) {
    redirectToRoot(request);
    return;
  }
  const rewriting = rewritingOf(info.path, location, http.headers.host ?? '');
  const headers = requestHeaders(http, options.frontProxy);
  headers['x-forwarded-uri'] = forwardedUri(rewriting.prefix, location.path);
  const body = bodyOf(request);
  if (body && headers['content-length'] === undefined) headers['transfer-encoding'] = 'chunked';
  const { dialTimeoutMs } = options;
  const asked = { method: http.method, headers, body, connectTimeoutMs: dialTimeoutMs, signal: request.signal };
  const incoming = await askBackend(location, asked).catch((e: unknown) => {
    throw serviceUnavailable(`error trying to reach service: ${networkFault(e, location)}`);
  });
  const answered = responseHeaders(incoming.rawHeaders);
  const target = incoming.headers.location;
  if (target) answered.Location = rewriteUrl(target, rewriting);
  const html = !target && mediaType(incoming.headers['content-type']) === 'text/html';
  const content = html ? rewriteHtml(incoming, answered, rewriting) : incoming;
  response.head(incoming.statusCode ?? 502, mergeHeaders(request.answerHeaders({}), answered));
  await streamBody(content, response);
}

/** Without the slash, relative links in what the backend sends would lead to the parent. */
function redirectToRoot(request: ApiRequest): void {
  const { http, response } = request;
  const query = http.query && `?${http.query}`;
  response.head(301, request.answerHeaders({ Location: `${http.path}/${query}` }));
  response.end();
}

/** What of the request's path stands before the path that the backend sees. */
function rewritingOf(path: string, location: Location, requestHost: string): Rewriting {
  let suffix = location.path;
  if (path.endsWith('/') && !suffix.endsWith('/')) suffix += '/';
  const prefix = path.endsWith(suffix) ? path.slice(0, path.length - suffix.length) : path;
  return { prefix, backendHost: hostPort(location), requestHost };
}

function forwardedUri(prefix: string, path: string): string {
  const joined = `${prefix}/${escapePath(path)}`.replace(/\/{2,}/g, '/');
  return path.endsWith('/') && !joined.endsWith('/') ? `${joined}/` : joined;
}

/** Undefined when the request has none. */
function bodyOf({ http }: ApiRequest): AsyncIterable<Buffer> | undefined {
  const { 'content-length': length, 'transfer-encoding': coding } = http.headers;
  if (coding !== undefined) return http.stream;
  if (length !== undefined) return Number(length) > 0 ? http.stream : undefined;
  // In HTTP/2 bodies need not say how long they are.
  return http.httpVersion === '2.0' && !['GET', 'HEAD', 'OPTIONS'].includes(http.method) ? http.stream : undefined;
}

function mediaType(contentType: string | undefined): string {
  return (contentType ?? '').split(';')[0]!.trim();
}
