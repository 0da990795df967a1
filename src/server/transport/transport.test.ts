import { once } from 'node:events';
import { type ClientHttp2Session, connect as connectHttp2, constants } from 'node:http2';
import { Agent, type RequestOptions, request } from 'node:https';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { isStatusError } from '../../machinery/errors.js';
import type { HttpHandler, HttpRequest } from '../http.js';
import type { Transport, TransportOptions } from './contract.js';
import { type Issued, issue } from './pki.suite.js';
import { createTransport } from './transport.js';

let ca: Issued;
let server: Issued;
let client: Issued;
let intermediate: Issued;
beforeAll(async () => {
  ca = await issue('CN=ca', undefined, [], true);
  server = await issue('CN=server', ca, ['localhost', '127.0.0.1']);
  intermediate = await issue('CN=intermediate', ca, [], true);
  client = await issue('CN=alice,O=dev', intermediate);
});

const open: Transport[] = [];
const clients: { destroy(): void }[] = [];
afterEach(async () => {
  for (const c of clients.splice(0)) c.destroy();
  await Promise.all(open.splice(0).map((t) => t.shutdown({ drainTimeout: 500 })));
});

const errors: unknown[] = [];
afterAll(() => expect(errors).toEqual([]));

async function serve(handler: HttpHandler, options: Partial<TransportOptions> = {}) {
  const transport = createTransport(handler, {
    tls: { cert: server.cert, key: server.key, clientCa: ca.cert },
    isLongRunning: (r) => r.query.includes('watch'),
    onError: (e) => errors.push(e),
    ...options,
  });
  open.push(transport);
  const { port } = await transport.listen({ host: '127.0.0.1', port: 0 });
  return { transport, port };
}

interface Answer {
  status: number;
  headers: Record<string, unknown>;
  body: Buffer;
}

function get1(port: number, options: RequestOptions & { body?: string | Buffer } = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const req = request({ host: '127.0.0.1', port, ca: ca.cert, agent: false, ...options }, (res) => {
      const chunks: Buffer[] = [];
      res.on('data', (c) => chunks.push(c));
      res.on('end', () => resolve({ status: res.statusCode!, headers: res.headers, body: Buffer.concat(chunks) }));
      res.on('error', reject);
    });
    req.on('error', reject);
    req.end(options.body);
  });
}

function session(port: number, extra: object = {}): ClientHttp2Session {
  const s = connectHttp2(`https://localhost:${port}`, { ca: ca.cert, ...extra });
  s.on('error', () => {});
  clients.push(s);
  return s;
}

function get2(s: ClientHttp2Session, headers: Record<string, string | string[]>, body?: Buffer): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const stream = s.request({ ':path': '/', ...(headers as Record<string, string>) }, { endStream: !body });
    let head: Record<string, unknown> = {};
    const chunks: Buffer[] = [];
    stream.on('response', (h: object) => {
      head = { ...h };
    });
    stream.on('data', (c: Buffer) => chunks.push(c)).on('error', reject);
    stream.on('close', () => resolve({ status: Number(head[':status']), headers: head, body: Buffer.concat(chunks) }));
    if (body !== undefined) stream.end(body);
  });
}

const closing = (emitter: { on(event: 'close', f: () => void): unknown }): Promise<string> =>
  new Promise((resolve) => emitter.on('close', () => resolve('')));

async function raw(port: number): Promise<TLSSocket> {
  const options = { host: '127.0.0.1', port, ca: ca.cert, servername: 'localhost', allowHalfOpen: true };
  const socket = connectTls(options);
  socket.on('error', () => {});
  clients.push(socket);
  await once(socket, 'secureConnect');
  return socket;
}

async function readToEnd(socket: TLSSocket): Promise<string> {
  let text = '';
  socket.on('data', (d) => {
    text += d.toString('latin1');
  });
  if (!socket.closed) await new Promise((resolve) => socket.on('end', resolve).on('close', resolve));
  return text;
}

const echo: HttpHandler = async (req, res) => {
  const body = await req.readBody(1000).catch((e) => e);
  const failed = isStatusError(body);
  const seen = { method: req.method, path: req.path, query: req.query, version: req.httpVersion, headers: req.headers };
  res.head(failed ? body.code : 200, { 'Content-Type': 'application/json' });
  res.end(JSON.stringify(failed ? body.toStatus() : { ...seen, body: body.toString() }));
};

