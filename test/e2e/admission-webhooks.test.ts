import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { WebhookCall, WebhookRecord } from '../../src/admission/webhook/failure.js';
import {
  caBundle,
  type Answer as Reply,
  startWebhook,
  type TestWebhook,
} from '../../src/admission/webhook/webhook-server.suite.js';
import { type ControlPlane, startControlPlane } from '../../src/index.js';
import { type Answer, asking } from '../support/ask.js';

const GROUP = '/apis/admissionregistration.k8s.io/v1';
const MAPS = '/api/v1/namespaces/default/configmaps';
const HPAS = 'namespaces/default/horizontalpodautoscalers';

let controlPlane: ControlPlane;
const ask = asking(() => controlPlane);
const calls: WebhookCall[] = [];
const listen = (record: unknown) => void calls.push((record as WebhookRecord).call);
beforeAll(async () => {
  subscribe('porthole.webhook', listen);
  controlPlane = await startControlPlane();
}, 60_000);
afterAll(async () => {
  unsubscribe('porthole.webhook', listen);
  await controlPlane.close();
});

let open: TestWebhook[] = [];
let made: string[] = [];
afterEach(async () => {
  for (const path of made) await ask('DELETE', path);
  await Promise.all(open.map((w) => w.close()));
  await ask('DELETE', MAPS, { kind: 'DeleteOptions', apiVersion: 'v1' });
  made = [];
  open = [];
  calls.length = 0;
});

type Sort = 'Validating' | 'Mutating';
const RULES = [{ apiGroups: [''], apiVersions: ['v1'], operations: ['*'], resources: ['configmaps'] }];

async function server(reply: Reply): Promise<TestWebhook> {
  const webhook = await startWebhook(reply);
  open.push(webhook);
  return webhook;
}

const hook = (name: string, url: string, over: object = {}) => ({
  name: `${name}.test.example`,
  clientConfig: { url, caBundle },
  sideEffects: 'None',
  admissionReviewVersions: ['v1'],
  rules: RULES,
  ...over,
});

async function configure(sort: Sort, name: string, ...webhooks: object[]): Promise<void> {
  const path = `${GROUP}/${sort.toLowerCase()}webhookconfigurations`;
  const object = {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: `${sort}WebhookConfiguration`,
    metadata: { name },
    webhooks,
  };
  expect((await ask('POST', path, object)).code).toBe(201);
  made.push(`${path}/${name}`);
}

const create = (name: string, data: object = { a: '1' }, query = '', metadata: object = {}): Promise<Answer> =>
  ask('POST', `${MAPS}${query}`, { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, ...metadata }, data });
const messageOf = ({ body }: Answer) => String(body.message);
const patched = (...operations: object[]) => ({
  allowed: true,
  patchType: 'JSONPatch',
  patch: Buffer.from(JSON.stringify(operations)).toString('base64'),
});
const set = (key: string, value: string) => patched({ op: 'add', path: `/data/${key}`, value });

