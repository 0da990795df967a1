import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ControlPlane, startControlPlane } from '../controlplane.js';

const ADMIN = { name: 'admin', groups: ['system:masters', 'system:authenticated'] };
const WIDGETS = '/apis/example.com/v1/namespaces/default/widgets';

const definition = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'widgets.example.com' },
  spec: {
    group: 'example.com',
    scope: 'Namespaced',
    names: { plural: 'widgets', kind: 'Widget' },
    versions: [
      {
        name: 'v1',
        served: true,
        storage: true,
        schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
        subresources: {
          status: {},
          scale: {
            specReplicasPath: '.spec.size.wanted',
            statusReplicasPath: '.status.count',
            labelSelectorPath: '.status.selector',
          },
        },
      },
    ],
  },
};

describe('scale of custom resources', () => {
  let cp: ControlPlane;
  // biome-ignore lint/suspicious/noExplicitAny: answers of every kind
  async function ask(method: string, path: string, body?: object, as?: string): Promise<{ status: number; body: any }> {
    const type = as ?? (method === 'PATCH' ? 'application/merge-patch+json' : 'application/json');
    const answer = await cp.inject({ method, path, body, headers: { 'content-type': type }, user: ADMIN });
    const text = await answer.text();
    return { status: answer.status, body: text.startsWith('{') ? JSON.parse(text) : text };
  }
  const widget = (name: string, spec: object) => ({
    apiVersion: 'example.com/v1',
    kind: 'Widget',
    metadata: { name },
    spec,
  });

  beforeAll(async () => {
    cp = await startControlPlane({ controllers: [] });
    await ask('POST', '/apis/apiextensions.k8s.io/v1/customresourcedefinitions', definition);
    for (let i = 0; i < 200 && (await ask('GET', WIDGETS)).status !== 200; i++) {
      await new Promise((done) => setTimeout(done, 20));
    }
    await ask('POST', WIDGETS, widget('a', { size: { wanted: 3 } }));
    await ask('POST', WIDGETS, widget('empty', {}));
  });
  afterAll(() => cp.close());

  it('reads what the definition points to', async () => {
    await ask('PATCH', `${WIDGETS}/a/status`, { status: { count: 2, selector: 'app=a' } });
    const { status, body } = await ask('GET', `${WIDGETS}/a/scale`);
    expect([status, body.apiVersion, body.kind]).toEqual([200, 'autoscaling/v1', 'Scale']);
    expect([body.spec, body.status]).toEqual([{ replicas: 3 }, { replicas: 2, selector: 'app=a' }]);
  });

  it('writes them, and counts as a change of the object', async () => {
    const answer = await ask('PATCH', `${WIDGETS}/a/scale`, { spec: { replicas: 5 } });
    expect([answer.status, answer.body.spec]).toEqual([200, { replicas: 5 }]);
    const { body } = await ask('GET', `${WIDGETS}/a`);
    expect([body.spec, body.metadata.generation]).toEqual([{ size: { wanted: 5 } }, 2]);
  });

  it('gives replicas to an object without', async () => {
    const before = await ask('GET', `${WIDGETS}/empty/scale`);
    expect([before.status, before.body.message]).toEqual([
      500,
      'Internal error occurred: the spec replicas field ".spec.size.wanted" does not exist',
    ]);
    expect((await ask('PATCH', `${WIDGETS}/empty/scale`, { spec: { replicas: 1 } })).status).toBe(200);
    expect((await ask('GET', `${WIDGETS}/empty`)).body.spec).toEqual({ size: { wanted: 1 } });
  });

  it('refuses fewer than none, and an old resourceVersion', async () => {
    const before = await ask('GET', `${WIDGETS}/a/scale`);
    const negative = await ask('PATCH', `${WIDGETS}/a/scale`, { spec: { replicas: -1 } });
    expect([negative.status, negative.body.reason]).toEqual([422, 'Invalid']);
    const stale = { ...before.body, metadata: { ...before.body.metadata, resourceVersion: '1' } };
    expect((await ask('PUT', `${WIDGETS}/a/scale`, stale)).status).toBe(409);
    expect((await ask('GET', `${WIDGETS}/none/scale`)).status).toBe(404);
    expect((await ask('GET', `${WIDGETS}/a/scale`)).body).toEqual(before.body);
  });

  it('is validated as the object that it comes to', async () => {
    const { body } = await ask('PATCH', `${WIDGETS}/a/scale`, { spec: { replicas: -1 } });
    expect(body.message).toBe(
      'Widget.example.com "a" is invalid: .spec.size.wanted: Invalid value: -1: should be a non-negative integer',
    );
  });

  it('needs no resourceVersion, and some replicas', async () => {
    const scale = { apiVersion: 'autoscaling/v1', kind: 'Scale', metadata: { name: 'a' }, spec: { replicas: 7 } };
    expect((await ask('PUT', `${WIDGETS}/a/scale`, scale)).body.spec).toEqual({ replicas: 7 });
    await ask('POST', WIDGETS, widget('bare', {}));
    const { status, body } = await ask('PATCH', `${WIDGETS}/bare/scale`, { metadata: { labels: {} } });
    expect([status, body.message]).toEqual([400, 'the spec replicas field ".spec.size.wanted" cannot be empty']);
  });

  it('can be applied only without a change, as upstream', async () => {
    const apply = (replicas: number) =>
      ask(
        'PATCH',
        `${WIDGETS}/a/scale?fieldManager=m&force=true`,
        { apiVersion: 'autoscaling/v1', kind: 'Scale', metadata: { name: 'a' }, spec: { replicas } },
        'application/apply-patch+yaml',
      );
    const { status, body } = await apply(9);
    expect([status, body.message]).toEqual([
      500,
      'failed to convert new object (/a; autoscaling/v1, Kind=Scale) to proper version: request to convert CR to an invalid group/version: autoscaling/v1',
    ]);
    expect((await apply(7)).status).toBe(200);
  });

  it('is in discovery', async () => {
    const { body } = await ask('GET', '/apis/example.com/v1');
    expect(body.resources).toContainEqual({
      name: 'widgets/scale',
      singularName: '',
      namespaced: true,
      group: 'autoscaling',
      version: 'v1',
      kind: 'Scale',
      verbs: ['get', 'patch', 'update'],
    });
  });
});