describe('both protocols', () => {
  it('show the request', async () => {
    const { port } = await serve(echo);
    const one = await get1(port, { path: '/api/v1/pods%2Fx?a=b&c', method: 'POST', body: 'hello' });
    expect(JSON.parse(one.body.toString())).toMatchObject({
      method: 'POST',
      path: '/api/v1/pods%2Fx',
      query: 'a=b&c',
      version: '1.1',
      body: 'hello',
    });
    expect(one.headers['content-length']).toBe(`${one.body.length}`);
    expect(one.headers.connection).toBe('close'); // agent: false asks for it
    const two = await get2(session(port), { ':path': '/x?y', ':method': 'PUT' }, Buffer.from('hi'));
    const seen = JSON.parse(two.body.toString());
    expect(seen).toMatchObject({ method: 'PUT', path: '/x', query: 'y', version: '2.0', body: 'hi' });
    expect(seen.headers.host).toBe(`localhost:${port}`);
    expect(Object.keys(seen.headers).filter((h) => h.startsWith(':'))).toEqual([]);
  });

  it('keep identity headers apart and take the first of single ones', async () => {
    const { port } = await serve(echo);
    const headers = { 'impersonate-group': ['a,b', 'c'], 'x-remote-group': ['d', 'e'] };
    for (const answer of [await get1(port, { headers }), await get2(session(port), headers)]) {
      expect(JSON.parse(answer.body.toString()).headers).toMatchObject(headers);
    }
    const socket = await raw(port);
    socket.write('GET http://other:1?q HTTP/1.1\r\nHost: h\r\nAccept: a\r\naccept: b\r\nConnection: close\r\n\r\n');
    const text = await readToEnd(socket);
    expect(JSON.parse(text.split('\r\n\r\n')[1]!)).toMatchObject({ path: '/', query: 'q', headers: { accept: 'a' } });
  });

  it('deliver the peer certificate with its chain, or none', async () => {
    const seen: unknown[] = [];
    const { port } = await serve(async (req, res) => {
      seen.push(req.peerCertificate);
      expect(req.peerCertificate).toBe(req.peerCertificate);
      res.head(200, {});
      res.end();
    });
    const own = { cert: client.cert + intermediate.cert, key: client.key };
    await get1(port, own);
    await get2(session(port, own), {});
    await get1(port);
    const stranger = await issue('CN=stranger');
    await get1(port, { cert: stranger.cert, key: stranger.key });
    expect(seen).toHaveLength(4);
    for (const peer of seen.slice(0, 2) as { raw: Buffer; chain: Buffer[] }[]) {
      expect(peer.raw.equals(client.der)).toBe(true);
      expect(peer.chain[0]!.equals(intermediate.der)).toBe(true);
    }
    expect(seen[2]).toBeUndefined();
    expect((seen[3] as { raw: Buffer; chain: Buffer[] }).raw.equals(stranger.der)).toBe(true);
    expect((seen[3] as { raw: Buffer; chain: Buffer[] }).chain).toEqual([]);
  });

  it('deliver the chain on every connection, resumed or not', async () => {
    const chains: (number | undefined)[] = [];
    const { port } = await serve(async (req, res) => {
      chains.push(req.peerCertificate?.chain.length);
      res.head(200, { Connection: 'close' });
      res.end();
    });
    const own = { cert: client.cert + intermediate.cert, key: client.key, ca: ca.cert, servername: 'localhost' };
    for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
      let session: Buffer | undefined;
      for (let i = 0; i < 2; i++) {
        const socket = connectTls({ host: '127.0.0.1', port, ...own, maxVersion, session });
        clients.push(socket);
        socket.on('session', (s) => {
          session = s;
        });
        await once(socket, 'secureConnect');
        socket.write('GET / HTTP/1.1\r\nHost: h\r\n\r\n');
        await readToEnd(socket);
      }
    }
    expect(chains.length).toBe(4);
    for (const length of chains) expect(length).toBeGreaterThan(0);
  });

  it('refuse bodies past the limit, declared or not, and the client sees why', async () => {
    const { port } = await serve(echo);
    const big = Buffer.alloc(3_000_000, 97);
    const message = 'Request entity too large: limit is 1000';
    for (const headers of [{ 'content-length': '3000000' }, { 'transfer-encoding': 'chunked' }]) {
      const one = await get1(port, { method: 'POST', headers, body: big });
      expect(one.status).toBe(413);
      expect(JSON.parse(one.body.toString())).toMatchObject({ code: 413, reason: 'RequestEntityTooLarge', message });
    }
    const s = session(port);
    const two = await get2(s, { ':method': 'POST' }, big);
    expect([two.status, JSON.parse(two.body.toString()).message]).toEqual([413, message]);
    expect((await get2(s, {})).status).toBe(200);
  });

  it('ask for the body only when somebody reads it', async () => {
    const { port } = await serve(async (req, res) => {
      if (req.path === '/read') return echo(req, res);
      res.head(401, {});
      res.end();
    });
    for (const [path, status] of [
      ['/read', 200],
      ['/no', 401],
    ] as const) {
      let continued = false;
      const req = request({
        host: '127.0.0.1',
        port,
        ca: ca.cert,
        path,
        method: 'POST',
        agent: false,
        headers: { expect: '100-continue', 'content-length': 2 },
      });
      req.on('continue', () => {
        continued = true;
        req.end('hi');
      });
      req.on('error', () => {});
      req.flushHeaders();
      const [res] = await once(req, 'response');
      expect([res.statusCode, continued]).toEqual([status, path === '/read']);
      res.resume();
      req.destroy();
      const stream = session(port).request(
        { ':method': 'POST', ':path': path, expect: '100-continue' },
        { endStream: false },
      );
      let continued2 = false;
      stream.on('continue', () => {
        continued2 = true;
        stream.end('hi');
      });
      const [head] = await once(stream, 'response');
      expect([head[':status'], continued2]).toEqual([status, path === '/read']);
      stream.on('error', () => {}).close();
    }
  });

  it('send the head of a stream at once, and tell the handler when the client leaves', async () => {
    let gone = 0;
    const left: (() => void)[] = [];
    const { port } = await serve(async (req, res) => {
      res.head(200, { 'Content-Type': 'application/json' });
      await new Promise((resolve) => req.signal.addEventListener('abort', resolve));
      gone++;
      res.end('nobody hears it');
      left.pop()!();
    });
    const wait = () => new Promise<void>((resolve) => left.push(resolve));
    let over = wait();
    const req = request({ host: '127.0.0.1', port, ca: ca.cert, agent: false }).end();
    req.on('error', () => {});
    const [res] = await once(req, 'response');
    expect(res.statusCode).toBe(200);
    req.destroy();
    await over;
    over = wait();
    const stream = session(port).request({ ':path': '/' });
    await once(stream, 'response');
    stream.close(constants.NGHTTP2_CANCEL);
    await over;
    expect(gone).toBe(2);
  });

  it('hold a fast writer back while the reader is slow', async () => {
    let waited = 0;
    let written = 0;
    const total = 16 << 20;
    const { port } = await serve(async (_req, res) => {
      res.head(200, {});
      const chunk = Buffer.alloc(1 << 16, 98);
      while (written < total) {
        written += chunk.length;
        if (!res.write(chunk)) {
          waited++;
          await res.drained();
        }
      }
      res.end();
    });
    for (const version of [1, 2]) {
      waited = written = 0;
      const source = version === 1 ? request({ host: '127.0.0.1', port, ca: ca.cert, agent: false }).end() : undefined;
      const stream = source ? (await once(source, 'response'))[0] : session(port).request({ ':path': '/' });
      stream.pause();
      await new Promise((resolve) => setTimeout(resolve, 200));
      expect(written).toBeLessThan(total);
      let read = 0;
      stream.on('data', (c: Buffer) => {
        read += c.length;
      });
      stream.resume();
      await once(stream, 'end');
      expect([read, waited > 0]).toEqual([total, true]);
    }
  });

  it('answer HEAD, 204 and 304 without a body', async () => {
    const { port } = await serve(async (req, res) => {
      res.head(Number(req.query) || 200, {});
      res.write('');
      res.end('text');
    });
    for (const [method, query, status] of [
      ['HEAD', '', 200],
      ['GET', '204', 204],
      ['GET', '304', 304],
    ] as const) {
      const path = `/?${query}`;
      for (const a of [
        await get1(port, { method, path }),
        await get2(session(port), { ':method': method, ':path': path }),
      ])
        expect([a.status, a.body.length]).toEqual([status, 0]);
    }
  });

  it('write header values that HTTP does not allow in a form that it does', async () => {
    const { port } = await serve(async (_req, res) => {
      res.head(200, { Warning: ['299 - "größer\r\nSet-Cookie: x"'], 'X-Plain': 'ok', 'Transfer-Encoding': undefined });
      res.end();
    });
    for (const a of [await get1(port), await get2(session(port), {})]) {
      expect(Buffer.from(String(a.headers.warning), 'latin1').toString()).toBe('299 - "größer  Set-Cookie: x"');
      expect(a.headers['set-cookie']).toBeUndefined();
    }
  });

  it('answer 500 when a handler fails before its answer, and cut the stream when after', async () => {
    const reported: unknown[] = [];
    const { port } = await serve(
      async (req, res) => {
        if (req.path === '/late') {
          res.head(200, {});
          res.write('half');
        }
        if (req.path === '/twice') {
          res.head(200, {});
          res.head(200, {});
        }
        if (req.path !== '/silent') throw new Error('no');
      },
      { onError: (e) => reported.push((e as Error).message) },
    );
    for (const path of ['/early', '/silent']) {
      expect((await get1(port, { path })).status).toBe(500);
      expect((await get2(session(port), { ':path': path })).status).toBe(500);
    }
    for (const path of ['/late', '/twice']) {
      await expect(get1(port, { path })).rejects.toThrow(/aborted|hang up|ECONNRESET/);
      await expect(get2(session(port), { ':path': path })).rejects.toThrow(/INTERNAL_ERROR/);
    }
    expect(reported).toHaveLength(6);
  });

  it('reject a body that is cut', async () => {
    const outcome: string[] = [];
    let told: () => void = () => {};
    const { port } = await serve(async (req, res) => {
      const e = await req.readBody(1000).catch((error: Error) => error);
      outcome.push(e instanceof Error ? e.message : `body ${e.length}`);
      res.head(400, {});
      res.end('cut');
      told();
    });
    const once1 = (): Promise<void> =>
      new Promise((resolve) => {
        told = resolve;
      });
    for (const head of ['Content-Length: 100', 'Transfer-Encoding: chunked']) {
      for (const end of ['destroy', 'end'] as const) {
        const over = once1();
        const socket = await raw(port);
        socket.write(`POST / HTTP/1.1\r\nHost: h\r\n${head}\r\n\r\n5\r\nhalf `);
        if (end === 'end') {
          socket.end();
          const text = await readToEnd(socket);
          expect(text).toMatch(/^HTTP\/1.1 400 Bad Request\r\n/);
          expect(text).toMatch(/Connection: close/);
        } else setTimeout(() => socket.destroy(), 50);
        await over;
      }
    }
    for (const length of [{ 'content-length': '100' }, {}]) {
      const over = once1();
      const s = session(port);
      const stream = s.request({ ':method': 'POST', ':path': '/', ...length }, { endStream: false });
      stream.on('error', () => {});
      stream.write('half');
      setTimeout(() => s.destroy(), 50);
      await over;
    }
    expect(outcome).toEqual(Array(6).fill('unexpected EOF'));
  });

  it('stream an upload', async () => {
    const { port } = await serve(async (req, res) => {
      let n = 0;
      for await (const chunk of req.stream) {
        n += chunk.length;
        if (req.path === '/part') break;
      }
      res.head(200, {});
      res.end(`${n}`);
    });
    const body = Buffer.alloc(2 << 20);
    expect((await get1(port, { method: 'POST', body })).body.toString()).toBe(`${body.length}`);
    expect((await get2(session(port), { ':method': 'POST' }, body)).body.toString()).toBe(`${body.length}`);
    expect((await get1(port, { method: 'POST', body, path: '/part' })).status).toBe(200);
    expect((await get2(session(port), { ':method': 'POST', ':path': '/part' }, body)).status).toBe(200);
  });
});

