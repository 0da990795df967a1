import type { IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  ADMIN,
  type AggregatedServer,
  announce,
  eventually,
  json,
  register,
  resource,
  serverName,
  startAggregatedServer,
  startSilentServer,
  untilAvailability,
} from '../support/aggregated-server.js';
import { type Cluster, startCluster } from '../support/control-plane.js';

// Aggregated servers that fail in every way. What must hold: deadlines, bounded memory, and that nobody else notices.

const GROUP = 'bad.example.com';
const BASE = `/apis/${GROUP}/v1`;

let cluster: Cluster;
let backend: AggregatedServer;
beforeAll(async () => {
  [cluster, backend] = await Promise.all([
    startCluster({ controllers: [] }),
    startAggregatedServer({ names: [serverName(GROUP)] }),
  ]);
  announce(backend, `${GROUP}/v1`, [resource('things', 'Thing')]);
  await register(cluster.controlPlane, GROUP, backend);
  await untilAvailability(cluster.controlPlane, GROUP, 'Passed');
}, 120_000);
afterAll(async () => {
  await cluster.close();
  await backend.stop();
});

const get = (path: string, method = 'GET', body?: string) =>
  cluster.controlPlane.inject({ path, method, user: ADMIN, ...(body !== undefined && { body }) });

async function textOf(path: string): Promise<[number, string]> {
  const answer = await get(path);
  return [answer.status, await answer.text()];
}

/** An answer over a socket, whose body nobody reads yet. */
function open(path: string): Promise<IncomingMessage> {
  const { url, caCertificate, clientCertificate, clientKey } = cluster.controlPlane;
  const tls = { ca: caCertificate, cert: clientCertificate, key: clientKey };
  return new Promise((resolve, reject) => {
    httpsRequest(`${url}${path}`, { ...tls, agent: false }, resolve)
      .on('error', reject)
      .end();
  });
}

describe('a server that hangs', () => {
  it('is given up when the time of the request is up, and hears of it', async () => {
    let gone: () => void = () => {};
    const closed = new Promise<void>((resolve) => {
      gone = resolve;
    });
    backend.answers.set(`${BASE}/hangs`, (_, response) => response.on('close', gone));
    const [status, text] = await textOf(`${BASE}/hangs?timeout=300ms`);
    expect(status).toBe(504);
    expect(JSON.parse(text)).toEqual({
      metadata: {},
      status: 'Failure',
      message: 'Timeout: request did not complete within the allotted timeout',
      reason: 'Timeout',
      details: {},
      code: 504,
    });
    await closed;
  });

  it('does not keep others waiting', async () => {
    backend.answers.set(`${BASE}/hangs`, () => {});
    const pending = Array.from({ length: 50 }, () => get(`${BASE}/hangs?timeout=3s`));
    const order: string[] = [];
    const all = Promise.all(pending).then(() => order.push('hanging'));
    await Promise.all([get('/api/v1/namespaces'), get('/apis'), textOf(`${BASE}`)]).then(() => order.push('others'));
    await all;
    expect(order).toEqual(['others', 'hanging']);
  });

  it('fails its check, and is not asked any more', async () => {
    const silent = await startSilentServer();
    const group = 'silent.example.com';
    await register(cluster.controlPlane, group, { port: silent.port, insecure: true });
    const { message } = await untilAvailability(cluster.controlPlane, group, 'FailedDiscoveryCheck');
    const url = `https://localhost:${silent.port}/apis/${group}/v1`;
    expect(message).toContain(`failing or missing response from ${url}: Get "${url}": context deadline exceeded`);
    const before = silent.connections();
    expect(await textOf(`/apis/${group}/v1/things`)).toEqual([503, 'service unavailable\n']);
    expect(silent.connections()).toBe(before);
    await silent.stop();
  });
});

