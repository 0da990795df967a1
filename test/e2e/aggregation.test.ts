import { connect as connectHttp2 } from 'node:http2';
import { request as httpsRequest } from 'node:https';
import type { Duplex } from 'node:stream';
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
  untilAvailability,
} from '../support/aggregated-server.js';
import { type Cluster, startCluster } from '../support/control-plane.js';

const METRICS = 'metrics.k8s.io';
const THINGS = 'things.example.com';
const BASE = `/apis/${THINGS}/v1`;
const AGGREGATED = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList';

let cluster: Cluster;
let backend: AggregatedServer;
beforeAll(async () => {
  [cluster, backend] = await Promise.all([
    startCluster({ controllers: [] }),
    startAggregatedServer({ names: [serverName(THINGS), serverName(METRICS)] }),
  ]);
  announce(backend, `${THINGS}/v1`, [resource('widgets', 'Widget', true), resource('widgets/status', 'Widget', true)]);
  backend.answers.set(`${BASE}/echo*`, (_, response) => json(response, 200, { kind: 'Echo' }));
  await register(cluster.controlPlane, THINGS, backend);
  await untilAvailability(cluster.controlPlane, THINGS, 'Passed');
}, 120_000);
afterAll(async () => {
  await cluster.close();
  await backend.stop();
});

const get = (path: string, headers: Record<string, string> = {}) =>
  cluster.controlPlane.inject({ path, headers, user: ADMIN });

/** Over a socket, as the administrator of the kubeconfig. */
function ask(
  path: string,
  options: { method?: string; headers?: Record<string, string | string[]>; body?: string } = {},
) {
  const { url, caCertificate, clientCertificate, clientKey } = cluster.controlPlane;
  const { method = 'GET', headers = {}, body } = options;
  const tls = { ca: caCertificate, cert: clientCertificate, key: clientKey };
  const request = httpsRequest(`${url}${path}`, { method, headers, ...tls, agent: false });
  const answer = new Promise<{ status: number; headers: Record<string, unknown>; body: string }>((resolve, reject) => {
    request.on('error', reject).on('response', (response) => {
      let text = '';
      response.on('data', (d) => {
        text += d;
      });
      response.on('error', reject);
      response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body: text }));
    });
  });
  answer.catch(() => {});
  request.end(body);
  return { request, answer };
}

