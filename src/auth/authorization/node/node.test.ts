import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import type { JsonObject, KubeObject } from '../../../machinery/json.js';
import type { Attributes } from '../../contract.js';
import { MemoryFeed } from '../memory-feed.suite.js';
import { ask, user } from '../rbac/rbac.suite.js';
import { NodeAuthorizer } from './authorizer.js';
import { NodeGraph } from './graph.js';
import { nodeIdentity } from './identity.js';

const PODS = { group: '', resource: 'pods' };
const PVS = { group: '', resource: 'persistentvolumes' };
const node = (name: string) => user(`system:node:${name}`, 'system:nodes', 'system:authenticated');
const [a, b] = [node('a'), node('b')];

let feed: MemoryFeed;
let graph: NodeGraph;
let authorizer: NodeAuthorizer;
beforeEach(async () => {
  feed = new MemoryFeed();
  graph = new NodeGraph();
  await graph.follow(feed, { podCertificateRequests: true });
  authorizer = new NodeAuthorizer(graph, { podCertificateRequests: true });
});
const reason = (attributes: Attributes): string => {
  const decision = authorizer.authorize(attributes);
  return decision.verdict === 'Allow' ? 'Allow' : decision.reason;
};
const allows = (attributes: Attributes) => reason(attributes) === 'Allow';

const pod = (name: string, nodeName: string, spec: JsonObject = {}, more: Partial<KubeObject> = {}): KubeObject => ({
  metadata: { namespace: 'default', name, uid: `uid-${name}` },
  spec: { nodeName, ...spec },
  ...more,
});
const secretVolume = (name: string) => ({ volumes: [{ name: 'v', secret: { secretName: name } }] });
const getSecret = (who = a, name = 's', namespace = 'default') => ask(who, 'get', 'secrets', { name, namespace });

describe('who is a node', () => {
  it.each([
    ['system:node:a', ['system:nodes'], 'a'],
    ['system:node:', ['system:nodes'], ''],
    ['system:node:a', ['system:node'], undefined],
    ['system:node:a', [], undefined],
    ['system:nodes:a', ['system:nodes'], undefined],
    ['System:node:a', ['system:nodes'], undefined],
    ['a', ['system:nodes'], undefined],
  ])('%s in %j', (name, groups, expected) => {
    expect(nodeIdentity({ name, groups })).toBe(expected);
  });
});