describe('HTTP/1.1', () => {
  it('keeps connections without saying so', async () => {
    const { port } = await serve(echo);
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    clients.push(agent);
    for (let i = 0; i < 3; i++) {
      const a = await get1(port, { agent });
      expect([a.status, a.headers['keep-alive'], a.headers.connection]).toEqual([200, undefined, undefined]);
    }
    const a = await get1(port, { agent, method: 'POST', body: Buffer.alloc(2000) });
    expect(a.status).toBe(413);
  });

  it('handles pipelined requests one after the other, and few of them', async () => {
    let running = 0;
    let most = 0;
    const { port } = await serve(async (req, res) => {
      most = Math.max(most, ++running);
      await new Promise((resolve) => setTimeout(resolve, 5));
      running--;
      res.head(200, {});
      res.end(req.path);
    });
    const socket = await raw(port);
    const last = 'GET /last HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n';
    socket.write(`${'GET /a HTTP/1.1\r\nHost: h\r\n\r\n'.repeat(5)}${last}`);
    expect((await readToEnd(socket)).match(/\/(a|last)/g)).toEqual(['/a', '/a', '/a', '/a', '/a', '/last']);
    expect(most).toBe(1);
    const greedy = await raw(port);
    greedy.write('GET /a HTTP/1.1\r\nHost: h\r\n\r\n'.repeat(5000));
    expect((await readToEnd(greedy)).split('HTTP/1.1 200').length).toBeLessThan(80);
  });

  it.each([
    ['GET / HTTP/1.1\r\nHost: h\r\nX: \x00\r\n\r\n', '400 Bad Request'],
    ['GET / HTTP/1.1\r\n\r\n', '400 Bad Request'],
    ['total nonsense\r\n\r\n', '400 Bad Request'],
    ['POST / HTTP/1.1\r\nHost: h\r\nContent-Length: -1\r\n\r\n', '400 Bad Request'],
    ['POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n', '400 Bad Request'],
    [`GET / HTTP/1.1\r\nHost: h\r\nX: ${'x'.repeat(1.2e6)}\r\n\r\n`, '431 Request Header Fields Too Large'],
    ['POST / HTTP/1.1\r\nHost: h\r\nExpect: tea\r\n\r\n', '417 Expectation Failed'],
    ['CONNECT h:443 HTTP/1.1\r\nHost: h\r\n\r\n', '405 Method Not Allowed'],
  ])('refuses what is not HTTP: %#', async (text, status) => {
    const { port } = await serve(echo);
    const socket = await raw(port);
    socket.write(text, 'latin1');
    setTimeout(() => socket.end(), 300);
    expect(await readToEnd(socket)).toMatch(new RegExp(`^HTTP/1.1 ${status}\r\n`));
  });

  it.each([
    ['GET / HTTP/1.1\r\n\r\n', 400],
    ['POST / HTTP/1.1\r\nHost: h\r\nExpect: tea\r\n\r\n', 417],
  ])('survives an upgrade that comes right behind a refusal: %#', async (refused, code) => {
    const { port } = await serve(echo);
    const socket = await raw(port);
    socket.write(`${refused}GET / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n`);
    expect(await readToEnd(socket)).toMatch(new RegExp(`^(HTTP/1.1 ${code} [\\s\\S]*)?$`));
    expect((await get1(port)).status).toBe(200);
  });

  it('tells the handler of a request behind a refusal when the connection is over', async () => {
    let gone = (): void => {};
    const told = new Promise<void>((resolve) => {
      gone = resolve;
    });
    const { port } = await serve(async (req) => {
      await new Promise((resolve) => req.signal.addEventListener('abort', resolve));
      gone();
    });
    const socket = await raw(port);
    socket.write('GET / HTTP/1.1\r\n\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n');
    expect(await readToEnd(socket)).toMatch(/^HTTP\/1.1 400 /);
    await told;
  });

  it('closes on who asks for a tunnel and then says nothing', async () => {
    const { port, transport } = await serve(echo);
    const socket = await raw(port);
    socket.write('CONNECT h:443 HTTP/1.1\r\nHost: h\r\n\r\n');
    await readToEnd(socket);
    await expect.poll(() => transport.connections).toBe(0);
  });

  it('takes headers of half a megabyte', async () => {
    const { port } = await serve(echo);
    expect((await get1(port, { headers: { x: 'x'.repeat(5e5) } })).status).toBe(200);
  });

  it('answers a bad chunk in the middle of an upload by itself, and closes', async () => {
    const { port } = await serve(echo);
    const socket = await raw(port);
    socket.write('POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nzz\r\n');
    const text = await readToEnd(socket);
    expect(text).toMatch(/^HTTP\/1.1 400 Bad Request\r\n/);
    expect(JSON.parse(text.split('\r\n\r\n')[1]!)).toMatchObject({ kind: 'Status', message: 'unexpected EOF' });
  });

  it('answers a client that has closed its side', async () => {
    const { port } = await serve(async (req, res) => {
      await new Promise((resolve) => req.signal.addEventListener('abort', resolve));
      res.head(200, {});
      res.end('still here');
    });
    const socket = await raw(port);
    socket.end('GET / HTTP/1.1\r\nHost: h\r\n\r\n');
    expect(await readToEnd(socket)).toMatch(/^HTTP\/1.1 200 OK\r\n[\s\S]*still here$/);
  });

  it('hands the connection over on upgrade, and answers in the ordinary way when that is refused', async () => {
    const { port } = await serve(async (req, res) => {
      if (req.path === '/no') {
        res.head(403, { 'Content-Type': 'text/plain' });
        return res.end('no');
      }
      const { socket, head } = res.upgrade!();
      expect([res.closed, res.upgrade]).toEqual([true, undefined]);
      socket.write(`HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n${head}`);
      socket.on('data', (d) => socket.end(`got ${d}`));
    });
    const hello = (path: string) =>
      `POST ${path} HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n${path === '/no' ? '' : 'early'}`;
    const one = await raw(port);
    one.write(hello('/no'));
    expect(await readToEnd(one)).toMatch(/^HTTP\/1.1 403 Forbidden\r\n[\s\S]*Connection: close\r\n[\s\S]*\r\n\r\nno$/);
    const two = await raw(port);
    two.write(hello('/yes'));
    const [answer] = await once(two, 'data');
    expect(answer.toString()).toMatch(/^HTTP\/1.1 101 [\s\S]*early$/);
    two.write('data');
    expect(await readToEnd(two)).toBe('got data');
    const plain = await get1(port, { path: '/no' });
    expect(plain.status).toBe(403);
  });
});

