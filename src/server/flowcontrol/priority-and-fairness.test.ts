import { describe, expect, it } from 'vitest';
import type { Attributes, UserInfo } from '../../auth/contract.js';
import { systemClock } from '../../storage/clock.js';
import {
  FlowWorld,
  LEVELS,
  level,
  Outcome,
  SCHEMAS,
  schema,
  seated,
  settle,
  someone,
  toUser,
  wants,
} from './flow.suite.js';
import { buildFlowControl, DEFAULT_FLOW_CONTROL_OPTIONS, validateFlowControlOptions } from './flow-control.js';

const bob = someone('bob');
const account = (namespace: string, name: string): UserInfo =>
  someone(
    `system:serviceaccount:${namespace}:${name}`,
    'system:serviceaccounts',
    `system:serviceaccounts:${namespace}`,
  );
const kubelet = someone('system:node:n1', 'system:nodes');
const lease: Partial<Attributes> = { group: 'coordination.k8s.io' };

describe('what every cluster starts with', () => {
  const everywhere = { namespace: '' };
  it.each<[UserInfo, string, string, Partial<Attributes>, string]>([
    [someone('root', 'system:masters'), 'delete', 'pods', {}, 'exempt → exempt'],
    [bob, 'list', 'pods', everywhere, 'global-default → global-default'],
    [bob, 'get', '/version', {}, 'global-default → global-default'],
    [bob, 'get', '/healthz', {}, 'probes → exempt'],
    [bob, 'get', '/livez/ping', {}, 'probes → exempt'],
    [bob, 'post', '/healthz', {}, 'global-default → global-default'],
    [
      { name: 'system:anonymous', groups: ['system:unauthenticated'] },
      'get',
      'pods',
      {},
      'global-default → global-default',
    ],
    [account('default', 'app'), 'get', 'pods', {}, 'service-accounts → workload-low'],
    [account('kube-system', 'deployer'), 'get', 'pods', {}, 'kube-system-service-accounts → workload-high'],
    [account('kube-system', 'deployer'), 'update', 'leases', lease, 'system-leader-election → leader-election'],
    [account('kube-system', 'deployer'), 'delete', 'leases', lease, 'kube-system-service-accounts → workload-high'],
    [someone('system:kube-scheduler'), 'list', 'pods', everywhere, 'kube-scheduler → workload-high'],
    [someone('system:kube-controller-manager'), 'get', 'leases', lease, 'system-leader-election → leader-election'],
    [kubelet, 'patch', 'nodes/status', { ...everywhere, name: 'n1' }, 'system-node-high → node-high'],
    [kubelet, 'update', 'leases', lease, 'system-node-high → node-high'],
    [kubelet, 'get', 'secrets', {}, 'system-nodes → system'],
    [{ name: 'who', groups: [] }, 'get', 'pods', {}, 'catch-all → catch-all'],
  ])('$0.name %s %s', async (user, verb, what, more, expected) => {
    const world = await FlowWorld.create();
    const [fs, pl] = expected.split(' → ');
    expect(await world.classify(wants(user, verb, what, more))).toBe(`fs-${fs} → pl-${pl}`);
  });

  it('has the seats of upstream', async () => {
    const world = await FlowWorld.create();
    const seats = world.flow.state().levels.map((l) => [l.priorityLevel, l.nominalSeats, l.lowerSeats, l.upperSeats]);
    expect(seats.sort()).toEqual([
      ['catch-all', 13, 13, 613],
      ['exempt', 0, 0, 600],
      ['global-default', 49, 24, 649],
      ['leader-election', 25, 25, 625],
      ['node-high', 98, 73, 698],
      ['system', 74, 50, 674],
      ['workload-high', 98, 49, 698],
      ['workload-low', 245, 24, 845],
    ]);
  });

  it('streams have no flow', async () => {
    const world = await FlowWorld.create();
    const seat = seated(world.flow.enter(wants(bob, 'create', 'pods/exec', {}, { longRunning: true })));
    expect([seat.flowSchemaUID, seat.priorityLevelUID]).toEqual([undefined, undefined]);
    seat.initialized();
    seat.release();
    expect(world.metrics.lines).toEqual([]);
  });
});