describe('mutating webhooks', () => {
  it('are asked in the order of their configurations, each with what those before it made', async () => {
    const seen: unknown[] = [];
    const w = await server((review, request) => {
      const { object } = review.request as { object: { data: object } };
      seen.push([request.url?.slice(0, 2), object.data]);
      return request.url?.startsWith('/a') ? set('a', 'x') : set('b', 'y');
    });
    await configure('Mutating', 'z-last', hook('b', `${w.url}/b`));
    await configure('Mutating', 'a-first', hook('a', `${w.url}/a`));
    const { code, body } = await create('one', { own: '1' });
    expect(code).toBe(201);
    expect(body.data).toEqual({ own: '1', a: 'x', b: 'y' });
    expect(seen).toEqual([
      ['/a', { own: '1' }],
      ['/b', { own: '1', a: 'x' }],
    ]);
    expect(calls.map((c) => [c.webhook, c.outcome, c.patched])).toEqual([
      ['a.test.example', 'allowed', ['/data/a']],
      ['b.test.example', 'allowed', ['/data/b']],
    ]);
  });

  it('are asked again when another one changes the object after them', async () => {
    const w = await server((review, request) => {
      if (request.url?.startsWith('/other')) return set('other', 'x');
      const { object } = review.request as { object: { data: Record<string, string> } };
      return set('count', `${Number(object.data.count ?? 0) + 1}`);
    });
    await configure('Mutating', 'a', hook('count', `${w.url}/count`, { reinvocationPolicy: 'IfNeeded' }));
    await configure('Mutating', 'b', hook('other', `${w.url}/other`));
    expect((await create('one')).body.data).toEqual({ a: '1', count: '2', other: 'x' });
    expect(calls.map((c) => c.round)).toEqual([0, 0, 1]);
  });

  it('have defaults filled in after them', async () => {
    const rules = [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['pods'] }];
    const sidecar = { op: 'add', path: '/spec/containers/-', value: { name: 'sidecar', image: 's:1' } };
    const w = await server(() => patched(sidecar));
    await configure('Mutating', 'sidecar', hook('sidecar', w.url, { rules }));
    const pod = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'p' },
      spec: { containers: [{ name: 'c', image: 'i' }] },
    };
    const { body } = await ask('POST', '/api/v1/namespaces/default/pods?dryRun=All', pod);
    expect(body).toMatchObject({
      spec: {
        containers: [
          { name: 'c' },
          { name: 'sidecar', imagePullPolicy: 'IfNotPresent', terminationMessagePath: '/dev/termination-log' },
        ],
      },
    });
  });

  it.each([
    [
      'that does not apply',
      patched({ op: 'remove', path: '/nothing/here' }),
      'remove operation does not apply: doc is missing path: "/nothing/here": missing value',
    ],
    [
      'with an index that is none',
      patched(
        { op: 'add', path: '/metadata/finalizers', value: [] },
        { op: 'replace', path: '/metadata/finalizers/3', value: 'x' },
      ),
      'replace operation does not apply: doc is missing key: /metadata/finalizers/3: missing value',
    ],
    [
      'that makes no object',
      patched({ op: 'replace', path: '/data', value: 'x' }),
      'json: cannot unmarshal string into Go struct field ConfigMap.data of type map[string]string',
    ],
    [
      'of another type',
      { allowed: true, patchType: 'Merge', patch: Buffer.from('[{}]').toString('base64') },
      'failed calling webhook "bad.test.example": unsupported patch type "Merge"',
    ],
    [
      'that is no list',
      { allowed: true, patchType: 'JSONPatch', patch: Buffer.from('{}').toString('base64') },
      'failed calling webhook "bad.test.example": received undecodable patch in webhook response: json: cannot unmarshal object into Go value of type jsonpatch.Patch',
    ],
  ])('fail the request with a patch %s', async (_, reply, message) => {
    const w = await server(() => reply);
    await configure('Mutating', 'bad', hook('bad', w.url));
    const answer = await create('one');
    expect(answer.code).toBe(500);
    expect(messageOf(answer)).toBe(`Internal error occurred: ${message}`);
  });

  it('can not change what is deleted', async () => {
    expect((await create('one')).code).toBe(201);
    const w = await server(() => set('x', 'y'));
    const rules = [{ ...RULES[0], operations: ['DELETE'] }];
    await configure('Mutating', 'del', hook('del', w.url, { rules }));
    const answer = await ask('DELETE', `${MAPS}/one`);
    expect(messageOf(answer)).toBe(
      'Internal error occurred: admission webhook "del.test.example" attempted to modify the object, which is not supported for this operation',
    );
  });
});

