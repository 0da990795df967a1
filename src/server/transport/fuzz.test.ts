import { once } from 'node:events';
import { get } from 'node:https';
import { connect } from 'node:tls';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { issue } from './pki.suite.js';
import { createTransport } from './transport.js';

const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
const SETTINGS = Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0]);

const frame = fc
  .record({
    type: fc.integer({ min: 0, max: 11 }),
    flags: fc.integer({ min: 0, max: 255 }),
    stream: fc.constantFrom(0, 1, 1, 2, 3, 0x7fffffff),
    payload: fc.uint8Array({ maxLength: 40 }),
  })
  .map(({ type, flags, stream, payload }) => {
    const head = Buffer.alloc(9);
    head.writeUIntBE(payload.length, 0, 3);
    head[3] = type;
    head[4] = flags;
    head.writeUInt32BE(stream, 5);
    return Buffer.concat([head, payload]);
  });
const text = fc.constantFrom(
  'GET / HTTP/1.1\r\n',
  'POST /x HTTP/1.1\r\n',
  'Host: h\r\n',
  'Content-Length: 3\r\n',
  'Transfer-Encoding: chunked\r\n',
  'Connection: Upgrade\r\nUpgrade: SPDY/3.1\r\n',
  'Expect: 100-continue\r\n',
  '\r\n',
  '3\r\nabc\r\n',
  '0\r\n\r\n',
  'abc',
  'HTTP/1.0\r\n',
);

it('survives whatever bytes come, in both protocols', async () => {
  const pair = await issue('CN=localhost');
  const errors: unknown[] = [];
  const transport = createTransport(
    async (req, res) => {
      const body = await req.readBody(1000).catch(() => Buffer.alloc(0));
      res.head(200, {});
      res.write('x');
      res.end(body);
    },
    { tls: { cert: pair.cert, key: pair.key }, isLongRunning: () => false, onError: (e) => errors.push(e) },
  );
  const { port } = await transport.listen({ host: '127.0.0.1', port: 0 });
  const send = async (protocol: string, parts: Uint8Array[]) => {
    const socket = connect({ host: '127.0.0.1', port, rejectUnauthorized: false, ALPNProtocols: [protocol] });
    socket.on('error', () => {});
    await once(socket, 'secureConnect');
    socket.resume();
    for (const part of parts) socket.write(part);
    await new Promise((resolve) => setTimeout(resolve, 2));
    socket.destroy();
  };
  const http1 = fc
    .array(fc.oneof({ weight: 5, arbitrary: text }, fc.string()), { maxLength: 12 })
    .map((lines) => [Buffer.from(lines.join(''), 'latin1')]);
  const http2 = fc.array(frame, { maxLength: 12 }).map((frames) => [PREFACE, SETTINGS, ...frames]);
  const options = { interruptAfterTimeLimit: 1500, numRuns: 2000 };
  await fc.assert(
    fc.asyncProperty(http1, (parts) => send('http/1.1', parts)),
    options,
  );
  await fc.assert(
    fc.asyncProperty(http2, (parts) => send('h2', parts)),
    options,
  );
  const response = await new Promise<{ statusCode?: number }>((resolve, reject) => {
    get({ host: '127.0.0.1', port, rejectUnauthorized: false, agent: false }, (r) => resolve(r.resume())).on(
      'error',
      reject,
    );
  });
  expect(response.statusCode).toBe(200);
  await transport.shutdown({ drainTimeout: 2000 });
  expect(transport.connections).toBe(0);
  expect(errors).toEqual([]);
});
