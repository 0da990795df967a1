import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../machinery/json.js';
import { before, row } from './printers.suite.js';

type Case = [what: string, parts: JsonObject, cells: JsonObject, metadata?: JsonObject];
/** Only the columns named are compared. */
const check = (group: string, kind: string, cases: Case[]) =>
  describe(kind, () => {
    it.each(cases)('%s', (_, parts, cells, metadata) => {
      expect(row(group, kind, parts, metadata)).toMatchObject(cells);
    });
  });

const template = {
  spec: {
    containers: [
      { name: 'a', image: 'i:1' },
      { name: 'b', image: 'i:2' },
    ],
  },
};
const selector = {
  matchLabels: { z: '1' },
  matchExpressions: [
    { key: 'a', operator: 'In', values: ['y', 'x'] },
    { key: 'q', operator: 'DoesNotExist' },
  ],
};
const selected = 'a in (x,y),!q,z=1';
const wrong = { matchExpressions: [{ key: 'a', operator: 'Sometimes' }] };

check('apps', 'Deployment', [
  [
    'on its way',
    {
      spec: { replicas: 3, selector, template },
      status: { readyReplicas: 1, updatedReplicas: 2, availableReplicas: 1 },
    },
    { Ready: '1/3', 'Up-to-date': 2, Available: 1, Containers: 'a,b', Images: 'i:1,i:2', Selector: selected },
  ],
  ['new', { spec: { replicas: 1, selector: {} } }, { Ready: '0/1', 'Up-to-date': 0, Available: 0, Selector: '' }],
  ['no selector', { spec: {} }, { Ready: '0/0', Selector: '' }],
  ['a selector that is none', { spec: { selector: wrong } }, { Selector: '<invalid>' }],
]);
check('apps', 'ReplicaSet', [
  [
    'on its way',
    { spec: { replicas: 3, selector, template }, status: { replicas: 2, readyReplicas: 1 } },
    { Desired: 3, Current: 2, Ready: 1, Images: 'i:1,i:2', Selector: selected },
  ],
  ['selects all', { spec: { selector: {} } }, { Desired: 0, Selector: '<none>' }],
  ['a selector that is none', { spec: { selector: wrong } }, { Selector: '<error>' }],
]);
check('apps', 'StatefulSet', [
  [
    'on its way',
    { spec: { replicas: 3, template }, status: { readyReplicas: 2 } },
    { Ready: '2/3', Containers: 'a,b' },
  ],
  ['empty', {}, { Ready: '0/0', Containers: '' }],
]);
check('apps', 'DaemonSet', [
  [
    'on its way',
    {
      spec: { selector, template: { spec: { ...template.spec, nodeSelector: { disk: 'ssd', arch: 'x' } } } },
      status: {
        desiredNumberScheduled: 5,
        currentNumberScheduled: 4,
        numberReady: 3,
        updatedNumberScheduled: 2,
        numberAvailable: 1,
      },
    },
    {
      Desired: 5,
      Current: 4,
      Ready: 3,
      'Up-to-date': 2,
      Available: 1,
      'Node Selector': 'arch=x,disk=ssd',
      Selector: selected,
    },
  ],
  ['empty', {}, { Desired: 0, 'Node Selector': '<none>', Selector: '<none>' }],
]);

const owner = (more: JsonObject): JsonObject => ({
  ownerReferences: [
    { apiVersion: 'v1', kind: 'Pod', name: 'other' },
    { apiVersion: 'apps/v1', kind: 'DaemonSet', name: 'ds', ...more },
  ],
});
check('apps', 'ControllerRevision', [
  ['controlled', { revision: 4 }, { Controller: 'daemonset.apps/ds', Revision: 4 }, owner({ controller: true })],
  [
    'controlled from the core group',
    { revision: 9007199254740993n },
    { Controller: 'pod/ds', Revision: 9007199254740993n },
    owner({ apiVersion: 'v1', kind: 'Pod', controller: true }),
  ],
  ['only owned', {}, { Controller: '<none>', Revision: 0 }, owner({ controller: false })],
]);

