// What all benchmarks share: clients, and ratios of medians over interleaved rounds.
import { connect } from 'node:tls';

/** Runs `once` with so many in flight for `ms`; gives how many were done per second. */
export async function throughput(concurrency, ms, once) {
  const end = performance.now() + ms;
  let done = 0;
  const worker = async () => {
    while (performance.now() < end) {
      await once();
      done++;
    }
  };
  const started = performance.now();
  await Promise.all(Array.from({ length: concurrency }, worker));
  return (done * 1000) / (performance.now() - started);
}

/**
 * A client of one server over keep-alive TLS connections, one request at a time on each. It knows just enough of HTTP/1.1
 * to find the end of an answer, so that most of the machine is left to the server.
 */
export function client({ port, ca, cert, key, connections, insecure = false }) {
  const idle = [];
  const waiting = [];
  const sockets = [];
  const release = (connection) => {
    const next = waiting.shift();
    if (next) next(connection);
    else idle.push(connection);
  };
  const acquire = () => {
    // A server may have closed a connection that had nothing to do.
    while (idle.length > 0) {
      const connection = idle.pop();
      if (!connection.socket.destroyed && connection.socket.writable) return connection;
      sockets.splice(sockets.indexOf(connection.socket), 1);
    }
    if (sockets.length < connections) return open();
    return new Promise((resolve) => waiting.push(resolve));
  };
  function open() {
    const socket = connect({ port, host: '127.0.0.1', ca, cert, key, rejectUnauthorized: !insecure });
    const connection = { socket, done: undefined, reader: undefined };
    sockets.push(socket);
    socket.on('data', (chunk) => connection.reader?.(chunk));
    socket.on('error', (e) => connection.done?.(e));
    socket.on('close', () => connection.done?.(new Error('connection closed')));
    return connection;
  }
  return {
    close: () => {
      for (const socket of sockets) socket.destroy();
    },
    /** Resolves to the number of bytes of the answer. */
    async send(method, path, body = '') {
      const connection = await acquire();
      const head = `${method} ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\n`;
      const type = body ? `Content-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n` : '';
      try {
        return await new Promise((resolve, reject) => {
          connection.done = reject;
          connection.reader = answerReader((status, bytes) => {
            if (status >= 400) reject(new Error(`${method} ${path}: ${status}`));
            else resolve(bytes);
          });
          connection.socket.write(`${head}${type}\r\n${body}`);
        });
      } finally {
        connection.reader = undefined;
        release(connection);
      }
    },
  };
}

/** Feeds on chunks; calls back at the end of an answer with Content-Length or in chunks. */
function answerReader(done) {
  let head = Buffer.alloc(0);
  let status = 0;
  let left = -1; // bytes to come; -1: chunked
  let total = 0;
  let tail = '';
  return (chunk) => {
    total += chunk.length;
    if (status === 0) {
      head = head.length === 0 ? chunk : Buffer.concat([head, chunk]);
      const end = head.indexOf('\r\n\r\n');
      if (end < 0) return;
      const text = head.toString('latin1', 0, end);
      status = Number(text.slice(9, 12));
      const length = /\r\ncontent-length: (\d+)/i.exec(text);
      const rest = head.subarray(end + 4);
      if (length) left = Number(length[1]) - rest.length;
      else tail = rest.toString('latin1', Math.max(0, rest.length - 5));
    } else if (left >= 0) left -= chunk.length;
    else tail = (tail + chunk.toString('latin1', Math.max(0, chunk.length - 5))).slice(-5);
    if (left === 0 || (left < 0 && tail.endsWith('0\r\n\r\n'))) done(status, total);
  };
}

export const median = (values) => [...values].sort((a, b) => a - b)[values.length >> 1];

/** Measures two things in turn, so that a machine that slows down slows both; the medians' ratio counts. */
export async function ratio(rounds, ours, ceiling) {
  const a = [];
  const b = [];
  await ours();
  await ceiling();
  for (let i = 0; i < rounds; i++) {
    a.push(await ours());
    b.push(await ceiling());
  }
  return { ours: median(a), ceiling: median(b), ratio: median(a) / median(b) };
}
