import { describe, expect, it } from 'vitest';
import type { JsonObject, ManagedFieldsEntry } from '../json.js';
import { fromScale, pathOf, type ReplicasPaths, toScale } from './scale.js';

const T = '2026-01-01T00:00:00Z';
const entry = (
  manager: string,
  operation: 'Apply' | 'Update',
  apiVersion: string,
  fieldsV1: JsonObject,
  more: ManagedFieldsEntry = {},
): ManagedFieldsEntry => ({
  manager,
  operation,
  apiVersion,
  time: T,
  fieldsType: 'FieldsV1',
  fieldsV1,
  ...more,
});
const SPEC = { 'f:spec': { 'f:replicas': {} } };
const BOTH = { 'f:spec': { 'f:paused': {}, 'f:replicas': {} } };
const paths: ReplicasPaths = { 'apps/v1': pathOf('.spec.replicas'), 'g/v1': pathOf('.spec.count'), 'g/v2': null };

describe('from a resource to its Scale', () => {
  it('keeps the managers of replicas', () => {
    const parent = [
      entry('a', 'Apply', 'apps/v1', BOTH),
      entry('b', 'Update', 'apps/v1', { 'f:spec': { 'f:paused': {} } }),
      entry('c', 'Update', 'g/v1', { 'f:spec': { 'f:count': {} } }),
      entry('d', 'Update', 'g/v2', SPEC),
      entry('e', 'Update', 'gone/v1', SPEC),
    ];
    expect(toScale(parent, paths)).toEqual([
      entry('a', 'Apply', 'autoscaling/v1', SPEC),
      entry('c', 'Update', 'autoscaling/v1', SPEC),
    ]);
  });
  it('of nobody', () => expect(toScale(undefined, paths)).toEqual([]));
});

describe('from a Scale back to the resource', () => {
  it('takes replicas from who lost it and gives it to who got it', () => {
    const parent = [entry('a', 'Apply', 'apps/v1', BOTH)];
    const scale = [entry('s', 'Update', 'autoscaling/v1', SPEC, { subresource: 'scale' })];
    expect(fromScale(parent, scale, paths, 'apps/v1')).toEqual([
      entry('a', 'Apply', 'apps/v1', { 'f:spec': { 'f:paused': {} } }),
      entry('s', 'Update', 'apps/v1', SPEC, { subresource: 'scale', time: undefined }),
    ]);
  });
  it('leaves who kept it, and forgets who had nothing else', () => {
    const kept = entry('a', 'Apply', 'apps/v1', BOTH);
    expect(
      fromScale(
        [kept, entry('b', 'Apply', 'apps/v1', SPEC)],
        [entry('a', 'Apply', 'autoscaling/v1', SPEC)],
        paths,
        'apps/v1',
      ),
    ).toEqual([kept]);
  });
  it('drops versions that are gone and leaves those without replicas', () => {
    const other = entry('d', 'Update', 'g/v2', SPEC);
    expect(fromScale([other, entry('e', 'Update', 'gone/v1', BOTH)], [], paths, 'apps/v1')).toEqual([other]);
  });
  it('ignores entries without replicas', () => {
    expect(
      fromScale([], [entry('s', 'Update', 'autoscaling/v1', { 'f:metadata': { 'f:labels': {} } })], paths, 'apps/v1'),
    ).toEqual([]);
  });
  it('refuses broken entries', () =>
    expect(() => fromScale([{ manager: 'x' }], [], paths, 'apps/v1')).toThrow('operation'));
});
