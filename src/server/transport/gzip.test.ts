import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import type { HttpResponse } from '../http.js';
import { gzipResponse } from './gzip.js';
import { inject } from './inject.js';

const run = (write: (response: HttpResponse) => Promise<void> | void) =>
  inject(
    async (_request, inner) => {
      const response = gzipResponse(inner);
      await write(response);
      await response.drained();
    },
    { path: '/' },
  );
const line = Buffer.from(`${'x'.repeat(1023)}\n`);

describe('compressed answers', () => {
  it('are the long ones', async () => {
    const short = await run((r) => {
      r.head(200, { 'Content-Type': 'text/plain' });
      for (let i = 0; i < 128; i++) r.write(line);
      r.end();
    });
    expect(short.headers).toEqual({ 'content-type': 'text/plain' });
    expect((await short.body()).length).toBe(128 * 1024);
    const long = await run((r) => {
      r.head(200, { 'Content-Type': 'text/plain', 'Content-Length': 1 });
      for (let i = 0; i < 128; i++) r.write(line);
      r.end('more');
    });
    expect(long.headers).toEqual({ 'content-type': 'text/plain', 'content-encoding': 'gzip', vary: 'Accept-Encoding' });
    const bytes = await long.body();
    expect(bytes.length).toBeLessThan(4000);
    expect(gunzipSync(bytes).length).toBe(128 * 1024 + 4);
  });

  it('hold their writer back while nobody reads', async () => {
    const total = 64 << 20;
    let written = 0;
    const answer = await run(async (r) => {
      r.head(200, {});
      let seed = 1;
      while (written < total) {
        const chunk = Buffer.alloc(1 << 16);
        for (let i = 0; i < chunk.length; i += 4) {
          seed = (Math.imul(seed, 1103515245) + 12345) >>> 0;
          chunk.writeUInt32LE(seed, i);
        }
        written += chunk.length;
        if (!r.write(chunk)) await r.drained();
        if (written > 4 << 20) break;
      }
      r.end();
      expect(r.closed).toBe(true);
    });
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(written).toBeLessThan(4 << 20);
    expect(gunzipSync(await answer.body()).length).toBe(written);
  });

  it('stop when the reader leaves, or the handler fails', async () => {
    let over = false;
    const left = await run(async (r) => {
      r.head(200, {});
      while (!r.closed) {
        if (!r.write(Buffer.alloc(1 << 18, Math.random().toString()))) await r.drained();
        await new Promise((resolve) => setImmediate(resolve));
      }
      over = true;
    });
    for await (const _ of left.stream) break;
    while (!over) await new Promise((resolve) => setTimeout(resolve, 5));
    const failed = await run((r) => {
      r.head(200, {});
      r.write(Buffer.alloc(1 << 18));
      r.abort();
      r.end('nothing follows');
    });
    await expect(failed.body()).rejects.toThrow('cut');
  });
});
