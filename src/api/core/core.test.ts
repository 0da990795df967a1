import { describe, expect, it } from 'vitest';
import type { JsonObject, KubeObject } from '../../machinery/json.js';
import { strategyFor } from '../index.js';
import { NOW } from '../recorded.suite.js';
import { create, part, update } from '../strategy.suite.js';

const of = (kind: string, rest: JsonObject = {}) => ({ apiVersion: 'v1', kind, ...rest });
const faultsOf = (body: JsonObject) => create(body).faults;

describe('ConfigMap and Secret', () => {
  it.each(['ConfigMap', 'Secret'])('%s stays as it is once immutable', (kind) => {
    const { obj } = create(of(kind, { data: { k: 'eA==' }, immutable: true }));
    const frozen = (field: string) => `${field}: Forbidden: field is immutable when \`immutable\` is set`;
    expect(update(obj, (o) => Object.assign(o, { data: { k: 'eQ==' } })).faults).toEqual([frozen('data')]);
    expect(update(obj, (o) => delete o.immutable).faults).toEqual([frozen('immutable')]);
    expect(update(obj, (o) => Object.assign(o.metadata, { labels: { a: 'b' } })).faults).toEqual([]);
  });
  it('has keys that can be file names, each once', () => {
    expect(faultsOf(of('ConfigMap', { data: { 'a/b': '' } }))[0]).toMatch(
      /^data\[a\/b\]: Invalid value: "a\/b": a valid config key/,
    );
    expect(faultsOf(of('ConfigMap', { data: { a: 'x' }, binaryData: { a: 'eA==' } }))).toEqual([
      'data[a]: Invalid value: "a": duplicate of key present in binaryData',
    ]);
  });
  it('fits into one write', () => {
    const filled = (bytes: number) => faultsOf(of('ConfigMap', { data: { a: 'x'.repeat(bytes) } }));
    expect(filled(1024 * 1024)).toEqual([]);
    expect(filled(1024 * 1024 + 1)[0]).toMatch(/Too long: may not be more than 1048576 bytes$/);
  });
  it('holds what its type promises', () => {
    const typed = (type: string, data: JsonObject = {}) =>
      faultsOf(of('Secret', { type: `kubernetes.io/${type}`, data }));
    expect(typed('tls')).toEqual(['data[tls.crt]: Required value', 'data[tls.key]: Required value']);
    expect(typed('dockerconfigjson', { '.dockerconfigjson': 'eA==' })[0]).toMatch(
      /^data\[\.dockerconfigjson\]: Invalid value: "<secret contents redacted>"/,
    );
    expect(typed('tls', { 'tls.crt': '', 'tls.key': '' })).toEqual([]);
  });
});

describe('Namespace', () => {
  const { obj } = create(of('Namespace', { spec: { finalizers: ['a.b/c'] } }));
  it('is held by its own finalizers, which only finalize changes', () => {
    expect(obj.spec).toEqual({ finalizers: ['a.b/c', 'kubernetes'] });
    const none = (o: KubeObject) => {
      o.spec = {};
    };
    expect(update(obj, none).obj.spec).toEqual(obj.spec);
    const finalized = update(obj, none, 'finalize').obj;
    const { holdsDeletion } = strategyFor('', 'Namespace');
    expect([holdsDeletion!(obj), holdsDeletion!(finalized)]).toEqual([true, false]);
  });
  it('is found by its name, whoever made that', () => {
    const generated = { metadata: { name: 'made' } } as KubeObject;
    strategyFor('', 'Namespace').canonicalize!(generated);
    expect(generated.metadata.labels).toEqual({ 'kubernetes.io/metadata.name': 'made' });
  });
  it('terminates when it is deleted, and not before', () => {
    const phase = (o: KubeObject) => Object.assign(o, { status: { phase: 'Terminating' } });
    expect(update(obj, phase, 'status').faults).toEqual([
      'status.Phase: Invalid value: "Terminating": may only be \'Active\' if `deletionTimestamp` is empty',
    ]);
    const going = structuredClone(obj);
    going.metadata.deletionTimestamp = NOW;
    strategyFor('', 'Namespace').beginDeletion!(going);
    expect(going.status).toEqual({ phase: 'Terminating' });
  });
});