describe('time', () => {
  const limits = {
    handshakeTimeout: 200,
    headerTimeout: 200,
    idleTimeout: 200,
    bodyIdleTimeout: 200,
    writeIdleTimeout: 200,
  };

  it('is short for those who say nothing, half a head or half a body', async () => {
    const { port, transport } = await serve(echo, { limits });
    const { connect } = await import('node:net');
    const silent = connect(port, '127.0.0.1');
    silent.on('error', () => {});
    clients.push(silent);
    const noRequest = await raw(port);
    const halfHead = await raw(port);
    halfHead.write('GET / HTTP/1.1\r\nHost: h\r\n');
    const halfBody = await raw(port);
    halfBody.write('POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\nhalf');
    const idle = await raw(port);
    idle.write('GET / HTTP/1.1\r\nHost: h\r\n\r\n');
    const idle2 = session(port);
    await get2(idle2, {});
    const halfBody2 = session(port).request({ ':method': 'POST' }, { endStream: false });
    halfBody2.on('error', () => {}).write('half');
    silent.resume();
    halfBody2.resume();
    const texts = await Promise.all([
      readToEnd(noRequest),
      readToEnd(halfHead),
      readToEnd(halfBody),
      readToEnd(idle),
      closing(silent),
      closing(idle2),
      closing(halfBody2),
    ]);
    expect(texts.map((t) => t.slice(0, 12))).toEqual(['HTTP/1.1 408', 'HTTP/1.1 408', '', 'HTTP/1.1 200', '', '', '']);
    for (const c of clients.splice(0)) c.destroy();
    while (transport.connections > 0) await new Promise((resolve) => setTimeout(resolve, 20));
  });

  it('ends for readers who do not read', async () => {
    const cut: string[] = [];
    const { port } = await serve(
      async (req, res) => {
        res.head(200, {});
        if (req.path === '/end') return res.end(Buffer.alloc(1 << 22));
        while (!res.closed) if (!res.write(Buffer.alloc(1 << 16))) await res.drained();
        cut.push(req.httpVersion);
      },
      { limits: { ...limits, idleTimeout: 60_000, writeIdleTimeout: 50 } },
    );
    for (const path of ['/end', '/drain']) {
      const socket = await raw(port);
      socket.pause();
      socket.write(`GET ${path} HTTP/1.1\r\nHost: h\r\n\r\n`);
      const stream = session(port).request({ ':path': path });
      stream.on('error', () => {});
      stream.pause();
      const closed = closing(stream);
      await new Promise((resolve) => setTimeout(resolve, 1000));
      stream.resume();
      socket.resume();
      await Promise.all([closed, readToEnd(socket)]);
    }
    expect(cut.sort()).toEqual(['1.1', '2.0']);
  }, 120_000);
});

