import { beforeEach, describe, expect, it } from 'vitest';
import type { MemoryFeed } from '../../auth/authorization/memory-feed.suite.js';
import type { JsonObject } from '../../machinery/json.js';
import { limitRanger } from './limit-ranger.js';
import { named, pod, run, specAfter, world } from './plugins.suite.js';

const RANGES = { group: '', resource: 'limitranges' };
let objects: MemoryFeed;
let plugin: ReturnType<typeof limitRanger>;
beforeEach(() => {
  objects = world();
  plugin = limitRanger({ objects, gate: () => true });
});
const range = (...limits: JsonObject[]) => objects.put(RANGES, named('l', { spec: { limits } }));
const container = (requests?: JsonObject, limits?: JsonObject) => ({
  containers: [{ name: 'c', image: 'i', resources: { ...(requests && { requests }), ...(limits && { limits }) } }],
});
const fault = async (spec: JsonObject, more: object = {}) =>
  (await run(plugin, { on: '/pods', object: pod(spec), ...more })).text.replace('403 pods "p" is forbidden: ', '');

describe('defaults', () => {
  beforeEach(() =>
    range({ type: 'Container', default: { cpu: '500m', memory: '1Gi' }, defaultRequest: { cpu: '100m' } }),
  );
  it('fill what containers leave open, and say so', async () => {
    const { object } = await run(plugin, { on: '/pods', object: pod({ initContainers: [{ name: 'x' }] }) });
    expect(object?.spec).toMatchObject({
      containers: [{ resources: { requests: { cpu: '100m' }, limits: { cpu: '500m', memory: '1Gi' } } }],
      initContainers: [{ resources: { requests: { cpu: '100m' }, limits: { cpu: '500m', memory: '1Gi' } } }],
    });
    expect(object?.metadata.annotations).toEqual({
      'kubernetes.io/limit-ranger':
        'LimitRanger plugin set: cpu request for container c; cpu, memory limit for container c; cpu request for init container x; cpu, memory limit for init container x',
    });
  });
  it('leave what is said, and pods that say everything', async () => {
    const all = container({ cpu: '1' }, { cpu: '1', memory: '2Gi' });
    expect(await specAfter(plugin, { on: '/pods', object: pod(all) })).toEqual(pod(all).spec);
    const part = await run(plugin, { on: '/pods', object: pod(container({ cpu: '1' }, { cpu: '1' })) });
    expect(part.object?.metadata.annotations?.['kubernetes.io/limit-ranger']).toBe(
      'LimitRanger plugin set: memory limit for container c',
    );
  });
  it('are for new pods of the namespace, not for updates and others', async () => {
    expect(await specAfter(plugin, { on: '/pods', object: pod(), oldObject: pod() })).toEqual(pod().spec);
    expect(await specAfter(plugin, { on: '/pods', object: pod(), namespace: 'other' })).toEqual(pod().spec);
    objects.remove(RANGES, 'n', 'l');
    expect(await specAfter(plugin, { on: '/pods', object: pod() })).toEqual(pod().spec);
  });
});