describe('without objects', () => {
  it('what is mandatory is imagined', async () => {
    const world = await FlowWorld.create('none');
    const root = wants(someone('root', 'system:masters'), 'get', 'pods');
    expect(await world.classify(root)).toBe(' → ');
    await world.classify(wants(bob, 'get', 'pods'));
    expect(world.metrics.lines).toEqual([
      'exempt/exempt estimated 1',
      'exempt/exempt dispatched',
      'exempt/exempt executed 0 regular',
      'catch-all/catch-all estimated 1',
      'catch-all/catch-all dispatched',
      'catch-all/catch-all executed 0 regular',
    ]);
    expect(world.level('catch-all')).toMatchObject({ nominalSeats: 600 });
  });

  it('a FlowSchema without its level is none', async () => {
    const world = await FlowWorld.create('none');
    world.feed.put(SCHEMAS, schema('mine', 'later', [toUser('bob')]));
    expect(await world.classify(wants(bob, 'get', 'pods'))).toBe(' → ');
    world.feed.put(LEVELS, level('later', 10));
    expect(await world.classify(wants(bob, 'get', 'pods'))).toBe('fs-mine → pl-later');
    world.feed.remove(LEVELS, '', 'later');
    expect(await world.classify(wants(bob, 'get', 'pods'))).toBe(' → ');
  });
});

describe('changes', () => {
  it('are in force for the next request', async () => {
    const world = await FlowWorld.create();
    const mine = () => world.classify(wants(bob, 'get', 'pods'));
    world.feed.put(SCHEMAS, schema('b', 'system', [toUser('bob')]));
    expect(await mine()).toBe('fs-b → pl-system');
    world.feed.put(SCHEMAS, schema('a', 'workload-low', [toUser('bob')]));
    expect(await mine()).toBe('fs-a → pl-workload-low');
    world.feed.put(SCHEMAS, schema('b', 'system', [toUser('bob')], { matchingPrecedence: 99 }));
    expect(await mine()).toBe('fs-b → pl-system');
    world.feed.put(SCHEMAS, schema('b', 'system', [toUser('eve')], { matchingPrecedence: 99 }));
    expect(await mine()).toBe('fs-a → pl-workload-low');
    world.feed.remove(SCHEMAS, '', 'a');
    expect(await mine()).toBe('fs-global-default → pl-global-default');
  });

  it('of the shares move the seats', async () => {
    const world = await FlowWorld.create('none');
    world.feed.put(LEVELS, level('catch-all', 5));
    world.feed.put(LEVELS, level('mine', 15));
    expect(world.level('mine')).toMatchObject({ nominalSeats: 450, currentSeats: 450 });
    world.feed.put(LEVELS, level('mine', 5));
    expect(world.level('mine')).toMatchObject({ nominalSeats: 300, currentSeats: 300 });
  });

  it('a level that is removed goes with its last request', async () => {
    const world = await FlowWorld.create('none', { serverSeats: 2 });
    world.feed.put(LEVELS, level('mine', 5, { queues: 4, handSize: 1, queueLengthLimit: 9 }));
    world.feed.put(SCHEMAS, schema('s', 'mine', [toUser('bob')]));
    const bobs = wants(bob, 'get', 'pods');
    const running = seated(world.flow.enter(bobs));
    const waiting = Outcome.of(() => world.flow.enter(bobs));
    expect(waiting.now).toBe('waits');
    world.feed.remove(LEVELS, '', 'mine');
    expect(await world.classify(bobs)).toBe(' → ');
    expect(world.level('mine')).toMatchObject({ executing: 1, waiting: 1 });
    running.release();
    await settle();
    expect(waiting.now).toBe('seated');
    expect(world.level('mine')).toBeDefined();
    waiting.seat!.release();
    expect(world.level('mine')).toBeUndefined();
    expect(world.flow.state().flows.map((f) => f.flowSchema)).toEqual(['exempt', 'catch-all']);
  });

  it('a level that comes back goes on', async () => {
    const world = await FlowWorld.create('none');
    world.feed.put(LEVELS, level('mine', 5));
    world.feed.put(SCHEMAS, schema('s', 'mine', [toUser('bob')]));
    const seat = seated(world.flow.enter(wants(bob, 'get', 'pods')));
    world.feed.remove(LEVELS, '', 'mine');
    world.feed.put(LEVELS, level('mine', 5));
    seat.release();
    expect(world.level('mine')).toMatchObject({ executing: 0 });
    expect(await world.classify(wants(bob, 'get', 'pods'))).toBe('fs-s → pl-mine');
  });

  it('nothing is followed any more after the end', async () => {
    const world = await FlowWorld.create();
    world.flow.close();
    expect(world.clock.pending).toBe(0);
    world.feed.put(SCHEMAS, schema('a', 'system', [toUser('bob')]));
    expect(await world.classify(wants(bob, 'get', 'pods'))).toBe('fs-global-default → pl-global-default');
  });
});