describe('HTTP/2', () => {
  it('says what it allows and bounds streams of a connection', async () => {
    const { port } = await serve(async (req, res) => {
      res.head(200, {});
      await new Promise((resolve) => req.signal.addEventListener('abort', resolve));
    });
    const s = session(port);
    const [settings] = await once(s, 'remoteSettings');
    expect(settings).toMatchObject({
      maxConcurrentStreams: 100,
      initialWindowSize: 262144,
      maxFrameSize: 262144,
      maxHeaderListSize: 1 << 20,
    });
    let answered = 0;
    for (let i = 0; i < 150; i++)
      s.request({ ':path': '/?watch' })
        .on('response', () => answered++)
        .on('error', () => {});
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(answered).toBe(100);
  });

  it('survives resets in a row, and closes the connection of who overdoes it', async () => {
    let seen = 0;
    const { port } = await serve(async (_req, res) => {
      seen++;
      res.head(200, {});
      res.end('x');
    });
    const s = session(port);
    await once(s, 'connect');
    let left = 20_000;
    const closed = new Promise((resolve) => s.on('close', resolve));
    const burst = () => {
      for (let i = 0; i < 100 && left > 0 && !s.closed && !s.destroyed; i++, left--) {
        const stream = s.request({ ':path': '/' });
        stream.on('error', () => {});
        stream.close(constants.NGHTTP2_CANCEL);
      }
      if (left > 0 && !s.destroyed) setTimeout(burst, 1);
    };
    burst();
    await closed;
    expect(left).toBeGreaterThan(0);
    expect((await get2(session(port), {})).status).toBe(200);
    expect(seen).toBeLessThan(20_000);
  });

  it('refuses absurd headers without harm to others', async () => {
    const { port } = await serve(echo);
    const s = session(port, { maxSendHeaderBlockLength: 1 << 24, peerMaxHeaderListSize: 1 << 24 });
    await once(s, 'remoteSettings');
    const many = Object.fromEntries(Array.from({ length: 2000 }, (_, i) => [`x-${i}`, 'v']));
    await get2(s, many).catch(() => {});
    expect((await get2(session(port), { 'x-big': 'x'.repeat(30_000) })).status).toBe(200);
    expect((await get1(port)).status).toBe(200);
  });

  it('turns Connection: close into GOAWAY and drops headers that HTTP/2 has no place for', async () => {
    const { port } = await serve(async (_req, res) => {
      res.head(200, { Connection: 'close', 'Transfer-Encoding': 'chunked', 'Keep-Alive': 'x', 'X-Kept': '1' });
      res.end('bye');
    });
    const s = session(port);
    const gone = once(s, 'goaway');
    const a = await get2(s, {});
    expect([a.body.toString(), a.headers['x-kept'], a.headers.connection]).toEqual(['bye', '1', undefined]);
    await gone;
  });

  it('can be turned off', async () => {
    const { port } = await serve(echo, { tls: { cert: server.cert, key: server.key, http2: false } });
    const socket = connectTls({ host: '127.0.0.1', port, ca: ca.cert, ALPNProtocols: ['h2', 'http/1.1'] });
    clients.push(socket);
    await once(socket, 'secureConnect');
    expect(socket.alpnProtocol).toBe('http/1.1');
  });
});

