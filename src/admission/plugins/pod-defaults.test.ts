import { beforeEach, describe, expect, it } from 'vitest';
import type { MemoryFeed } from '../../auth/authorization/memory-feed.suite.js';
import { alwaysPullImages } from './always-pull-images.js';
import { defaultTolerationSeconds } from './default-toleration-seconds.js';
import { extendedResourceToleration } from './extended-resource-toleration.js';
import { limitPodHardAntiAffinityTopology } from './limit-pod-hard-anti-affinity-topology.js';
import { attributes, clustered, named, pod, run, specAfter, world } from './plugins.suite.js';
import { podTopologyLabels } from './pod-topology-labels.js';
import { runtimeClass } from './runtime-class.js';

let objects: MemoryFeed;
beforeEach(() => {
  objects = world();
});
const creating = (spec = {}, metadata = {}) => ({ on: '/pods', object: pod(spec, metadata) });

describe('seconds of toleration', () => {
  const plugin = defaultTolerationSeconds({ unreachable: 5 });
  const stay = (key: string, tolerationSeconds: number) => {
    return { key: `node.kubernetes.io/${key}`, operator: 'Exists', effect: 'NoExecute', tolerationSeconds };
  };
  it('are added where nothing is said', async () => {
    const { tolerations } = await specAfter(plugin, creating());
    expect(tolerations).toEqual([stay('not-ready', 300), stay('unreachable', 5)]);
  });
  it('are left as they are said, by key or for all keys', async () => {
    const own = { key: 'node.kubernetes.io/not-ready', operator: 'Equal', value: 'x' };
    const spec = await specAfter(plugin, creating({ tolerations: [own] }));
    expect(spec.tolerations).toEqual([own, stay('unreachable', 5)]);
    const all = { operator: 'Exists' };
    expect((await specAfter(plugin, creating({ tolerations: [all] }))).tolerations).toEqual([all]);
    const noSchedule = { operator: 'Exists', effect: 'NoSchedule' };
    expect((await specAfter(plugin, creating({ tolerations: [noSchedule] }))).tolerations).toHaveLength(3);
    expect(await specAfter(plugin, { ...creating(), on: '/pods/status' })).not.toHaveProperty('tolerations');
  });
});

describe('runtime class', () => {
  const CLASSES = { group: 'node.k8s.io', resource: 'runtimeclasses' };
  beforeEach(() => {
    const scheduling = { nodeSelector: { a: 'b' }, tolerations: [{ key: 'k', operator: 'Exists' }] };
    objects.put(CLASSES, clustered('r', { overhead: { podFixed: { cpu: '10m' } }, scheduling }));
    objects.put(CLASSES, clustered('plain'));
  });
  it('brings overhead and scheduling', async () => {
    const spec = await specAfter(runtimeClass(objects), creating({ runtimeClassName: 'r', nodeSelector: { x: 'y' } }));
    expect(spec).toMatchObject({
      overhead: { cpu: '10m' },
      nodeSelector: { x: 'y', a: 'b' },
      tolerations: [{ key: 'k', operator: 'Exists' }],
    });
    const same = creating({ runtimeClassName: 'r', overhead: { cpu: '0.01' } });
    expect(await specAfter(runtimeClass(objects), same)).toMatchObject({ overhead: { cpu: '10m' } });
    (spec.tolerations as { key: string }[])[0]!.key = 'changed';
    expect(JSON.stringify(objects.get(CLASSES, '', 'r'))).not.toContain('changed');
  });
  it('must be there and fit', async () => {
    const text = async (spec: object) => (await run(runtimeClass(objects), creating(spec))).text;
    expect(await text({ runtimeClassName: 'none' })).toBe(
      '403 pods "p" is forbidden: pod rejected: RuntimeClass "none" not found',
    );
    expect(await text({ runtimeClassName: 'r', overhead: { cpu: '9m' } })).toContain(
      "pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead",
    );
    expect(await text({ overhead: { cpu: '1m' } })).toContain('Pod Overhead set without corresponding RuntimeClass');
    expect(await text({ runtimeClassName: 'plain', overhead: { cpu: '1m' } })).toContain('set without corresponding');
    expect(await text({ runtimeClassName: 'r', nodeSelector: { a: 'c' } })).toContain(
      'conflict: runtimeClass.scheduling.nodeSelector[a] = b; pod.spec.nodeSelector[a] = c',
    );
  });
});

