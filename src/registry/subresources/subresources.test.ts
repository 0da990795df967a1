import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ControlPlane, startControlPlane } from '../../controlplane.js';

const ADMIN = { name: 'admin', groups: ['system:masters', 'system:authenticated'] };
const NS = '/api/v1/namespaces/default';
const PODS = `${NS}/pods`;
const DEPLOYMENTS = '/apis/apps/v1/namespaces/default/deployments';
const BUDGETS = '/apis/policy/v1/namespaces/default/poddisruptionbudgets';
const MERGE = 'application/merge-patch+json';
const APPLY = 'application/apply-patch+yaml';

let cp: ControlPlane;
beforeAll(async () => {
  cp = await startControlPlane({ controllers: [], disableAdmissionPlugins: ['ServiceAccount'], log: () => {} });
});
afterAll(() => cp.close());

// biome-ignore lint/suspicious/noExplicitAny: answers of every kind
async function ask(method: string, path: string, body?: object, type = 'application/json'): Promise<any> {
  const answer = await cp.inject({ method, path, body, headers: { 'content-type': type }, user: ADMIN });
  return { code: answer.status, headers: answer.headers, ...((await answer.json()) as object) };
}

const pod = (name: string, over: object = {}): object => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, labels: { app: name } },
  spec: { containers: [{ name: 'c', image: 'i' }], ...over },
});

describe('scale', () => {
  const scale = (replicas: number, over: object = {}): object => ({
    apiVersion: 'autoscaling/v1',
    kind: 'Scale',
    metadata: { name: 'd', ...over },
    spec: { replicas },
  });
  const PATH = `${DEPLOYMENTS}/d/scale`;
  beforeAll(async () => {
    const template = { metadata: { labels: { app: 'x' } }, spec: { containers: [{ name: 'c', image: 'i' }] } };
    await ask('POST', DEPLOYMENTS, {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'd' },
      spec: { selector: { matchLabels: { app: 'x' } }, template },
    });
  });

  it('shows and changes replicas, and nothing else', async () => {
    expect(await ask('GET', PATH)).toMatchObject({ spec: { replicas: 1 }, status: { replicas: 0, selector: 'app=x' } });
    expect(await ask('PUT', PATH, scale(3, { labels: { no: 'way' } }))).toMatchObject({
      code: 200,
      spec: { replicas: 3 },
    });
    const { metadata, spec } = await ask('GET', `${DEPLOYMENTS}/d`);
    expect([metadata.labels, metadata.generation, spec.replicas]).toEqual([undefined, 2, 3]);
    expect(await ask('PATCH', PATH, { spec: { replicas: null } }, MERGE)).toMatchObject({ code: 200, spec: {} });
    expect((await ask('GET', `${DEPLOYMENTS}/d`)).spec.replicas).toBe(0);
  });

  it('moves the ownership of replicas between managers of the deployment', async () => {
    await ask('PATCH', `${PATH}?fieldManager=autoscaler`, scale(5), APPLY);
    const deployment = { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'd' }, spec: { replicas: 7 } };
    const path = `${DEPLOYMENTS}/d?fieldManager=gitops`;
    const refused = await ask('PATCH', path, deployment, APPLY);
    expect(refused.code).toBe(409);
    expect(refused.message).toContain('"autoscaler" with subresource "scale"');
    expect(await ask('PATCH', `${path}&force=true`, deployment, APPLY)).toMatchObject({ spec: { replicas: 7 } });
    const { metadata } = await ask('GET', `${DEPLOYMENTS}/d?`);
    expect(metadata.managedFields.map((m: { manager: string }) => m.manager)).not.toContain('autoscaler');
  });

  it('refuses what is no scale of the object', async () => {
    expect(await ask('PUT', PATH, scale(-1))).toMatchObject({
      code: 422,
      details: { kind: 'Scale', group: 'autoscaling' },
    });
    expect(await ask('PUT', PATH, scale(1, { resourceVersion: '1' }))).toMatchObject({ code: 409 });
    expect(await ask('PUT', PATH, scale(1, { uid: 'other' }))).toMatchObject({ code: 409 });
    expect(await ask('PUT', PATH, scale(1, { name: 'other' }))).toMatchObject({ code: 400 });
    expect(await ask('GET', `${DEPLOYMENTS}/none/scale`)).toMatchObject({ code: 404 });
    expect(await ask('DELETE', PATH)).toMatchObject({ code: 405 });
  });

  it('loses no change of many at once', async () => {
    const add = { op: 'test', path: '/spec/replicas', value: 1 };
    await ask('PUT', PATH, scale(1));
    const results = await Promise.all(
      Array.from({ length: 20 }, (_, i) =>
        ask('PATCH', PATH, [add, { ...add, op: 'replace', value: i + 2 }], 'application/json-patch+json'),
      ),
    );
    expect(results.filter((r) => r.code === 200)).toHaveLength(1);
  });
});

