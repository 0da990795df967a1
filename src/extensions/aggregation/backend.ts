import {
  Agent,
  type ClientRequest,
  request as httpRequest,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type OutgoingHttpHeaders,
} from 'node:http';
import type { ServiceResolver, Target } from '../../admission/webhook/client/service-resolver.js';
import type { UserInfo } from '../../auth/contract.js';
import type { Clock } from '../../storage/clock.js';
import type { ApiService, ServiceReference } from './api-service.js';
import { Breaker } from './breaker.js';
import { userHeaders } from './forwarded-headers.js';
import { type BackendTls, TlsAgent, type TlsRequestOptions } from './tls-agent.js';

export interface BackendDeps {
  readonly resolve: ServiceResolver;
  readonly clock: Clock;
  /** Certificate and key that aggregated servers know this one by; read for each new server. */
  identity(): BackendTls['identity'];
}

export interface BackendRequest {
  readonly method: string;
  /** With the query. */
  readonly path: string;
  readonly headers: OutgoingHttpHeaders;
  readonly signal: AbortSignal;
}

/** A small answer, whole. */
export interface BackendDocument {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

export interface FetchOptions {
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly user: UserInfo;
  /** For everything, from finding the server to the last byte. */
  readonly timeoutMs: number;
  /** A larger answer is an error, unless only its beginning is wanted. */
  readonly maxBytes: number;
  readonly beginning?: boolean;
  readonly signal: AbortSignal;
}

const MAX_HEADER_BYTES = 1 << 20;
/** How long an address is used before the service is looked at again; a change of it is heard of at once. */
const TARGET_MS = 1_000;

/** The way to one aggregated API server, as one APIService describes it. */
export class Backend {
  readonly service: ServiceReference;
  readonly breaker: Breaker;
  /** Why nothing can be sent there, whatever the server does. */
  readonly fault: string | undefined;
  readonly #deps: BackendDeps;
  readonly #agent: Agent;
  #target: { readonly at: number; readonly found: Promise<Target> } | undefined;

  /** @param failing called when requests no longer get through */
  constructor(api: ApiService, service: ServiceReference, deps: BackendDeps, failing: () => void) {
    this.service = service;
    this.breaker = new Breaker(deps.clock, failing);
    this.#deps = deps;
    try {
      this.#agent = new TlsAgent({
        serverName: `${service.name}.${service.namespace}.svc`,
        ca: api.caBundle,
        insecure: api.insecureSkipTlsVerify,
        identity: deps.identity(),
      });
    } catch (e) {
      this.fault = e instanceof Error ? e.message : String(e);
      this.#agent = new Agent();
    }
  }

  /** @throws Error that says why the service leads nowhere */
  target(): Promise<Target> {
    const now = this.#deps.clock.now();
    if (!this.#target || now - this.#target.at > TARGET_MS) {
      const { namespace, name, port } = this.service;
      const found = this.#deps.resolve(namespace, name, port);
      found.catch(() => {});
      this.#target = { at: now, found };
    }
    return this.#target.found;
  }

  /** The service or its endpoints have changed. */
  moved(): void {
    this.#target = undefined;
    if (this.#agent instanceof TlsAgent) this.#agent.dropIdle();
  }

  /** A request whose body the caller writes. */
  open({ host, port }: Target, { method, path, headers, signal }: BackendRequest): ClientRequest {
    const options: TlsRequestOptions = {
      agent: this.#agent,
      host,
      port,
      method,
      path,
      headers: { ...headers, host: hostPort(host, port) },
      maxHeaderSize: MAX_HEADER_BYTES,
      signal,
      abandon: signal,
    };
    return httpRequest(options);
  }

  /**
   * Asks for a document on behalf of this server itself. Redirects are answers.
   *
   * @throws Error; see `goError` for what it is called. `TimeoutError` when it takes too long.
   */
  async fetch({ path, headers, user, timeoutMs, maxBytes, beginning, signal }: FetchOptions): Promise<BackendDocument> {
    const deadline = AbortSignal.timeout(timeoutMs);
    const over = AbortSignal.any([deadline, signal]);
    try {
      const target = await orAborted(this.target(), over);
      const request = this.open(target, {
        method: 'GET',
        path,
        headers: { ...headers, ...userHeaders(user) },
        signal: over,
      });
      request.end();
      const response = await answerOf(request);
      const { statusCode = 0 } = response;
      return { status: statusCode, headers: response.headers, body: await readBounded(response, maxBytes, beginning) };
    } catch (e) {
      if (deadline.aborted) throw deadline.reason;
      throw e;
    }
  }

  /** What is under way goes on; nothing is kept after it. */
  retire(): void {
    if (this.#agent instanceof TlsAgent) this.#agent.retire();
  }

  /** Cuts everything. */
  close(): void {
    this.#agent.destroy();
  }
}

/** As it stands in a URL. */
export function hostPort(host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

/** Rejects with what went wrong on the way to the head of the answer. */
export function answerOf(request: ClientRequest): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    request.once('response', resolve).on('error', reject);
    // Who answers a plain request by an upgrade is not taken at his word.
    request.once('upgrade', (response, socket) => {
      socket.destroy();
      reject(new Error(`unexpected status code ${response.statusCode}`));
    });
  });
}

function orAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted();
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason);
    signal.addEventListener('abort', abort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}

async function readBounded(response: IncomingMessage, limit: number, beginning = false): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > limit && beginning) break;
    if (length > limit) throw new Error(`the answer is larger than ${limit} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
