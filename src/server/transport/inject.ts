import type { IncomingHttpHeaders, OutgoingHttpHeaders } from 'node:http';
import type { UserInfo } from '../../auth/contract.js';
import { badRequest, tooLarge } from '../../machinery/errors.js';
import type { HttpHandler, HttpRequest, HttpResponse } from '../http.js';
import type { InjectRequest, InjectResponse } from './contract.js';

/** A handler that writes more than this without a reader is told to wait. */
const HIGH_WATER = 1 << 20;

const users = new WeakMap<HttpRequest, UserInfo>();

/** The user that the caller of `inject()` vouches for. Always undefined for what came over a socket. */
export function injectedUser(request: HttpRequest): UserInfo | undefined {
  return users.get(request);
}

/**
 * Runs a request through a handler without a socket. Resolves as soon as the status is known, so that watches can be
 * read while they run; rejects with what the handler throws before that.
 */
export function inject(handler: HttpHandler, request: InjectRequest): Promise<InjectResponse> {
  return new Promise((resolve, reject) => {
    const exchange = new InjectedExchange(request, resolve);
    if (request.user) users.set(exchange, request.user);
    Promise.resolve()
      .then(() => handler(exchange, exchange))
      .then(
        () => exchange.settle(new Error('the handler ended without an answer'), reject),
        (error) => exchange.settle(error, reject),
      );
  });
}

class InjectedExchange implements HttpRequest, HttpResponse {
  readonly method: string;
  readonly path: string;
  readonly query: string;
  readonly headers: IncomingHttpHeaders & OutgoingHttpHeaders;
  readonly httpVersion = '1.1';
  readonly remoteAddress = '127.0.0.1';
  readonly peerCertificate = undefined;
  readonly #controller = new AbortController();
  readonly #upload: InjectRequest['body'];
  readonly #resolve: (response: InjectResponse) => void;
  status = 0;
  bytesWritten = 0;
  #chunks: Buffer[] = [];
  #length = 0;
  #ended = false;
  #failure: unknown;
  #wakeReader: () => void = () => {};
  #wakeWriter: (() => void)[] = [];

  constructor(request: InjectRequest, resolve: (response: InjectResponse) => void) {
    const mark = request.path.indexOf('?');
    this.method = request.method ?? 'GET';
    this.path = mark < 0 ? request.path : request.path.slice(0, mark);
    this.query = mark < 0 ? '' : request.path.slice(mark + 1);
    this.headers = { host: 'localhost' };
    for (const [name, value] of Object.entries(request.headers ?? {})) {
      this.headers[name.toLowerCase()] = typeof value === 'string' ? value : [...value];
    }
    this.#resolve = resolve;
    this.#upload = request.body;
    if (isJson(request.body)) {
      this.#upload = JSON.stringify(request.body);
      this.headers['content-type'] ??= 'application/json';
    }
    const leave = () => this.#leave();
    if (request.signal?.aborted) leave();
    else request.signal?.addEventListener('abort', leave, { once: true });
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }
  get headersSent(): boolean {
    return this.status !== 0;
  }
  get closed(): boolean {
    return this.#ended || this.#controller.signal.aborted;
  }

  head(status: number, headers: OutgoingHttpHeaders): void {
    if (this.status !== 0) throw new Error(`response head written twice (${this.status}, then ${status})`);
    this.status = status;
    this.#resolve({
      status,
      headers: lowerCased(headers),
      stream: { [Symbol.asyncIterator]: () => this.#read() },
      body: () => this.#body(),
      text: async () => (await this.#body()).toString('utf8'),
      json: async <T>() => JSON.parse((await this.#body()).toString('utf8')) as T,
    });
  }

  write(chunk: Buffer | string): boolean {
    if (this.closed || chunk.length === 0) return true;
    const bytes = typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
    this.#chunks.push(bytes);
    this.#length += bytes.length;
    this.bytesWritten += bytes.length;
    this.#wakeReader();
    return this.#length < HIGH_WATER;
  }

  drained(): Promise<void> {
    if (this.closed || this.#length < HIGH_WATER) return Promise.resolve();
    return new Promise((resolve) => {
      this.#wakeWriter.push(resolve);
    });
  }

  end(chunk?: Buffer | string): void {
    if (chunk !== undefined) this.write(chunk);
    this.#ended = true;
    this.#wakeReader();
  }

  abort(): void {
    if (this.closed) return;
    this.#failure = new Error('the answer was cut');
    this.#ended = true;
    this.#wakeReader();
  }

  interrupt(): void {
    this.#controller.abort();
  }

  settle(error: unknown, reject: (error: unknown) => void): void {
    if (this.status === 0) reject(error);
    else if (!this.closed) {
      this.#failure = error;
      this.#ended = true;
      this.#wakeReader();
    }
  }

  async readBody(limit: number): Promise<Buffer> {
    const chunks: Buffer[] = [];
    let length = 0;
    for await (const chunk of this.stream) {
      length += chunk.length;
      if (length > limit) throw tooLarge(`limit is ${limit}`);
      chunks.push(chunk);
    }
    return Buffer.concat(chunks);
  }

  get stream(): AsyncIterable<Buffer> {
    return upload(this.#upload);
  }

  async *#read(): AsyncGenerator<Buffer> {
    try {
      while (true) {
        const chunk = this.#chunks.shift();
        if (chunk) {
          this.#length -= chunk.length;
          if (this.#length < HIGH_WATER) this.#releaseWriters();
          yield chunk;
        } else if (this.#failure !== undefined) throw this.#failure;
        else if (this.closed) return;
        else
          await new Promise<void>((resolve) => {
            this.#wakeReader = resolve;
          });
      }
    } finally {
      this.#leave();
    }
  }

  async #body(): Promise<Buffer> {
    const chunks: Buffer[] = [];
    for await (const chunk of this.#read()) chunks.push(chunk);
    return Buffer.concat(chunks);
  }

  /** The caller wants no more of it. */
  #leave(): void {
    if (!this.#ended) this.#controller.abort();
    this.#chunks = [];
    this.#length = 0;
    this.#wakeReader();
    this.#releaseWriters();
  }

  #releaseWriters(): void {
    for (const wake of this.#wakeWriter.splice(0)) wake();
  }
}

function isJson(body: InjectRequest['body']): boolean {
  return typeof body === 'object' && !(body instanceof Uint8Array) && !(Symbol.asyncIterator in body);
}

async function* upload(body: InjectRequest['body']): AsyncGenerator<Buffer> {
  if (body === undefined) return;
  if (typeof body === 'string') yield Buffer.from(body);
  else if (body instanceof Uint8Array) yield Buffer.from(body);
  else {
    try {
      for await (const chunk of body as AsyncIterable<Uint8Array>) yield Buffer.from(chunk);
    } catch {
      throw badRequest('unexpected EOF');
    }
  }
}

function lowerCased(headers: OutgoingHttpHeaders): OutgoingHttpHeaders {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
}