describe('PersistentVolumeClaim', () => {
  const spec = { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } }, storageClassName: 'a' };
  const bound: KubeObject = {
    ...create(of('PersistentVolumeClaim', { spec })).obj,
    status: { phase: 'Bound', capacity: { storage: '1Gi' } },
  };
  const request = (storage: string) =>
    update(bound, (o) => Object.assign(part(o, 'spec', 'resources', 'requests'), { storage })).faults;
  it('grows', () => {
    expect(request('2Gi')).toEqual([]);
    expect(request('1Mi').join()).toMatch(/field can not be less than/);
  });
  it('is what it was asked to be', () => {
    expect(update(bound, (o) => Object.assign(part(o, 'spec'), { accessModes: ['ReadOnlyMany'] })).faults[0]).toMatch(
      /^spec: Forbidden: spec is immutable after creation except/,
    );
    expect(faultsOf(of('PersistentVolumeClaim', { spec: {} }))).toEqual([
      'spec.accessModes: Required value: at least 1 access mode is required',
      'spec.resources[storage]: Required value',
    ]);
  });
});

describe('PersistentVolume', () => {
  const volume = (spec: JsonObject = {}) =>
    of('PersistentVolume', {
      spec: { capacity: { storage: '1Gi' }, accessModes: ['ReadWriteOnce'], hostPath: { path: '/d' }, ...spec },
    });
  it('has one source', () => {
    expect(faultsOf(volume())).toEqual([]);
    expect(faultsOf(volume({ hostPath: undefined }))).toEqual(['spec: Required value: must specify a volume type']);
    expect(faultsOf(volume({ nfs: { server: 's', path: '/p' } }))).toEqual([
      'spec.nfs: Forbidden: may not specify more than 1 volume type',
    ]);
  });
  it('notes when its phase changed', () => {
    const { obj } = create(volume());
    expect(obj.status).toEqual({ phase: 'Pending', lastPhaseTransitionTime: NOW });
    const set = (status: JsonObject) => update(obj, (o) => Object.assign(o, { status }), 'status').obj.status;
    expect(set({ phase: 'Available' })).toEqual({ phase: 'Available', lastPhaseTransitionTime: NOW });
    const at = '2020-01-01T00:00:00Z';
    expect(set({ phase: 'Bound', lastPhaseTransitionTime: at })).toMatchObject({ lastPhaseTransitionTime: at });
  });
  it('keeps its source', () => {
    const moved = update(create(volume()).obj, (o) => Object.assign(part(o, 'spec'), { hostPath: { path: '/e' } }));
    expect(moved.faults[0]).toMatch(
      /^spec\.persistentvolumesource: Forbidden: .*immutable after creation\n@@ .*\n-.*"\/d".*\n\+.*"\/e"/s,
    );
  });
});

describe('Service', () => {
  const service = (spec: JsonObject) => of('Service', { spec });
  const port = (more: JsonObject = {}) => ({ port: 80, ...more });
  it.each<[string, JsonObject, string]>([
    ['no ports', {}, 'spec.ports: Required value'],
    ['unnamed ports', { ports: [port(), port({ port: 81, name: 'b' })] }, 'spec.ports[0].name: Required value'],
    [
      'a port twice',
      { ports: [port({ name: 'a' }), port({ name: 'b' })] },
      'spec.ports[1]: Duplicate value: {"Name":"","Protocol":"TCP","AppProtocol":null,"Port":80,"TargetPort":0,"NodePort":0}',
    ],
    ['an ExternalName without one', { type: 'ExternalName' }, 'spec.externalName: Required value'],
    [
      'a node port without need',
      { ports: [port({ nodePort: 30000 })] },
      "spec.ports[0].nodePort: Forbidden: may not be used when `type` is 'ClusterIP'",
    ],
    [
      'an unknown affinity',
      { ports: [port()], sessionAffinity: 'Some' },
      'spec.sessionAffinity: Unsupported value: "Some": supported values: "ClientIP", "None"',
    ],
  ])('refuses %s', (_, spec, fault) => {
    expect(faultsOf(service(spec))).toContain(fault);
  });
});