describe('an aggregated API server', () => {
  it('serves kubectl top', async () => {
    const node = { metadata: { name: 'one' }, status: { allocatable: { cpu: '4', memory: '8Gi' } } };
    await cluster.controlPlane.inject({ method: 'POST', path: '/api/v1/nodes', user: ADMIN, body: node });
    announce(backend, `${METRICS}/v1`, []);
    const version = `${METRICS}/v1beta1`;
    announce(backend, version, [resource('nodes', 'NodeMetrics'), resource('pods', 'PodMetrics', true)]);
    const usage = { cpu: '250m', memory: '1Gi' };
    const item = { metadata: { name: 'one' }, timestamp: new Date().toISOString(), window: '30s', usage };
    backend.answers.set(`/apis/${version}/nodes`, (_, response) =>
      json(response, 200, { kind: 'NodeMetricsList', apiVersion: version, metadata: {}, items: [item] }),
    );
    const pods = ['web-1', 'web-2'].map((name, i) => ({
      metadata: { name, namespace: 'default', labels: { app: 'web' } },
      timestamp: new Date().toISOString(),
      window: '30s',
      containers: [
        { name: 'main', usage: { cpu: `${i + 1}5m`, memory: '64Mi' } },
        { name: 'side', usage: { cpu: '1m', memory: '8Mi' } },
      ],
    }));
    for (const path of ['namespaces/default/pods', 'pods']) {
      backend.answers.set(`/apis/${version}/${path}`, (_, response) =>
        json(response, 200, { kind: 'PodMetricsList', apiVersion: version, metadata: {}, items: pods }),
      );
    }
    await register(cluster.controlPlane, METRICS, backend);
    const apiService = await get(`/apis/apiregistration.k8s.io/v1/apiservices/v1.${METRICS}`);
    const { metadata: _, ...rest } = await apiService.json<{ metadata: object; spec: object }>();
    const beta = { ...rest, metadata: { name: `v1beta1.${METRICS}` }, spec: { ...rest.spec, version: 'v1beta1' } };
    await cluster.run('apply -f -', JSON.stringify(beta));
    await eventually(async () => {
      expect(await cluster.run('top nodes')).toMatch(/^NAME.*\none\s+250m\s+6%\s+1024Mi\s+12%/);
    });
    expect(await cluster.run('top pods --sort-by=cpu')).toMatch(
      /^NAME +CPU\(cores\) +MEMORY\(bytes\) *\nweb-2 +26m +72Mi *\nweb-1 +16m +72Mi *\n$/,
    );
    expect(await cluster.run('top pods -A --containers --no-headers -l app=web')).toMatch(
      /^default +web-1 +main +15m +64Mi *\n(default .*\n){3}$/,
    );
    expect(backend.seen.at(-1)!.url).toBe(`/apis/${version}/pods?labelSelector=app%3Dweb`);
    expect(await cluster.run('api-resources')).toMatch(/^nodes\s+metrics.k8s.io\/v1beta1\s+false\s+NodeMetrics$/m);
    expect(await cluster.run('get apiservices')).toMatch(
      /^v1beta1.metrics.k8s.io\s+default\/metrics-k8s-io\s+True\s+\S+$/m,
    );
  });

  it('knows who asks, and only from us', async () => {
    const forged = { 'X-Remote-User': 'evil', 'X-Remote-Group': 'system:masters', 'X-Remote-Extra-Scopes': 'all' };
    const asked = { ...forged, Authorization: 'Bearer secret', 'X-Stays': 'yes', Connection: 'X-Goes', 'X-Goes': 'no' };
    expect((await get(`${BASE}/echo/who`, asked)).status).toBe(200);
    const seen = backend.seen.at(-1)!;
    expect(seen.client).toBe('front-proxy-client');
    expect(seen.headers).toMatchObject({
      'x-remote-user': 'admin',
      'x-remote-uid': 'u-1',
      'x-remote-group': 'system:masters',
      'x-remote-extra-scopes%2fof': 'a, b',
      'x-forwarded-proto': 'https',
      'x-forwarded-uri': `${BASE}/echo/who`,
      'x-stays': 'yes',
    });
    for (const name of ['authorization', 'x-remote-extra-scopes', 'x-goes']) expect(seen.headers[name]).toBeUndefined();
    expect(seen.headers.host).toBe(`localhost:${backend.port}`);
    expect(seen.headers['audit-id']).toMatch(/^[0-9a-f-]{36}$/);
  });

  it('is asked for nothing that its user may not do', async () => {
    const before = backend.seen.length;
    const answer = await cluster.controlPlane.inject({ path: `${BASE}/echo`, user: { name: 'alice', groups: [] } });
    expect(answer.status).toBe(403);
    expect(backend.seen.length).toBe(before);
  });

  it('gets bodies of every length, over HTTP/1.1 and HTTP/2', async () => {
    const big = JSON.stringify({ big: 'x'.repeat(4_000_000) });
    const { answer } = ask(`${BASE}/echo/big`, {
      method: 'POST',
      body: big,
      headers: { 'Content-Type': 'text/plain' },
    });
    expect((await answer).status).toBe(200);
    expect(backend.seen.at(-1)!.body.length).toBe(big.length);
    const { url, caCertificate, clientCertificate, clientKey } = cluster.controlPlane;
    const session = connectHttp2(url, { ca: caCertificate, cert: clientCertificate, key: clientKey });
    const stream = session.request({ ':method': 'PUT', ':path': `${BASE}/echo/h2` });
    stream.write('in ');
    stream.end('pieces');
    const status = await new Promise((resolve) => stream.on('response', (h) => resolve(h[':status'])));
    session.destroy();
    expect([status, backend.seen.at(-1)!.method, backend.seen.at(-1)!.body]).toEqual([200, 'PUT', 'in pieces']);
  });

  it('streams watches as they come, and hears when nobody listens any more', async () => {
    let ended: () => void = () => {};
    const gone = new Promise<void>((resolve) => {
      ended = resolve;
    });
    backend.answers.set(`${BASE}/widgets`, (_, response) => {
      response.writeHead(200, { 'Content-Type': 'application/json' });
      response.write('{"type":"ADDED"}\n');
      response.on('close', ended);
    });
    const { request } = ask(`${BASE}/widgets?watch=1`);
    const first = await new Promise<string>((resolve) => {
      request.on('error', () => {}).on('response', (response) => response.once('data', (d) => resolve(String(d))));
    });
    expect(first).toBe('{"type":"ADDED"}\n');
    request.destroy();
    await gone;
  });

  it('takes over connections, and may refuse to', async () => {
    backend.onUpgrade = (request, socket) => {
      if (request.url?.includes('refuse')) {
        socket.end('HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\nContent-Type: text/plain\r\n\r\nno');
        return;
      }
      socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: test/1\r\n\r\nhello ');
      socket.on('data', (d) => socket.write(String(d).toUpperCase()));
    };
    const headers = { Connection: 'Upgrade', Upgrade: 'test/1' };
    const { request } = ask(`${BASE}/echo/x/exec`, { headers });
    const text = await new Promise<string>((resolve) => {
      request.on('upgrade', (_, socket: Duplex, head: Buffer) => {
        let got = String(head);
        const more = (d: Buffer) => {
          got += d;
          if (got.includes('THERE')) {
            socket.destroy();
            resolve(got);
          }
        };
        socket.on('data', more).on('error', () => {});
        socket.write('there');
      });
    });
    expect(text).toBe('hello THERE');
    const refused = await ask(`${BASE}/echo/refuse/exec`, { headers }).answer;
    expect([refused.status, refused.body]).toEqual([403, 'no']);
    const plain = await ask(`${BASE}/echo/x`, { headers: { Connection: 'Upgrade' } }).answer;
    expect([plain.status, plain.body]).toEqual([503, 'invalid upgrade response: status code 200\n']);
  });

  it('is in the documents, which keep what it said last while it is down', async () => {
    const shape = {
      openapi: '3.0.0',
      info: { title: 'things', version: 'v1' },
      paths: { [`${BASE}/widgets`]: { get: { responses: {} } } },
    };
    const key = `apis/${THINGS}/v1`;
    backend.answers.set('/openapi/v3', (_, response) =>
      json(response, 200, { paths: { [key]: { serverRelativeURL: `/openapi/v3/${key}?hash=1` } } }),
    );
    backend.answers.set(`/openapi/v3/${key}`, (_, response) => json(response, 200, shape));
    // A change of the object brings the loops back to it.
    const path = `/apis/apiregistration.k8s.io/v1/apiservices/v1.${THINGS}`;
    await cluster.run(`label apiservice v1.${THINGS} seen=yes`);
    const document = () => get(`/openapi/v3/${key}`);
    await eventually(async () => expect((await document()).status).toBe(200));

    interface Discovery {
      items: { metadata: { name: string }; versions: { freshness: string; resources?: { resource: string }[] }[] }[];
    }
    const discovered = async () => {
      const { items } = await (await get('/apis', { Accept: AGGREGATED })).json<Discovery>();
      const [version] = items.find((g) => g.metadata.name === THINGS)?.versions ?? [];
      return [version?.freshness, version?.resources?.map((r) => r.resource)];
    };
    await eventually(async () => expect(await discovered()).toEqual(['Current', ['widgets']]));

    await backend.stop();
    await cluster.run(`label apiservice v1.${THINGS} seen=again --overwrite`);
    const { message } = await untilAvailability(cluster.controlPlane, THINGS, 'FailedDiscoveryCheck');
    expect(message).toContain(`dial tcp 127.0.0.1:${backend.port}: connect: connection refused`);
    await eventually(async () => expect(await discovered()).toEqual(['Stale', ['widgets']]));
    expect(await (await document()).json()).toEqual(shape);
    const refused = await get(`${BASE}/widgets`);
    expect([refused.status, await refused.text()]).toEqual([503, 'service unavailable\n']);
    expect((await get('/apis')).status).toBe(200);

    await backend.restart();
    await untilAvailability(cluster.controlPlane, THINGS, 'Passed');
    await eventually(async () => expect(await discovered()).toEqual(['Current', ['widgets']]));
    expect((await get(path)).status).toBe(200);
  });
});

