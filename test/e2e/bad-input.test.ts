import { randomBytes } from 'node:crypto';
import { connect } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ControlPlane, startControlPlane } from '../../src/index.js';

const ADMIN = { name: 'admin', groups: ['system:masters'] };
const PODS = '/api/v1/namespaces/default/pods';
const MAPS = '/api/v1/namespaces/default/configmaps';

let controlPlane: ControlPlane;
beforeAll(async () => {
  // Loops write on their own time; here nothing may be written at all.
  controlPlane = await startControlPlane({ controllers: [] });
}, 60_000);
afterAll(() => controlPlane.close());

async function send(method: string, path: string, body: string | Uint8Array, type: string) {
  const answer = await controlPlane.inject({ method, path, body, headers: { 'content-type': type }, user: ADMIN });
  const text = await answer.text();
  return { status: answer.status, text };
}

async function count(): Promise<number> {
  const answer = await controlPlane.inject({ path: '/api/v1/configmaps', user: ADMIN });
  return (await answer.json<{ items: unknown[] }>()).items.length;
}

describe('what can’t be right', () => {
  const JSON_TYPE = 'application/json';
  it.each([
    ['no JSON', MAPS, '{', JSON_TYPE, 400],
    ['a list', MAPS, '[]', JSON_TYPE, 400],
    ['deep nesting', MAPS, '['.repeat(100_000), JSON_TYPE, 400],
    ['another kind', MAPS, '{"kind":"Secret","apiVersion":"v1","metadata":{"name":"x"}}', JSON_TYPE, 400],
    ['a wrong type', PODS, '{"metadata":{"name":"x"},"spec":{"containers":{}}}', JSON_TYPE, 400],
    ['another namespace', MAPS, '{"metadata":{"name":"x","namespace":"other"}}', JSON_TYPE, 400],
    ['no such namespace', '/api/v1/namespaces/none/configmaps', '{"metadata":{"name":"x"}}', JSON_TYPE, 404],
    ['a bad name', MAPS, '{"metadata":{"name":"Bad_Name"}}', JSON_TYPE, 422],
    ['bad YAML', MAPS, 'a: [b', 'application/yaml', 400],
    [
      'aliases without end',
      MAPS,
      `a: &a [x]\n${'b: &b [*a,*a,*a]\n'.repeat(3)}c: [*b, *nope]`,
      'application/yaml',
      400,
    ],
    ['no protobuf', MAPS, 'k8s\0garbage', 'application/vnd.kubernetes.protobuf', 400],
    ['a format that is not read', MAPS, 'x', 'text/csv', 415],
    ['CBOR where it is off', MAPS, new Uint8Array([0xd9, 0xd9, 0xf7, 0xa0]), 'application/cbor', 415],
    ['too much', MAPS, `{"data":{"k":"${'x'.repeat(3_200_000)}"}}`, JSON_TYPE, 413],
  ])('%s', async (_, path, body, type, status) => {
    const before = await count();
    const answer = await send('POST', path, body, type);
    expect(answer.status).toBe(status);
    expect(JSON.parse(answer.text)).toMatchObject({ kind: 'Status', status: 'Failure', code: status });
    expect(await count()).toBe(before);
  });

  it('prototype tricks change nothing but the object', async () => {
    const body = '{"metadata":{"name":"proto"},"data":{"__proto__":"x","constructor":"y"}}';
    const { status } = await send('POST', MAPS, body, JSON_TYPE);
    expect([201, 422]).toContain(status);
    expect(({} as Record<string, unknown>).x).toBeUndefined();
    expect(Object.prototype.toString.call({})).toBe('[object Object]');
  });
});

describe('noise', () => {
  it('random bodies of every format never crash, and store nothing', async () => {
    const types = ['application/json', 'application/yaml', 'application/vnd.kubernetes.protobuf'];
    const seed = Buffer.from('{"kind":"ConfigMap","apiVersion":"v1","metadata":{"name":"n"},"data":{"a":"b"}}');
    const before = await count();
    const end = Date.now() + 3000;
    let tried = 0;
    while (Date.now() < end) {
      const type = types[tried % types.length]!;
      const body = tried % 2 ? randomBytes(1 + (tried % 300)) : flip(seed, tried);
      const answer = await send('POST', `${MAPS}?dryRun=All`, body, type);
      expect(answer.status).toBeLessThan(500);
      tried++;
    }
    expect(tried).toBeGreaterThan(10);
    expect(await count()).toBe(before);
  });
  it('random paths and queries answer', async () => {
    const end = Date.now() + 2000;
    for (let i = 0; Date.now() < end; i++) {
      const path = `/${randomBytes(1 + (i % 20))
        .toString('latin1')
        .replace(/[\s?#]/g, '/')}`;
      const query = `labelSelector=${encodeURIComponent(randomBytes(8).toString('latin1'))}&limit=${i}`;
      const target = i % 2 ? encodeURI(path) : `${MAPS}?${query}`;
      const answer = await controlPlane.inject({ path: target, user: ADMIN });
      expect(answer.status).toBeLessThan(500);
      await answer.text();
    }
  });
});

function flip(bytes: Buffer, i: number): Buffer {
  const copy = Buffer.from(bytes);
  const at = (i * 7919) % copy.length;
  copy[at] = (copy[at]! + 1 + (i % 250)) & 0xff;
  return copy;
}

describe('on the wire', () => {
  const raw = (text: string, cut = false): Promise<string> =>
    new Promise((resolve) => {
      const { port } = new URL(controlPlane.url);
      const { caCertificate: ca, clientCertificate: cert, clientKey: key } = controlPlane;
      const socket = connect({ port: Number(port), host: '127.0.0.1', ca, cert, key }, () => {
        socket.write(text);
        if (cut) setTimeout(() => socket.destroy(), 200);
      });
      let answer = '';
      socket.on('data', (d) => {
        answer += d;
        if (!cut) socket.end();
      });
      socket.on('error', () => {});
      socket.on('close', () => resolve(answer));
      setTimeout(() => socket.destroy(), 5000).unref();
    });
  it('absurd headers are refused', async () => {
    const answer = await raw(`GET /api HTTP/1.1\r\nHost: x\r\nX: ${'y'.repeat(2 << 20)}\r\n\r\n`);
    expect(answer).toMatch(/^HTTP\/1\.1 (431|400)|^$/);
  });
  it('an upload that is cut stores nothing, and the server goes on', async () => {
    const before = await count();
    await raw(
      `POST ${MAPS} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 500\r\n\r\n{"meta`,
      true,
    );
    expect(await count()).toBe(before);
    expect(await raw('GET /readyz HTTP/1.1\r\nHost: x\r\n\r\n')).toContain('200 OK');
  });
  it('what is no HTTP is refused', async () => {
    expect(await raw('\0\0\0nonsense\r\n\r\n')).toMatch(/^HTTP\/1\.1 400|^$/);
  });
});
