import { posix } from 'node:path';
import { Readable } from 'node:stream';
import type { Dispatcher } from 'undici';
import type { Clock } from '../../../storage/clock.js';
import { type Connected, Connections } from './connections.js';
import { networkError } from './network-error.js';
import { responseError } from './response-error.js';
import type { ServiceResolver, Target } from './service-resolver.js';

/** Where a webhook is: `clientConfig` of webhook configurations, and of CRD conversion. */
export interface WebhookClientConfig {
  readonly url?: string;
  readonly service?: {
    readonly namespace?: string;
    readonly name?: string;
    readonly path?: string;
    readonly port?: number;
  };
  /** PEM in base64; the authorities of this host when absent. */
  readonly caBundle?: string;
}

export interface WebhookRequest {
  readonly config: WebhookClientConfig;
  /** JSON. */
  readonly body: string;
  /** Milliseconds for everything: retries, connecting, the whole answer. */
  readonly timeoutMs: number;
  /** Ends the call with the request that it is made for. */
  readonly signal: AbortSignal;
}

export interface WebhookAnswer {
  readonly status: number;
  readonly contentType: string;
  readonly body: Buffer;
}

/** A call that brought no answer. The message is that of client-go. */
export class WebhookTransportError extends Error {
  /** How often it was tried. */
  readonly attempts: number;
  /** True when the time was up, rather than the webhook at fault. */
  readonly timedOut: boolean;

  constructor(message: string, attempts: number, timedOut: boolean, options?: ErrorOptions) {
    super(message, options);
    this.attempts = attempts;
    this.timedOut = timedOut;
  }
}

export interface WebhookClientDeps {
  readonly resolve: ServiceResolver;
  readonly clock: Clock;
}

/** Larger than any AdmissionReview or ConversionReview about objects that fit into a request. */
export const MAX_ANSWER_BYTES = 16 * 1024 * 1024;
const MAX_CLIENTS = 200;
const MAX_CONNECTIONS = 128;
/** Requests that have no answer yet, given up ones included while their connection is being made. */
const MAX_WAITING = 2048;
/** A webhook that answers 429 or 5xx with Retry-After is asked again so often. */
const MAX_RETRIES = 10;
const CONNECT_TIMEOUT_MS = 10_000;

/**
 * Posts to webhooks over TLS. Connections are kept and shared by configuration, a bounded number of them; redirects are
 * answers like any other, so that a webhook can't send this server elsewhere; answers are bounded.
 */
export class WebhookClient {
  readonly #deps: WebhookClientDeps;
  readonly #pools = new Map<string, Promise<Dispatcher>>();
  readonly #connections = new Connections(CONNECT_TIMEOUT_MS);
  #closed = false;
  #waiting = 0;

  constructor(deps: WebhookClientDeps) {
    this.#deps = deps;
  }

  /**
   * @returns the answer, whose status is 200 to 206
   * @throws WebhookTransportError
   */
  async post({ config, body, timeoutMs, signal }: WebhookRequest): Promise<WebhookAnswer & { attempts: number }> {
    const url = `${endpoint(config)}?timeout=${Math.ceil(timeoutMs / 1000)}s`;
    const end = new AbortController();
    let timedOut = false;
    const timer = this.#deps.clock.setTimeout(() => {
      timedOut = true;
      end.abort();
    }, timeoutMs);
    const gone = (): void => end.abort();
    if (signal.aborted) gone();
    else signal.addEventListener('abort', gone, { once: true });
    const post = (message: string) => `Post ${JSON.stringify(url)}: ${message}`;
    const reason = (e: unknown) =>
      timedOut ? 'context deadline exceeded' : end.signal.aborted ? 'context canceled' : networkError(e);
    const payload = new Payload(body, end.signal);
    let attempts = 0;
    try {
      for (;;) {
        attempts++;
        const fail = (message: string, e?: unknown) =>
          new WebhookTransportError(message, attempts, timedOut, { cause: e });
        const response = await this.#send(config, url, payload, end.signal).catch((e: unknown) => {
          throw fail(post(reason(e)), e);
        });
        const retry = attempts <= MAX_RETRIES ? retryAfter(response) : undefined;
        const bytes = await readBounded(response).catch((e: unknown) => {
          const why = e instanceof TooLarge ? e.message : midway(reason(e));
          throw fail(`unexpected error when reading response body. Please retry. Original error: ${why}`, e);
        });
        if (retry !== undefined) {
          await this.#sleep(retry, end.signal).catch((e: unknown) => {
            throw fail(post(reason(e)), e);
          });
          continue;
        }
        const contentType = String(response.headers['content-type'] ?? '');
        if (response.statusCode < 200 || response.statusCode > 206) {
          throw fail(responseError(response.statusCode, contentType, bytes.toString('utf8')));
        }
        return { status: response.statusCode, contentType: contentType || JSON_TYPE, body: bytes, attempts };
      }
    } finally {
      timer.cancel();
      signal.removeEventListener('abort', gone);
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#connections.close();
    const pools = [...this.#pools.values()];
    this.#pools.clear();
    await Promise.all(pools.map(destroy));
  }

  async #send(config: WebhookClientConfig, url: string, body: Payload, signal: AbortSignal): Promise<Answer> {
    const dispatcher = await this.#pool(config);
    signal.throwIfAborted();
    const { origin, pathname, search } = new URL(url);
    if (this.#waiting >= MAX_WAITING) throw new Error('too many requests wait for webhooks');
    this.#waiting++;
    const asked = dispatcher.request({
      origin,
      path: pathname + search,
      method: 'POST',
      headers: {
        accept: `${JSON_TYPE}, */*`,
        'content-type': JSON_TYPE,
        'content-length': `${body.length}`,
        'user-agent': 'kube-apiserver-admission',
      },
      body: Readable.from(body, { objectMode: false }),
      signal,
    });
    return unlessAborted(
      asked.finally(() => this.#waiting--),
      signal,
    );
  }

  #pool(config: WebhookClientConfig): Promise<Dispatcher> {
    if (this.#closed) throw new Error('the server is shutting down');
    const key = JSON.stringify([config.url, config.service, config.caBundle]);
    let pool = this.#pools.get(key);
    if (!pool) pool = this.#open(config);
    else this.#pools.delete(key);
    // The least recently used one comes first.
    this.#pools.set(key, pool);
    if (this.#pools.size > MAX_CLIENTS) {
      const [oldest] = this.#pools;
      if (oldest) {
        this.#pools.delete(oldest[0]);
        // Calls that are under way end first.
        void oldest[1].then((dispatcher) => dispatcher.close()).catch(() => {});
      }
    }
    return pool;
  }

  async #open(config: WebhookClientConfig): Promise<Dispatcher> {
    const { Agent } = await import('undici');
    const { url, service, caBundle } = config;
    const ca = caBundle ? Buffer.from(caBundle, 'base64').toString('utf8') : undefined;
    const { namespace = '', name = '', port = DEFAULT_PORT } = service ?? {};
    const serverName = service && `${name}.${namespace}.svc`;
    const target = service ? () => this.#deps.resolve(namespace, name, port) : async () => address(url ?? '');
    return new Agent({
      connections: MAX_CONNECTIONS,
      headersTimeout: 0,
      bodyTimeout: 0,
      connect: (_, callback) => {
        const connected: Connected = (error, socket) =>
          error ? callback(error, null) : callback(null, socket as NonNullable<typeof socket>);
        target().then(
          (found) => this.#connections.connect(found, { ca, serverName }, connected),
          (e: unknown) => connected(e instanceof Error ? e : new Error(String(e)), null),
        );
      },
    });
  }

  #sleep(ms: number, signal: AbortSignal): Promise<void> {
    return new Promise((wake, reject) => {
      const over = (): void => {
        timer.cancel();
        reject(signal.reason);
      };
      const timer = this.#deps.clock.setTimeout(() => {
        signal.removeEventListener('abort', over);
        wake();
      }, ms);
      signal.addEventListener('abort', over, { once: true });
    });
  }
}

