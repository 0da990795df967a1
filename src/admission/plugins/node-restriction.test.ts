import { beforeEach, describe, expect, it } from 'vitest';
import { MemoryFeed } from '../../auth/authorization/memory-feed.suite.js';
import type { Attributes, Decision, UserInfo } from '../../auth/contract.js';
import { StatusError } from '../../machinery/errors.js';
import type { JsonObject, KubeObject } from '../../machinery/json.js';
import type { AdmissionAttributes } from '../contract.js';
import { NodeRestriction, type NodeRestrictionGate } from './node-restriction.js';

const kubelet: UserInfo = { name: 'system:node:a', groups: ['system:nodes', 'system:authenticated'] };
const PODS = { group: '', resource: 'pods' };

let objects: MemoryFeed;
let gates: Set<NodeRestrictionGate>;
let asked: Attributes[];
let answer: Decision;
let plugin: NodeRestriction;
beforeEach(() => {
  objects = new MemoryFeed();
  gates = new Set(['ServiceAccountNodeAudienceRestriction', 'PodCertificateRequest']);
  asked = [];
  answer = { verdict: 'NoOpinion', reason: '' };
  const authorize = (attributes: Attributes) => {
    asked.push(attributes);
    return answer;
  };
  plugin = new NodeRestriction({ objects, authorizer: { name: 'test', authorize }, gate: (name) => gates.has(name) });
});

type Partly = Partial<AdmissionAttributes> & { on: string };
/** `on`: group/resource/subresource. */
async function admit({ on, ...more }: Partly): Promise<string> {
  const [group = '', resource = '', subresource = ''] = on.split('/');
  const attributes: AdmissionAttributes = {
    operation: 'CREATE',
    kind: { group, version: 'v1', kind: '' },
    resource: { group, version: 'v1', resource },
    subresource,
    namespace: 'default',
    name: more.object?.metadata.name ?? '',
    object: undefined,
    oldObject: undefined,
    options: undefined,
    dryRun: false,
    user: kubelet,
    namespaced: true,
    warn: () => {},
    annotate: () => {},
    signal: () => new AbortController().signal,
    ...more,
  };
  if (!plugin.handles(attributes.operation)) return 'ok';
  try {
    await plugin.admit(attributes);
    return 'ok';
  } catch (e) {
    return e instanceof StatusError ? `${e.code} ${e.message}` : `${e}`;
  }
}
const named = (name: string, more: JsonObject = {}, metadata: JsonObject = {}): KubeObject => ({
  metadata: { name, namespace: 'default', ...metadata },
  ...more,
});
const pod = (name: string, nodeName: string, spec: JsonObject = {}, metadata: JsonObject = {}): KubeObject =>
  named(name, { spec: { nodeName, ...spec } }, { uid: `uid-${name}`, ...metadata });

describe('who is restricted', () => {
  it('nodes only, whatever else they may do', async () => {
    const on = { on: '/nodes', object: named('b') };
    expect(await admit(on)).toContain('node "a" is not allowed to modify node "b"');
    expect(await admit({ ...on, user: { ...kubelet, groups: ['system:nodes', 'system:masters'] } })).toContain('403');
    expect(await admit({ ...on, user: { ...kubelet, groups: ['system:masters'] } })).toBe('ok');
    expect(await admit({ ...on, user: { name: 'admin', groups: ['system:nodes'] } })).toBe('ok');
    expect(await admit({ ...on, operation: 'CONNECT' })).toBe('ok');
  });
  it('a node without a name may write nothing at all', async () => {
    const user = { ...kubelet, name: 'system:node:' };
    expect(await admit({ on: '/configmaps', object: named('c'), user })).toBe(
      '403 configmaps "c" is forbidden: could not determine node from user "system:node:"',
    );
    expect(await admit({ on: '/configmaps', operation: 'DELETE', user })).toContain(
      'configmaps "Unknown" is forbidden',
    );
  });
  it('leaves other resources to the authorizer', async () => {
    expect(await admit({ on: '/configmaps', object: named('c') })).toBe('ok');
    expect(await admit({ on: 'apps/deployments', object: named('c') })).toBe('ok');
    expect(await admit({ on: '/serviceaccounts', object: named('c') })).toBe('ok');
  });
});

