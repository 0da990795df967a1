// `npm run bench`: ratios against ceilings measured in the same run; absolute numbers are beside the point.
import { fork, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { benchAccess } from './access.mjs';
import { benchCel } from './cel.mjs';
import { benchDefinitions } from './definitions.mjs';
import { client, median, ratio, throughput } from './measure.mjs';
import { rawCommits } from './raw-commits.mjs';

const here = import.meta.dirname;
const scratch = mkdtempSync(join(tmpdir(), 'porthole-bench-'));
const children = [];
const OBJECTS = 5000;
const WATCHERS = 1000;
let touched = 0;
const ROUNDS = Number(process.env.BENCH_ROUNDS ?? 3);

const message = (child) => new Promise((resolve) => child.once('message', resolve));
function start(file, ...args) {
  const child = fork(join(here, file), args, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  children.push(child);
  return child;
}
function line(name, { ours, ceiling, ratio: r }, unit, goal) {
  const mark = r >= goal ? 'ok' : 'BELOW';
  console.log(
    `${name.padEnd(46)} ${(r * 100).toFixed(0).padStart(4)} %  (goal ${goal * 100} %, ${mark})   ${ours.toFixed(0)} of ${ceiling.toFixed(0)} ${unit}`,
  );
}

try {
  const ours = start('our-server.mjs', join(scratch, 'data'));
  const info = await message(ours);
  const api = client({ ...info, connections: 32 });
  const configMaps = '/api/v1/namespaces/default/configmaps';
  const data = 'x'.repeat(700);
  const configMap = (name) =>
    JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data: { data } });
  let made = 0;
  await Promise.all(
    Array.from({ length: 32 }, async () => {
      while (made < OBJECTS) await api.send('POST', configMaps, configMap(`c${made++}`));
    }),
  );

  const one = await read(info, `${configMaps}/c1`);
  const all = await read(info, configMaps);
  const event = Buffer.from(`{"type":"MODIFIED","object":${one.toString().trim()}}\n`);
  const bare = start('bare-server.mjs');
  bare.send({
    cert: info.cert,
    key: info.key,
    bodies: { '/one': one.toString('base64'), '/all': all.toString('base64'), '/event': event.toString('base64') },
  });
  const ceiling = { ...(await message(bare)), ca: info.ca };
  // The bare server borrows a client certificate, which names no host.
  const plain = client({ ...ceiling, connections: 32, insecure: true });

  const get = await ratio(
    ROUNDS,
    () => throughput(32, 2000, () => api.send('GET', `${configMaps}/c1`)),
    () => throughput(32, 2000, () => plain.send('GET', '/one')),
  );
  line('get one ConfigMap of 1 KB', get, 'requests/s', 0.5);

  const list = await ratio(
    ROUNDS,
    () => throughput(4, 3000, () => api.send('GET', configMaps)),
    () => throughput(4, 3000, () => plain.send('GET', '/all')),
  );
  const megabytes = all.length / 2 ** 20;
  line(
    `list ${OBJECTS} ConfigMaps of 1 KB`,
    { ours: list.ours * megabytes, ceiling: list.ceiling * megabytes, ratio: list.ratio },
    'MiB/s',
    0.5,
  );

  const creates = await ratio(
    ROUNDS,
    () => throughput(32, 3000, () => api.send('POST', configMaps, configMap(`d${made++}`))),
    () => rawCommits(join(scratch, `raw${made++}`), 32, 3000, one.length),
  );
  line('durable creates, 32 clients', creates, 'writes/s', 0.25);

  const fan = await ratio(
    ROUNDS,
    () => fanOut(info, `${configMaps}?watch=1&fieldSelector=metadata.name%3Dc1`, (i) => touch(api, configMaps, i)),
    () => fanOut(ceiling, '/watch', () => plain.send('GET', '/event')),
  );
  line(`one write seen by ${WATCHERS} watchers`, fan, 'events/s', 0.4);
  api.close();
  plain.close();

  const starts = [];
  for (let i = 0; i < 5; i++) starts.push(await startTime());
  const idle = median(starts.map((s) => s.rss)) / 2 ** 20;
  const ready = median(starts.map((s) => s.ms));
  console.log(
    `${'process start to /readyz 200'.padEnd(46)} ${ready.toFixed(0).padStart(4)} ms (goal 600 ms, ${ready < 600 ? 'ok' : 'ABOVE'})`,
  );
  console.log(
    `${'idle memory (RSS)'.padEnd(46)} ${idle.toFixed(0).padStart(4)} MiB (goal 130 MiB, ${idle < 130 ? 'ok' : 'ABOVE'})`,
  );

  await definitions();
  const access = await benchAccess();
  const micro = (name, value) => console.log(`${name.padEnd(46)} ${value.toFixed(1).padStart(6)} microseconds`);
  micro('a token that is known', access.token);
  micro('an RBAC decision of 2,000 bindings: allowed', access.allowed);
  micro('an RBAC decision of 2,000 bindings: not allowed', access.refused);
  const cel = await benchCel();
  console.log('CEL rule', cel);
} finally {
  for (const child of children) child.kill('SIGKILL');
  rmSync(scratch, { recursive: true, force: true });
}