describe('APIServices of what this server answers itself', () => {
  const list = async () => {
    const { items } = await (await get('/apis/apiregistration.k8s.io/v1/apiservices')).json<{
      items: { metadata: { name: string; labels?: Record<string, string> } }[];
    }>();
    return new Map(
      items.map((o) => [o.metadata.name, o.metadata.labels?.['kube-aggregator.kubernetes.io/automanaged']]),
    );
  };
  const crd = (group: string) => ({
    metadata: { name: `gadgets.${group}` },
    spec: {
      group,
      scope: 'Namespaced',
      names: { plural: 'gadgets', kind: 'Gadget' },
      versions: ['v1', 'v2'].map((name) => ({
        name,
        served: true,
        storage: name === 'v1',
        schema: { openAPIV3Schema: { type: 'object' } },
      })),
    },
  });
  const CRDS = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';

  it('are there from the start, and follow definitions of custom resources', async () => {
    const before = await list();
    expect([...before].filter(([, label]) => label === 'onstart').length).toBe(21);
    expect(before.get('v1.')).toBe('onstart');
    expect(before.has('v1.apiregistration.k8s.io')).toBe(false);
    const made = await cluster.controlPlane.inject({
      method: 'POST',
      path: CRDS,
      user: ADMIN,
      body: crd('g.example.com'),
    });
    expect(made.status).toBe(201);
    await eventually(async () => expect((await list()).get('v2.g.example.com')).toBe('true'));
    const path = '/apis/apiregistration.k8s.io/v1/apiservices/v1.g.example.com';
    await cluster.controlPlane.inject({ method: 'DELETE', path, user: ADMIN });
    await eventually(async () => expect((await list()).get('v1.g.example.com')).toBe('true'));
    await cluster.controlPlane.inject({ method: 'DELETE', path: `${CRDS}/gadgets.g.example.com`, user: ADMIN });
    await eventually(async () => expect([...(await list()).keys()].filter((n) => n.includes('g.example'))).toEqual([]));
  });

  it('of compiled-in groups stay as users leave them', async () => {
    const path = '/apis/apiregistration.k8s.io/v1/apiservices/v1.policy';
    await cluster.run('patch apiservice v1.policy --type merge -p {"spec":{"versionPriority":7}}');
    await cluster.run('label apiservice v1.policy touched=yes');
    expect((await (await get(path)).json<{ spec: { versionPriority: number } }>()).spec.versionPriority).toBe(7);
    await cluster.run('delete apiservice v1.policy');
    expect((await get('/apis/policy/v1')).status).toBe(200);
    expect((await get(path)).status).toBe(404);
  });
});