describe('shutdown', () => {
  it('ends watches, lets requests finish, closes idle connections, and takes no new ones', async () => {
    const requests: HttpRequest[] = [];
    const release: (() => void)[] = [];
    const { port, transport } = await serve(async (req, res) => {
      requests.push(req);
      if (req.query.includes('watch')) {
        res.head(200, {});
        await new Promise((resolve) => req.signal.addEventListener('abort', resolve));
        return res.end('end of watch');
      }
      await new Promise<void>((resolve) => release.push(resolve));
      expect(req.signal.aborted).toBe(false);
      res.head(200, {});
      res.end('done');
    });
    const s = session(port);
    const answers = [
      get1(port, { path: '/?watch' }),
      get2(s, { ':path': '/?watch' }),
      get1(port, { agent: new Agent({ keepAlive: true }) }),
      get2(s, {}),
    ];
    await raw(port);
    while (requests.length < 4) await new Promise((resolve) => setTimeout(resolve, 10));
    const over = transport.shutdown({ drainTimeout: 20_000 });
    expect(transport.shutdown()).toBe(over);
    await Promise.all(answers.slice(0, 2));
    await expect(get1(port)).rejects.toThrow(/ECONNREFUSED/);
    for (const go of release) go();
    const done = await Promise.all(answers);
    expect(done.map((a) => a.body.toString())).toEqual(['end of watch', 'end of watch', 'done', 'done']);
    expect(done[2]!.headers.connection).toBe('close');
    await over;
    expect(transport.connections).toBe(0);
    await expect(transport.listen({ host: '127.0.0.1', port: 0 })).rejects.toThrow('shut down');
  });

  it('destroys what does not end in time', async () => {
    const { port, transport } = await serve(async (req, res) => {
      res.head(200, {});
      await new Promise((resolve) => req.signal.addEventListener('abort', resolve));
    });
    const stuck = get1(port).catch(() => 'cut');
    const stuck2 = get2(session(port), {}).catch(() => 'cut');
    while (transport.connections < 2) await new Promise((resolve) => setTimeout(resolve, 10));
    await new Promise((resolve) => setTimeout(resolve, 100));
    await transport.shutdown({ drainTimeout: 100 });
    expect(transport.connections).toBe(0);
    expect(await stuck).toBe('cut');
    await stuck2;
  });

  it('leaves other servers of the process alone', async () => {
    const one = await serve(echo);
    const two = await serve(echo);
    const again = await one.transport.listen({ host: '127.0.0.1', port: 0 });
    expect((await get1(again.port)).status).toBe(200);
    await one.transport.shutdown();
    expect((await get1(two.port)).status).toBe(200);
    await expect(one.transport.listen({ host: '127.0.0.1', port: two.port })).rejects.toThrow();
    await expect(two.transport.listen({ host: '127.0.0.1', port: two.port })).rejects.toThrow('EADDRINUSE');
  });
});