function read(server, path) {
  return new Promise((resolve, reject) => {
    request({ host: '127.0.0.1', path, ...server }, (res) => {
      const chunks = [];
      res.on('data', (c) => chunks.push(c));
      res.on('end', () => resolve(Buffer.concat(chunks)));
    })
      .on('error', reject)
      .end();
  });
}

/** On a server of their own, so that its memory is theirs. */
async function definitions() {
  const server = start('our-server.mjs', join(scratch, 'definitions'));
  const info = await message(server);
  const api = client({ ...info, connections: 8 });
  const rss = async () => {
    server.send('rss');
    return (await message(server)).rss;
  };
  const {
    bytesEach,
    ratio: growth,
    perSecond,
  } = await benchDefinitions({ api, read: (path) => read(info, path), rss });
  api.close();
  server.kill('SIGKILL');
  const megabytes = bytesEach / 2 ** 20;
  const mark = (ok) => (ok ? 'ok' : 'ABOVE');
  console.log(
    `${'1000 definitions'.padEnd(46)} ${megabytes.toFixed(2)} MiB each (goal 1 MiB, ${mark(megabytes <= 1)}), second half takes ${growth.toFixed(2)} of the first (goal 1.25, ${mark(growth <= 1.25)})   ${perSecond.toFixed(0)} definitions/s`,
  );
}

function touch(api, configMaps, i) {
  const body = JSON.stringify({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'c1' },
    data: { data: 'x'.repeat(700), i: `${i}` },
  });
  return api.send('PUT', `${configMaps}/c1`, body);
}

/** Events per second that arrive at all watchers together. */
async function fanOut(server, path, write) {
  const EVENTS = 20;
  let seen = 0;
  let opened = 0;
  let wake;
  const sockets = [];
  await new Promise((ready, reject) => {
    for (let i = 0; i < WATCHERS; i++) {
      const req = request(
        {
          host: '127.0.0.1',
          port: server.port,
          path,
          ca: server.ca,
          cert: server.cert,
          key: server.key,
          agent: false,
          rejectUnauthorized: false,
        },
        (res) => {
          if (++opened === WATCHERS) setTimeout(ready, 300);
          res.on('data', (chunk) => {
            for (const byte of chunk) if (byte === 10) seen++;
            wake?.();
          });
          res.on('error', () => {});
        },
      );
      req.on('error', (e) => (opened < WATCHERS ? reject(e) : undefined));
      req.end();
      sockets.push(req);
    }
  });
  seen = 0;
  const started = performance.now();
  for (let i = 1; i <= EVENTS; i++) {
    await write(touched++);
    while (seen < i * WATCHERS) await new Promise((resolve) => (wake = resolve));
  }
  const seconds = (performance.now() - started) / 1000;
  for (const socket of sockets) socket.destroy();
  return (EVENTS * WATCHERS) / seconds;
}

/** A fresh `porthole up` with a data directory that is there already. */
async function startTime() {
  const started = performance.now();
  const child = spawn(
    process.execPath,
    [join(here, '..', 'dist', 'cli', 'main.js'), '--data-dir', join(scratch, 'start'), '--secure-port=0'],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  children.push(child);
  const text = await new Promise((resolve) => child.stdout.once('data', (d) => resolve(d.toString())));
  const port = Number(/127\.0\.0\.1:(\d+)/.exec(text)?.[1]);
  for (;;) {
    const ok = await new Promise((resolve) => {
      request({ host: '127.0.0.1', port, path: '/readyz', rejectUnauthorized: false }, (res) => {
        res.resume();
        resolve(res.statusCode === 200);
      })
        .on('error', () => resolve(false))
        .end();
    });
    if (ok) break;
  }
  const ms = performance.now() - started;
  await new Promise((resolve) => setTimeout(resolve, 1500));
  const { readFileSync } = await import('node:fs');
  const rss = Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))?.[1]) * 1024;
  child.kill('SIGTERM');
  await new Promise((resolve) => child.once('exit', resolve));
  return { ms, rss };
}
