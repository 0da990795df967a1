import { type IncomingMessage, request as requestPlain } from 'node:http';
import { request as requestTls } from 'node:https';
import { tlsOptions } from './network.js';
import { escapePath, type Location } from './target.js';

export interface BackendRequest {
  readonly method: string;
  readonly headers: Readonly<Record<string, string | string[]>>;
  /** Undefined: none. */
  readonly body: AsyncIterable<Buffer> | undefined;
  /** To the first byte of the answer's connection. */
  readonly connectTimeoutMs: number;
  readonly signal: AbortSignal;
}

/** Asks a backend. Resolves with the head of its answer; the body comes as it is read. */
export function askBackend(location: Location, asked: BackendRequest): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const { host, port, query } = location;
    const secure = location.scheme === 'https';
    const outgoing = (secure ? requestTls : requestPlain)({
      host,
      port,
      path: (escapePath(location.path) || '/') + (query && `?${query}`),
      method: asked.method,
      headers: asked.headers,
      setHost: asked.headers.host === undefined,
      // A connection of its own: nobody else's answer can come on it.
      agent: false,
      signal: asked.signal,
      ...(secure && tlsOptions(location.tls, host)),
    });
    const timer = setTimeout(
      () => outgoing.destroy(Object.assign(new Error('timeout'), { code: 'ETIMEDOUT' })),
      asked.connectTimeoutMs,
    );
    outgoing.once('socket', (socket) => {
      socket.once(secure ? 'secureConnect' : 'connect', () => clearTimeout(timer));
    });
    outgoing.on('error', (e) => {
      clearTimeout(timer);
      reject(e);
    });
    outgoing.on('response', (incoming) => {
      clearTimeout(timer);
      incoming.on('error', () => {});
      resolve(incoming);
    });
    void send(outgoing, asked.body);
  });
}

async function send(outgoing: ReturnType<typeof requestPlain>, body: AsyncIterable<Buffer> | undefined): Promise<void> {
  try {
    for await (const chunk of body ?? []) {
      if (outgoing.destroyed || outgoing.writableEnded) return;
      if (!outgoing.write(chunk)) await drained(outgoing);
    }
    outgoing.end();
  } catch (e) {
    outgoing.destroy(e as Error);
  }
}

function drained(outgoing: ReturnType<typeof requestPlain>): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      outgoing.off('drain', done).off('close', done);
      resolve();
    };
    outgoing.on('drain', done).on('close', done);
  });
}