describe('bounds', () => {
  it.each([
    [{ min: { cpu: '100m' } }, container({ cpu: '100m' }), 'ok'],
    [{ min: { cpu: '100m' } }, container(), 'minimum cpu usage per Container is 100m.  No request is specified'],
    [
      { min: { cpu: '100m' } },
      container({ cpu: '99m' }),
      'minimum cpu usage per Container is 100m, but request is 99m',
    ],
    [
      { min: { cpu: '100m' } },
      container({ cpu: '100m' }, { cpu: '50m' }),
      'minimum cpu usage per Container is 100m, but limit is 50m',
    ],
    [{ max: { memory: '1Gi' } }, container({}, { memory: '1024Mi' }), 'ok'],
    [{ max: { memory: '1Gi' } }, container(), 'maximum memory usage per Container is 1Gi.  No limit is specified'],
    [
      { max: { memory: '1Gi' } },
      container({}, { memory: '2Gi' }),
      'maximum memory usage per Container is 1Gi, but limit is 2Gi',
    ],
    [
      { max: { memory: '1Gi' } },
      container({ memory: '2Gi' }, { memory: '1Gi' }),
      'maximum memory usage per Container is 1Gi, but request is 2Gi',
    ],
    [{ maxLimitRequestRatio: { cpu: '2' } }, container({ cpu: '1' }, { cpu: '2' }), 'ok'],
    [
      { maxLimitRequestRatio: { cpu: '2' } },
      container({ cpu: '500m' }, { cpu: '1200m' }),
      'cpu max limit to request ratio per Container is 2, but provided ratio is 2.400000',
    ],
    [
      { maxLimitRequestRatio: { cpu: '2' } },
      container({ cpu: '0' }),
      'cpu max limit to request ratio per Container is 2, but no request is specified or request is 0',
    ],
    [
      { maxLimitRequestRatio: { cpu: '2' } },
      container({ cpu: '1' }),
      'cpu max limit to request ratio per Container is 2, but no limit is specified or limit is 0',
    ],
    [
      { max: { 'example.com/big': '9E' } },
      container({}, { 'example.com/big': '10E' }),
      'maximum example.com/big usage per Container is 9E, but limit is 10E',
    ],
  ] as [JsonObject, JsonObject, string][])('%j holds %j: %s', async (limit, spec, expected) => {
    range({ type: 'Container', ...limit });
    expect(await fault(spec)).toBe(expected);
  });

  it('of the pod are about its containers together, sidecars and overlaps included', async () => {
    range({ type: 'Pod', max: { cpu: '1500m' } });
    const c = (cpu: string, more = {}) => ({ name: 'c', resources: { limits: { cpu } }, ...more });
    expect(await fault({ containers: [c('1'), c('500m')] })).toBe('ok');
    expect(await fault({ containers: [c('1'), c('600m')] })).toBe(
      'maximum cpu usage per Pod is 1500m, but limit is 1600m',
    );
    expect(await fault({ containers: [c('1')], initContainers: [c('1500m')] })).toBe('ok');
    const sidecar = c('600m', { restartPolicy: 'Always' });
    expect(await fault({ containers: [c('1')], initContainers: [sidecar] })).toContain('but limit is 1600m');
    expect(await fault({ containers: [c('100m')], initContainers: [sidecar, c('1')] })).toContain('but limit is 1600m');
    expect(await fault({ containers: [c('9')], resources: { limits: { cpu: '1' } } })).toBe('ok');
  });

  it('are told all at once, each once', async () => {
    range({ type: 'Container', min: { cpu: '1' }, max: { memory: '1Gi' } });
    const two = { containers: [{ name: 'a' }, { name: 'b' }] };
    expect(await fault(two)).toBe(
      '[minimum cpu usage per Container is 1.  No request is specified, maximum memory usage per Container is 1Gi.  No limit is specified]',
    );
  });

  it('hold for resizes, and let go of what is being deleted', async () => {
    range({ type: 'Container', max: { cpu: '1' } });
    const object = pod(container({}, { cpu: '2' }));
    const resize = { on: '/pods/resize', object, oldObject: pod() };
    expect((await run(plugin, resize)).text).toContain('maximum cpu usage per Container is 1, but limit is 2');
    const going = pod({}, { deletionTimestamp: '2020-01-01T00:00:00Z' });
    expect((await run(plugin, { ...resize, oldObject: going })).text).toBe('ok');
    expect((await run(plugin, { ...resize, on: '/pods' })).text).toBe('ok');
  });

  it('of claims are about requests', async () => {
    range({ type: 'PersistentVolumeClaim', min: { storage: '1Gi' }, max: { storage: '5Gi' } });
    const claim = async (storage?: string) => {
      const object = named('c', { spec: { resources: { requests: storage ? { storage } : {} } } });
      return (await run(plugin, { on: '/persistentvolumeclaims', object })).text;
    };
    expect(await claim('2Gi')).toBe('ok');
    expect(await claim('1Mi')).toContain('minimum storage usage per PersistentVolumeClaim is 1Gi, but request is 1Mi');
    expect(await claim('9Gi')).toContain('maximum storage usage per PersistentVolumeClaim is 5Gi, but request is 9Gi');
    expect(await claim()).toContain('No request is specified');
  });
});