describe('TLS', () => {
  const handshake = async (port: number, options: object) => {
    const socket = connectTls({ host: '127.0.0.1', port, ca: ca.cert, servername: 'localhost', ...options });
    clients.push(socket);
    await once(socket, 'secureConnect');
    return socket;
  };

  it('follows version and suites, and refuses unknown names', async () => {
    const pair = { cert: server.cert, key: server.key };
    const failed: Error[] = [];
    const { port } = await serve(echo, {
      tls: { ...pair, cipherSuites: ['TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256', 'TLS_AES_128_GCM_SHA256'] },
      onHandshakeError: (e) => failed.push(e),
    });
    expect((await handshake(port, { maxVersion: 'TLSv1.2' })).getCipher().name).toBe('ECDHE-ECDSA-AES128-GCM-SHA256');
    expect((await handshake(port, {})).getProtocol()).toBe('TLSv1.3');
    await expect(handshake(port, { maxVersion: 'TLSv1.1', minVersion: 'TLSv1' })).rejects.toThrow();
    await expect(
      handshake(port, { maxVersion: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES256-GCM-SHA384' }),
    ).rejects.toThrow();
    expect(failed.length).toBeGreaterThan(0);
    const strict = await serve(echo, { tls: { ...pair, minVersion: 'VersionTLS13' } });
    await expect(handshake(strict.port, { maxVersion: 'TLSv1.2' })).rejects.toThrow();
    for (const tls of [
      { ...pair, minVersion: 'VersionTLS10' },
      { ...pair, minVersion: 'constructor' },
      { ...pair, cipherSuites: ['TLS_RSA_WITH_RC4_128_SHA'] },
      { ...pair, cipherSuites: ['toString'] },
      { cert: server.cert, key: client.key },
      { cert: 'x', key: 'y' },
    ])
      expect(() => createTransport(echo, { tls, isLongRunning: () => false })).toThrow();
  });

  it('chooses certificates by name and takes new ones while it runs', async () => {
    const wild = await issue('CN=wild', ca, ['*.example.com']);
    const second = await issue('CN=second', ca, ['localhost']);
    const { port, transport } = await serve(echo, {
      tls: { cert: server.cert, key: server.key, sni: [{ cert: wild.cert, key: wild.key, names: ['*.Example.com'] }] },
    });
    const subject = async (servername: string) =>
      (await handshake(port, { servername, checkServerIdentity: () => undefined })).getPeerCertificate().subject.CN;
    expect(await subject('a.example.com')).toBe('wild');
    expect(await subject('a.b.example.com')).toBe('server');
    expect(await subject('localhost')).toBe('server');
    const kept = await handshake(port, {});
    expect(() => transport.setSecureContext({ cert: second.cert, key: server.key })).toThrow();
    expect(await subject('localhost')).toBe('server');
    transport.setSecureContext({ cert: second.cert, key: second.key });
    expect(await subject('localhost')).toBe('second');
    expect(await subject('a.example.com')).toBe('second');
    kept.write('GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n');
    expect(await readToEnd(kept)).toMatch(/^HTTP\/1.1 200/);
  });
});