describe('pods', () => {
  const owner = { apiVersion: 'v1', kind: 'Node', name: 'a', uid: 'uid-node', controller: true };
  const mirror = (spec: JsonObject = {}, metadata: JsonObject = {}) =>
    pod('m', 'a', spec, {
      annotations: { 'kubernetes.io/config.mirror': 'x' },
      ownerReferences: [owner],
      ...metadata,
    });
  it.each([
    ['a mirror pod of its own', mirror(), 'ok'],
    [
      'no mirror pod',
      mirror({}, { annotations: {} }),
      'pod does not have "kubernetes.io/config.mirror" annotation, node "a" can only create mirror pods',
    ],
    [
      'one for another node',
      mirror({ nodeName: 'b' }),
      'node "a" can only create pods with spec.nodeName set to itself',
    ],
    [
      'one without an owner',
      mirror({}, { ownerReferences: [] }),
      'node "a" can only create pods with an owner reference set to itself',
    ],
    [
      'one with two owners',
      mirror({}, { ownerReferences: [owner, owner] }),
      'node "a" can only create pods with a single owner reference set to itself',
    ],
    [
      'one owned by another',
      mirror({}, { ownerReferences: [{ ...owner, name: 'b' }] }),
      'node "a" can only create pods with an owner reference set to itself',
    ],
    [
      'an owner that does not control',
      mirror({}, { ownerReferences: [{ ...owner, controller: false }] }),
      'node "a" can only create pods with a controller owner reference set to itself',
    ],
    [
      'an owner that blocks',
      mirror({}, { ownerReferences: [{ ...owner, blockOwnerDeletion: true }] }),
      'node "a" must not set blockOwnerDeletion on an owner reference',
    ],
    [
      'an owner of another life',
      mirror({}, { ownerReferences: [{ ...owner, uid: 'old' }] }),
      'node a UID mismatch: expected old got uid-node',
    ],
    ['an account', mirror({ serviceAccountName: 's' }), 'node "a" can not create pods that reference serviceaccounts'],
    ['a secret', mirror({ imagePullSecrets: [{ name: 's' }] }), 'node "a" can not create pods that reference secrets'],
    [
      'a claim',
      mirror({ volumes: [{ name: 'v', persistentVolumeClaim: { claimName: 'c' } }] }),
      'node "a" can not create pods that reference persistentvolumeclaims',
    ],
    [
      'a token',
      mirror({ volumes: [{ name: 'v', projected: { sources: [{ serviceAccountToken: {} }] } }] }),
      'node "a" can not create pods that reference serviceaccounts (via projected volumes)',
    ],
    ['a host path', mirror({ volumes: [{ name: 'v', hostPath: { path: '/' } }] }), 'ok'],
  ])('creates %s', async (_, object, expected) => {
    objects.put({ group: '', resource: 'nodes' }, named('a', {}, { namespace: undefined, uid: 'uid-node' }));
    const text = await admit({ on: '/pods', object });
    expect(text).toBe(expected === 'ok' ? 'ok' : `403 pods "m" is forbidden: ${expected}`);
  });
  it('creates none before its node object is there', async () => {
    expect(await admit({ on: '/pods', object: mirror() })).toBe('404 node "a" not found');
  });
  it('deletes and evicts its own, updates their status but not what others own of it', async () => {
    for (const name of ['a', 'b']) objects.put(PODS, pod(`on-${name}`, name));
    const remove = (name: string, on: string) =>
      admit({ on: '/pods', operation: 'DELETE', name, oldObject: pod(name, on) });
    expect(await remove('on-a', 'a')).toBe('ok');
    expect(await remove('on-b', 'b')).toContain('can only delete pods with spec.nodeName set to itself');
    expect(await remove('nowhere', '')).toContain('403');
    const evict = (name: string) => admit({ on: '/pods/eviction', name, object: named(name) });
    expect(await evict('on-a')).toBe('ok');
    expect(await evict('on-b')).toContain('node a can only evict pods with spec.nodeName set to itself');
    expect(await evict('gone')).toBe('404 pod "gone" not found');
    const status = (object: KubeObject, oldObject = pod('on-a', 'a', {}, { labels: { x: 'y' } })) =>
      admit({ on: '/pods/status', operation: 'UPDATE', name: 'on-a', object, oldObject });
    const labels = { labels: { x: 'y' } };
    expect(await status({ ...pod('on-a', 'a', {}, labels), status: { phase: 'Running' } })).toBe('ok');
    expect(await status(pod('on-a', 'a'))).toContain('cannot update labels through pod status');
    expect(await status(pod('on-a', 'a', {}, labels), pod('on-a', 'b', {}, labels))).toContain(
      'can only update pod status',
    );
    const claims = { resourceClaimStatuses: [{ name: 'r', resourceClaimName: 'c' }] };
    expect(await status({ ...pod('on-a', 'a', {}, labels), status: claims })).toContain(
      'cannot update resource claim statues',
    );
    const extended = { extendedResourceClaimStatus: { resourceClaimName: 'c' } };
    expect(await status({ ...pod('on-a', 'a', {}, labels), status: extended })).toContain(
      'cannot update extended resource claim status',
    );
    expect(await admit({ on: '/pods', operation: 'UPDATE', name: 'on-a', object: pod('on-a', 'a') })).toContain(
      'unexpected operation "UPDATE", node "a" can only create and delete mirror pods',
    );
    expect(await admit({ on: '/pods/binding', name: 'on-a', object: named('on-a') })).toContain(
      `unexpected pod subresource "binding", only 'status' and 'eviction' are allowed`,
    );
  });
});