describe('topology labels', () => {
  const plugin = (on = true) => podTopologyLabels({ objects, gate: () => on });
  beforeEach(() => {
    const labels = { 'topology.kubernetes.io/zone': 'z', 'kubernetes.io/os': 'linux' };
    objects.put({ group: '', resource: 'nodes' }, clustered('a', {}, { labels }));
  });
  it('are copied from the node to pods and bindings', async () => {
    const bound = await run(plugin(), creating({ nodeName: 'a' }, { labels: { x: 'y' } }));
    expect(bound.object?.metadata.labels).toEqual({ x: 'y', 'topology.kubernetes.io/zone': 'z' });
    const binding = named('p', { target: { kind: 'Node', name: 'a' } });
    const answer = await run(plugin(), { on: '/pods/binding', object: binding });
    expect(answer.object?.metadata.labels).toEqual({ 'topology.kubernetes.io/zone': 'z' });
  });
  it('are not when there is no node, no such node, no gate', async () => {
    const labels = async (spec: object, on = true) => (await run(plugin(on), creating(spec))).object?.metadata.labels;
    expect(await labels({})).toBeUndefined();
    expect(await labels({ nodeName: 'b' })).toBeUndefined();
    expect(await labels({ nodeName: 'a' }, false)).toBeUndefined();
  });
});

describe('images', () => {
  const plugin = alwaysPullImages();
  it('are pulled anew', async () => {
    const volumes = [
      { name: 'v', image: { reference: 'r', pullPolicy: 'Never' } },
      { name: 'w', emptyDir: {} },
    ];
    const spec = await specAfter(plugin, creating({ volumes, initContainers: [{ name: 'x', image: 'i' }] }));
    expect(spec.containers).toEqual([{ name: 'c', image: 'i', imagePullPolicy: 'Always' }]);
    expect(spec.initContainers).toEqual([{ name: 'x', image: 'i', imagePullPolicy: 'Always' }]);
    expect(spec.volumes).toMatchObject([{ image: { pullPolicy: 'Always' } }, { emptyDir: {} }]);
  });
  it('that were there before stay as they are', async () => {
    const oldObject = pod();
    expect(await specAfter(plugin, { ...creating(), oldObject })).toEqual(oldObject.spec);
    const changed = pod({ containers: [{ name: 'c', image: 'j' }] });
    const given = { on: '/pods', object: changed, oldObject };
    expect(JSON.stringify(await specAfter(plugin, given))).toContain('Always');
  });
  it('whose policy somebody changed again are refused', () => {
    const object = pod({ containers: [{ name: 'c', imagePullPolicy: 'Never' }] });
    expect(() => plugin.validate?.(attributes({ on: '/pods', object }))).toThrow(
      'pods "p" is forbidden: spec.containers[0].imagePullPolicy: Unsupported value: "Never": supported values: "Always"',
    );
  });
});

it('extended resources are tolerated', async () => {
  const plugin = extendedResourceToleration();
  const resources = { requests: { 'example.com/b': '1', 'example.com/a': '1', cpu: '1', 'kubernetes.io/x': '1' } };
  const toleration = (key: string) => ({ key, operator: 'Exists', effect: 'NoSchedule' });
  const brief = { ...toleration('example.com/a'), tolerationSeconds: 3 };
  const given = creating({ containers: [{ name: 'c', resources }], tolerations: [brief] });
  expect((await specAfter(plugin, given)).tolerations).toEqual([
    toleration('example.com/a'),
    toleration('example.com/b'),
  ]);
  expect(await specAfter(plugin, creating())).not.toHaveProperty('tolerations');
});

it('required anti-affinity stays within a host', async () => {
  const plugin = limitPodHardAntiAffinityTopology();
  const within = (topologyKey: string, when = 'required') => {
    const terms = { [`${when}DuringSchedulingIgnoredDuringExecution`]: [{ topologyKey }] };
    return run(plugin, creating({ affinity: { podAntiAffinity: terms } }));
  };
  expect((await within('kubernetes.io/hostname')).text).toBe('ok');
  expect((await within('zone', 'preferred')).text).toBe('ok');
  expect((await run(plugin, creating())).text).toBe('ok');
  expect((await within('zone')).text).toBe(
    '403 pods "p" is forbidden: affinity.PodAntiAffinity.RequiredDuringScheduling has TopologyKey zone but only key kubernetes.io/hostname is allowed',
  );
});