const conditions = (...types: string[]): JsonObject => ({
  conditions: types.map((type) =>
    type.startsWith('!') ? { type: type.slice(1), status: 'False' } : { type, status: 'True' },
  ),
});
const dying = { deletionTimestamp: before(1) };
check('batch', 'Job', [
  [
    'running',
    { spec: { completions: 5, selector, template }, status: { succeeded: 2, startTime: before(130) } },
    { Status: 'Running', Completions: '2/5', Duration: '2m10s', Images: 'i:1,i:2', Selector: selected },
  ],
  [
    'complete',
    {
      spec: { completions: 1 },
      status: { ...conditions('Complete'), succeeded: 1, startTime: before(900), completionTime: before(895) },
    },
    { Status: 'Complete', Completions: '1/1', Duration: '5s' },
  ],
  ['not started, any number will do', { spec: { parallelism: 3 } }, { Completions: '0/1 of 3', Duration: '' }],
  ['one at a time', { spec: { parallelism: 1 } }, { Completions: '0/1' }],
  ['zero completions', { spec: { completions: 0, parallelism: 3 } }, { Completions: '0/0' }],
  [
    'failed, whatever else holds',
    { status: conditions('Suspended', 'FailureTarget', 'Failed') },
    { Status: 'Failed' },
    dying,
  ],
  ['being deleted', { status: conditions('Suspended', '!Complete') }, { Status: 'Terminating' }, dying],
  ['suspended', { status: conditions('FailureTarget', 'Suspended') }, { Status: 'Suspended' }],
  ['about to fail', { status: conditions('!Suspended', 'FailureTarget') }, { Status: 'FailureTarget' }],
  ['about to succeed', { status: conditions('SuccessCriteriaMet') }, { Status: 'SuccessCriteriaMet' }],
  [
    'ended before it began',
    { status: { startTime: before(1), completionTime: before(60) } },
    { Duration: '<invalid>' },
  ],
]);
check('batch', 'CronJob', [
  [
    'scheduled',
    {
      spec: {
        schedule: '0 1 * * *',
        timeZone: 'Etc/UTC',
        suspend: true,
        jobTemplate: { spec: { selector, template } },
      },
      status: { active: [{}, {}], lastScheduleTime: before(3600) },
    },
    {
      Schedule: '0 1 * * *',
      Timezone: 'Etc/UTC',
      Suspend: 'True',
      Active: 2,
      'Last Schedule': '60m',
      Containers: 'a,b',
      Selector: selected,
    },
  ],
  [
    'never run',
    { spec: { schedule: '@daily', suspend: false }, status: { lastScheduleTime: null } },
    { Timezone: '<none>', Suspend: 'False', Active: 0, 'Last Schedule': '<none>', Selector: '<none>' },
  ],
  ['nothing said', { spec: {} }, { Suspend: '<unset>' }],
]);

const hpa = (metrics: JsonObject[], currentMetrics: JsonObject[] = []): JsonObject => ({
  spec: { metrics },
  status: { currentMetrics },
});
const metric = (type: string, target: JsonObject, name = 'cpu'): JsonObject => {
  const field = type[0]!.toLowerCase() + type.slice(1);
  return { type, [field]: { name, target } };
};
const current = (type: string, value: JsonObject): JsonObject => ({
  type,
  [type[0]!.toLowerCase() + type.slice(1)]: { current: value },
});
check('autoscaling', 'HorizontalPodAutoscaler', [
  [
    'bounds',
    {
      spec: { scaleTargetRef: { kind: 'Deployment', name: 'd' }, minReplicas: 2, maxReplicas: 9 },
      status: { currentReplicas: 4 },
    },
    { Reference: 'Deployment/d', Targets: '<none>', MinPods: '2', MaxPods: 9, Replicas: 4 },
  ],
  ['no lower bound', { spec: { maxReplicas: 1 } }, { Reference: '/', MinPods: '<unset>', Replicas: 0 }],
  [
    'utilization',
    hpa(
      [metric('Resource', { averageUtilization: 80 })],
      [current('Resource', { averageUtilization: 45, averageValue: '1' })],
    ),
    { Targets: 'cpu: 45%/80%' },
  ],
  [
    'utilization, nothing measured',
    hpa([metric('Resource', { averageUtilization: 80 })]),
    { Targets: 'cpu: <unknown>/80%' },
  ],
  ['no target', hpa([metric('ContainerResource', {}, 'memory')]), { Targets: 'memory: <unknown>/<auto>' }],
  [
    'average value of a resource',
    hpa([metric('Resource', { averageValue: '1Gi' }, 'memory')], [current('Resource', { averageValue: '512Mi' })]),
    { Targets: 'memory: 512Mi/1Gi' },
  ],
  [
    'average value of a container',
    hpa([metric('ContainerResource', { averageValue: '1' })]),
    { Targets: 'cpu: <unknown>/1' },
  ],
  [
    'pods',
    hpa([metric('Pods', { averageValue: '10' })], [current('Pods', { averageValue: '7500m' })]),
    { Targets: '7500m/10' },
  ],
  ['pods, nothing measured', hpa([metric('Pods', { averageValue: '10' })]), { Targets: '<unknown>/10' }],
  [
    'object and external: value, and average',
    hpa(
      [metric('Object', { value: '5' }), metric('External', { averageValue: '3' })],
      [current('Object', { value: '4' }), current('External', { averageValue: '2' })],
    ),
    { Targets: '4/5, 2/3 (avg)' },
  ],
  [
    'a status of another measure',
    hpa(
      [metric('External', { value: '5' }), metric('Object', { averageValue: '3' })],
      [current('External', { averageValue: '4' }), current('Object', { value: '2' })],
    ),
    { Targets: '<nil>/5, <unknown>/3 (avg)' },
  ],
  [
    'a status of another metric',
    hpa([metric('External', { value: '5' })], [current('Pods', { averageValue: '4' })]),
    { Targets: '<unknown>/5' },
  ],
  [
    'more than two',
    hpa([
      metric('Pods', { averageValue: '1' }),
      { type: 'constructor' },
      metric('Resource', {}),
      metric('Resource', {}),
    ]),
    { Targets: '<unknown>/1, <unknown type> + 2 more...' },
  ],
]);
