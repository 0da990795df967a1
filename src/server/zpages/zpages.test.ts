import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ControlPlane, startControlPlane } from '../../controlplane.js';
import { routesHandler } from '../recorded.suite.js';
import { inject } from '../transport/inject.js';
import { flagz } from './flagz.js';
import { statusz } from './statusz.js';
import { separator, zpageRoute } from './zpage.js';

const startedAt = new Date('2026-01-02T03:04:05.678Z');
const handler = routesHandler([
  zpageRoute(flagz({ b: '[x,y]', a: 'true' }, ': ')),
  zpageRoute(
    statusz(
      {
        startedAt,
        now: () => new Date(startedAt.getTime() + 3_723_900),
        runtime: 'node v24.0.0',
        version: '1.36.0',
        paths: ['/livez', '/livez/ping', '/apis', '/openapi/v2', '/', '/.well-known/x', '/flagz'],
      },
      '=',
    ),
  ),
]);

async function get(path: string, accept?: string) {
  const answer = await inject(handler, { path, headers: accept === undefined ? {} : { accept } });
  const text = await answer.text();
  return { status: answer.status, type: String(answer.headers['content-type']), warning: answer.headers.warning, text };
}

describe('pages about the server', () => {
  it.each([undefined, '', ' ', 'text/plain', '*/*', 'text/*', 'application/json, */*', 'text/plain;q=0.9'])(
    'are text for %s',
    async (accept) => {
      const { status, type, text } = await get('/flagz', accept);
      expect({ status, type }).toEqual({ status: 200, type: 'text/plain; charset=utf-8' });
      expect(text).toMatch(
        /^\napiserver flagz\nWarning: This endpoint is not meant to be machine parseable, .*\na: true\nb: \[x,y\]\n$/,
      );
    },
  );

  it('say what runs since when', async () => {
    expect((await get('/statusz')).text).toMatch(
      /purposes only\.\n\nStarted= Fri Jan {2}2 03:04:05 UTC 2026\nUp= 1 hr 02 min 03 sec\nGo version= node v24.0.0\nBinary version= 1.36.0\nEmulation version= 1.36\nPaths= \/flagz \/livez\n$/,
    );
  });

  it('have a form for programs', async () => {
    const flags = await get('/flagz', 'application/json;as=Flagz;g=config.k8s.io;v=v1beta1');
    expect(flags).toEqual({
      status: 200,
      type: 'application/json;g=config.k8s.io;v=v1beta1;as=Flagz',
      warning: undefined,
      text: '{"kind":"Flagz","apiVersion":"config.k8s.io/v1beta1","metadata":{"name":"apiserver"},"flags":{"a":"true","b":"[x,y]"}}\n',
    });
    const status = await get('/statusz', 'application/json;as=Statusz;g=config.k8s.io;v=v1beta1');
    expect(JSON.parse(status.text)).toEqual({
      kind: 'Statusz',
      apiVersion: 'config.k8s.io/v1beta1',
      metadata: { name: 'apiserver' },
      startTime: '2026-01-02T03:04:05Z',
      uptimeSeconds: 3723,
      goVersion: 'node v24.0.0',
      binaryVersion: '1.36.0',
      emulationVersion: '1.36',
      paths: ['/flagz', '/livez'],
    });
    const yaml = await get('/flagz', 'application/yaml;as=Flagz;g=config.k8s.io;v=v1beta1, text/plain');
    expect(yaml.type).toBe('application/yaml;g=config.k8s.io;v=v1beta1;as=Flagz');
    expect(yaml.text).toBe(
      'apiVersion: config.k8s.io/v1beta1\nflags:\n  a: "true"\n  b: \'[x,y]\'\nkind: Flagz\nmetadata:\n  name: apiserver\n',
    );
  });

  it('warn of the older version', async () => {
    const { status, warning } = await get('/flagz', 'application/json;as=Flagz;g=config.k8s.io;v=v1alpha1');
    expect(status).toBe(200);
    expect([warning].flat()).toEqual([
      '299 - "This version of the flagz endpoint is deprecated. Please use a newer version."',
    ]);
  });

  it.each([
    'application/json',
    'application/yaml',
    'application/xml',
    'application/vnd.kubernetes.protobuf',
    'application/cbor;as=Flagz;g=config.k8s.io;v=v1beta1',
    'application/json;as=Statusz;g=config.k8s.io;v=v1beta1',
    'application/json;as=Flagz;g=config.k8s.io;v=v1',
    'application/json;g=config.k8s.io;v=v1beta1',
    'text/plain;as=Flagz;g=config.k8s.io;v=v1beta1',
  ])('are not to be had as %s', async (accept) => {
    const { status, text } = await get('/flagz', accept);
    expect(status).toBe(406);
    expect(text.replace(/\n /g, '')).toContain(
      'only the following media types are accepted: application/json, application/yaml, text/plain',
    );
  });

  it('are none below them', async () => {
    await expect(get('/flagz/x').then((a) => a.status)).resolves.toBe(500);
  });

  it('draw what stands between names and values', () => {
    expect([0, 0.25, 0.5, 0.99].map((n) => separator(() => n))).toEqual([':', ': ', '=', ' ']);
  });
});

describe('in a control plane', () => {
  const admin = { name: 'admin', groups: ['system:masters'] };
  const alice = { name: 'alice', groups: ['system:authenticated'] };
  const monitor = { name: 'm', groups: ['system:monitoring'] };
  let on: ControlPlane;
  let off: ControlPlane;
  beforeAll(async () => {
    const gates = { ComponentFlagz: 'false', ComponentStatusz: 'false' };
    on = await startControlPlane({ controllers: [], flags: { v: '2' } });
    off = await startControlPlane({ controllers: [], flags: { v: '2' }, featureGates: gates });
  });
  afterAll(() => Promise.all([on.close(), off.close()]));

  it('serves those who may read them', async () => {
    const code = async (cp: ControlPlane, path: string, user: typeof admin) => (await cp.inject({ path, user })).status;
    for (const path of ['/flagz', '/statusz']) {
      expect(await code(on, path, admin)).toBe(200);
      expect(await code(on, path, monitor)).toBe(200);
      expect(await code(on, path, alice)).toBe(403);
      expect(await code(off, path, admin)).toBe(404);
    }
    const { paths } = await (await on.inject({ path: '/', user: admin })).json<{ paths: string[] }>();
    expect(paths).toEqual(expect.arrayContaining(['/flagz', '/statusz']));
    const without = await (await off.inject({ path: '/', user: admin })).json<{ paths: string[] }>();
    expect(without.paths).not.toContain('/statusz');
  });
});
