import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../machinery/json.js';
import { before, object, row } from '../printers.suite.js';
import { pod } from './pod.js';

const container = (name: string, status: JsonObject = {}): JsonObject => ({ name, ...status });
const running = (name: string, more: JsonObject = {}): JsonObject =>
  container(name, { ready: true, restartCount: 0, state: { running: {} }, ...more });
const waiting = (name: string, reason: string, more: JsonObject = {}): JsonObject =>
  container(name, { restartCount: 0, state: { waiting: { reason } }, ...more });
const ended = (name: string, terminated: JsonObject, more: JsonObject = {}): JsonObject =>
  container(name, { restartCount: 0, state: { terminated }, ...more });
const done = (name: string): JsonObject => ended(name, { exitCode: 0, reason: 'Completed' });
const sidecar = { name: 's', restartPolicy: 'Always' };
const READY = { type: 'Ready', status: 'True' };
const INITIALIZED = { type: 'Initialized', status: 'True' };

const spec = (containers: number, init: JsonObject[] = []): JsonObject => ({
  containers: Array.from({ length: containers }, (_, i) => ({ name: `c${i}` })),
  initContainers: init,
});
const shown = (pod: { spec: JsonObject; status: JsonObject }, metadata: JsonObject = {}): string => {
  const cells = row('', 'Pod', pod, metadata);
  return `${cells.Ready} ${cells.Status} ${cells.Restarts}`;
};
const main = (n: number, containerStatuses: JsonObject[], more: JsonObject = {}) => ({
  spec: spec(n),
  status: { phase: 'Running', containerStatuses, ...more },
});
const init = (containers: JsonObject[], initContainerStatuses: JsonObject[], more: JsonObject = {}) => ({
  spec: spec(1, containers),
  status: { phase: 'Pending', initContainerStatuses, ...more },
});

describe('containers', () => {
  it.each([
    ['all run', main(2, [running('c0'), running('c1')]), '2/2 Running 0'],
    ['one is not ready', main(2, [running('c0'), running('c1', { ready: false })]), '1/2 Running 0'],
    ['nothing known yet', { spec: spec(2), status: { phase: 'Pending' } }, '0/2 Pending 0'],
    ['being made', main(1, [waiting('c0', 'ContainerCreating')], { phase: 'Pending' }), '0/1 ContainerCreating 0'],
    ['waiting without reason', main(1, [container('c0', { state: { waiting: {} } })]), '0/1 Running 0'],
    ['without state', main(1, [container('c0', { ready: true, state: {} })]), '0/1 Running 0'],
    ['image that is not there', main(1, [waiting('c0', 'ImagePullBackOff')]), '0/1 ImagePullBackOff 0'],
    ['failed with a reason', main(1, [ended('c0', { exitCode: 1, reason: 'Error' })]), '0/1 Error 0'],
    ['failed without a reason', main(1, [ended('c0', { exitCode: 137 })]), '0/1 ExitCode:137 0'],
    ['killed by a signal', main(1, [ended('c0', { exitCode: 137, signal: 9 })]), '0/1 Signal:9 0'],
    ['the first one speaks', main(2, [waiting('c0', 'A'), waiting('c1', 'B')]), '0/2 A 0'],
    ['completed', main(1, [done('c0')], { phase: 'Succeeded' }), '0/1 Completed 0'],
    ['one of two completed, ready', main(2, [done('c0'), running('c1')], { conditions: [READY] }), '1/2 Running 0'],
    ['one of two completed, not ready', main(2, [done('c0'), running('c1')]), '1/2 NotReady 0'],
    ['completed first, then failed', main(2, [done('c0'), ended('c1', { exitCode: 2 })]), '0/2 ExitCode:2 0'],
    ['evicted', { spec: spec(1), status: { phase: 'Failed', reason: 'Evicted' } }, '0/1 Evicted 0'],
    ['reason of the status loses', main(1, [waiting('c0', 'A')], { reason: 'Evicted' }), '0/1 A 0'],
    [
      'held back',
      {
        spec: spec(1),
        status: {
          phase: 'Pending',
          conditions: [{ type: 'PodScheduled', status: 'False', reason: 'SchedulingGated' }],
        },
      },
      '0/1 SchedulingGated 0',
    ],
    [
      'not scheduled for another reason',
      {
        spec: spec(1),
        status: { phase: 'Pending', conditions: [{ type: 'PodScheduled', status: 'False', reason: 'Unschedulable' }] },
      },
      '0/1 Pending 0',
    ],
  ])('%s', (_, state, text) => {
    expect(shown(state)).toBe(text);
  });
});