describe('a server that answers badly', () => {
  it('cuts the answer: so is the one to the client', async () => {
    backend.answers.set(`${BASE}/cut`, (_, response) => {
      response.writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': '1000' });
      response.write('{"half":');
      setTimeout(() => response.destroy(), 50);
    });
    const response = await open(`${BASE}/cut`);
    const end = await new Promise<string>((resolve) => {
      response.on('error', (e) => resolve(e.message)).on('end', () => resolve('whole'));
      response.resume();
    });
    expect([response.statusCode, end]).toEqual([200, 'aborted']);
  });

  it('hangs up, or speaks no HTTP', async () => {
    backend.answers.set(`${BASE}/reset`, (request) => request.socket.destroy());
    expect(await textOf(`${BASE}/reset`)).toEqual([503, 'error trying to reach service: EOF\n']);
    backend.answers.set(`${BASE}/garbage`, (request) => request.socket.end('HTTP/9 maybe\r\n\r\n'));
    expect(await textOf(`${BASE}/garbage`)).toEqual([
      503,
      'error trying to reach service: net/http: HTTP/1.x transport connection broken: malformed HTTP status code "maybe"\n',
    ]);
    backend.answers.set(`${BASE}/headers`, (request) => {
      request.socket.write('HTTP/1.1 200 OK\r\n');
      const timer = setInterval(() => request.socket.write(`X-Pad: ${'x'.repeat(60_000)}\r\n`), 1);
      request.socket.on('close', () => clearInterval(timer));
    });
    expect(await textOf(`${BASE}/headers`)).toEqual([
      503,
      'error trying to reach service: net/http: server response headers exceeded the limit\n',
    ]);
  });

  it('drips: the answer ends with the time of the request', async () => {
    let closed = false;
    backend.answers.set(`${BASE}/drips`, (_, response) => {
      response.writeHead(200, { 'Content-Type': 'application/json' });
      const timer = setInterval(() => response.write(' '), 20);
      response.on('close', () => {
        closed = true;
        clearInterval(timer);
      });
    });
    const response = await open(`${BASE}/drips?timeout=500ms`);
    const end = await new Promise<string>((resolve) => {
      response.on('error', (e) => resolve(e.message)).on('end', () => resolve('whole'));
      response.resume();
    });
    expect(end).toBe('aborted');
    await eventually(() => expect(closed).toBe(true));
  });

  it('answers without end: no more is taken from it than the client reads', async () => {
    const piece = Buffer.alloc(64 * 1024, 0x20);
    let written = 0;
    backend.answers.set(`${BASE}/huge`, (_, response) => {
      response.writeHead(200, { 'Content-Type': 'application/json' });
      const pour = () => {
        while (!response.destroyed && response.write(piece)) written += piece.length;
      };
      response.on('drain', pour);
      pour();
    });
    const response = await open(`${BASE}/huge?watch=1`);
    let before = -1;
    // Until nothing moves any more: every buffer on the way is full.
    await eventually(async () => {
      const now = written;
      const still = now === before;
      before = now;
      await new Promise((resolve) => setTimeout(resolve, 100));
      expect(still).toBe(true);
    });
    expect(written).toBeLessThan(64 << 20);
    response.destroy();
  });

  it('sends its client elsewhere: nobody follows', async () => {
    for (const [status, location] of [
      [301, 'https://elsewhere.example/'],
      [307, '/api/v1/secrets'],
    ] as const) {
      backend.answers.set(`${BASE}/redirects`, (_, response) => {
        response.writeHead(status, { Location: location });
        response.end('moved');
      });
      const text = 'the backend attempted to redirect this request, which is not permitted';
      expect(await textOf(`${BASE}/redirects`)).toEqual([502, text]);
    }
  });

  it('says things of itself that are no documents: the rest stays', async () => {
    const group = 'liar.example.com';
    const liar = await startAggregatedServer({ names: [serverName(group)] });
    const huge = `{"kind":"APIResourceList","resources":[${'{"name":"x"},'.repeat(1_000_000)}{"name":"x"}]}`;
    liar.answers.set(`/apis/${group}/v1`, (_, response) => {
      response.writeHead(200, { 'Content-Type': 'application/json' });
      response.end(huge);
    });
    liar.answers.set('/openapi/v3', (_, response) => json(response, 200, { paths: { [`apis/${group}/v1`]: 7 } }));
    liar.answers.set('/openapi/v3*', (_, response) => json(response, 200, ['no', 'document']));
    await register(cluster.controlPlane, group, liar);
    await eventually(() => {
      expect(liar.seen.some((s) => s.url.startsWith('/openapi/v3/'))).toBe(true);
    });
    const accept = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList';
    const answer = await cluster.controlPlane.inject({ path: '/apis', headers: { Accept: accept }, user: ADMIN });
    const { items } = await answer.json<{ items: { metadata: { name: string }; versions: unknown[] }[] }>();
    expect(items.find((g) => g.metadata.name === group)?.versions).toEqual([{ version: 'v1', freshness: 'Stale' }]);
    expect((await get('/openapi/v3')).status).toBe(200);
    expect((await get(`/openapi/v3/apis/${group}/v1`)).status).toBe(404);
    expect((await get('/openapi/v2')).status).toBe(200);
    await liar.stop();
  });
});

describe('a server that is not who it should be', () => {
  const failure = async (
    group: string,
    names: string[],
    options: { caBundle?: string; insecure?: boolean; plain?: boolean },
  ) => {
    const server = await startAggregatedServer({ names, plain: options.plain });
    const { caBundle = server.caBundle, insecure } = options;
    await register(cluster.controlPlane, group, { port: server.port, caBundle, insecure });
    const { message } = await untilAvailability(cluster.controlPlane, group, 'FailedDiscoveryCheck');
    expect(server.seen).toEqual([]);
    await server.stop();
    return message;
  };

  it('bears another name', async () => {
    expect(await failure('name.example.com', ['other.default.svc', 'localhost'], {})).toContain(
      'tls: failed to verify certificate: x509: certificate is valid for other.default.svc, localhost, not name-example-com.default.svc',
    );
  });

  it('is vouched for by somebody else', async () => {
    const group = 'authority.example.com';
    const caBundle = Buffer.from(cluster.controlPlane.caCertificate).toString('base64');
    expect(await failure(group, [serverName(group)], { caBundle })).toContain(
      'tls: failed to verify certificate: x509: certificate signed by unknown authority',
    );
  });

  it('speaks no TLS', async () => {
    const group = 'plain.example.com';
    expect(await failure(group, [], { plain: true, insecure: true })).toMatch(/Get "https:\/\/localhost:\d+\/.*": \S/);
  });

  it('is trusted by a bundle that is none', async () => {
    const group = 'bundle.example.com';
    const caBundle = Buffer.from('no certificate').toString('base64');
    expect(await failure(group, [serverName(group)], { caBundle })).toBe(
      'unable to load root certificates: unable to parse bytes as PEM block',
    );
  });
});
