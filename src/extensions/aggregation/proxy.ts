import type { ClientRequest, IncomingMessage, OutgoingHttpHeaders } from 'node:http';
import { pipeline, type Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import type { Target } from '../../admission/webhook/client/service-resolver.js';
import type { FrontProxyHeaders } from '../../auth/authentication/headers.js';
import type { ApiRequest } from '../../server/api-request.js';
import type { Route } from '../../server/request-path.js';
import { sendText } from '../../server/respond/text.js';
import type { ApiServices } from './api-services.js';
import { answerOf, type Backend, hostPort } from './backend.js';
import { contentTypeOf } from './content-type.js';
import {
  answeredHeaders,
  asksForUpgrade,
  forwardedHeaders,
  rewriteLocation,
  withoutHopByHop,
} from './forwarded-headers.js';
import { goError } from './go-error.js';
import { canonicalPath, canonicalQuery, cleanPath } from './go-url.js';
import { tunnel } from './tunnel.js';
import { openUpload, type Upload } from './upload.js';

export interface ProxyParts {
  readonly services: ApiServices;
  /** `--aggregator-reject-forwarding-redirect` */
  readonly rejectRedirects: boolean;
  /** Headers in which a front proxy names users to this server: they end here. */
  readonly frontProxy: FrontProxyHeaders | undefined;
}

/** kubectl and every controller ask for it at their start: it is fast, or it is given up. */
const DISCOVERY_MS = 5_000;
/** May be sent once more when a kept connection turns out to be closed. */
const REPEATABLE = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE']);
const ANNOUNCE_LENGTH = new Set(['POST', 'PUT', 'PATCH']);
const REDIRECTED = 'the backend attempted to redirect this request, which is not permitted';

/** Requests about group versions that other servers answer. */
export function proxyRoute(parts: ProxyParts): Route {
  return (request) => {
    const found = parts.services.serving(request.info.path);
    if (!found) return false;
    const { available, backend } = found;
    if (!available || !backend.breaker.admit()) return refuse(request, 503, 'service unavailable');
    if (backend.fault !== undefined) return refuse(request, 500, backend.fault);
    return backend.target().then(
      (target) => new Passage(request, backend, target, parts).run(),
      () => refuse(request, 503, 'service unavailable'),
    );
  };
}

function refuse(request: ApiRequest, status: number, text: string): true {
  sendText(request, status, `${text}\n`, { 'X-Content-Type-Options': 'nosniff' });
  return true;
}

/** One request on its way through, and its answer on the way back. */
class Passage {
  readonly #request: ApiRequest;
  readonly #backend: Backend;
  readonly #target: Target;
  readonly #parts: ProxyParts;
  readonly #upgrade: boolean;
  readonly #path: string;
  /** We asked for a compressed answer, the client did not. */
  #unzip = false;
  readonly #over = new AbortController();
  #outgoing: ClientRequest | undefined;
  #connected = false;

  constructor(request: ApiRequest, backend: Backend, target: Target, parts: ProxyParts) {
    this.#request = request;
    this.#backend = backend;
    this.#target = target;
    this.#parts = parts;
    this.#upgrade = asksForUpgrade(request.http.headers);
    this.#path = canonicalPath(request.http.path);
  }

  async run(): Promise<true> {
    const { signal } = this.#request;
    const progress = this.#backend.breaker.begin();
    const stop = () => this.#over.abort();
    signal.addEventListener('abort', stop);
    if (signal.aborted) stop();
    const expire = () => this.#over.abort(new DOMException('', 'TimeoutError'));
    const deadline = this.#isDiscovery() ? setTimeout(expire, DISCOVERY_MS) : undefined;
    try {
      const answer = this.#upgrade
        ? await tunnel(this.#request, this.#open(this.#headers()), progress.answered)
        : await this.#exchange();
      progress.answered();
      if (answer) await this.#answer(answer);
    } catch (e) {
      progress.failed(!this.#connected);
      this.#fail(this.#over.signal.aborted ? this.#over.signal.reason : e);
      stop();
    } finally {
      clearTimeout(deadline);
      signal.removeEventListener('abort', stop);
      if (!this.#outgoing?.writableFinished) stop();
    }
    return true;
  }

  #fail(e: unknown): void {
    const { response, signal } = this.#request;
    if (response.closed) return;
    if (!response.headersSent) {
      refuse(this.#request, 503, this.#upgrade ? goError(e) : `error trying to reach service: ${goError(e)}`);
    } else if (signal.aborted) response.end();
    else response.abort();
  }

  #isDiscovery(): boolean {
    const { info } = this.#request;
    return !info.isResourceRequest && info.path.split('/').filter((p) => p !== '').length === 3;
  }

  #headers(): OutgoingHttpHeaders {
    const { http, user, id } = this.#request;
    return forwardedHeaders({
      headers: http.headers,
      user,
      auditId: id,
      remoteAddress: http.remoteAddress,
      frontProxy: this.#parts.frontProxy,
    });
  }

  async #exchange(): Promise<IncomingMessage> {
    const { http } = this.#request;
    const upload = await openUpload(http);
    const headers = {
      ...withoutHopByHop(this.#headers()),
      ...this.#origin(),
      ...framing(http.method, http.headers, upload),
    };
    if (http.method !== 'HEAD' && http.headers['accept-encoding'] === undefined && http.headers.range === undefined) {
      headers['accept-encoding'] = 'gzip';
      this.#unzip = true;
    }
    const send = () => {
      const outgoing = this.#open(headers);
      if (upload.empty && !ANNOUNCE_LENGTH.has(http.method)) {
        for (const name of ['content-length', 'transfer-encoding']) outgoing.removeHeader(name);
      }
      void upload.sendTo(outgoing);
      return answerOf(outgoing);
    };
    try {
      return await send();
    } catch (e) {
      const stale = this.#outgoing?.reusedSocket && upload.empty && REPEATABLE.has(http.method);
      if (!stale || this.#over.signal.aborted) throw e;
      return await send();
    }
  }

  #origin(): OutgoingHttpHeaders {
    const slash = this.#path.length > 1 && this.#path.endsWith('/') ? '/' : '';
    return {
      'X-Forwarded-Uri': `${cleanPath(this.#path)}${slash}`,
      'X-Forwarded-Host': hostPort(this.#target.host, this.#target.port),
      'X-Forwarded-Proto': 'https',
    };
  }

  #open(headers: OutgoingHttpHeaders): ClientRequest {
    const { http } = this.#request;
    const query = canonicalQuery(http.query);
    const path = query ? `${this.#path}?${query}` : this.#path;
    const outgoing = this.#backend.open(this.#target, {
      method: http.method,
      path,
      headers,
      signal: this.#over.signal,
    });
    this.#outgoing = outgoing;
    this.#connected = false;
    // A connection is handed out when the server behind it has proved who it is.
    outgoing.once('socket', () => {
      this.#connected = true;
    });
    return outgoing;
  }

  async #answer(answer: IncomingMessage): Promise<void> {
    const { response, http } = this.#request;
    const { statusCode: status = 502 } = answer;
    const { location } = answer.headers;
    if (status >= 300 && status <= 399 && location && this.#parts.rejectRedirects) {
      answer.destroy();
      sendText(this.#request, 502, REDIRECTED);
      return;
    }
    const headers = answeredHeaders(answer);
    if (location) headers.location = rewriteLocation(location, hostPort(this.#target.host, this.#target.port));
    let body: Readable = answer;
    if (this.#unzip && answer.headers['content-encoding'] === 'gzip') {
      delete headers['content-encoding'];
      delete headers['content-length'];
      body = pipeline(answer, createGunzip(), () => {});
    }
    const typed = headers['content-type'] !== undefined || http.method === 'HEAD';
    if (typed) response.head(status, this.#answerHeaders(headers));
    for await (const chunk of body as AsyncIterable<Buffer>) {
      if (response.closed) return;
      if (!response.headersSent) {
        response.head(status, this.#answerHeaders({ ...headers, 'content-type': contentTypeOf(chunk) }));
      }
      if (!response.write(chunk)) await response.drained();
    }
    if (!response.headersSent) response.head(status, this.#answerHeaders(headers));
    response.end();
  }

  /** Ours and those of the aggregated server; where both say something the server behind is right. */
  #answerHeaders(theirs: OutgoingHttpHeaders): OutgoingHttpHeaders {
    const out = { ...theirs };
    for (const [name, value] of Object.entries(this.#request.answerHeaders({}))) {
      const same = theirs[name.toLowerCase()];
      if (same === undefined) out[name] = value;
      else if (name === 'Warning') out[name.toLowerCase()] = [...[value ?? []].flat(), ...[same].flat()].map(String);
    }
    return out;
  }
}

/** How the end of the body is told; the length is passed on where it is known. */
function framing(method: string, headers: OutgoingHttpHeaders, upload: Upload): OutgoingHttpHeaders {
  if (upload.empty) return ANNOUNCE_LENGTH.has(method) ? { 'content-length': 0 } : {};
  return headers['content-length'] === undefined ? { 'transfer-encoding': 'chunked' } : {};
}