describe('binding', () => {
  const bind = (name: string, over: object = {}): object => ({
    apiVersion: 'v1',
    kind: 'Binding',
    metadata: { name, ...over },
    target: { kind: 'Node', name: 'n1' },
  });

  it('assigns a pod once, whichever of many comes first', async () => {
    await ask('POST', PODS, pod('bound'));
    const all = await Promise.all(
      Array.from({ length: 10 }, () => ask('POST', `${PODS}/bound/binding`, bind('bound'))),
    );
    expect(all.filter((a) => a.code === 201)).toHaveLength(1);
    expect(all.find((a) => a.code !== 201)).toMatchObject({
      code: 409,
      message: 'Operation cannot be fulfilled on pods/binding "bound": pod bound is already assigned to node "n1"',
    });
    const { spec, status } = await ask('GET', `${PODS}/bound`);
    expect([spec.nodeName, status.conditions[0].type]).toEqual(['n1', 'PodScheduled']);
  });

  it('takes preconditions, gives labels, and does nothing on a dry run', async () => {
    const { metadata } = await ask('POST', PODS, pod('picky'));
    const path = `${PODS}/picky/binding`;
    expect(await ask('POST', path, bind('picky', { uid: 'other' }))).toMatchObject({ code: 409 });
    expect(await ask('POST', path, bind('picky', { resourceVersion: '1' }))).toMatchObject({ code: 409 });
    expect(await ask('POST', `${path}?dryRun=All`, bind('picky'))).toMatchObject({ code: 201 });
    expect((await ask('GET', `${PODS}/picky`)).spec.nodeName).toBeUndefined();
    const good = bind('picky', { uid: metadata.uid, resourceVersion: metadata.resourceVersion, labels: { a: 'b' } });
    expect(await ask('POST', path, good)).toMatchObject({ code: 201, status: 'Success' });
    expect((await ask('GET', `${PODS}/picky`)).metadata.labels).toEqual({ app: 'picky', a: 'b' });
  });

  it('refuses targets that are none, and pods that wait', async () => {
    await ask('POST', PODS, pod('gated', { schedulingGates: [{ name: 'a/b' }] }));
    expect(await ask('POST', `${PODS}/gated/binding`, bind('gated'))).toMatchObject({ code: 409 });
    expect(await ask('POST', `${PODS}/gated/binding`, { ...bind('gated'), target: {} })).toMatchObject({
      code: 500,
      message: 'target.name: Required value',
    });
    expect(await ask('POST', `${PODS}/gated/binding`, bind('other'))).toMatchObject({ code: 400 });
    expect(await ask('POST', `${NS}/bindings`, bind('none'))).toMatchObject({ code: 404 });
  });
});