describe('rights follow the pod', () => {
  it('from binding to the end, on the node it is bound to, for what it names', () => {
    feed.put(PODS, pod('p', '', secretVolume('s')));
    expect(allows(getSecret())).toBe(false);
    feed.put(PODS, pod('p', 'a', secretVolume('s')));
    expect(allows(getSecret())).toBe(true);
    expect(allows(getSecret(b))).toBe(false);
    expect(allows(getSecret(a, 's2'))).toBe(false);
    expect(allows(getSecret(a, 's', 'other'))).toBe(false);
    expect(reason(getSecret(b))).toBe("no relationship found between node 'b' and this object");
    feed.remove(PODS, 'default', 'p');
    expect(allows(getSecret())).toBe(false);
    feed.put(PODS, pod('p', 'b', secretVolume('s')));
    expect([allows(getSecret(a)), allows(getSecret(b))]).toEqual([false, true]);
  });

  it('as long as one of several pods is there', () => {
    feed.put(PODS, pod('p', 'a', secretVolume('s')));
    feed.put(PODS, pod('q', 'a', secretVolume('s')));
    feed.remove(PODS, 'default', 'p');
    expect(allows(getSecret())).toBe(true);
    feed.remove(PODS, 'default', 'q');
    expect(allows(getSecret())).toBe(false);
  });

  it('a pod of the same name with other references takes the old rights with it', () => {
    feed.put(PODS, pod('p', 'a', secretVolume('s')));
    feed.put(PODS, { ...pod('p', 'a', secretVolume('t')), metadata: { namespace: 'default', name: 'p', uid: 'new' } });
    expect(allows(getSecret())).toBe(false);
    expect(allows(getSecret(a, 't'))).toBe(true);
  });

  it('a mirror pod gives the right to itself alone', () => {
    const annotations = { 'kubernetes.io/config.mirror': 'x' };
    const mirror = pod('p', 'a', { ...secretVolume('s'), serviceAccountName: 'sa' });
    feed.put(PODS, { ...mirror, metadata: { ...mirror.metadata, annotations } });
    expect(allows(getSecret())).toBe(false);
    expect(allows(ask(a, 'get', 'serviceaccounts', { name: 'sa' }))).toBe(false);
    expect(allows(ask(a, 'get', 'pods', { name: 'p' }))).toBe(true);
  });

  it('ephemeral containers and generated claims add to them', () => {
    const p = pod('p', 'a', { resourceClaims: [{ name: 'r', resourceClaimTemplateName: 't' }] });
    const claim = (name: string, who = a) => ask(who, 'get', 'resourceclaims', { group: 'resource.k8s.io', name });
    feed.put(PODS, p);
    expect(allows(claim('generated'))).toBe(false);
    const status = { resourceClaimStatuses: [{ name: 'r', resourceClaimName: 'generated' }] };
    feed.put(PODS, { ...p, status });
    expect([allows(claim('generated')), allows(claim('t')), allows(claim('generated', b))]).toEqual([
      true,
      false,
      false,
    ]);
    feed.put(PODS, { ...p, status: { ...status, extendedResourceClaimStatus: { resourceClaimName: 'ext' } } });
    expect(allows(claim('ext'))).toBe(true);
    const debug = { name: 'e', envFrom: [{ configMapRef: { name: 'cm' } }] };
    const spec = { ...(p.spec as JsonObject), ephemeralContainers: [debug] };
    feed.put(PODS, { ...p, spec, status });
    expect(allows(ask(a, 'get', 'configmaps', { name: 'cm' }))).toBe(true);
    expect(allows(claim('ext'))).toBe(false);
  });

  it('reach through claims to volumes and the secrets that kubelets may see', () => {
    const csi = (field: string) => ({ csi: { [field]: { name: field, namespace: 'vault' } } });
    const volume = (source: JsonObject, claim = 'c'): KubeObject => ({
      metadata: { name: 'pv' },
      spec: { claimRef: { namespace: 'default', name: claim }, ...source },
    });
    const getPv = (who = a) => ask(who, 'get', 'persistentvolumes', { name: 'pv', namespace: '' });
    feed.put(PVS, volume(csi('nodeStageSecretRef')));
    expect(allows(getPv())).toBe(false);
    feed.put(PODS, pod('p', 'a', { volumes: [{ name: 'v', persistentVolumeClaim: { claimName: 'c' } }] }));
    expect(allows(ask(a, 'get', 'persistentvolumeclaims', { name: 'c' }))).toBe(true);
    expect([allows(getPv()), allows(getPv(b))]).toEqual([true, false]);
    expect(allows(getSecret(a, 'nodeStageSecretRef', 'vault'))).toBe(true);
    feed.put(PVS, volume(csi('controllerPublishSecretRef')));
    expect(allows(getSecret(a, 'nodeStageSecretRef', 'vault'))).toBe(false);
    expect(allows(getSecret(a, 'controllerPublishSecretRef', 'vault'))).toBe(false);
    feed.put(PVS, volume({ rbd: { secretRef: { name: 'r' } } }));
    expect(allows(getSecret(a, 'r', 'default'))).toBe(true);
    feed.put(PVS, volume({ rbd: { secretRef: { name: 'r' } } }, 'other'));
    expect([allows(getPv()), allows(getSecret(a, 'r', 'default'))]).toEqual([false, false]);
    feed.put(PVS, volume({ azureFile: { secretName: 'az', secretNamespace: 'x' } }));
    expect([allows(getPv()), allows(getSecret(a, 'az', 'x'))]).toEqual([true, true]);
    feed.remove(PODS, 'default', 'p');
    expect([allows(getPv()), allows(getSecret(a, 'az', 'x'))]).toEqual([false, false]);
  });

  it('is the same after any history as for a graph made anew', async () => {
    const name = fc.constantFrom('x', 'y', 'z');
    const nodeName = fc.constantFrom('', 'a', 'b');
    const operation = fc.record({
      kind: fc.constantFrom('pod', 'pod', 'pv', 'slice', 'removePod', 'removePv', 'removeSlice'),
      name,
      nodeName,
      secret: name,
      claim: name,
      uid: fc.constantFrom('1', '2'),
    });
    const slices = { group: 'resource.k8s.io', resource: 'resourceslices' };
    await fc.assert(
      fc.asyncProperty(fc.array(operation, { maxLength: 40 }), async (operations) => {
        const history = new MemoryFeed();
        const followed = new NodeGraph();
        await followed.follow(history);
        for (const o of operations) {
          if (o.kind === 'pod') {
            const volumes = [{ secret: { secretName: o.secret } }, { persistentVolumeClaim: { claimName: o.claim } }];
            const old = history.get(PODS, 'n', o.name);
            // A pod's references never change while it lives; a new one has a new uid.
            const spec =
              old && old.metadata.uid === o.uid ? (old.spec as JsonObject) : { volumes, nodeName: o.nodeName };
            history.put(PODS, { metadata: { namespace: 'n', name: o.name, uid: o.uid }, spec });
          }
          if (o.kind === 'pv') {
            const claimRef = o.uid === '1' ? { namespace: 'n', name: o.claim } : undefined;
            const spec = { claimRef, csi: { nodePublishSecretRef: { namespace: 'n', name: o.secret } } };
            history.put(PVS, { metadata: { name: o.name }, spec });
          }
          if (o.kind === 'slice') history.put(slices, { metadata: { name: o.name }, spec: { nodeName: o.nodeName } });
          if (o.kind === 'removePod') history.remove(PODS, 'n', o.name);
          if (o.kind === 'removePv') history.remove(PVS, '', o.name);
          if (o.kind === 'removeSlice') history.remove(slices, '', o.name);
        }
        const fresh = new NodeGraph();
        await fresh.follow(history);
        for (const n of ['a', 'b']) {
          for (const object of ['x', 'y', 'z']) {
            for (const [kind, ns] of [
              ['pod', 'n'],
              ['secret', 'n'],
              ['pvc', 'n'],
              ['pv', ''],
              ['resourceslice', ''],
            ] as const) {
              expect(followed.related(n, kind, ns, object), `${n} ${kind} ${object}`).toBe(
                fresh.related(n, kind, ns, object),
              );
            }
          }
        }
      }),
      { numRuns: 200 },
    );
  });
});

