import { beforeEach, describe, expect, it } from 'vitest';
import type { MemoryFeed } from '../../auth/authorization/memory-feed.suite.js';
import { defaultIngressClass } from './default-ingress-class.js';
import { defaultStorageClass } from './default-storage-class.js';
import { persistentVolumeClaimResize } from './persistent-volume-claim-resize.js';
import { clustered, named, run, specAfter, world } from './plugins.suite.js';
import { storageObjectInUseProtection } from './storage-object-in-use-protection.js';
import { taintNodesByCondition } from './taint-nodes-by-condition.js';

const STORAGE = { group: 'storage.k8s.io', resource: 'storageclasses' };
const INGRESS = { group: 'networking.k8s.io', resource: 'ingressclasses' };
const isDefault = (annotation: string, creationTimestamp = '2020-01-01T00:00:00Z') => ({
  annotations: { [annotation]: 'true' },
  creationTimestamp,
});

let objects: MemoryFeed;
beforeEach(() => {
  objects = world();
});

describe('default storage class', () => {
  const given = (spec = {}, metadata = {}) => ({
    on: '/persistentvolumeclaims',
    object: named('c', { spec }, metadata),
  });
  it('is the newest one that is marked, by either annotation', async () => {
    const plugin = defaultStorageClass(objects);
    expect(await specAfter(plugin, given())).toEqual({});
    objects.put(STORAGE, clustered('old', {}, isDefault('storageclass.beta.kubernetes.io/is-default-class')));
    expect(await specAfter(plugin, given())).toEqual({ storageClassName: 'old' });
    const newer = isDefault('storageclass.kubernetes.io/is-default-class', '2021-01-01T00:00:00Z');
    objects.put(STORAGE, clustered('b', {}, newer));
    objects.put(STORAGE, clustered('a', {}, newer));
    expect(await specAfter(plugin, given())).toEqual({ storageClassName: 'a' });
    objects.put(STORAGE, clustered('a', {}, { annotations: {} }));
    expect(await specAfter(plugin, given())).toEqual({ storageClassName: 'b' });
  });
  it('is not forced on claims that have a class, or said they want none', async () => {
    objects.put(STORAGE, clustered('s', {}, isDefault('storageclass.kubernetes.io/is-default-class')));
    const plugin = defaultStorageClass(objects);
    expect(await specAfter(plugin, given({ storageClassName: '' }))).toEqual({ storageClassName: '' });
    expect(await specAfter(plugin, given({ storageClassName: 'x' }))).toEqual({ storageClassName: 'x' });
    const old = given({}, { annotations: { 'volume.beta.kubernetes.io/storage-class': '' } });
    expect(await specAfter(plugin, old)).toEqual({});
    expect(await specAfter(plugin, { ...given(), operation: 'UPDATE' })).toEqual({});
  });
});

describe('default ingress class', () => {
  const given = (spec = {}, metadata = {}) => ({
    on: 'networking.k8s.io/ingresses',
    object: named('i', { spec }, metadata),
  });
  it('goes to ingresses that name none', async () => {
    const plugin = defaultIngressClass(objects);
    expect(await specAfter(plugin, given())).toEqual({});
    objects.put(INGRESS, clustered('k', {}, isDefault('ingressclass.kubernetes.io/is-default-class')));
    expect(await specAfter(plugin, given())).toEqual({ ingressClassName: 'k' });
    expect(await specAfter(plugin, given({ ingressClassName: 'own' }))).toEqual({ ingressClassName: 'own' });
    const old = given({}, { annotations: { 'kubernetes.io/ingress.class': 'old' } });
    expect(await specAfter(plugin, old)).toEqual({});
  });
});

describe('claims grow', () => {
  const claim = (storage: string, phase = 'Bound', storageClassName = 's') =>
    named('c', { spec: { storageClassName, resources: { requests: { storage } } }, status: { phase } });
  const grow = async (from: ReturnType<typeof claim>, to: ReturnType<typeof claim>) => {
    const given = { on: '/persistentvolumeclaims', object: to, oldObject: from };
    return (await run(persistentVolumeClaimResize(objects), given)).text;
  };
  it('when bound and of a class that allows it', async () => {
    objects.put(STORAGE, clustered('s', { allowVolumeExpansion: true }));
    expect(await grow(claim('1Gi'), claim('2Gi'))).toBe('ok');
    expect(await grow(claim('1Gi'), claim('1024Mi'))).toBe('ok');
    expect(await grow(claim('1Gi', 'Pending'), claim('1Gi'))).toBe('ok');
  });
  it('and not otherwise', async () => {
    const may =
      'only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must support resize';
    objects.put(STORAGE, clustered('fixed'));
    expect(await grow(claim('1Gi', 'Pending'), claim('2Gi'))).toBe(
      '403 persistentvolumeclaims "c" is forbidden: Only bound persistent volume claims can be expanded',
    );
    expect(await grow(claim('1Gi', 'Bound', 'fixed'), claim('2Gi', 'Bound', 'fixed'))).toContain(may);
    expect(await grow(claim('1Gi', 'Bound', 'none'), claim('2Gi', 'Bound', 'none'))).toContain(may);
    expect(await grow(claim('1Gi', 'Bound', ''), claim('2Gi', 'Bound', ''))).toContain(may);
    expect(await grow(claim('1Gi', 'Bound', 'fixed'), claim('2Gi'))).toContain(may);
  });
});

describe('new objects are marked', () => {
  it('with finalizers, once, on storage objects', async () => {
    const plugin = storageObjectInUseProtection();
    const finalizersOf = async (on: string, finalizers?: string[]) =>
      (await run(plugin, { on, object: named('x', {}, { finalizers }) })).object?.metadata.finalizers;
    expect(await finalizersOf('/persistentvolumeclaims')).toEqual(['kubernetes.io/pvc-protection']);
    expect(await finalizersOf('/persistentvolumes', ['a'])).toEqual(['a', 'kubernetes.io/pv-protection']);
    const vac = 'kubernetes.io/vac-protection';
    expect(await finalizersOf('storage.k8s.io/volumeattributesclasses', [vac])).toEqual([vac]);
    expect(await finalizersOf('/persistentvolumes/status')).toBeUndefined();
    expect(await finalizersOf('/configmaps')).toBeUndefined();
  });
  it('with a taint on nodes', async () => {
    const plugin = taintNodesByCondition();
    const taint = { key: 'node.kubernetes.io/not-ready', effect: 'NoSchedule' };
    expect(await specAfter(plugin, { on: '/nodes', object: clustered('a') })).toEqual({ taints: [taint] });
    const other = { key: 'node.kubernetes.io/not-ready', effect: 'NoExecute' };
    const tainted = clustered('a', { spec: { taints: [other] } });
    expect(await specAfter(plugin, { on: '/nodes', object: tainted })).toEqual({ taints: [other, taint] });
    const already = clustered('a', { spec: { taints: [{ ...taint, value: 'v' }] } });
    expect(await specAfter(plugin, { on: '/nodes', object: already })).toEqual(already.spec);
  });
});