type Answer = Dispatcher.ResponseData;

/** The body of a request, let go of when the request is given up: undici would keep it until there is a connection. */
class Payload implements AsyncIterable<Buffer> {
  readonly length: number;
  #bytes: Buffer | undefined;

  constructor(body: string, signal: AbortSignal) {
    this.#bytes = Buffer.from(body);
    this.length = this.#bytes.length;
    signal.addEventListener('abort', () => this.#release(), { once: true });
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Buffer> {
    const bytes = this.#bytes;
    if (bytes) yield bytes;
  }

  #release(): void {
    this.#bytes = undefined;
  }
}

/** undici lets a request that waits for its connection wait on when it is aborted. */
function unlessAborted(asked: Promise<Answer>, signal: AbortSignal): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const aborted = (): void => reject(signal.reason);
    signal.addEventListener('abort', aborted, { once: true });
    asked
      .then((answer) => {
        // Nobody reads an answer that comes too late.
        if (signal.aborted) answer.body.on('error', () => {}).destroy();
        resolve(answer);
      }, reject)
      .finally(() => signal.removeEventListener('abort', aborted));
  });
}

const JSON_TYPE = 'application/json';
const DEFAULT_PORT = 443;

function address(url: string): Target {
  const { hostname, port } = new URL(url);
  return { host: hostname.replace(/^\[|\]$/g, ''), port: port ? Number(port) : DEFAULT_PORT };
}

/** The URL that is posted to, and shown in messages. A trailing slash of the path goes, as client-go drops it. */
function endpoint({ url, service }: WebhookClientConfig): string {
  if (service) {
    const { namespace = '', name = '', path = '', port = DEFAULT_PORT } = service;
    return `https://${name}.${namespace}.svc:${port}${cleanPath(path)}`;
  }
  const parsed = new URL(url ?? '');
  return `${parsed.protocol}//${parsed.host}${cleanPath(parsed.pathname)}`;
}

function cleanPath(path: string): string {
  const clean = posix.join('/', path);
  return clean.length > 1 && clean.endsWith('/') ? clean.slice(0, -1) : clean;
}

/** Milliseconds to wait before the next attempt; undefined: this answer counts. */
function retryAfter({ statusCode, headers }: Answer): number | undefined {
  if (statusCode !== 429 && statusCode < 500) return undefined;
  const value = headers['retry-after'];
  if (typeof value !== 'string' || !/^\d{1,9}$/.test(value)) return undefined;
  return Number(value) * 1000;
}

class TooLarge extends Error {}

/** The end of a connection while there is more to come is another error in Go than the end before anything came. */
function midway(reason: string): string {
  return reason === 'EOF' ? 'unexpected EOF' : reason;
}

async function readBounded({ body }: Answer): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of body as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > MAX_ANSWER_BYTES) throw new TooLarge(`response body exceeds ${MAX_ANSWER_BYTES} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

async function destroy(pool: Promise<Dispatcher>): Promise<void> {
  const opened = await pool.catch(() => undefined);
  await opened?.destroy();
}