describe('eviction', () => {
  const evict = (name: string, deleteOptions?: object) =>
    ask('POST', `${PODS}/${name}/eviction`, {
      apiVersion: 'policy/v1',
      kind: 'Eviction',
      metadata: { name },
      deleteOptions,
    });
  const run = async (name: string, ready = 'True', labels = { app: name }): Promise<void> => {
    await ask('POST', PODS, { ...pod(name, { nodeName: 'n' }), metadata: { name, labels } });
    const status = { phase: 'Running', conditions: [{ type: 'Ready', status: ready }] };
    await ask('PATCH', `${PODS}/${name}/status`, { status }, MERGE);
  };
  const guard = async (name: string, status: object, spec: object = {}): Promise<void> => {
    await ask('POST', BUDGETS, {
      apiVersion: 'policy/v1',
      kind: 'PodDisruptionBudget',
      metadata: { name },
      spec: { minAvailable: 1, selector: { matchLabels: { app: name } }, ...spec },
    });
    await ask('PATCH', `${BUDGETS}/${name}/status`, { status: { observedGeneration: 1, ...status } }, MERGE);
  };
  const counts = { currentHealthy: 3, desiredHealthy: 1, expectedPods: 3 };

  it('takes no more than the budget has, however many ask at once', async () => {
    await guard('shared', { ...counts, disruptionsAllowed: 3 });
    const names = Array.from({ length: 8 }, (_, i) => `shared-${i}`);
    await Promise.all(names.map((name) => run(name, 'True', { app: 'shared' })));
    const results = await Promise.all(names.map((name) => evict(name)));
    expect(results.map((r) => r.code).sort()).toEqual([201, 201, 201, 429, 429, 429, 429, 429]);
    const { status } = await ask('GET', `${BUDGETS}/shared`);
    expect([status.disruptionsAllowed, Object.keys(status.disruptedPods)]).toEqual([0, expect.any(Array)]);
    expect(Object.keys(status.disruptedPods)).toHaveLength(3);
    expect(status.conditions).toMatchObject([
      { type: 'DisruptionAllowed', status: 'False', reason: 'InsufficientPods' },
    ]);
  });

  it('notes on the pod why it goes', async () => {
    await run('noted');
    expect(await evict('noted')).toMatchObject({ code: 201, status: 'Success' });
    const { metadata, status } = await ask('GET', `${PODS}/noted`);
    expect(metadata.deletionTimestamp).toBeDefined();
    expect(status.conditions).toContainEqual(
      expect.objectContaining({ type: 'DisruptionTarget', reason: 'EvictionByEvictionAPI' }),
    );
  });

  it('says when to come again only while the budget is being looked at', async () => {
    await run('fresh');
    await guard('fresh', { observedGeneration: 0 });
    const waiting = await evict('fresh');
    expect([waiting.code, waiting.details.retryAfterSeconds, waiting.headers['retry-after']]).toEqual([429, 10, '10']);
    await run('tight');
    await guard('tight', { disruptionsAllowed: 0, currentHealthy: 1, desiredHealthy: 1 });
    const refused = await evict('tight');
    expect(refused.details.causes[0].message).toBe(
      'The disruption budget tight needs 1 healthy pods and has 1 currently',
    );
    expect([refused.code, refused.headers['retry-after']]).toEqual([429, undefined]);
  });

  it('lets unready pods go as the policy says', async () => {
    await run('unready-a', 'False');
    await guard('unready-a', { desiredHealthy: 1, currentHealthy: 0 });
    expect((await evict('unready-a')).code).toBe(429);
    await run('unready-b', 'False');
    await guard('unready-b', { desiredHealthy: 1, currentHealthy: 0 }, { unhealthyPodEvictionPolicy: 'AlwaysAllow' });
    expect((await evict('unready-b')).code).toBe(201);
  });

  it('needs no budget for pods that run nowhere', async () => {
    await ask('POST', PODS, pod('idle'));
    await guard('idle', { disruptionsAllowed: 0 });
    expect(await evict('idle', { preconditions: { uid: 'other' } })).toMatchObject({ code: 409 });
    expect(await evict('idle', { dryRun: ['All'] })).toMatchObject({ code: 201 });
    expect((await ask('GET', `${PODS}/idle`)).status.conditions).toBeUndefined();
    expect((await evict('idle')).code).toBe(201);
    expect((await ask('GET', `${PODS}/idle`)).code).toBe(404);
    expect((await evict('idle')).code).toBe(404);
  });

  it('answers with the failure of a pod under two budgets', async () => {
    await run('torn');
    await guard('torn', { disruptionsAllowed: 1 });
    await guard('torn-too', { disruptionsAllowed: 1 }, { selector: { matchLabels: { app: 'torn' } } });
    const body = { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name: 'torn' } };
    const answer = await cp.inject({ method: 'POST', path: `${PODS}/torn/eviction`, body, user: ADMIN });
    expect(answer.status).toBe(201);
    expect(await answer.json()).toMatchObject({ status: 'Failure', code: 500 });
  });
});

describe('componentstatuses', () => {
  it('tells of the storage, and of others that are asked', async () => {
    const { items, metadata } = await ask('GET', '/api/v1/componentstatuses');
    expect(items.map((i: { metadata: { name: string } }) => i.metadata.name).sort()).toEqual([
      'controller-manager',
      'etcd-0',
      'scheduler',
    ]);
    expect(metadata).toEqual({});
    const one = await ask('GET', '/api/v1/componentstatuses/etcd-0');
    expect(one.conditions).toEqual([{ type: 'Healthy', status: 'True', message: 'ok' }]);
    expect(await ask('GET', '/api/v1/componentstatuses/none')).toMatchObject({ code: 404 });
    const none = await ask('GET', '/api/v1/componentstatuses?fieldSelector=metadata.name%3Detcd-0');
    expect(none.items).toHaveLength(1);
  });
});