describe('nodes', () => {
  const update = (object: KubeObject, oldObject: KubeObject) =>
    admit({ on: '/nodes', operation: 'UPDATE', name: 'a', object, oldObject });
  it.each([
    ['kubernetes.io/hostname', true],
    ['topology.kubernetes.io/zone', true],
    ['node.kubernetes.io/x', true],
    ['a.kubelet.kubernetes.io/x', true],
    ['example.com/x', true],
    ['plain', true],
    ['akubelet.kubernetes.io/x', false],
    ['node-restriction.kubernetes.io/x', false],
    ['a.node-restriction.kubernetes.io/x', false],
    ['kubernetes.io/role', false],
    ['k8s.io/x', false],
    ['a.k8s.io/x', false],
    ['kubernetes.io.example.com/x', true],
  ])('label %s', async (key, free) => {
    const labelled = named('a', {}, { labels: { [key]: 'v' } });
    expect(await admit({ on: '/nodes', object: labelled })).toBe(
      free ? 'ok' : `403 nodes "a" is forbidden: node "a" is not allowed to set the following labels: ${key}`,
    );
    const refused = `403 nodes "a" is forbidden: is not allowed to modify labels: ${key}`;
    expect(await update(labelled, named('a'))).toBe(free ? 'ok' : refused);
    expect(await update(named('a'), labelled)).toBe(free ? 'ok' : refused);
    expect(await update(labelled, labelled)).toBe('ok');
  });
  it('keeps its taints, owners and configuration source', async () => {
    const taints = { taints: [{ key: 'x' }] };
    expect(await update(named('a'), named('a', { spec: taints }))).toContain('is not allowed to modify taints');
    expect(await update(named('a', { spec: taints }), named('a', { spec: taints }))).toBe('ok');
    const owners = { ownerReferences: [{ apiVersion: 'v1', kind: 'X', name: 'x', uid: 'u' }] };
    expect(await update(named('a', {}, owners), named('a'))).toContain('is not allowed to modify ownerReferences');
    expect(await update(named('a', { spec: { configSource: {} } }), named('a'))).toContain('new non-nil configSource');
    expect(await update(named('a'), named('a', { spec: { configSource: {} } }))).toBe('ok');
    expect(await admit({ on: '/nodes', object: named('a', { spec: { configSource: {} } }) })).toContain(
      'non-nil configSource',
    );
  });
});

