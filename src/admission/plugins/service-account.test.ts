import { beforeEach, describe, expect, it } from 'vitest';
import type { MemoryFeed } from '../../auth/authorization/memory-feed.suite.js';
import type { JsonObject } from '../../machinery/json.js';
import { named, pod, run, specAfter, world } from './plugins.suite.js';
import { serviceAccount } from './service-account.js';

const ACCOUNTS = { group: '', resource: 'serviceaccounts' };
const MOUNT = {
  name: 'kube-api-access-abcde',
  readOnly: true,
  mountPath: '/var/run/secrets/kubernetes.io/serviceaccount',
};

let objects: MemoryFeed;
let pauses: number;
let whilePausing: () => void;
let plugin: ReturnType<typeof serviceAccount>;
beforeEach(() => {
  objects = world();
  pauses = 0;
  whilePausing = () => {};
  const pause = async () => {
    pauses++;
    whilePausing();
  };
  plugin = serviceAccount({ objects, nameSuffix: () => 'abcde', pause });
});
const account = (name = 'default', more: JsonObject = {}, metadata: JsonObject = {}) =>
  objects.put(ACCOUNTS, named(name, more, metadata));
const create = (spec: JsonObject = {}, metadata: JsonObject = {}) => ({ on: '/pods', object: pod(spec, metadata) });

