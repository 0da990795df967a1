import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ControlPlane, startControlPlane } from '../../controlplane.js';

const ADMIN = { name: 'admin', groups: ['system:masters', 'system:authenticated'] };
const MAPS = '/api/v1/namespaces/default/configmaps';
const JSON_PATCH = 'application/json-patch+json';
const MERGE = 'application/merge-patch+json';

let cp: ControlPlane;
beforeAll(async () => {
  cp = await startControlPlane({ controllers: [], disableAdmissionPlugins: ['ServiceAccount'], log: () => {} });
});
afterAll(() => cp.close());

interface Asked {
  readonly type?: string;
  readonly accept?: string;
}

// biome-ignore lint/suspicious/noExplicitAny: answers of every kind
async function ask(method: string, path: string, body?: object, { type, accept }: Asked = {}): Promise<any> {
  const headers = { 'content-type': type ?? 'application/json', accept: accept ?? 'application/json' };
  const answer = await cp.inject({ method, path, body, headers, user: ADMIN });
  return {
    code: answer.status,
    warning: [answer.headers.warning ?? []].flat().join(),
    ...((await answer.json()) as object),
  };
}

const map = (name: string, meta: object = {}): object => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, ...meta },
  data: { a: '1' },
});

describe('patch', () => {
  beforeAll(() => ask('POST', MAPS, map('patched')));

  it('names unknown fields in the order of the patched text', async () => {
    const patch = { zzz: 1, metadata: { bogus: 1 }, bogusTop: 1 };
    const { code, message } = await ask('PATCH', `${MAPS}/patched?fieldValidation=Strict`, patch, { type: MERGE });
    expect(code).toBe(422);
    const fields = [...message.matchAll(/unknown field \\?"([a-zA-Z.]+)\\?"/g)].map((m) => m[1]);
    expect(fields).toEqual(['bogusTop', 'metadata.bogus', 'zzz']);
  });

  it.each([
    [{ apiVersion: { toString: '' } }, 'json: cannot unmarshal object into Go struct field .apiVersion of type string'],
    [{ kind: ['ConfigMap'] }, 'json: cannot unmarshal array into Go struct field .kind of type string'],
  ])('has no kind that is no text: %j', async (patch, text) => {
    const { code, message } = await ask('PATCH', `${MAPS}/patched`, patch, { type: MERGE });
    expect([code, message]).toEqual([422, expect.stringContaining(text)]);
  });

  it.each([
    ['of a wrong shape', JSON_PATCH, { not: 'a list' }],
    ['of a wrong shape', MERGE, [1]],
  ])('%s is of no interest where there is no object', async (_, type, patch) => {
    expect(await ask('PATCH', `${MAPS}/missing`, patch, { type })).toMatchObject({ code: 404, reason: 'NotFound' });
    expect((await ask('PATCH', `${MAPS}/patched`, patch, { type })).code).toBe(400);
  });

  it('names the scheme of the group for another kind', async () => {
    const path = '/apis/apiregistration.k8s.io/v1/apiservices/v1.apps';
    const { code, message } = await ask('PATCH', path, { kind: 'Other' }, { type: MERGE });
    expect([code, message.endsWith('in scheme "pkg/apiserver/scheme/scheme.go:28"')]).toEqual([422, true]);
  });

  it('is refused for its media type before anything is said of the resource', async () => {
    const endpoints = '/api/v1/namespaces/default/endpoints/none';
    const refused = await ask('PATCH', endpoints, {}, { type: 'text/plain' });
    expect([refused.code, refused.warning]).toEqual([415, '']);
    const missing = await ask('PATCH', endpoints, {}, { type: MERGE });
    expect([missing.code, missing.warning]).toEqual([404, expect.stringContaining('deprecated')]);
  });
});

describe('apply', () => {
  it('takes away what was applied at another version, metadata and all', async () => {
    const at = (version: string) => `/apis/autoscaling/${version}/namespaces/default/horizontalpodautoscalers/h`;
    const apply = (version: string, maxReplicas: number, labels?: object) => {
      const scaleTargetRef = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'd' };
      const spec = { scaleTargetRef, maxReplicas };
      const body = {
        apiVersion: `autoscaling/${version}`,
        kind: 'HorizontalPodAutoscaler',
        metadata: { name: 'h', labels },
        spec,
      };
      return ask('PATCH', `${at(version)}?fieldManager=m`, body, { type: 'application/apply-patch+yaml' });
    };
    expect((await apply('v2', 3, { a: 'b' })).code).toBe(201);
    const { code, metadata, spec } = await apply('v1', 5);
    expect([code, metadata.labels, spec.maxReplicas]).toEqual([200, undefined, 5]);
  });
});

