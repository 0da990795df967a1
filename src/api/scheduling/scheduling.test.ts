import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../machinery/json.js';
import { create, part, update } from '../strategy.suite.js';

const CLAIMS = 'DRAWorkloadResourceClaims';

const priorityClass = (name: string, rest: JsonObject = {}) => ({
  apiVersion: 'scheduling.k8s.io/v1',
  kind: 'PriorityClass',
  metadata: { name },
  value: 1,
  ...rest,
});
const podGroup = (spec: JsonObject = {}) => ({
  apiVersion: 'scheduling.k8s.io/v1alpha2',
  kind: 'PodGroup',
  spec: { schedulingPolicy: { basic: {} }, ...spec },
});
const workload = (...podGroupTemplates: JsonObject[]) => ({
  apiVersion: 'scheduling.k8s.io/v1alpha2',
  kind: 'Workload',
  spec: { podGroupTemplates },
});
const claim = (name: string, rest: JsonObject = { resourceClaimName: 'c' }) => ({ name, ...rest });

describe('PriorityClass', () => {
  it.each([
    priorityClass('x', { value: -5, preemptionPolicy: 'Never' }),
    priorityClass('x', { value: 1_000_000_000 }),
    priorityClass('system-node-critical', { value: 2_000_001_000 }),
  ])('accepts %j', (body) => {
    expect(create(body).faults).toEqual([]);
  });
  it.each<[JsonObject, string]>([
    [
      priorityClass('x', { value: 1_000_000_001 }),
      'value: Forbidden: maximum allowed value of a user defined priority is 1000000000',
    ],
    [
      priorityClass('system-x'),
      "metadata.name: Forbidden: priority class names with 'system-' prefix are reserved for system use only. error: system-x is not a known system priority class",
    ],
    [
      priorityClass('system-node-critical'),
      "metadata.name: Forbidden: priority class names with 'system-' prefix are reserved for system use only. error: value of system-node-critical PriorityClass must be 2000001000",
    ],
    [
      priorityClass('x', { preemptionPolicy: 'Sometimes' }),
      'preemptionPolicy: Unsupported value: "Sometimes": supported values: "PreemptLowerPriority", "Never"',
    ],
  ])('refuses %j', (body, fault) => {
    expect(create(body).faults).toEqual([fault]);
  });
  it('keeps its value and whether it preempts', () => {
    const { obj } = create(priorityClass('x'));
    expect(update(obj, (o) => Object.assign(o, { value: 2, preemptionPolicy: 'Never' })).faults).toEqual([
      'value: Forbidden: may not be changed in an update.',
      'preemptionPolicy: Invalid value: "Never": field is immutable',
    ]);
    expect(update(obj, (o) => Object.assign(o, { description: 'd', globalDefault: true })).faults).toEqual([]);
  });
});

describe('PodGroup', () => {
  it.each<JsonObject>([
    {},
    { schedulingPolicy: { gang: { minCount: 2 } }, resourceClaims: [claim('a'), claim('b')] },
    { podGroupTemplateRef: { workload: { workloadName: 'w.x', podGroupTemplateName: 't' } } },
  ])('accepts %j', (spec) => {
    expect(create(podGroup(spec), CLAIMS).faults).toEqual([]);
  });
  it.each<[JsonObject, string]>([
    [{ schedulingPolicy: {} }, 'spec.schedulingPolicy: Invalid value: "": must specify one of: `basic`, `gang`'],
    [
      { schedulingPolicy: { basic: {}, gang: { minCount: 1 } } },
      'spec.schedulingPolicy: Invalid value: "{basic, gang}": must specify exactly one of: `basic`, `gang`',
    ],
    [{ schedulingPolicy: { gang: {} } }, 'spec.schedulingPolicy.gang.minCount: Required value'],
    [
      { schedulingPolicy: { gang: { minCount: -1 } } },
      'spec.schedulingPolicy.gang.minCount: Invalid value: -1: must be greater than or equal to 1',
    ],
    [
      { resourceClaims: [claim('a'), claim('a')] },
      'spec.resourceClaims[1]: Duplicate value: {"name":"a","resourceClaimName":"c"}',
    ],
    [
      { resourceClaims: ['a', 'b', 'c', 'd', 'E'].map((name) => claim(name)) },
      'spec.resourceClaims: Too many: 5: must have at most 4 items',
    ],
    [
      { resourceClaims: [claim('a', {})] },
      'spec.resourceClaims[0]: Invalid value: "": must specify one of: `resourceClaimName`, `resourceClaimTemplateName`',
    ],
  ])('refuses %j', (spec, fault) => {
    expect(create(podGroup(spec), CLAIMS).faults).toEqual([fault]);
  });
  it('never changes', () => {
    const { obj } = create(podGroup());
    const change = update(obj, (o) => Object.assign(part(o, 'spec'), { schedulingPolicy: { gang: { minCount: 1 } } }));
    expect(change.faults).toEqual(['spec.schedulingPolicy: Invalid value: null: field is immutable']);
    expect(update(obj, (o) => Object.assign(o.metadata, { labels: { a: 'b' } })).faults).toEqual([]);
  });
  it('tells of the claims that it has, once each', () => {
    const { obj } = create(podGroup({ resourceClaims: [claim('a'), claim('b')] }), CLAIMS);
    const write = (...names: string[]) =>
      update(
        obj,
        (o) => Object.assign(o, { status: { resourceClaimStatuses: names.map((name) => claim(name)) } }),
        'status',
        CLAIMS,
      ).faults;
    expect(write('a', 'b')).toEqual([]);
    expect(write('c')).toEqual([
      'status.resourceClaimStatuses[0].name: Invalid value: "c": must match the name of an entry in `spec.resourceClaims`',
    ]);
    expect(write('a', 'a')).toEqual([
      'status.resourceClaimStatuses[1]: Duplicate value: {"name":"a","resourceClaimName":"c"}',
    ]);
  });
});

describe('Workload', () => {
  const template = (name: string, rest: JsonObject = {}) => ({ name, schedulingPolicy: { basic: {} }, ...rest });
  it('consists of templates', () => {
    expect(create(workload(template('a'), template('b'))).faults).toEqual([]);
    expect(create(workload()).faults).toEqual(['spec.podGroupTemplates: Required value']);
    expect(create(workload(template('a'), template('a'))).faults).toEqual([
      expect.stringMatching(/^spec\.podGroupTemplates\[1\]: Duplicate value: \{"name":"a"/),
    ]);
    expect(create(workload(...[...'abcdefghi'].map((name) => template(name)))).faults).toEqual([
      'spec.podGroupTemplates: Too many: 9: must have at most 8 items',
    ]);
    expect(create(workload(template('A'))).faults[0]).toMatch(
      /^spec\.podGroupTemplates\[0\]\.name: Invalid value: "A"/,
    );
  });
  it('never changes', () => {
    const { obj } = create(workload(template('a')));
    const controllerRef = { kind: 'Job', name: 'j' };
    expect(update(obj, (o) => Object.assign(part(o, 'spec'), { controllerRef })).faults).toEqual([
      'spec.controllerRef: Invalid value: null: field is immutable',
    ]);
  });
});
