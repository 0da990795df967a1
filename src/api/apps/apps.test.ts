import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../machinery/json.js';
import { create, part, update } from '../strategy.suite.js';

const template = { metadata: { labels: { app: 'a' } }, spec: { containers: [{ name: 'c', image: 'i' }] } };
const make =
  (kind: string) =>
  (spec: JsonObject = {}) => ({
    apiVersion: 'apps/v1',
    kind,
    spec: { selector: { matchLabels: { app: 'a' } }, template, ...spec },
  });
const deployment = make('Deployment');
const daemonSet = make('DaemonSet');
const statefulSet = make('StatefulSet');
const rolling = (rollingUpdate: JsonObject) => ({ type: 'RollingUpdate', rollingUpdate });

describe.each(['Deployment', 'ReplicaSet', 'DaemonSet', 'StatefulSet'])('%s', (kind) => {
  const of = make(kind);
  it('finds the pods of its template', () => {
    expect(create(of()).faults).toEqual([]);
    expect(create(of({ selector: undefined })).faults).toEqual([
      ...(kind === 'DaemonSet' ? [] : ['spec.selector: Required value']),
      'spec.template.metadata.labels: Invalid value: {"app":"a"}: `selector` does not match template `labels`',
    ]);
    expect(create(of({ selector: { matchLabels: { app: 'b' } } })).faults).toEqual([
      'spec.template.metadata.labels: Invalid value: {"app":"a"}: `selector` does not match template `labels`',
    ]);
    expect(create(of({ selector: {} })).faults[0]).toMatch(
      /^spec\.selector: Invalid value: {}: empty selector is invalid/,
    );
  });
  it('matches by expressions', () => {
    const by = (e: JsonObject) => create(of({ selector: { matchExpressions: [{ key: 'app', ...e }] } })).faults.length;
    expect([by({ operator: 'Exists' }), by({ operator: 'In', values: ['a'] })]).toEqual([0, 0]);
    expect([by({ operator: 'NotIn', values: ['a'] }), by({ operator: 'DoesNotExist' })]).toEqual([1, 1]);
    expect(by({ operator: 'Near' })).toBeGreaterThan(0);
  });
  it('runs pods that never end', () => {
    const spec = { ...template.spec, restartPolicy: 'Never' };
    expect(create(of({ template: { ...template, spec } })).faults).toEqual([
      'spec.template.spec.restartPolicy: Unsupported value: "Never": supported values: "Always"',
    ]);
  });
  it('counts changes of its spec', () => {
    const { obj } = create(of());
    expect(obj.metadata.generation).toBe(1);
    const relabelled = update(obj, (o) => Object.assign(o.metadata, { labels: { a: 'b' } })).obj;
    expect(relabelled.metadata.generation).toBe(1);
    const changed = update(obj, (o) => Object.assign(part(o, 'spec'), { minReadySeconds: 5 })).obj;
    expect(changed.metadata.generation).toBe(2);
    expect(update(obj, (o) => Object.assign(o, { status: { observedGeneration: 7 } })).obj.status).toEqual(obj.status);
  });
  it('keeps its selector', () => {
    const { faults } = update(create(of()).obj, (o) => {
      part(o, 'spec').selector = { matchLabels: { app: 'a', b: 'c' } };
      part(o, 'spec', 'template', 'metadata').labels = { app: 'a', b: 'c' };
    });
    expect(faults).toHaveLength(1);
    expect(faults[0]).toMatch(
      kind === 'StatefulSet' ? /^spec: Forbidden: updates to statefulset spec/ : /field is immutable$/,
    );
  });
});

describe('Deployment', () => {
  it.each<[JsonObject, string]>([
    [{ replicas: -1 }, 'spec.replicas: Invalid value: -1: must be greater than or equal to 0'],
    [
      { strategy: { type: 'Recreate', rollingUpdate: { maxSurge: 1 } } },
      "spec.strategy.rollingUpdate: Forbidden: may not be specified when strategy `type` is 'Recreate'",
    ],
    [
      { strategy: rolling({ maxSurge: 0, maxUnavailable: 0 }) },
      'spec.strategy.rollingUpdate.maxUnavailable: Invalid value: 0: may not be 0 when `maxSurge` is 0',
    ],
    [
      { strategy: rolling({ maxUnavailable: '101%' }) },
      'spec.strategy.rollingUpdate.maxUnavailable: Invalid value: "101%": must not be greater than 100%',
    ],
    [
      { minReadySeconds: 10, progressDeadlineSeconds: 10 },
      'spec.progressDeadlineSeconds: Invalid value: 10: must be greater than minReadySeconds',
    ],
  ])('refuses %j', (spec, fault) => {
    expect(create(deployment(spec)).faults).toEqual([fault]);
  });
  it('reports counts that agree', () => {
    const { obj } = create(deployment());
    const report = (status: JsonObject) => update(obj, (o) => Object.assign(o, { status }), 'status').faults;
    expect(report({ replicas: 2, readyReplicas: 2, availableReplicas: 1, collisionCount: 1 })).toEqual([]);
    expect(report({ replicas: 1, availableReplicas: 2 })).toEqual([
      'status.availableReplicas: Invalid value: 2: cannot be greater than status.replicas',
      'status.availableReplicas: Invalid value: 2: cannot be greater than readyReplicas',
    ]);
    const counted = update(obj, (o) => Object.assign(o, { status: { collisionCount: 2 } }), 'status').obj;
    expect(update(counted, (o) => Object.assign(o, { status: { collisionCount: 1 } }), 'status').faults).toEqual([
      'status.collisionCount: Invalid value: 1: cannot be decremented',
    ]);
  });
  it('warns of names that make no hostnames', () => {
    const named = (name: string) => create({ ...deployment(), metadata: { name } }).warnings;
    expect(named('x')).toEqual([]);
    expect(named('a.b')[0]).toMatch(/^metadata\.name: this is used in Pod names and hostnames/);
  });
});