describe('a pod', () => {
  it('runs as default, with the token, the root certificate and the namespace mounted', async () => {
    account();
    const spec = await specAfter(plugin, create({ initContainers: [{ name: 'x' }] }));
    expect(spec).toMatchObject({ serviceAccountName: 'default', serviceAccount: 'default' });
    expect(spec.containers).toEqual([{ name: 'c', image: 'i', volumeMounts: [MOUNT] }]);
    expect(spec.initContainers).toEqual([{ name: 'x', volumeMounts: [MOUNT] }]);
    expect(spec.volumes).toEqual([
      {
        name: 'kube-api-access-abcde',
        projected: {
          defaultMode: 420,
          sources: [
            { serviceAccountToken: { expirationSeconds: 3607, path: 'token' } },
            { configMap: { name: 'kube-root-ca.crt', items: [{ key: 'ca.crt', path: 'ca.crt' }] } },
            {
              downwardAPI: {
                items: [{ path: 'namespace', fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.namespace' } }],
              },
            },
          ],
        },
      },
    ]);
  });
  it('has no token when it, or else its account, wants none', async () => {
    account('default', { automountServiceAccountToken: false });
    expect(await specAfter(plugin, create())).not.toHaveProperty('volumes');
    expect(await specAfter(plugin, create({ automountServiceAccountToken: true }))).toHaveProperty('volumes');
    account();
    expect(await specAfter(plugin, create({ automountServiceAccountToken: false }))).not.toHaveProperty('volumes');
  });
  it('keeps what it mounts there itself, and a token volume that it has', async () => {
    account();
    const own = { name: 'mine', mountPath: MOUNT.mountPath };
    const mounted = await specAfter(plugin, create({ containers: [{ name: 'c', volumeMounts: [own] }] }));
    expect(mounted).not.toHaveProperty('volumes');
    const volumes = [{ name: 'kube-api-access-12345', emptyDir: {} }];
    const spec = await specAfter(plugin, create({ volumes }));
    expect(spec.volumes).toEqual(volumes);
    expect(JSON.stringify(spec.containers)).toContain('"kube-api-access-12345"');
    const again = await specAfter(plugin, {
      on: '/pods',
      object: { ...pod(), spec: await specAfter(plugin, create()) },
    });
    expect(again.volumes).toHaveLength(1);
  });
  it('takes over pull secrets unless it has its own', async () => {
    account('default', { imagePullSecrets: [{ name: 's' }] });
    expect(await specAfter(plugin, create())).toMatchObject({ imagePullSecrets: [{ name: 's' }] });
    const own = create({ imagePullSecrets: [{ name: 'o' }] });
    expect(await specAfter(plugin, own)).toMatchObject({ imagePullSecrets: [{ name: 'o' }] });
  });
});

describe('the account', () => {
  it('must be there', async () => {
    expect((await run(plugin, create({ serviceAccountName: 'none' }))).text).toBe(
      '403 pods "p" is forbidden: error looking up service account n/none: serviceaccount "none" not found',
    );
    expect(pauses).toBe(0);
  });
  it('default is waited for, but not for ever', async () => {
    whilePausing = () => {
      if (pauses === 3) account();
    };
    expect((await run(plugin, create())).text).toBe('ok');
    expect(pauses).toBe(3);
    objects.remove(ACCOUNTS, 'n', 'default');
    whilePausing = () => {};
    expect((await run(plugin, create())).text).toContain('serviceaccount "default" not found');
    expect(pauses).toBeLessThan(20);
  });
  it('is not waited for when nobody waits for the answer', async () => {
    const signal = () => AbortSignal.abort();
    expect((await run(plugin, { ...create(), signal })).text).toContain('not found');
    expect(pauses).toBe(0);
  });
});

describe('an account that limits its secrets', () => {
  const only = 'is not allowed because service account default does not reference that';
  beforeEach(() => {
    const annotations = { 'kubernetes.io/enforce-mountable-secrets': 'true' };
    account('default', { secrets: [{ name: 's' }], imagePullSecrets: [{ name: 'pull' }] }, { annotations });
  });
  const env = (name: string) => [{ name: 'E', valueFrom: { secretKeyRef: { name, key: 'k' } } }];
  it.each([
    [{ volumes: [{ name: 'v', secret: { secretName: 's' } }] }, undefined],
    [{ containers: [{ name: 'c', env: env('s'), envFrom: [{ secretRef: { name: 's' } }] }] }, undefined],
    [{ imagePullSecrets: [{ name: 'pull' }] }, undefined],
    [{ volumes: [{ name: 'v', secret: { secretName: 't' } }] }, `volume with secret.secretName="t" ${only} secret`],
    [
      { initContainers: [{ name: 'x', env: env('t') }] },
      `init container x with envVar E referencing secret.secretName="t" ${only} secret`,
    ],
    [
      { containers: [{ name: 'c', envFrom: [{ secretRef: { name: 't' } }] }] },
      `container c with envFrom referencing secret.secretName="t" ${only} secret`,
    ],
    [{ imagePullSecrets: [{ name: 'o' }] }, `imagePullSecrets[0].name="o" ${only} imagePullSecret`],
  ] as [JsonObject, string | undefined][])('%j', async (spec, fault) => {
    expect((await run(plugin, create(spec))).text).toBe(fault ? `403 pods "p" is forbidden: ${fault}` : 'ok');
  });
  it('limits ephemeral containers, too', async () => {
    const ephemeral = (name: string) =>
      pod({ serviceAccountName: 'default', ephemeralContainers: [{ name: 'e', env: env(name) }] });
    const add = async (name: string) =>
      (await run(plugin, { on: '/pods/ephemeralcontainers', object: ephemeral(name), oldObject: pod() })).text;
    expect(await add('s')).toBe('ok');
    expect(await add('t')).toContain('ephemeral container e with envVar E referencing secret.secretName="t"');
  });
});

describe('a mirror pod', () => {
  const annotations = { 'kubernetes.io/config.mirror': 'x' };
  it.each([
    [{}, 'ok'],
    [{ serviceAccountName: 's' }, 'a mirror pod may not reference service accounts'],
    [{ imagePullSecrets: [{ name: 's' }] }, 'a mirror pod may not reference secrets'],
    [
      { volumes: [{ name: 'v', projected: { sources: [{ serviceAccountToken: { path: 't' } }] } }] },
      'a mirror pod may not use ServiceAccountToken volume projections',
    ],
  ] as [JsonObject, string][])('%j: %s', async (spec, expected) => {
    const { text, object } = await run(plugin, create(spec, { annotations }));
    expect(text).toContain(expected);
    expect(JSON.stringify(object)).not.toContain('kube-api-access');
  });
});