describe('Node', () => {
  it('has each taint once', () => {
    const taint = { key: 'a', effect: 'NoSchedule' };
    expect(faultsOf(of('Node', { spec: { taints: [taint, taint] } }))[0]).toMatch(
      /^metadata\.taints\[1\]: Duplicate value: .*: taints must be unique by key and effect pair$/,
    );
  });
  it('keeps the networks of its pods', () => {
    const { obj } = create(of('Node', { spec: { podCIDR: '10.0.0.0/24' } }));
    expect(obj.spec).toMatchObject({ podCIDRs: ['10.0.0.0/24'] });
    const moved = update(obj, (o) =>
      Object.assign(part(o, 'spec'), { podCIDR: '10.0.1.0/24', podCIDRs: ['10.0.1.0/24'] }),
    );
    expect(moved.faults).toEqual([
      'spec.podCIDRs: Forbidden: node updates may not change podCIDR except from "" to valid',
    ]);
  });
});

describe('others', () => {
  it('ServiceAccounts name secrets and nothing else of them', () => {
    const { obj } = create(of('ServiceAccount', { secrets: [{ name: 's', kind: 'Secret', uid: 'x' }] }));
    expect(obj.secrets).toEqual([{ name: 's' }]);
  });
  it('LimitRanges get a name when they have none', () => {
    const { obj } = create(of('LimitRange', { metadata: { name: '' }, spec: { limits: [] } }));
    expect(obj.metadata.name).toMatch(/^[0-9a-f-]{36}$/);
  });
  it('LimitRanges agree with themselves', () => {
    const limit = (l: JsonObject) => faultsOf(of('LimitRange', { spec: { limits: [{ type: 'Container', ...l }] } }));
    expect(limit({ min: { cpu: '1' }, max: { cpu: '2' } })).toEqual([]);
    expect(limit({ min: { cpu: '2' }, max: { cpu: '1' } }).join()).toMatch(/min value 2 is greater than max value 1/);
  });
  it.each(['constructor', 'hasOwnProperty', 'toString'])('%s is a resource like any other', (name) => {
    const unknown = new RegExp(`\\[${name}\\]: Invalid value: "${name}": must be a standard resource`);
    const limit = { type: 'Container', min: { cpu: '1', [name]: '1' } };
    expect(faultsOf(of('LimitRange', { spec: { limits: [limit] } })).join()).toMatch(unknown);
    const pod = (resources: JsonObject) =>
      faultsOf(of('Pod', { spec: { containers: [{ name: 'c', image: 'i', resources }] } })).join();
    expect(pod({ requests: { [name]: '1' }, limits: { cpu: '1' } })).toMatch(unknown);
    expect(pod({ limits: { [name]: '1' } })).toMatch(unknown);
  });
  it('ResourceQuotas keep their scopes', () => {
    const { obj } = create(of('ResourceQuota', { spec: { scopes: ['BestEffort'], hard: { pods: '1' } } }));
    expect(update(obj, (o) => Object.assign(part(o, 'spec'), { scopes: ['NotBestEffort'] })).faults).toContain(
      'spec.scopes: Invalid value: ["NotBestEffort"]: field is immutable',
    );
  });
  it('ReplicationControllers take any prefix of a name', () => {
    const { name } = { name: 'x' };
    const template = { metadata: { labels: { a: 'b' } }, spec: { containers: [{ name: 'c', image: 'i' }] } };
    const rc = of('ReplicationController', {
      metadata: { name, generateName: 'Not A Name' },
      spec: { selector: { a: 'b' }, template },
    });
    expect(faultsOf(rc)).toEqual([]);
  });
  it('a kind without rules of its own still has metadata', () => {
    expect(
      create({ apiVersion: 'apps/v1', kind: 'ControllerRevision', metadata: { name: 'Bad Name' }, data: {} }).faults[0],
    ).toMatch(/^metadata\.name: Invalid value: "Bad Name"/);
  });
});
