import { describe, expect, it } from 'vitest';
import type { UserInfo } from '../../auth/contract.js';
import { haveRecordings, replay, routesHandler } from '../recorded.suite.js';
import type { InjectRequest } from '../transport/contract.js';
import { inject } from '../transport/inject.js';
import { builtinSource } from './builtin.suite.js';
import type { ServedGroup } from './contract.js';
import { notFoundRoute } from './not-found.js';
import { discoveryRoute } from './route.js';
import { versionInfo } from './version.js';

const AGGREGATED = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList';
const user: UserInfo = { name: 'admin', groups: [] };

function server(groups: () => readonly ServedGroup[] = builtinSource().groups) {
  const source = { groups };
  const route = discoveryRoute({
    source,
    version: versionInfo('1.2.3'),
    serverAddress: () => '192.0.2.1:26443',
    paths: () => ['/healthz', '/openapi/v2'],
  });
  const compiledIn = new Set(
    builtinSource()
      .groups()
      .map((g) => g.group),
  );
  const routes = [route, notFoundRoute((group) => compiledIn.has(group))];
  const handler = routesHandler(routes);
  const get = (path: string, headers: Record<string, string> = {}, rest: Partial<InjectRequest> = {}) =>
    inject(handler, { path, headers, user, ...rest });
  return { get, routes };
}

describe.runIf(haveRecordings)('answers as recorded', () => {
  it('for every document', async () => {
    const document = /^\/(apis?|version)?(\/[^/]*){0,3}$/;
    const resource = /^\/(api|apis\/[^/]+)\/[^/]+\/[^/]+/;
    const compared = await replay(
      'discovery',
      server().routes,
      (name, path) =>
        /^(root|apis|group|resources|aggregated|version|unknown)/.test(name) &&
        ((document.test(path) && !resource.test(path)) || /nothing|^\/API|^\/\/|\/proxy\//.test(path)),
    );
    expect(compared.length).toBeGreaterThan(100);
    for (const { name, recorded, given } of compared) expect(given, name).toBe(recorded);
  });
});

describe('discovery', () => {
  it('lists paths at the root', async () => {
    const { get } = server();
    const root = await get('/');
    const text = await root.text();
    expect(text.startsWith('{\n  "paths": [\n    "/api",\n    "/api/v1",\n    "/apis",\n    "/apis/",\n')).toBe(true);
    const { paths } = JSON.parse(text) as { paths: string[] };
    expect(paths).toContain('/apis/apps/v1');
    expect(paths).toEqual([...paths].sort());
    expect(await (await get('/index.html')).text()).toBe(text);
  });

  it('knows the version', async () => {
    const { get } = server();
    const version = (await (await get('/version')).json()) as Record<string, string>;
    expect(version).toMatchObject({ major: '1', minor: '36', gitVersion: 'v1.36.0+porthole.1.2.3' });
    expect((await get('/version/', { accept: 'application/yaml' })).status).toBe(406);
    expect((await get('/version', {}, { method: 'POST' })).status).toBe(405);
  });

  it('follows changes, and marks what is not compiled in', async () => {
    let groups = builtinSource().groups();
    const { get } = server(() => groups);
    expect((await get('/apis/example.com')).status).toBe(404);
    const before = (await get('/apis', { accept: AGGREGATED })).headers.etag;
    const thing = { group: 'example.com', version: 'v1', resource: 'things', singular: 'thing', kind: 'Thing' };
    const resources = [
      { ...thing, namespaced: true, verbs: ['get'], subresources: [{ name: 'status', kind: 'Thing', verbs: ['get'] }] },
    ];
    groups = [...groups, { group: 'example.com', dynamic: true, versions: [{ version: 'v1', resources }] }];
    expect(await (await get('/apis/example.com', {}, { method: 'PUT' })).json()).toMatchObject({ name: 'example.com' });
    expect(await (await get('/apis/example.com/v1')).json()).toEqual({
      kind: 'APIResourceList',
      apiVersion: 'v1',
      groupVersion: 'example.com/v1',
      resources: [
        { name: 'things', singularName: 'thing', namespaced: true, kind: 'Thing', verbs: ['get'] },
        { name: 'things/status', singularName: '', namespaced: true, kind: 'Thing', verbs: ['get'] },
      ],
    });
    const all = await get('/apis', { accept: AGGREGATED });
    expect(all.headers.etag).not.toBe(before);
    const { items } = (await all.json()) as { items: { versions: { resources: { responseKind: object }[] }[] }[] };
    const responseKind = { group: 'example.com', version: 'v1', kind: 'Thing' };
    expect(items.at(-1)!.versions[0]!.resources[0]).toMatchObject({ responseKind, subresources: [{ responseKind }] });
    const missing = await get('/apis/example.com/v2');
    expect([missing.status, await missing.text()]).toEqual([404, '404 page not found\n']);
    groups = [{ group: 'example.com', dynamic: true, versions: [{ version: 'v1', resources, aggregated: true }] }];
    expect((await get('/apis/example.com/v1')).status).toBe(404);
    expect((await get('/api')).status).toBe(200);
  });

  it('answers 304 to who has the aggregated document already', async () => {
    const { get } = server();
    const { etag, vary, 'cache-control': cache } = (await get('/api', { accept: AGGREGATED })).headers;
    expect([etag, vary, cache]).toEqual([expect.stringMatching(/^"[0-9A-F]{128}"$/), 'Accept', 'public']);
    const again = await get('/api', { accept: AGGREGATED, 'if-none-match': `${etag}` });
    expect([again.status, await again.text(), again.headers.etag]).toEqual([304, '', etag]);
    expect((await get('/api', { accept: AGGREGATED, 'if-none-match': '"x"' })).status).toBe(200);
    expect((await get('/api', { 'if-none-match': `${etag}` })).status).toBe(200);
  });

  it.each([
    ['GET', '/api', 'text/html', 406],
    ['GET', '/apis', 'text/html', 406],
    ['GET', '/apis/apps/v1', 'application/*', 406],
    ['GET', '/apis/apps', 'application/*', 200],
    ['GET', '/api', 'application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList', 406],
    ['PUT', '/api/v1', '', 405],
    ['HEAD', '/api', '', 405],
    ['OPTIONS', '/apis/apps/v1', '', 405],
    ['DELETE', '/apis', '', 200],
    ['HEAD', '/apis/apps', '', 200],
    ['GET', '/api/v2', '', 404],
    ['GET', '/apis/', '', 200],
    ['GET', '/apis//v1', '', 404],
    ['GET', '/apis/__proto__', '', 404],
    ['GET', '/apis/apps/v1/', '', 200],
    ['GET', '/apis/apps/v1//', '', 404],
    ['GET', '//apis', '', 404],
    ['GET', '/%61pis', '', 200],
  ])('%s %s accepting "%s" is a %i', async (method, path, accept, status) => {
    const answer = await server().get(path, accept ? { accept } : {}, { method });
    expect(answer.status).toBe(status);
    if (method === 'HEAD') expect(await answer.text()).toMatch(status === 200 ? /^$/ : /^(\{.*)?/);
  });
});