describe('what a node may ask for', () => {
  beforeEach(() => {
    feed.put(PODS, pod('p', 'a', { ...secretVolume('s'), serviceAccountName: 'sa' }));
    feed.put(
      { group: 'storage.k8s.io', resource: 'volumeattachments' },
      { metadata: { name: 'va' }, spec: { nodeName: 'a' } },
    );
    feed.put(
      { group: 'resource.k8s.io', resource: 'resourceslices' },
      { metadata: { name: 'sl' }, spec: { nodeName: 'a' } },
    );
    feed.put(
      { group: 'certificates.k8s.io', resource: 'podcertificaterequests' },
      { metadata: { namespace: 'default', name: 'pcr' }, spec: { nodeName: 'a' } },
    );
  });
  const VERBS = ['get', 'list', 'watch', 'create', 'update', 'patch', 'delete', 'deletecollection', 'escalate', '*'];
  // group, resource/subresource, namespace, name → verbs that node a may use. Node b, a node without a name and others: none of the related ones.
  const table: [string, string, string, string, string[]][] = [
    ['', 'secrets', 'default', 's', ['get', 'list', 'watch']],
    ['', 'secrets', '', 's', []],
    ['', 'secrets', 'default', '', []],
    ['', 'secrets/status', 'default', 's', []],
    ['', 'configmaps', 'default', 's', []],
    ['', 'serviceaccounts', 'default', 'sa', ['get']],
    ['', 'serviceaccounts/token', 'default', 'sa', ['create']],
    ['', 'serviceaccounts/token', 'default', '', []],
    ['', 'serviceaccounts/token', 'default', 'other', []],
    ['', 'pods', 'default', 'p', ['get', 'list', 'watch', 'create', 'delete']],
    ['', 'pods', 'default', 'q', ['create', 'delete']],
    ['', 'pods/status', 'default', 'p', ['update', 'patch']],
    ['', 'pods/eviction', 'default', 'p', ['create']],
    ['', 'pods/exec', 'default', 'p', []],
    ['', 'pods/log', 'default', 'p', []],
    ['', 'pods/binding', 'default', 'p', []],
    ['', 'nodes', '', 'a', ['get', 'list', 'watch', 'create', 'update', 'patch']],
    ['', 'nodes', '', 'b', ['create', 'update', 'patch']],
    ['', 'nodes', '', '', ['create', 'update', 'patch']],
    ['', 'nodes/status', '', 'a', ['update', 'patch']],
    ['', 'nodes/proxy', '', 'a', []],
    ['', 'persistentvolumes', '', 'pv', []],
    ['', 'namespaces', '', 'default', []],
    ['', 'services', 'default', '', ['get', 'list', 'watch']],
    ['', 'endpoints', 'default', 'e', ['get']],
    ['', 'events', 'default', '', ['create', 'update', 'patch']],
    ['events.k8s.io', 'events', 'default', '', ['create', 'update', 'patch']],
    ['apps', 'deployments', 'default', 'd', []],
    ['rbac.authorization.k8s.io', 'clusterroles', '', 'x', []],
    ['coordination.k8s.io', 'leases', 'kube-node-lease', 'a', ['get', 'create', 'update', 'patch', 'delete']],
    ['coordination.k8s.io', 'leases', 'kube-node-lease', 'b', ['create']],
    ['coordination.k8s.io', 'leases', 'kube-system', 'a', []],
    ['storage.k8s.io', 'csinodes', '', 'a', ['get', 'create', 'update', 'patch', 'delete']],
    ['storage.k8s.io', 'csinodes', '', 'b', ['create']],
    ['storage.k8s.io', 'csinodes/status', '', 'a', []],
    ['storage.k8s.io', 'volumeattachments', '', 'va', ['get']],
    ['storage.k8s.io', 'csidrivers', '', '', ['get', 'list', 'watch']],
    ['resource.k8s.io', 'resourceslices', '', 'sl', ['get', 'create', 'update', 'patch', 'delete']],
    ['resource.k8s.io', 'resourceslices', '', 'other', ['create']],
    ['resource.k8s.io', 'resourceslices/status', '', 'sl', []],
    ['resource.k8s.io', 'deviceclasses', '', 'x', []],
    ['certificates.k8s.io', 'certificatesigningrequests', '', '', ['get', 'list', 'watch', 'create']],
    ['certificates.k8s.io', 'certificatesigningrequests/approval', '', 'x', []],
    ['certificates.k8s.io', 'podcertificaterequests', 'default', 'pcr', ['get', 'create']],
    ['certificates.k8s.io', 'podcertificaterequests/status', 'default', 'pcr', []],
    ['example.com', 'pods', 'default', 'p', []],
  ];
  const RELATED = new Set(['s', 'sa', 'p', 'va', 'sl', 'pcr']);

  it.each(table)('%s %s in "%s" named "%s"', (group, what, namespace, name, verbs) => {
    const nobodies = [user('system:node:', 'system:nodes'), user('system:node:a'), user('u', 'system:nodes')];
    for (const verb of VERBS) {
      const request = (who = a) => ask(who, verb, what, { group, namespace, name });
      expect(allows(request()), verb).toBe(verbs.includes(verb));
      for (const other of nobodies) expect(allows(request(other)), `${verb} by ${other.name}`).toBe(false);
      const reads = ['get', 'list', 'watch', 'update', 'patch', 'delete'].includes(verb);
      const ofA = RELATED.has(name) && reads && !what.includes('/') && what !== 'pods';
      if (ofA) expect(allows(request(b)), `${verb} by b`).toBe(false);
    }
  });

  it.each([
    ['pods', '', 'can only list/watch pods with spec.nodeName field selector'],
    [
      'resourceslices',
      'resource.k8s.io',
      'can only list/watch/deletecollection resourceslices with nodeName field selector',
    ],
    [
      'podcertificaterequests',
      'certificates.k8s.io',
      'can only list/watch podcertificaterequests with nodeName field selector',
    ],
  ])('lists of %s are narrowed to the own node', (resource, group, refusal) => {
    for (const verb of ['list', 'watch']) {
      const list = (fieldSelector: string) => reason(ask(a, verb, resource, { group, namespace: '', fieldSelector }));
      expect(list('spec.nodeName=a')).toBe('Allow');
      expect(list('status.phase=Running,spec.nodeName==a')).toBe('Allow');
      for (const broad of [
        '',
        'spec.nodeName=b',
        'spec.nodeName!=b',
        'spec.nodeName=',
        'nodeName=a',
        'nonsense,',
        'spec.nodeName=a\\',
      ]) {
        expect(list(broad), broad).toBe(refusal);
      }
    }
  });

  it('tells why not, in the words of kube-apiserver', () => {
    expect(reason(ask(user('system:node:', 'system:nodes'), 'get', 'pods'))).toBe(
      'unknown node for user "system:node:"',
    );
    expect(reason(ask(a, 'update', 'secrets', { name: 's' }))).toBe('can only read resources of this type');
    expect(reason(ask(a, 'get', 'secrets/x', { name: 's' }))).toBe('cannot read subresource');
    expect(reason(ask(a, 'list', 'persistentvolumeclaims'))).toBe('can only get individual resources of this type');
    expect(reason(ask(a, 'get', 'persistentvolumeclaims/status', { name: 'c' }))).toBe(
      'can only get/update/patch this type',
    );
    expect(reason(ask(a, 'get', 'nodes', { name: 'b', namespace: '' }))).toBe(
      "node 'a' cannot read 'b', only its own Node object",
    );
    expect(reason(ask(a, 'list', 'nodes', { namespace: '' }))).toBe(
      "node 'a' cannot read all nodes, only its own Node object",
    );
    expect(reason(ask(a, 'get', 'secrets'))).toBe('No Object name found');
  });

  it('does not list its rights, and says so', () => {
    expect(authorizer.rulesFor(a)).toMatchObject({
      incomplete: true,
      errors: ['node authorizer does not support user rule resolution'],
    });
    expect(authorizer.rulesFor(user('u'))).toMatchObject({ incomplete: false, errors: [] });
  });
});
