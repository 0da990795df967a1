import { beforeEach, describe, expect, it } from 'vitest';
import type { MemoryFeed } from '../../auth/authorization/memory-feed.suite.js';
import { clustered, named, pod, run, specAfter, world } from './plugins.suite.js';
import { priority } from './priority.js';

const CLASSES = { group: 'scheduling.k8s.io', resource: 'priorityclasses' };
let objects: MemoryFeed;
let gate: boolean;
let plugin: ReturnType<typeof priority>;
beforeEach(() => {
  objects = world();
  gate = false;
  plugin = priority({ objects, gate: () => gate });
  objects.put(CLASSES, clustered('high', { value: 1000, preemptionPolicy: 'Never' }));
});
const create = (spec = {}) => run(plugin, { on: '/pods', object: pod(spec) });

describe('pods', () => {
  it('get the numbers of their class', async () => {
    const spec = await specAfter(plugin, { on: '/pods', object: pod({ priorityClassName: 'high' }) });
    expect(spec).toMatchObject({ priority: 1000, preemptionPolicy: 'Never', priorityClassName: 'high' });
  });
  it('without a class get zero, or the default class as soon as there is one', async () => {
    const object = pod();
    expect(await specAfter(plugin, { on: '/pods', object })).toMatchObject({
      priority: 0,
      preemptionPolicy: 'PreemptLowerPriority',
    });
    objects.put(CLASSES, clustered('usual', { value: 7, globalDefault: true }));
    objects.put(CLASSES, clustered('lower', { value: 3, globalDefault: true }));
    expect(await specAfter(plugin, { on: '/pods', object })).toMatchObject({ priority: 3, priorityClassName: 'lower' });
    objects.remove(CLASSES, '', 'lower');
    expect(await specAfter(plugin, { on: '/pods', object })).toMatchObject({ priorityClassName: 'usual' });
  });
  it('may state what would be computed, and nothing else', async () => {
    expect((await create({ priorityClassName: 'high', priority: 1000 })).text).toBe('ok');
    expect((await create({ priority: 7 })).text).toBe(
      '403 pods "p" is forbidden: the integer value of priority (7) must not be provided in pod spec; priority admission controller computed 0 from the given PriorityClass name',
    );
    expect((await create({ priorityClassName: 'high', preemptionPolicy: 'PreemptLowerPriority' })).text).toBe(
      '403 pods "p" is forbidden: the string value of PreemptionPolicy (PreemptLowerPriority) must not be provided in pod spec; priority admission controller computed Never from the given PriorityClass name',
    );
    expect((await create({ priorityClassName: 'high', preemptionPolicy: '' })).text).toContain(
      'PreemptionPolicy () must',
    );
    expect((await create({ priorityClassName: 'none' })).text).toBe(
      '403 pods "p" is forbidden: no PriorityClass with name none was found',
    );
  });
  it('keep their priority when an update leaves it out', async () => {
    const oldObject = pod({ priority: 5, preemptionPolicy: 'Never' });
    expect(await specAfter(plugin, { on: '/pods', object: pod(), oldObject })).toMatchObject({
      priority: 5,
      preemptionPolicy: 'Never',
    });
    const given = { on: '/pods', object: pod({ priority: 6 }), oldObject };
    expect(await specAfter(plugin, given)).toMatchObject({ priority: 6 });
    expect(await specAfter(plugin, { ...given, on: '/pods/status', object: pod() })).not.toHaveProperty('priority');
  });
});

it('pod groups have a priority only behind their gate', async () => {
  const given = { on: 'scheduling.k8s.io/podgroups', object: named('g', { spec: { priorityClassName: 'high' } }) };
  expect(await specAfter(plugin, given)).toEqual({ priorityClassName: 'high' });
  gate = true;
  expect(await specAfter(plugin, given)).toEqual({ priorityClassName: 'high', priority: 1000 });
  const wrong = named('g', { spec: { priorityClassName: 'high', priority: 1 } });
  expect((await run(plugin, { ...given, object: wrong })).text).toContain(
    'priority set in the pod group (1) must match the priority computed (1000)',
  );
});

it('there is one default class', async () => {
  const on = 'scheduling.k8s.io/priorityclasses';
  const usual = clustered('usual', { value: 7, globalDefault: true });
  expect((await run(plugin, { on, object: usual })).text).toBe('ok');
  objects.put(CLASSES, usual);
  expect((await run(plugin, { on, object: clustered('other', { globalDefault: true }) })).text).toBe(
    '403 priorityclasses.scheduling.k8s.io "other" is forbidden: PriorityClass usual is already marked as default. Only one default can exist',
  );
  expect((await run(plugin, { on, object: usual, oldObject: usual })).text).toBe('ok');
  expect((await run(plugin, { on, object: clustered('other') })).text).toBe('ok');
});
