// What all benchmarks share: clients over keep-alive connections, and ratios of medians over interleaved rounds.
import { Agent, request as httpsRequest } from 'node:https';

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

/** A client of one server; bodies are read to their end and counted. */
export function client({ port, ca, cert, key, connections }) {
  const agent = new Agent({ keepAlive: true, maxSockets: connections, ca, cert, key });
  return {
    close: () => agent.destroy(),
    /** Resolves to the number of bytes of the answer's body. */
    send(method, path, body) {
      return new Promise((resolve, reject) => {
        const headers = body ? { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) } : {};
        const req = httpsRequest({ host: '127.0.0.1', port, path, method, agent, headers }, (res) => {
          let bytes = 0;
          res.on('data', (chunk) => {
            bytes += chunk.length;
          });
          res.on('end', () => {
            if (res.statusCode >= 400) reject(new Error(`${method} ${path}: ${res.statusCode}`));
            else resolve(bytes);
          });
          res.on('error', reject);
        });
        req.on('error', reject);
        req.end(body);
      });
    },
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