describe('create', () => {
  it('takes a name beside generateName for a generated one when it is taken', async () => {
    await ask('POST', MAPS, map('taken'));
    const plain = await ask('POST', MAPS, map('taken'));
    expect([plain.code, plain.message]).toEqual([409, 'configmaps "taken" already exists']);
    const both = await ask('POST', MAPS, map('taken', { generateName: 'g-' }));
    expect(both).toMatchObject({
      code: 409,
      message: 'configmaps "taken" already exists, the server was not able to generate a unique name for the object',
      details: { retryAfterSeconds: 1 },
    });
  });

  it('looks at a resourceVersion when it writes, not in a dry run', async () => {
    const body = map('versioned', { resourceVersion: '5' });
    expect(await ask('POST', `${MAPS}?dryRun=All`, body)).toMatchObject({
      code: 201,
      metadata: { resourceVersion: '5' },
    });
    expect((await ask('POST', MAPS, body)).code).toBe(500);
  });

  it('shows what was sent empty in faults, and null where nothing was', async () => {
    const template = (labels: object | undefined) => ({
      metadata: { labels },
      spec: { containers: [{ name: 'c', image: 'i' }] },
    });
    const set = (labels: object | undefined) => ({
      apiVersion: 'apps/v1',
      kind: 'ReplicaSet',
      metadata: { name: 'r' },
      spec: { selector: { matchLabels: { a: 'b' } }, template: template(labels) },
    });
    const path = '/apis/apps/v1/namespaces/default/replicasets';
    const fault = async (labels: object | undefined) => (await ask('POST', path, set(labels))).message as string;
    expect(await fault({})).toContain('labels: Invalid value: {}: `selector` does not match');
    expect(await fault(undefined)).toContain('labels: Invalid value: null: `selector` does not match');
  });

  it.each([
    [
      'Pod',
      'pods',
      { spec: { containers: [{ name: 'c', image: 'i' }], overhead: {} } },
      403,
      'Pod Overhead set without',
    ],
    ['ConfigMap', 'configmaps', { data: { a: 'x'.repeat(1048577) } }, 422, 'is invalid: []: Too long: may not be more'],
  ])('of a %s tells what is wrong with it', async (kind, resource, rest, code, text) => {
    const body = { apiVersion: 'v1', kind, metadata: { name: 'wrong' }, ...rest };
    const answer = await ask('POST', `/api/v1/namespaces/default/${resource}`, body);
    expect([answer.code, answer.message]).toEqual([code, expect.stringContaining(text)]);
  });

  it('counts the name of a DeviceClass in bytes', async () => {
    const named = {
      apiVersion: 'resource.k8s.io/v1',
      kind: 'DeviceClass',
      metadata: { name: 'x'.repeat(254) },
      spec: {},
    };
    expect((await ask('POST', '/apis/resource.k8s.io/v1/deviceclasses', named)).message).toMatch(
      /more than 253 bytes$/,
    );
  });

  it('keeps bytes that are null in a map as none', async () => {
    const { code, binaryData } = await ask('POST', MAPS, { ...map('bytes'), binaryData: { b: null } });
    expect([code, binaryData]).toEqual([201, { b: '' }]);
  });
});

describe('update', () => {
  it('warns of owners that are there twice, and keeps one', async () => {
    await ask('POST', MAPS, map('owned'));
    const owner = { apiVersion: 'v1', kind: 'ConfigMap', name: 'o', uid: '22222222-2222-2222-2222-222222222222' };
    const updated = await ask('PUT', `${MAPS}/owned`, map('owned', { ownerReferences: [owner, owner] }));
    expect([updated.code, updated.metadata.ownerReferences]).toEqual([200, [owner]]);
    expect(updated.warning).toContain('ownerReferences contains duplicate entries');
  });

  it('shows what was sent empty in faults', async () => {
    const path = '/apis/resource.k8s.io/v1/namespaces/default/resourceclaims';
    const claim = (requests: object[]) => ({
      apiVersion: 'resource.k8s.io/v1',
      kind: 'ResourceClaim',
      metadata: { name: 'claim' },
      spec: { devices: { requests } },
    });
    const request = { name: 'r', exactly: { deviceClassName: 'c.example.com' } };
    expect((await ask('POST', path, claim([request]))).code).toBe(201);
    const { code, message } = await ask('PUT', `${path}/claim`, claim([]));
    expect([code, message]).toEqual([
      422,
      'ResourceClaim.resource.k8s.io "claim" is invalid: spec: Invalid value: {"Devices":{"Requests":[],"Constraints":null,"Config":null}}: field is immutable',
    ]);
  });
});

describe('status of a node', () => {
  it('gets no dynamic configuration any more', async () => {
    await ask('POST', '/api/v1/nodes', { apiVersion: 'v1', kind: 'Node', metadata: { name: 'n1' } });
    const patch = { status: { config: { error: 'e' }, volumesInUse: ['v'] } };
    const { code, status } = await ask('PATCH', '/api/v1/nodes/n1/status', patch, { type: MERGE });
    expect([code, status.config, status.volumesInUse]).toEqual([200, undefined, ['v']]);
  });
});