describe('DaemonSet', () => {
  const generation = (o: JsonObject) => part(o, 'metadata', 'annotations')['deprecated.daemonset.template.generation'];
  it('counts changes of its template in an annotation', () => {
    const { obj } = create(daemonSet());
    expect(generation(obj)).toBe('1');
    const image = update(obj, (o) => {
      part(o, 'spec', 'template', 'spec', 'containers', 0).image = 'j';
    }).obj;
    expect(generation(image)).toBe('2');
    expect(generation(update(obj, (o) => delete o.metadata.annotations).obj)).toBe('1');
    expect(generation(update(obj, (o) => delete o.metadata.annotations, 'status').obj)).toBe('1');
  });
  it.each<[JsonObject, string]>([
    [{ maxSurge: 1, maxUnavailable: 1 }, 'maxSurge: Invalid value: 1: may not be set when maxUnavailable is non-zero'],
    [{ maxUnavailable: 0 }, 'maxUnavailable: Required value: cannot be 0 when maxSurge is 0'],
  ])('refuses %j', (update, fault) => {
    expect(create(daemonSet({ updateStrategy: rolling(update) })).faults).toEqual([
      `spec.updateStrategy.rollingUpdate.${fault}`,
    ]);
  });
});

describe('StatefulSet', () => {
  const claim = (name: string, spec: JsonObject = {}) => ({
    metadata: { name },
    spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } }, ...spec },
  });
  const mounting = (name: string) => ({
    ...template,
    spec: { containers: [{ name: 'c', image: 'i', volumeMounts: [{ name, mountPath: '/d' }] }] },
  });
  it('mounts its claims', () => {
    const spec = { serviceName: 's', volumeClaimTemplates: [claim('data')], template: mounting('data') };
    const { obj, faults } = create(statefulSet(spec));
    expect(faults).toEqual([]);
    expect(part(obj, 'spec', 'volumeClaimTemplates', 0)).toMatchObject({
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
    });
    expect(create(statefulSet({ template: mounting('data') })).faults).toEqual([
      'spec.template.spec.containers[0].volumeMounts[0].name: Not found: "data"',
    ]);
  });
  it.each<[JsonObject, string]>([
    [{ serviceName: 'A_' }, 'spec.serviceName: Invalid value: "A_"'],
    [
      { podManagementPolicy: 'Random' },
      "spec.podManagementPolicy: Invalid value: \"Random\": must be 'OrderedReady' or 'Parallel'",
    ],
    [{ ordinals: { start: -1 } }, 'spec.ordinals.start: Invalid value: -1'],
    [
      { volumeClaimTemplates: [claim('d', { accessModes: [] })] },
      'spec.volumeClaimTemplates[0].spec.accessModes: Required value',
    ],
    [
      { updateStrategy: { type: 'OnDelete', rollingUpdate: {} } },
      'spec.updateStrategy.rollingUpdate: Invalid value: {"Partition":',
    ],
  ])('refuses %j', (spec, fault) => {
    const { faults } = create(statefulSet(spec));
    expect(faults).toHaveLength(1);
    expect(faults[0]!.slice(0, fault.length)).toBe(fault);
  });
});

describe('ControllerRevision', () => {
  const revision = (more: JsonObject) => ({ apiVersion: 'apps/v1', kind: 'ControllerRevision', ...more });
  it('holds an object that never changes', () => {
    const { obj, faults } = create(revision({ data: { a: 1 }, revision: 1 }));
    expect(faults).toEqual([]);
    expect(update(obj, (o) => Object.assign(o, { revision: 2 })).faults).toEqual([]);
    expect(update(obj, (o) => Object.assign(o, { data: { a: 2 } })).faults).toEqual([
      'data: Invalid value: {"a":2}: field is immutable',
    ]);
    expect(create(revision({ revision: -1 })).faults).toEqual([
      'data: Required value: data is mandatory',
      'revision: Invalid value: -1: must be greater than or equal to 0',
    ]);
    expect(create(revision({ data: 'x' })).faults).toEqual(['data: Required value: data must be a valid JSON object']);
  });
});