describe('tokens', () => {
  const tokenSpec = (more: JsonObject = {}): JsonObject => ({
    boundObjectRef: { apiVersion: 'v1', kind: 'Pod', name: 'p', uid: 'uid-p' },
    ...more,
  });
  const token = (spec: JsonObject) => admit({ on: '/serviceaccounts/token', name: 's', object: named('s', { spec }) });
  const projected = (audience?: string) => ({
    volumes: [
      {
        name: 't',
        projected: { sources: [{ serviceAccountToken: { path: 't', ...(audience ? { audience } : {}) } }] },
      },
    ],
  });
  it.each([
    [{}, 'node requested token not bound to a pod'],
    [
      { boundObjectRef: { apiVersion: 'v1', kind: 'Secret', name: 'p', uid: 'u' } },
      'node requested token not bound to a pod',
    ],
    [
      { boundObjectRef: { apiVersion: 'v1', kind: 'Pod', name: 'p' } },
      'node requested token with a pod binding without a uid',
    ],
    [
      { boundObjectRef: { apiVersion: 'v1', kind: 'Pod', name: 'p', uid: 'old' } },
      'the UID in the bound object reference (old) does not match the UID in record. The object might have been deleted and then recreated',
    ],
    [
      { boundObjectRef: { apiVersion: 'v1', kind: 'Pod', name: 'q', uid: 'uid-q' } },
      'node requested token bound to a pod scheduled on a different node',
    ],
    [tokenSpec({ audiences: ['x', 'y'] }), 'node may only request 0 or 1 audiences'],
    [
      tokenSpec({ audiences: ['x'] }),
      'audience "x" not found in pod spec volume, system:node:a is not authorized to request tokens for this audience',
    ],
  ])('%j', async (spec, expected) => {
    objects.put(PODS, pod('p', 'a', projected()));
    objects.put(PODS, pod('q', 'b', projected()));
    expect(await token(spec)).toBe(`403 serviceaccounts "s" is forbidden: ${expected}`);
  });
  it('are given for what a volume of the pod asks for, or by a right of its own', async () => {
    objects.put(PODS, pod('p', 'a', projected('vault')));
    expect(await token(tokenSpec({ audiences: ['vault'] }))).toBe('ok');
    expect(await token(tokenSpec())).toContain('audience "" not found');
    expect(asked[0]).toMatchObject({ verb: 'request-serviceaccounts-token-audience', resource: '', name: 's' });
    answer = { verdict: 'Allow', reason: '' };
    expect(await token(tokenSpec({ audiences: ['other'] }))).toBe('ok');
    answer = { verdict: 'NoOpinion', reason: '', error: 'webhook down' };
    expect(await token(tokenSpec({ audiences: ['other'] }))).toContain('error authorizing system:node:a to request');
    gates.delete('ServiceAccountNodeAudienceRestriction');
    expect(await token(tokenSpec({ audiences: ['other', 'more'] }))).toBe('ok');
  });
  it('are given for what the CSI driver of a volume asks for', async () => {
    const audiences = ['csi'];
    objects.put(PODS, pod('p', 'a', { volumes: [{ name: 'v', persistentVolumeClaim: { claimName: 'c' } }] }));
    expect(await token(tokenSpec({ audiences }))).toContain(
      'error validating audience "csi": persistentvolumeclaim "c" not found',
    );
    objects.put({ group: '', resource: 'persistentvolumeclaims' }, named('c', { spec: { volumeName: 'pv' } }));
    objects.put(
      { group: '', resource: 'persistentvolumes' },
      named('pv', { spec: { csi: { driver: 'd' } } }, { namespace: undefined }),
    );
    expect(await token(tokenSpec({ audiences }))).toContain('csidriver.storage.k8s.io "d" not found');
    const driver = named('d', { spec: { tokenRequests: [{ audience: 'csi' }] } }, { namespace: undefined });
    objects.put({ group: 'storage.k8s.io', resource: 'csidrivers' }, driver);
    expect(await token(tokenSpec({ audiences }))).toBe('ok');
    expect(await token(tokenSpec())).toContain('audience "" not found');
  });
});

