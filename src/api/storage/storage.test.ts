import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../machinery/json.js';
import { create } from '../strategy.suite.js';

const term = (...values: string[]): JsonObject => ({ matchLabelExpressions: [{ key: 'zone', values }] });
const storageClass = (allowedTopologies: JsonObject[]): JsonObject => ({
  apiVersion: 'storage.k8s.io/v1',
  kind: 'StorageClass',
  provisioner: 'example.com/disk',
  allowedTopologies,
});
const faults = (...terms: JsonObject[]) => create(storageClass(terms)).faults;

describe('topologies of a StorageClass', () => {
  it('may be many and different', () => {
    expect(faults(term('a'), term('b'), term('a', 'b'))).toEqual([]);
  });
  it('do not repeat each other, in whatever order their values are', () => {
    const repeated = (i: number) => `allowedTopologies[${i}].matchLabelExpressions: Duplicate value: ""`;
    expect(faults(term('a'), term('a'))).toEqual([repeated(1)]);
    expect(faults(term('a', 'b'), term('c'), term('b', 'a'))).toEqual([repeated(2)]);
    expect(faults(term('a'), term('a'), term('a'))).toEqual([repeated(1), repeated(2), repeated(2)]);
  });
  it('are told of their repetitions up to a point: one for each pair of thousands would be millions', () => {
    expect(faults(...Array.from({ length: 3000 }, () => term('a')))).toHaveLength(10_000);
  });
});