describe('restarts', () => {
  const restarted = (n: number, secondsAgo?: number): JsonObject => ({
    restartCount: n,
    lastState: secondsAgo === undefined ? {} : { terminated: { exitCode: 1, finishedAt: before(secondsAgo) } },
  });
  it.each([
    ['when', main(1, [waiting('c0', 'CrashLoopBackOff', restarted(3, 300))]), '0/1 CrashLoopBackOff 3 (5m ago)'],
    [
      'the last of several',
      main(2, [running('c0', restarted(1, 600)), running('c1', restarted(2, 90))]),
      '2/2 Running 3 (90s ago)',
    ],
    ['no time known', main(1, [running('c0', restarted(4))]), '1/1 Running 4'],
    ['a time without restarts', main(1, [running('c0', restarted(0, 60))]), '1/1 Running 0'],
    [
      'of init containers while they run',
      init([{ name: 'a' }, { name: 'b' }], [running('a', restarted(2, 120)), waiting('b', 'X', restarted(5))]),
      '0/1 Init:0/2 2 (2m ago)',
    ],
    [
      'of sidecars afterwards, not of other init containers',
      {
        spec: spec(1, [{ name: 'a' }, sidecar]),
        status: {
          phase: 'Running',
          initContainerStatuses: [
            ended('a', { exitCode: 0 }, restarted(7, 10)),
            running('s', { started: true, ...restarted(1, 240) }),
          ],
          containerStatuses: [running('c0')],
        },
      },
      '2/2 Running 1 (4m ago)',
    ],
  ])('%s', (_, state, text) => {
    expect(shown(state)).toBe(text);
  });
});

describe('init containers', () => {
  const two = [{ name: 'a' }, { name: 'b' }];
  it.each([
    ['the first runs', init(two, [running('a'), waiting('b', 'PodInitializing')]), '0/1 Init:0/2 0'],
    ['the second waits', init(two, [done('a'), waiting('b', 'PodInitializing')]), '0/1 Init:1/2 0'],
    [
      'the second can not start',
      init(two, [done('a'), waiting('b', 'CrashLoopBackOff')]),
      '0/1 Init:CrashLoopBackOff 0',
    ],
    ['failed with a reason', init(two, [ended('a', { exitCode: 1, reason: 'Error' })]), '0/1 Init:Error 0'],
    ['failed without a reason', init(two, [ended('a', { exitCode: 3 })]), '0/1 Init:ExitCode:3 0'],
    ['killed', init(two, [ended('a', { exitCode: 137, signal: 9 })]), '0/1 Init:Signal:9 0'],
    ['all done', init(two, [done('a'), done('b')]), '0/1 Pending 0'],
    ['a sidecar that starts', init([sidecar], [running('s', { ready: false, started: false })]), '0/2 Init:0/1 0'],
    ['a sidecar that is up', init([sidecar], [running('s', { started: true })]), '1/2 Pending 0'],
    [
      'a sidecar that is up but not ready',
      init([sidecar], [running('s', { started: true, ready: false })]),
      '0/2 Pending 0',
    ],
    ['no sidecar, though it is started', init([{ name: 's' }], [running('s', { started: true })]), '0/1 Init:0/1 0'],
    [
      'initialized once, containers speak again',
      init(two, [waiting('a', 'X')], { conditions: [INITIALIZED], containerStatuses: [waiting('c0', 'Y')] }),
      '0/1 Y 0',
    ],
    [
      'initialized once, containers silent',
      init(two, [waiting('a', 'X')], { conditions: [INITIALIZED] }),
      '0/1 Init:X 0',
    ],
  ])('%s', (_, state, text) => {
    expect(shown(state)).toBe(text);
  });
});

describe('deletion', () => {
  const dying = { deletionTimestamp: before(-30) };
  it.each([
    ['a running pod', main(1, [running('c0')]), '1/1 Terminating 0'],
    ['a failing pod', main(1, [waiting('c0', 'CrashLoopBackOff')]), '0/1 Terminating 0'],
    ['a finished pod', main(1, [done('c0')], { phase: 'Succeeded' }), '0/1 Completed 0'],
    ['on a lost node', main(1, [running('c0')], { reason: 'NodeLost' }), '1/1 Unknown 0'],
  ])('%s', (_, state, text) => {
    expect(shown(state, dying)).toBe(text);
  });
  it('a lost node alone says nothing of itself', () => {
    expect(shown(main(1, [], { reason: 'NodeLost' }))).toBe('0/1 NodeLost 0');
  });
});

it('wide columns', () => {
  const gates = [{ conditionType: 'a/b' }, { conditionType: 'c/d' }, { conditionType: 'e/f' }];
  const conditions = [
    { type: 'a/b', status: 'True' },
    { type: 'c/d', status: 'False' },
  ];
  const wide = (spec: JsonObject, status: JsonObject): unknown[] =>
    Object.values(row('', 'Pod', { spec, status })).slice(3);
  expect(wide({}, {})).toEqual(['<none>', '<none>', '<none>', '<none>']);
  expect(
    wide(
      { nodeName: 'n1', readinessGates: gates },
      { podIP: '10.0.0.1', podIPs: [{ ip: '10.0.0.1' }, { ip: 'fd00::1' }], nominatedNodeName: 'n2', conditions },
    ),
  ).toEqual(['10.0.0.1', 'n1', 'n2', '1/3']);
  expect(wide({}, { podIPs: [{ ip: 'fd00::1' }] })[0]).toBe('fd00::1');
});

it('rows of finished pods say so', () => {
  const of = (phase: string) => pod.conditions!(object('p', { status: { phase } }));
  expect(of('Succeeded')).toEqual([
    { type: 'Completed', status: 'True', reason: 'Succeeded', message: 'The pod has completed successfully.' },
  ]);
  expect(of('Failed')).toEqual([{ type: 'Completed', status: 'True', reason: 'Failed', message: 'The pod failed.' }]);
  for (const phase of ['Running', 'Pending', '', 'constructor']) expect(of(phase), phase).toBeUndefined();
});