describe('validating webhooks', () => {
  it('are asked at once, at the version that they want', async () => {
    const seen: unknown[] = [];
    const w = await server((review) => {
      const { kind, requestKind, object } = review.request as {
        kind: object;
        requestKind: object;
        object: { apiVersion: string };
      };
      seen.push({ kind, requestKind, apiVersion: object.apiVersion });
      return { allowed: true };
    });
    const rules = [
      {
        apiGroups: ['autoscaling'],
        apiVersions: ['v1'],
        operations: ['CREATE'],
        resources: ['horizontalpodautoscalers'],
      },
    ];
    await configure(
      'Validating',
      'hpa',
      hook('equivalent', w.url, { rules }),
      hook('exact', w.url, { rules, matchPolicy: 'Exact' }),
    );
    const hpa = {
      apiVersion: 'autoscaling/v2',
      kind: 'HorizontalPodAutoscaler',
      metadata: { name: 'h' },
      spec: { maxReplicas: 3, scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'd' } },
    };
    expect((await ask('POST', `/apis/autoscaling/v2/${HPAS}?dryRun=All`, hpa)).code).toBe(201);
    const kind = (version: string) => ({ group: 'autoscaling', version, kind: 'HorizontalPodAutoscaler' });
    expect(seen).toEqual([{ kind: kind('v1'), requestKind: kind('v2'), apiVersion: 'autoscaling/v1' }]);
  });

  it('see custom resources at another version', async () => {
    const version = (name: string, storage: boolean) => ({
      name,
      served: true,
      storage,
      schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
    });
    const definition = {
      apiVersion: 'apiextensions.k8s.io/v1',
      kind: 'CustomResourceDefinition',
      metadata: { name: 'things.hooks.example' },
      spec: {
        group: 'hooks.example',
        scope: 'Namespaced',
        names: { plural: 'things', kind: 'Thing' },
        versions: [version('v1', true), version('v2', false)],
      },
    };
    expect((await ask('POST', '/apis/apiextensions.k8s.io/v1/customresourcedefinitions', definition)).code).toBe(201);
    made.push('/apis/apiextensions.k8s.io/v1/customresourcedefinitions/things.hooks.example');
    const w = await server((review) => {
      const { object } = review.request as { object: { apiVersion: string } };
      return object.apiVersion === 'hooks.example/v2'
        ? patched({ op: 'add', path: '/touched', value: object.apiVersion })
        : { allowed: false };
    });
    const rules = [{ apiGroups: ['hooks.example'], apiVersions: ['v2'], operations: ['*'], resources: ['things'] }];
    await configure('Mutating', 'things', hook('things', w.url, { rules }));
    const thing = { apiVersion: 'hooks.example/v1', kind: 'Thing', metadata: { name: 't' }, size: 1 };
    const { code, body } = await ask('POST', '/apis/hooks.example/v1/namespaces/default/things', thing);
    expect(code).toBe(201);
    expect(body).toMatchObject({ apiVersion: 'hooks.example/v1', size: 1, touched: 'hooks.example/v2' });
  });

  it('are found behind services', async () => {
    const w = await startWebhook(() => ({ allowed: false, status: { message: 'by service' } }), {
      hosts: ['hook.default.svc'],
    });
    open.push(w);
    const services = '/api/v1/namespaces/default/services';
    const slices = '/apis/discovery.k8s.io/v1/namespaces/default/endpointslices';
    const service = {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'hook' },
      spec: { ports: [{ port: 443, targetPort: w.port }] },
    };
    expect((await ask('POST', services, service)).code).toBe(201);
    const slice = {
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: { name: 'hook', labels: { 'kubernetes.io/service-name': 'hook' } },
      addressType: 'IPv4',
      endpoints: [{ addresses: ['10.1.2.3'], conditions: { ready: true } }],
      ports: [{ name: '', port: w.port }],
    };
    // Endpoints on loopback are refused, so the service becomes a name of this host instead.
    expect((await ask('POST', slices, slice)).code).toBe(201);
    made.push(`${services}/hook`, `${slices}/hook`);
    const config = { service: { namespace: 'default', name: 'hook', port: w.port }, caBundle };
    await configure('Validating', 'svc', hook('svc', w.url, { clientConfig: config }));
    const external = {
      spec: { type: 'ExternalName', externalName: 'localhost', clusterIP: null, clusterIPs: null, ports: null },
    };
    expect((await ask('PATCH', `${services}/hook`, external)).code).toBe(200);
    expect(messageOf(await create('one'))).toBe('admission webhook "svc.test.example" denied the request: by service');
  });

  it('speak v1beta1 when they ask for it', async () => {
    const w = await server(() => ({ allowed: false, status: { code: 409, message: 'old' } }));
    await configure('Validating', 'old', hook('old', w.url, { admissionReviewVersions: ['v1beta1', 'v1'] }));
    expect((await create('one')).code).toBe(409);
    expect(w.reviews[0]).toMatchObject({ apiVersion: 'admission.k8s.io/v1beta1', kind: 'AdmissionReview' });
  });

  it('tell what failed, how long it took and what time was left', async () => {
    const w = await server(() => undefined);
    await configure('Validating', 'slow', hook('slow', w.url, { timeoutSeconds: 1 }));
    const answer = await create('one');
    expect(messageOf(answer)).toBe(
      `Internal error occurred: failed calling webhook "slow.test.example": failed to call webhook: Post "${w.url}/?timeout=1s": context deadline exceeded`,
    );
    expect(calls).toMatchObject([
      {
        configuration: 'slow',
        webhook: 'slow.test.example',
        phase: 'validate',
        round: 0,
        attempts: 1,
        timeoutMs: 1000,
        ms: expect.any(Number),
        budgetMs: expect.any(Number),
        outcome: 'failed',
      },
    ]);
  });

  it('let requests pass when their failures are ignored', async () => {
    const w = await server((_, request) => void request.socket.destroy());
    await configure('Validating', 'ignored', hook('ignored', w.url, { failurePolicy: 'Ignore' }));
    expect((await create('one')).code).toBe(201);
    expect(calls).toMatchObject([{ outcome: 'failed', ignored: true }]);
  });

  it('never see what configures admission', async () => {
    const w = await server(() => ({ allowed: false }));
    const rules = [{ apiGroups: ['*'], apiVersions: ['*'], operations: ['*'], resources: ['*/*'] }];
    await configure('Validating', 'everything', hook('everything', w.url, { rules }));
    expect((await create('one')).code).toBe(400);
    const asked = w.reviews.length;
    expect((await ask('DELETE', made.pop()!)).code).toBe(200);
    expect(w.reviews).toHaveLength(asked);
  });

  it('are not asked about dry runs that they can’t take', async () => {
    // Such side effects can only be found in what older servers stored; conditions on them are refused now.
    const w = await server(() => ({ allowed: true }));
    await configure('Validating', 'dry', hook('dry', w.url, { sideEffects: 'NoneOnDryRun' }));
    expect((await create('one', {}, '?dryRun=All')).code).toBe(201);
    expect(w.reviews).toMatchObject([{ request: { dryRun: true } }]);
  });

  it('only see what their selectors and conditions let through', async () => {
    const w = await server(() => ({ allowed: false }));
    const selectors = {
      namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'default' } },
      objectSelector: { matchLabels: { check: 'yes' } },
      matchConditions: [{ name: 'c', expression: "object.metadata.name.startsWith('c')" }],
    };
    await configure('Validating', 'some', hook('some', w.url, selectors));
    expect((await create('c1', {}, '', { labels: { check: 'yes' } })).code).toBe(400);
    expect((await create('c2')).code).toBe(201);
    expect((await create('d1', {}, '', { labels: { check: 'yes' } })).code).toBe(201);
    const elsewhere = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'c3', labels: { check: 'yes' } } };
    expect((await ask('POST', '/api/v1/namespaces/kube-system/configmaps', elsewhere)).code).toBe(201);
    made.push('/api/v1/namespaces/kube-system/configmaps/c3');
  });
});
