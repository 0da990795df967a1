import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../../storage/clock.js';
import { caBundle, otherCaBundle, startWebhook, type TestWebhook } from '../webhook-server.suite.js';
import { MAX_ANSWER_BYTES, WebhookClient, type WebhookClientConfig, WebhookTransportError } from './client.js';
import type { ServiceResolver } from './service-resolver.js';

const closing: { close(): Promise<void> }[] = [];
afterEach(async () => {
  await Promise.all(closing.splice(0).map((one) => one.close()));
});

function opened<T extends { close(): Promise<void> }>(one: T): T {
  closing.push(one);
  return one;
}

const nowhere: ServiceResolver = async (_, name) => {
  throw new Error(`service "${name}" not found`);
};
const client = (resolve = nowhere) => opened(new WebhookClient({ resolve, clock: systemClock }));
const webhook = async (...args: Parameters<typeof startWebhook>): Promise<TestWebhook> =>
  opened(await startWebhook(...args));
const post = (c: WebhookClient, config: WebhookClientConfig, over: { timeoutMs?: number; signal?: AbortSignal } = {}) =>
  c.post({ config, body: '{}', timeoutMs: 10_000, signal: new AbortController().signal, ...over });

async function failure(answer: Promise<unknown>): Promise<WebhookTransportError> {
  const e = await answer.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(e).toBeInstanceOf(WebhookTransportError);
  return e as WebhookTransportError;
}

describe('calls', () => {
  it('post JSON with the timeout in the query, and keep connections', async () => {
    const urls: (string | undefined)[] = [];
    const w = await webhook((_, request) => {
      urls.push(`${request.method} ${request.url} ${request.headers['user-agent']}`);
      return { allowed: true };
    });
    const c = client();
    for (let i = 0; i < 9; i++) {
      const answer = await post(c, { url: `${w.url}/check/`, caBundle });
      expect(answer).toMatchObject({ status: 200, contentType: 'application/json', attempts: 1 });
    }
    expect(urls).toEqual(Array(9).fill('POST /check?timeout=10s kube-apiserver-admission'));
    expect(w.connections()).toBeLessThan(4);
  });

  it('find a service, and expect its name in the certificate', async () => {
    const asked: unknown[] = [];
    const w = await webhook(() => ({ allowed: true }), { hosts: ['hook.prod.svc'] });
    const c = client(async (...args) => {
      asked.push(args);
      return { host: '127.0.0.1', port: w.port };
    });
    const service = { namespace: 'prod', name: 'hook', path: '/x', port: 8443 };
    expect(await post(c, { service, caBundle })).toMatchObject({ status: 200 });
    expect(asked).toEqual([['prod', 'hook', 8443]]);
  });

  it('are tried again after 429 and 5xx with Retry-After', async () => {
    let left = 2;
    const w = await webhook((_, __, response) => {
      if (left-- === 0) return { allowed: true };
      response.writeHead(left === 1 ? 429 : 503, { 'Retry-After': '0' }).end('later');
      return undefined;
    });
    expect(await post(client(), { url: w.url, caBundle })).toMatchObject({ attempts: 3 });
    left = 100;
    const e = await failure(post(client(), { url: w.url, caBundle }));
    expect(e.attempts).toBe(11);
    expect(e.message).toBe('the server is currently unable to handle the request');
  });
});