describe('delete', () => {
  it.each([
    [{ dryRun: [{ toString: '' }] }, 400],
    [{ gracePeriodSeconds: 'soon' }, 400],
    [{ dryRun: ['All'] }, 200],
  ])('takes options at any version, and reads them all the same: %j', async (options, code) => {
    await ask('POST', MAPS, map('optional'));
    const body = { apiVersion: 'example.com/v1', kind: 'DeleteOptions', ...options };
    expect((await ask('DELETE', `${MAPS}/optional`, body)).code).toBe(code);
  });

  it('of a namespace has its own words for preconditions', async () => {
    const path = '/api/v1/namespaces/ending';
    await ask('POST', '/api/v1/namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'ending' } });
    const options = (preconditions: object) => ({ apiVersion: 'v1', kind: 'DeleteOptions', preconditions });
    const { code, message } = await ask('DELETE', path, options({ resourceVersion: '1' }));
    expect([code, message]).toEqual([
      409,
      expect.stringMatching(
        /^Operation cannot be fulfilled on namespaces "ending": Precondition failed: ResourceVersion in precondition: 1, ResourceVersion in object meta: \d+$/,
      ),
    ]);
    await ask('POST', MAPS, map('ending'));
    const other = await ask('DELETE', `${MAPS}/ending`, options({ resourceVersion: '1' }));
    expect([other.code, other.message]).toEqual([
      409,
      expect.stringContaining('the ResourceVersion in the precondition (1)'),
    ]);
  });
});

describe('delete of what is being deleted', () => {
  const path = '/api/v1/namespaces/default/pods/held';
  const by = (propagationPolicy: string) => ({ apiVersion: 'v1', kind: 'DeleteOptions', propagationPolicy });

  it('changes what becomes of dependents once no time of grace is left', async () => {
    await ask('POST', '/api/v1/namespaces/default/pods', {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'held' },
      spec: { containers: [{ name: 'c', image: 'i' }] },
    });
    const marked = await ask('DELETE', path, by('Foreground'));
    expect(marked.metadata).toMatchObject({ finalizers: ['foregroundDeletion'], deletionGracePeriodSeconds: 0 });
    expect((await ask('GET', path)).code).toBe(200);
    // As it lay in the store.
    const gone = await ask('DELETE', path, by('Background'));
    expect([gone.code, gone.metadata.finalizers]).toEqual([200, ['foregroundDeletion']]);
    expect(gone.metadata.resourceVersion).not.toBe(marked.metadata.resourceVersion);
    expect((await ask('GET', path)).code).toBe(404);
  });
});

describe('list and watch', () => {
  it('tells of more pods on a node only where there are more on it', async () => {
    const PODS = '/api/v1/namespaces/default/pods';
    const pod = (name: string, nodeName: string) => ({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name, labels: { paged: 'yes' } },
      spec: { nodeName, containers: [{ name: 'c', image: 'i' }] },
    });
    await ask('POST', PODS, pod('page-a', 'n1'));
    await ask('POST', PODS, pod('page-b', 'n2'));
    const page = async (query: string) => (await ask('GET', `${PODS}?limit=1&${query}`)).metadata.continue;
    expect(await page('fieldSelector=spec.nodeName=n1')).toBe(undefined);
    expect(await page('labelSelector=paged=yes')).toEqual(expect.any(String));
    await ask('POST', PODS, pod('page-c', 'n1'));
    expect(await page('fieldSelector=spec.nodeName=n1')).toEqual(expect.any(String));
  });

  it('refuses to continue a watch that begins with what there is', async () => {
    expect(await ask('GET', `${MAPS}?watch=1&continue=x`)).toMatchObject({ code: 422, reason: 'Invalid' });
  });

  it('ends a watch of what can only be a list at its first event', async () => {
    const accept = 'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1';
    await ask('POST', MAPS, map('watched'));
    const answer = await cp.inject({ method: 'GET', path: `${MAPS}?watch=1`, headers: { accept }, user: ADMIN });
    expect([answer.status, await answer.text()]).toEqual([200, '']);
  });

  it('shows metadata alone without the annotations that are fields', async () => {
    const path = '/apis/apps/v1/namespaces/default/daemonsets';
    const template = { metadata: { labels: { a: 'b' } }, spec: { containers: [{ name: 'c', image: 'i' }] } };
    const made = await ask('POST', path, {
      apiVersion: 'apps/v1',
      kind: 'DaemonSet',
      metadata: { name: 'd', annotations: { own: 'x' } },
      spec: { selector: { matchLabels: { a: 'b' } }, template },
    });
    expect(Object.keys(made.metadata.annotations)).toEqual(['deprecated.daemonset.template.generation', 'own']);
    const accept = 'application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1';
    const partial = await ask('GET', `${path}/d`, undefined, { accept });
    expect(partial.metadata.annotations).toEqual({ own: 'x' });
  });

  it('has null for no items of metadata', async () => {
    const accept = 'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1';
    expect(await ask('GET', `${MAPS}?labelSelector=no=ne`, undefined, { accept })).toMatchObject({ items: null });
  });
});
