import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ApiRequest } from '../api-request.js';
import type { HttpHandler } from '../http.js';
import { routesHandler } from '../recorded.suite.js';
import { inject } from '../transport/inject.js';
import { healthMetrics, watchMetrics } from './events.js';
import { goFloat } from './format.js';
import { MetricsRegistry } from './registry.js';
import { RequestMetrics } from './requests.js';
import { metricsRoute } from './route.js';

describe('numbers', () => {
  it.each([
    [0, '0'],
    [-0, '0'],
    [1, '1'],
    [0.005, '0.005'],
    [0.0001, '0.0001'],
    [0.00001, '1e-05'],
    [999999, '999999'],
    [1000000, '1e+06'],
    [1048576, '1.048576e+06'],
    [1.5e100, '1.5e+100'],
    [-2500000, '-2.5e+06'],
    [Number.POSITIVE_INFINITY, '+Inf'],
    [Number.NEGATIVE_INFINITY, '-Inf'],
    [Number.NaN, 'NaN'],
  ])('%d is %s', (value, text) => {
    expect(goFloat(value)).toBe(text);
  });

  it('can be read back', () => {
    fc.assert(fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (v) => Number(goFloat(v)) === v));
  });
});

describe('families', () => {
  it('have the labels and buckets of the real ones', () => {
    const registry = new MetricsRegistry();
    registry.counter('apiserver_watch_events_total').labels('apps', 'deployments', 'v1').inc(2);
    const sizes = registry.histogram('apiserver_watch_events_sizes').labels('', 'pods', 'v1');
    for (const size of [100, 1024, 1025, 1e9]) sizes.observe(size);
    expect(registry.text()).toBe(`# HELP apiserver_watch_events_sizes [ALPHA] Sizes of watch events.
# TYPE apiserver_watch_events_sizes histogram
apiserver_watch_events_sizes_bucket{group="",resource="pods",version="v1",le="1024"} 2
apiserver_watch_events_sizes_bucket{group="",resource="pods",version="v1",le="2048"} 3
apiserver_watch_events_sizes_bucket{group="",resource="pods",version="v1",le="4096"} 3
apiserver_watch_events_sizes_bucket{group="",resource="pods",version="v1",le="8192"} 3
apiserver_watch_events_sizes_bucket{group="",resource="pods",version="v1",le="16384"} 3
apiserver_watch_events_sizes_bucket{group="",resource="pods",version="v1",le="32768"} 3
apiserver_watch_events_sizes_bucket{group="",resource="pods",version="v1",le="65536"} 3
apiserver_watch_events_sizes_bucket{group="",resource="pods",version="v1",le="131072"} 3
apiserver_watch_events_sizes_bucket{group="",resource="pods",version="v1",le="+Inf"} 4
apiserver_watch_events_sizes_sum{group="",resource="pods",version="v1"} 1.000002149e+09
apiserver_watch_events_sizes_count{group="",resource="pods",version="v1"} 4
# HELP apiserver_watch_events_total [ALPHA] Watch events that were sent.
# TYPE apiserver_watch_events_total counter
apiserver_watch_events_total{group="apps",resource="deployments",version="v1"} 2
`);
  });

  it('are the same for everybody who asks, and only what they are', () => {
    const registry = new MetricsRegistry();
    const child = registry.counter('etcd_requests_total').labels('', 'get', 'pods');
    expect(registry.counter('etcd_requests_total').labels('', 'get', 'pods')).toBe(child);
    expect(() => registry.gauge('etcd_requests_total')).toThrow('there is no gauge etcd_requests_total');
    expect(() => registry.counter('no_such_metric')).toThrow('there is no counter no_such_metric');
    expect(() => registry.counter('toString')).toThrow('there is no counter');
    expect(() => registry.counter('etcd_requests_total').labels('one')).toThrow(
      'has the labels group, operation, resource',
    );
    expect(new MetricsRegistry().text()).toBe('');
  });

  it('of our own say what they are', () => {
    const registry = new MetricsRegistry();
    registry
      .gauge('porthole_things', { help: 'Line\nbreak \\', labels: ['what'] })
      .labels('a"b\\c\nd')
      .set(1.5);
    registry.counter('porthole_count', { help: 'x', labels: [] });
    expect(registry.text()).toBe(
      '# HELP porthole_count x\n# TYPE porthole_count counter\nporthole_count 0\n' +
        '# HELP porthole_things Line\\nbreak \\\\\n# TYPE porthole_things gauge\nporthole_things{what="a\\"b\\\\c\\nd"} 1.5\n',
    );
  });

  it('do not grow without end', () => {
    const registry = new MetricsRegistry();
    const family = registry.counter('authenticated_user_requests');
    for (let i = 0; i < 20_000; i++) family.labels(`user-${i}`).inc();
    const lines = registry.text().split('\n');
    expect(lines.length).toBeLessThan(10_010);
    expect(lines).toContain('authenticated_user_requests{username="other"} 10000');
  });

  it('are filled when somebody asks', () => {
    const registry = new MetricsRegistry();
    const objects = registry.gauge('apiserver_resource_objects');
    registry.onCollect(() => {
      objects.clear();
      objects.labels('', 'pods').set(3);
    });
    expect(registry.text()).toContain('apiserver_resource_objects{group="",resource="pods"} 3\n');
  });
});