describe('flows', () => {
  const queuing = { queues: 64, handSize: 2, queueLengthLimit: 3 };
  /** How many requests of each find a place beside one that is worked on. */
  async function places(distinguisherMethod: object | undefined, requests: Partial<Attributes>[]): Promise<number> {
    const world = await FlowWorld.create('none', { serverSeats: 1 });
    world.feed.put(LEVELS, level('mine', 100, queuing));
    world.feed.put(SCHEMAS, schema('s', 'mine', [toUser('*')], { distinguisherMethod }));
    seated(world.flow.enter(wants(bob, 'get', 'pods')));
    let count = 0;
    for (const more of requests) {
      for (let i = 0; i < 20; i++) {
        if (Outcome.of(() => world.flow.enter(wants(more.user ?? bob, 'get', 'pods', more))).now === 'waits') count++;
      }
    }
    return count;
  }

  it('are users, or namespaces, or all the same', async () => {
    const users = [{ user: someone('u1') }, { user: someone('u2') }];
    const namespaces = [{ namespace: 'n1' }, { namespace: 'n2' }];
    expect(await places({ type: 'ByUser' }, users)).toBe(12);
    expect(await places({ type: 'ByUser' }, namespaces)).toBe(6);
    expect(await places({ type: 'ByNamespace' }, namespaces)).toBe(12);
    expect(await places({ type: 'ByNamespace' }, users)).toBe(6);
    expect(await places(undefined, [...users, ...namespaces])).toBe(6);
  });
});

describe('waiting', () => {
  async function fullLevel() {
    const world = await FlowWorld.create('none', { serverSeats: 1 });
    world.feed.put(LEVELS, level('catch-all', 5, { queues: 1, handSize: 1, queueLengthLimit: 9 }));
    const seat = seated(world.flow.enter(wants(bob, 'get', 'pods')));
    return { world, seat };
  }

  it.each<[string, string, number | undefined, number]>([
    ['a fourth of the usual', 'get', undefined, 15_000],
    ['a fourth of its own', 'get', 8000, 2000],
    ['a minute at most', 'get', 3_600_000, 60_000],
    ['a watch, whose timeout is something else', 'watch', 300_000, 15_000],
  ])('lasts %s', async (_, verb, timeoutMs, ms) => {
    const { world } = await fullLevel();
    const waiting = Outcome.of(() => world.flow.enter(wants(bob, verb, 'pods', {}, { timeoutMs })));
    world.clock.advance(ms - 1);
    await settle();
    expect(waiting.now).toBe('waits');
    world.clock.advance(1);
    await settle();
    expect(waiting.now).toBe('429 1');
  });

  it('a watch that waited is counted like others', async () => {
    const { world, seat } = await fullLevel();
    const watch = Outcome.of(() => world.flow.enter(wants(bob, 'watch', 'pods', { namespace: '' })));
    seat.release();
    await settle();
    expect(watch.now).toBe('seated');
    watch.seat!.initialized();
    await world.classify(wants(bob, 'create', 'pods'));
    expect(world.metrics.lines).toContain('catch-all/catch-all watches 1');
    watch.seat!.release();
    await world.classify(wants(bob, 'create', 'pods'));
    expect(world.metrics.lines).toContain('catch-all/catch-all watches 0');
  });
});

describe('width', () => {
  it('of a list is bounded by the level', async () => {
    const world = await FlowWorld.create('bootstrap', { stats: () => ({ objects: 5000 }) });
    await world.classify(wants(bob, 'list', 'pods'));
    await world.classify(wants(kubelet, 'list', 'pods'));
    await world.classify(wants(bob, 'watch', 'pods', {}, { resourceVersion: '9' }));
    expect(world.metrics.lines.filter((l) => l.includes('estimated'))).toEqual([
      'global-default/global-default estimated 8',
      'system-nodes/system estimated 10',
      'global-default/global-default estimated 1',
    ]);
  });

  it('of a write grows with the watches', async () => {
    const world = await FlowWorld.create();
    const watches = Array.from({ length: 25 }, () => seated(world.flow.enter(wants(bob, 'watch', 'pods'))));
    for (const w of watches) w.initialized();
    const write = seated(world.flow.enter(wants(bob, 'update', 'pods', { name: 'a' })));
    expect(world.level('global-default')).toMatchObject({ executing: 1, seatsInUse: 3 });
    write.release();
    expect(world.level('global-default')).toMatchObject({ executing: 0, seatsInUse: 3 });
    world.clock.advance(5);
    expect(world.level('global-default')).toMatchObject({ seatsInUse: 0 });
  });
});

