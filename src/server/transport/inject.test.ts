import { describe, expect, it } from 'vitest';
import type { HttpHandler } from '../http.js';
import { inject, injectedUser } from './inject.js';

const echo: HttpHandler = async (req, res) => {
  const body = await req.readBody(100);
  const { method, path, query, headers } = req;
  res.head(201, { 'Content-Type': 'application/json' });
  res.end(JSON.stringify({ method, path, query, headers, body: body.toString(), user: injectedUser(req)?.name }));
};

describe('inject', () => {
  it('passes a request and its answer', async () => {
    const res = await inject(echo, {
      method: 'POST',
      path: '/a?b=c',
      headers: { 'X-Many': ['1', '2'] },
      body: { hello: 'world' },
      user: { name: 'alice', groups: [] },
    });
    expect([res.status, res.headers]).toEqual([201, { 'content-type': 'application/json' }]);
    expect(await res.json()).toEqual({
      method: 'POST',
      path: '/a',
      query: 'b=c',
      headers: { host: 'localhost', 'content-type': 'application/json', 'x-many': ['1', '2'] },
      body: '{"hello":"world"}',
      user: 'alice',
    });
    const plain = await inject(echo, { path: '/', body: Buffer.from('bytes') });
    expect(await plain.json()).toMatchObject({ method: 'GET', body: 'bytes', headers: { host: 'localhost' } });
  });

  it('reads a watch while it runs, and tells the handler when the reader leaves', async () => {
    let over = '';
    const watch: HttpHandler = async (req, res) => {
      res.head(200, {});
      for (let i = 0; !req.signal.aborted; i++) {
        if (!res.write(`event ${i}\n`)) await res.drained();
        await new Promise((resolve) => setTimeout(resolve, 1));
      }
      over = `closed ${res.closed}`;
    };
    const res = await inject(watch, { path: '/' });
    const events: string[] = [];
    for await (const chunk of res.stream) {
      events.push(chunk.toString());
      if (events.length === 3) break;
    }
    expect(events).toEqual(['event 0\n', 'event 1\n', 'event 2\n']);
    while (over === '') await new Promise((resolve) => setTimeout(resolve, 1));
    expect(over).toBe('closed true');
    const stop = new AbortController();
    const second = await inject(watch, { path: '/', signal: stop.signal });
    setTimeout(() => stop.abort(), 10);
    expect(await second.text()).toMatch(/^event 0\n/);
  });

  it('holds a writer back while nobody reads', async () => {
    let written = 0;
    const res = await inject(
      async (_req, response) => {
        response.head(200, {});
        while (written < 10 << 20) {
          written += 1 << 16;
          if (!response.write(Buffer.alloc(1 << 16))) await response.drained();
        }
        response.end();
      },
      { path: '/' },
    );
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(written).toBe(1 << 20);
    expect((await res.body()).length).toBe(10 << 20);
  });

  it('rejects with what the handler throws before its answer, and with the cut after', async () => {
    const fail = (f: HttpHandler) => inject(f, { path: '/' });
    await expect(
      fail(async () => {
        throw new Error('no');
      }),
    ).rejects.toThrow('no');
    await expect(fail(async () => {})).rejects.toThrow('without an answer');
    const late = await fail(async (_req, res) => {
      res.head(200, {});
      res.write('half');
      throw new Error('late');
    });
    await expect(late.body()).rejects.toThrow('late');
    const cut = await fail(async (_req, res) => {
      res.head(200, {});
      res.abort();
    });
    await expect(cut.text()).rejects.toThrow('cut');
    const silent = await fail(async (_req, res) => {
      res.head(200, {});
    });
    await expect(silent.text()).rejects.toThrow('without an answer');
    await expect(
      fail(async (_req, res) => {
        res.head(200, {});
        res.head(200, {});
      }).then((r) => r.body()),
    ).rejects.toThrow('twice');
  });

  it('bounds and cuts uploads as sockets do', async () => {
    await expect(inject(echo, { path: '/', body: 'x'.repeat(101) })).rejects.toMatchObject({ code: 413 });
    const body = (async function* () {
      yield Buffer.from('half');
      throw new Error('gone');
    })();
    await expect(inject(echo, { path: '/', body })).rejects.toMatchObject({ code: 400, message: 'unexpected EOF' });
    const gone = new AbortController();
    gone.abort();
    const res = await inject(
      async (req, response) => {
        response.head(req.signal.aborted ? 499 : 200, {});
        response.end('x');
      },
      { path: '/', signal: gone.signal },
    );
    expect([res.status, await res.text()]).toEqual([499, '']);
  });
});