describe('failures', () => {
  it('of a service that is not there', async () => {
    const e = await failure(post(client(), { service: { namespace: 'a', name: 'none' }, caBundle }));
    expect(e.message).toBe('Post "https://none.a.svc:443/?timeout=10s": service "none" not found');
  });

  it('of one that does not answer in time', async () => {
    const w = await webhook(() => undefined);
    const e = await failure(post(client(), { url: `${w.url}/slow`, caBundle }, { timeoutMs: 100 }));
    expect(e.message).toBe(`Post "${w.url}/slow?timeout=1s": context deadline exceeded`);
    expect(e.timedOut).toBe(true);
  });

  it('of one that never finishes its answer', async () => {
    const w = await webhook((_, __, response) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      const drip = setInterval(() => response.write(' '), 20);
      response.on('close', () => clearInterval(drip));
      return undefined;
    });
    const e = await failure(post(client(), { url: w.url, caBundle }, { timeoutMs: 150 }));
    expect(e.message).toBe(
      'unexpected error when reading response body. Please retry. Original error: context deadline exceeded',
    );
  });

  it('of one that never finishes TLS', async () => {
    const server = createServer(() => {});
    await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
    const address = server.address();
    const port = typeof address === 'object' ? address?.port : 0;
    const e = await failure(post(client(), { url: `https://127.0.0.1:${port}`, caBundle }, { timeoutMs: 100 }));
    expect(e.message).toBe(`Post "https://127.0.0.1:${port}/?timeout=1s": context deadline exceeded`);
    await closing.pop()?.close();
    server.close();
  });

  it('of one that answers without end, within bounds', async () => {
    let sent = 0;
    const w = await webhook((_, __, response) => {
      const chunk = Buffer.alloc(1 << 20, 'x');
      const more = (): void => {
        while (!response.destroyed && sent < 50 * chunk.length) {
          sent += chunk.length;
          if (!response.write(chunk)) {
            response.once('drain', more);
            return;
          }
        }
        if (!response.destroyed) response.end();
      };
      more();
      return undefined;
    });
    const e = await failure(post(client(), { url: w.url, caBundle }));
    expect(e.message).toContain(`response body exceeds ${MAX_ANSWER_BYTES} bytes`);
    expect(sent).toBeLessThan(2 * MAX_ANSWER_BYTES);
  });

  it('of one that crashes, before and within its answer', async () => {
    const before = await webhook((_, request) => void request.socket.destroy());
    expect((await failure(post(client(), { url: before.url, caBundle }))).message).toBe(
      `Post "${before.url}/?timeout=10s": EOF`,
    );
    const within = await webhook((_, request, response) => {
      response.writeHead(200, { 'content-length': '100' });
      response.write('{"kind"');
      setTimeout(() => request.socket.destroy(), 20);
      return undefined;
    });
    expect((await failure(post(client(), { url: within.url, caBundle }))).message).toBe(
      'unexpected error when reading response body. Please retry. Original error: unexpected EOF',
    );
  });

  it('of redirects, which are not followed', async () => {
    const w = await webhook((_, request, response) => {
      if (request.url?.startsWith('/elsewhere')) return { allowed: true };
      response.writeHead(302, { Location: '/elsewhere' }).end();
      return undefined;
    });
    const e = await failure(post(client(), { url: w.url, caBundle }));
    expect(e.message).toBe('the server responded with the status code 302 but did not return more information');
    expect(w.reviews).toHaveLength(1);
  });

  it.each([
    [400, 'text/plain', 'no', 'the server rejected our request for an unknown reason'],
    [403, 'text/plain', 'not you', 'not you'],
    [404, '', 'nope', 'the server could not find the requested resource'],
    [
      500,
      'text/plain; charset=utf-8',
      ' boom\n',
      'an error on the server ("boom") has prevented the request from succeeding',
    ],
    [500, 'application/json', '{}', 'an error on the server ("unknown") has prevented the request from succeeding'],
    [500, 'application/json', '{"kind":"Status","status":"Failure","message":"said so"}', 'said so'],
  ])('of an answer with code %i %s %s', async (code, type, body, message) => {
    const w = await webhook(
      (_, __, response) => void response.writeHead(code, type ? { 'content-type': type } : {}).end(body),
    );
    expect((await failure(post(client(), { url: w.url, caBundle }))).message).toBe(message);
  });

  it('of certificates', async () => {
    const refused = 'tls: failed to verify certificate: x509:';
    const good = await webhook(() => ({}));
    const at = (w: TestWebhook, why: string) => `Post "${w.url}/?timeout=10s": ${refused} ${why}`;
    for (const bundle of [otherCaBundle, undefined]) {
      const e = await failure(post(client(), { url: good.url, caBundle: bundle }));
      expect(e.message).toBe(at(good, 'certificate signed by unknown authority'));
    }
    const named = await webhook(() => ({}), { hosts: ['a.example', 'b.example'] });
    expect((await failure(post(client(), { url: named.url, caBundle }))).message).toBe(
      at(named, "cannot validate certificate for 127.0.0.1 because it doesn't contain any IP SANs"),
    );
    const service = { namespace: 'n', name: 's' };
    const c = client(async () => ({ host: '127.0.0.1', port: named.port }));
    expect((await failure(post(c, { service, caBundle }))).message).toBe(
      `Post "https://s.n.svc:443/?timeout=10s": ${refused} certificate is valid for a.example, b.example, not s.n.svc`,
    );
    const expired = await webhook(() => ({}), { expired: true });
    expect((await failure(post(client(), { url: expired.url, caBundle }))).message).toContain(
      at(expired, 'certificate has expired or is not yet valid'),
    );
    expect([good, named, expired].flatMap((w) => w.reviews)).toEqual([]);
  });

  it('of what is no TLS, and of what is not there', async () => {
    const plain = createServer((socket) => {
      socket.on('error', () => {});
      socket.once('data', () => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'));
    });
    await new Promise<void>((listening) => plain.listen(0, '127.0.0.1', listening));
    const address = plain.address();
    const port = typeof address === 'object' ? address?.port : 0;
    const url = `https://127.0.0.1:${port}`;
    expect((await failure(post(client(), { url, caBundle }))).message).toBe(
      `Post "${url}/?timeout=10s": http: server gave HTTP response to HTTPS client`,
    );
    await new Promise((closed) => plain.close(closed));
    expect((await failure(post(client(), { url, caBundle }))).message).toBe(
      `Post "${url}/?timeout=10s": dial tcp 127.0.0.1:${port}: connect: connection refused`,
    );
  });

  it('of the request itself', async () => {
    const w = await webhook(() => undefined);
    const gone = new AbortController();
    const asked = failure(post(client(), { url: w.url, caBundle }, { signal: gone.signal }));
    await sleep(30);
    gone.abort();
    const e = await asked;
    expect(e.message).toBe(`Post "${w.url}/?timeout=10s": context canceled`);
    expect(e.timedOut).toBe(false);
  });

  it('of a client that was closed', async () => {
    const c = client();
    await c.close();
    expect((await failure(post(c, { url: 'https://127.0.0.1:1', caBundle }))).message).toContain('shutting down');
  });
});