describe('borrowing', () => {
  it('gives idle seats to who needs them, and back', async () => {
    const world = await FlowWorld.create();
    const before = world.level('global-default')!.currentSeats;
    const seats = Array.from({ length: before }, () => Outcome.of(() => world.flow.enter(wants(bob, 'get', 'pods'))));
    const more = Array.from({ length: 200 }, () => Outcome.of(() => world.flow.enter(wants(bob, 'get', 'pods'))));
    expect(seats.every((s) => s.now === 'seated')).toBe(true);
    expect(more.filter((m) => m.now === 'seated')).toHaveLength(0);
    world.clock.advance(10_000);
    await settle();
    const after = world.level('global-default')!;
    expect(after.currentSeats).toBeGreaterThan(before + 50);
    expect(more.filter((m) => m.now === 'seated').length).toBe(Math.min(200, after.currentSeats - before));
    // Whose demand rises gets its own seats back at the next turn.
    const low = Array.from({ length: 245 }, () =>
      Outcome.of(() => world.flow.enter(wants(account('x', 'y'), 'get', 'pods'))),
    );
    world.clock.advance(10_000);
    await settle();
    expect(world.level('workload-low')!.currentSeats).toBeGreaterThanOrEqual(245);
    expect(low.filter((l) => l.now === 'seated').length).toBeGreaterThanOrEqual(245);
    const total = world.flow.state().levels.reduce((sum, l) => sum + l.currentSeats, 0);
    expect(total).toBeGreaterThan(595);
    expect(total).toBeLessThan(610);
    world.flow.close();
  });

  it('never takes what is not lent', async () => {
    const world = await FlowWorld.create();
    for (let i = 0; i < 400; i++) Outcome.of(() => world.flow.enter(wants(account(`n${i}`, 'x'), 'get', 'pods')));
    world.clock.advance(100_000);
    for (const l of world.flow.state().levels) expect(l.currentSeats).toBeGreaterThanOrEqual(l.lowerSeats);
    world.flow.close();
  });

  it('gives what is left when the exempt take more than there is', async () => {
    const world = await FlowWorld.create();
    for (let i = 0; i < 700; i++) world.flow.enter(wants(someone('root', 'system:masters'), 'get', 'pods'));
    world.clock.advance(10_000);
    for (const l of world.flow.state().levels) {
      expect(l.currentSeats).toBe(l.priorityLevel === 'exempt' ? 700 : l.lowerSeats);
    }
    world.flow.close();
  });
});

describe('a server', () => {
  it('has the limiter that its flags ask for', async () => {
    const parts = {
      feed: new (await import('../../auth/authorization/memory-feed.suite.js')).MemoryFeed(),
      clock: systemClock,
    };
    const fair = await buildFlowControl(DEFAULT_FLOW_CONTROL_OPTIONS, parts);
    expect(seated(fair.enter(wants(bob, 'get', 'pods'))).flowSchemaUID).toBe('');
    expect(fair.state().levels.reduce((sum, l) => sum + l.currentSeats, 0)).toBe(600);
    fair.close();
    const options = { ...DEFAULT_FLOW_CONTROL_OPTIONS, enablePriorityAndFairness: false };
    const simple = await buildFlowControl(options, parts);
    expect(seated(simple.enter(wants(bob, 'get', 'pods'))).flowSchemaUID).toBeUndefined();
    simple.close();
  });

  it('refuses flags that make no sense', () => {
    const check = (more: object) => validateFlowControlOptions({ ...DEFAULT_FLOW_CONTROL_OPTIONS, ...more });
    expect(check({})).toEqual([]);
    expect(check({ maxRequestsInflight: -1 })).toEqual(['--max-requests-inflight can not be negative value']);
    expect(check({ maxMutatingRequestsInflight: -1 })).toEqual([
      '--max-mutating-requests-inflight can not be negative value',
    ]);
    expect(check({ maxRequestsInflight: 0, maxMutatingRequestsInflight: 0 })).toEqual([
      'invalid configuration: MaxRequestsInFlight=0 and MaxMutatingRequestsInFlight=0; they must add up to something positive',
    ]);
    expect(check({ enablePriorityAndFairness: false, maxRequestsInflight: 0, maxMutatingRequestsInflight: 0 })).toEqual(
      [],
    );
  });
});

describe('speed', () => {
  it('an uncontended request costs a microsecond or so', async () => {
    const world = await FlowWorld.create('bootstrap', {
      clock: systemClock,
      metrics: undefined,
      stats: () => ({ objects: 50 }),
    });
    const cases = {
      exempt: wants(someone('root', 'system:masters'), 'get', 'pods'),
      'service account': wants(account('default', 'app'), 'update', 'pods', { name: 'x' }),
      user: wants(bob, 'list', 'pods'),
    };
    const times: string[] = [];
    for (const [name, request] of Object.entries(cases)) {
      let best = Number.POSITIVE_INFINITY;
      for (let round = 0; round < 20; round++) {
        const began = performance.now();
        for (let i = 0; i < 10_000; i++) (world.flow.enter(request) as { release(): void }).release();
        best = Math.min(best, (performance.now() - began) / 10);
      }
      times.push(`${name} ${best.toFixed(2)} µs`);
      expect(world.flow.state().executing).toEqual({ readOnly: 0, mutating: 0 });
    }
    console.log(`flow control, uncontended: ${times.join(', ')}`);
    world.flow.close();
  });
});
