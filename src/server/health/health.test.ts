import { describe, expect, it } from 'vitest';
import { notFoundRoute } from '../discovery/not-found.js';
import { haveRecordings, replay, routesHandler } from '../recorded.suite.js';
import { inject } from '../transport/inject.js';
import { healthChecks } from './checks.js';
import { type HealthFailure, healthPaths, healthRoute } from './route.js';

function server(checks: Record<string, () => Promise<void> | void> = {}, started = true) {
  const failed: [string, readonly HealthFailure[]][] = [];
  const all = healthChecks({ started: () => started, checks });
  const routes = [
    healthRoute(all, (endpoint, failures) => failed.push([endpoint, failures])),
    notFoundRoute(() => false),
  ];
  const get = async (path: string, method = 'GET') => {
    const answer = await inject(routesHandler(routes), { path, method });
    return { status: answer.status, text: await answer.text(), headers: answer.headers };
  };
  return { get, routes, failed, all };
}

describe.runIf(haveRecordings)('answers as recorded', () => {
  it('for every check', async () => {
    const compared = await replay('discovery', server().routes, (name) => /^(healthz|livez|readyz)/.test(name));
    expect(compared.length).toBeGreaterThan(60);
    for (const { name, recorded, given } of compared) expect(given, name).toBe(recorded);
  });
});

it('livez alone has a grace while the server starts', () => {
  for (const starting of [true, false]) {
    const { livez, readyz, healthz } = healthChecks({ started: () => false, starting: () => starting, checks: {} });
    const fails = (checks: typeof livez) =>
      checks.some(({ check }) => {
        try {
          check();
          return false;
        } catch {
          return true;
        }
      });
    expect([fails(livez), fails(readyz), fails(healthz)]).toEqual([!starting, true, true]);
  }
});

describe('health', () => {
  it('tells everybody which check fails and only some why', async () => {
    const { get, failed } = server({
      etcd: async () => {
        throw new Error('disk on fire');
      },
    });
    const all = await get('/readyz');
    expect([all.status, all.headers['x-content-type-options']]).toEqual([500, 'nosniff']);
    expect(all.text).toMatch(
      /^\[\+\]ping ok\n\[\+\]log ok\n\[-\]etcd failed: reason withheld\n\[\+\]etcd-readiness ok\n/,
    );
    expect(all.text).toMatch(/\nreadyz check failed\n$/);
    expect(failed).toEqual([['readyz', [{ name: 'etcd', error: new Error('disk on fire') }]]]);
    const one = await get('/livez/etcd');
    expect([one.status, one.text]).toEqual([500, 'internal server error: disk on fire\n']);
    expect((await get('/readyz?exclude=etcd')).text).toBe('ok');
    expect((await get('/readyz?exclude=etcd&exclude=ping&verbose=0')).text).toMatch(/^\[\+\]ping excluded: ok\n/);
  });

  it('is not ready, but answers, before the start is over', async () => {
    const { get } = server({}, false);
    expect((await get('/livez/ping')).text).toBe('ok');
    expect((await get('/readyz')).status).toBe(500);
    expect((await get('/readyz/poststarthook/rbac/bootstrap-roles')).text).toBe(
      'internal server error: not finished\n',
    );
  });

  it('quotes what it does not know, sorted', async () => {
    const { text } = await server().get('/livez?verbose&exclude=z&exclude=a"b&exclude=');
    expect(text).toMatch(
      /\nwarn: some health checks cannot be excluded: no matches for "","a\\"b","z"\nlivez check passed\n$/,
    );
  });

  it('takes any method, and no other path', async () => {
    const { get } = server();
    for (const method of ['POST', 'DELETE', 'OPTIONS']) expect((await get('/livez', method)).text).toBe('ok');
    expect(await get('/livez', 'HEAD')).toMatchObject({ status: 200, text: '', headers: { 'content-length': 2 } });
    for (const path of [
      '/livez/',
      '/livez/toString',
      '/livez/ping/',
      '/livezz',
      '/healthz/informer-sync',
      '/healthz/shutdown',
    ]) {
      expect((await get(path)).status, path).toBe(404);
    }
  });

  it('names its paths', () => {
    const paths = healthPaths(server().all);
    expect(paths).toContain('/livez/poststarthook/rbac/bootstrap-roles');
    expect(paths).toContain('/readyz/shutdown');
    expect(new Set(paths).size).toBe(paths.length);
  });

  it('treats any thrown value as a failure', async () => {
    const { get } = server({
      ping: () => {
        throw undefined;
      },
    });
    expect((await get('/livez')).status).toBe(500);
  });
});