describe('the rest', () => {
  it('claims: only the progress of an expansion', async () => {
    const claim = (status: JsonObject, spec: JsonObject = {}, metadata: JsonObject = {}) =>
      named('c', { spec, status }, metadata);
    const write = (object: KubeObject, on = '/persistentvolumeclaims/status') =>
      admit({ on, operation: 'UPDATE', name: 'c', object, oldObject: claim({ phase: 'Bound' }) });
    expect(await write(claim({ phase: 'Bound', capacity: { storage: '2Gi' } }, {}, { resourceVersion: '' }))).toBe(
      'ok',
    );
    expect(await write(claim({ phase: 'Bound', allocatedResources: { storage: '2Gi' }, conditions: [] }))).toBe('ok');
    expect(await write(claim({ phase: 'Lost' }))).toContain(
      'node "a" is not allowed to update fields other than status.quantity and status.conditions: status.phase',
    );
    expect(await write(claim({ phase: 'Bound' }, {}, { labels: { a: 'b' } }))).toContain('metadata.labels');
    expect(await write(claim({ phase: 'Bound' }), '/persistentvolumeclaims')).toContain('may only update PVC status');
  });
  it('leases, CSI nodes and resource slices of its own name', async () => {
    const lease = (namespace: string, object: KubeObject) =>
      admit({ on: 'coordination.k8s.io/leases', namespace, object });
    expect(await lease('kube-node-lease', named('a'))).toBe('ok');
    expect(await lease('kube-node-lease', named('b'))).toContain('same name as the requesting node');
    expect(await lease('kube-system', named('a'))).toContain(
      'can only access leases in the "kube-node-lease" system namespace',
    );
    expect(await lease('kube-node-lease', { metadata: { generateName: 'a' } })).toContain('403');
    expect(await admit({ on: 'storage.k8s.io/csinodes', object: named('a') })).toBe('ok');
    expect(await admit({ on: 'storage.k8s.io/csinodes', operation: 'DELETE', name: 'b' })).toContain(
      'can only access CSINode',
    );
    const slice = (nodeName?: string) => named('s', { spec: nodeName ? { nodeName } : { allNodes: true } });
    const slices = 'resource.k8s.io/resourceslices';
    expect(await admit({ on: slices, object: slice('a') })).toBe('ok');
    expect(await admit({ on: slices, object: slice('b') })).toContain('can only create ResourceSlice');
    expect(await admit({ on: slices, object: slice() })).toContain('can only create ResourceSlice');
    expect(await admit({ on: slices, operation: 'DELETE', name: '', oldObject: slice('b') })).toContain(
      'resourceslices.resource.k8s.io "Unknown" is forbidden: can only delete ResourceSlice',
    );
  });
  it('signing requests with the name of the node', async () => {
    const csr = (signerName: string, request: string) =>
      admit({
        on: 'certificates.k8s.io/certificatesigningrequests',
        object: named('c', { spec: { signerName, request } }),
      });
    expect(await csr('example.com/any', 'xx')).toBe('ok');
    expect(await csr('kubernetes.io/kubelet-serving', 'bm90IGEgcGVt')).toContain(
      'unable to parse csr: PEM block type must be CERTIFICATE REQUEST',
    );
    gates.add('AllowInsecureKubeletCertificateSigningRequests');
    expect(await csr('kubernetes.io/kubelet-serving', 'bm90IGEgcGVt')).toBe('ok');
  });
  it('certificates of the pods that run on it, as they are now', async () => {
    const spec = {
      nodeName: 'a',
      nodeUID: 'uid-node',
      podName: 'p',
      podUID: 'uid-p',
      serviceAccountName: 's',
      serviceAccountUID: 'uid-s',
    };
    const ask = (change: JsonObject = {}) =>
      admit({ on: 'certificates.k8s.io/podcertificaterequests', object: named('r', { spec: { ...spec, ...change } }) });
    expect(await ask({ nodeName: 'b' })).toContain(
      'PodCertificateRequest.Spec.NodeName="b", which is not the requesting node "a"',
    );
    expect(await ask()).toContain(
      '500 Internal error occurred: while retrieving node "a" named in the PodCertificateRequest: node "a" not found',
    );
    objects.put({ group: '', resource: 'nodes' }, named('a', {}, { namespace: undefined, uid: 'uid-node' }));
    expect(await ask()).toContain('while retrieving pod "default/p"');
    objects.put(PODS, pod('p', 'a', { serviceAccountName: 's' }));
    expect(await ask({ serviceAccountName: 't' })).toContain(
      'contains serviceAccountName ("t") that differs from running pod ("s")',
    );
    expect(await ask()).toContain('while retrieving service account "default/s"');
    objects.put({ group: '', resource: 'serviceaccounts' }, named('s', {}, { uid: 'uid-s' }));
    expect(await ask()).toBe('ok');
    expect(await ask({ podUID: 'x' })).toContain('500');
    expect(await ask({ nodeUID: 'x' })).toContain('500');
    expect(await ask({ serviceAccountUID: 'x' })).toContain('500');
    objects.put(PODS, pod('p', 'b', { serviceAccountName: 's' }));
    expect(await ask()).toContain('pod "default/p" is not running on node "a"');
    gates.delete('PodCertificateRequest');
    expect(await ask()).toContain('PodCertificateRequest feature gate is disabled');
  });
});