describe('requests', () => {
  const run = async (method: string, path: string, headers: Record<string, string> = {}) => {
    const registry = new MetricsRegistry();
    const served = new Set(['/v1/pods/', '/v1/pods/exec', 'apps/v1/deployments/']);
    const metrics = new RequestMetrics(registry, (g, v, r, s) => served.has(`${g}/${v}/${r}/${s}`));
    const handler: HttpHandler = async (http, response) => {
      const request = new ApiRequest(http, response, 'id');
      const done = metrics.begin(request);
      response.head(200, {});
      response.end('0123456789');
      done(response.status, response.bytesWritten);
    };
    for (let i = 0; i < 2; i++) await (await inject(handler, { method, path, headers })).body();
    return registry.text();
  };
  const total = (text: string) => /^apiserver_request_total.*$/m.exec(text)?.[0];
  const labels = (l: Record<string, string>) =>
    `apiserver_request_total{${Object.entries({
      code: '200',
      component: 'apiserver',
      dry_run: '',
      group: '',
      resource: '',
      scope: '',
      subresource: '',
      verb: '',
      version: '',
      ...l,
    })
      .map(([k, v]) => `${k}="${v}"`)
      .join(',')}} 2`;

  it.each([
    ['GET', '/api/v1/namespaces/a/pods/b', { resource: 'pods', version: 'v1', scope: 'resource', verb: 'GET' }],
    ['GET', '/api/v1/namespaces/a/pods', { resource: 'pods', version: 'v1', scope: 'namespace', verb: 'LIST' }],
    ['GET', '/api/v1/pods?watch=1', { resource: 'pods', version: 'v1', scope: 'cluster', verb: 'WATCH' }],
    [
      'POST',
      '/api/v1/namespaces/a/pods?dryRun=All',
      { resource: 'pods', version: 'v1', scope: 'resource', verb: 'POST', dry_run: 'All' },
    ],
    [
      'POST',
      '/api/v1/namespaces/a/pods?dryRun=x',
      { resource: 'pods', version: 'v1', scope: 'resource', verb: 'POST', dry_run: 'invalid' },
    ],
    [
      'POST',
      '/api/v1/namespaces/a/pods/b/exec',
      { resource: 'pods', subresource: 'exec', version: 'v1', scope: 'resource', verb: 'CONNECT' },
    ],
    [
      'DELETE',
      '/apis/apps/v1/namespaces/a/deployments',
      { group: 'apps', resource: 'deployments', version: 'v1', scope: 'namespace', verb: 'DELETECOLLECTION' },
    ],
    ['GET', '/apis/evil.example.com/v1/chosen-by-client/x', { verb: 'GET' }],
    ['GET', '/livez', { subresource: '/livez', verb: 'GET' }],
    ['GET', '/any/path', { verb: 'GET' }],
    ['CONSTRUCTOR', '/any/path', { verb: 'other' }],
  ])('%s %s', async (method, path, expected) => {
    expect(total(await run(method, path))).toBe(labels(expected));
  });

  it('tell apply from other patches, sizes of reads from writes, and watches from the rest', async () => {
    const path = '/api/v1/namespaces/a/pods/b';
    const apply = await run('PATCH', path, { 'content-type': 'application/apply-patch+yaml' });
    expect(apply).toMatch(/verb="APPLY"/);
    expect(apply).not.toMatch(/apiserver_response_sizes/);
    expect(await run('GET', path)).toMatch(/apiserver_response_sizes_sum\{.*\} 20\n/);
    const watch = await run('GET', '/api/v1/pods?watch=1');
    expect(watch).toMatch(/apiserver_longrunning_requests\{.*verb="WATCH".*\} 0\n/);
    expect(watch).not.toMatch(/apiserver_request_sli_duration_seconds/);
  });
});

describe('/metrics', () => {
  it('shows the server and its process, and results of health checks apart', async () => {
    const registry = new MetricsRegistry();
    const watch = watchMetrics(registry)('', 'v1', 'pods');
    watch.sent(100);
    watch.sent(200);
    const health = healthMetrics(registry);
    health('livez', 'etcd', true);
    health('livez', 'etcd', false);
    const handler = routesHandler([metricsRoute(registry)]);
    const all = await inject(handler, { path: '/metrics' });
    expect(all.headers['content-type']).toBe('text/plain; version=0.0.4; charset=utf-8');
    const text = await all.text();
    expect(text).toMatch(/apiserver_watch_events_total\{group="",resource="pods",version="v1"\} 2\n/);
    for (const name of ['process_cpu_seconds_total', 'process_resident_memory_bytes', 'process_start_time_seconds']) {
      expect(text).toContain(`\n${name} `);
    }
    expect(text).not.toContain('kubernetes_healthcheck');
    for (const line of text.split('\n')) {
      if (line !== '')
        expect(line).toMatch(/^(# (HELP|TYPE) |[a-z_:][\w:]*(\{([a-z_]+="([^"\\\n]|\\.)*",?)*\})? \S+$)/i);
    }
    const slis = await (await inject(handler, { path: '/metrics/slis' })).text();
    expect(slis).toContain('kubernetes_healthcheck{name="etcd",type="livez"} 0\n');
    expect(slis).toContain('kubernetes_healthchecks_total{name="etcd",status="error",type="livez"} 1\n');
    expect(slis).not.toContain('apiserver_');
  });
});
