import { describe, expect, it } from 'vitest';
import type { KubeObject } from '../../../machinery/json.js';
import { changedIdentity, InvalidMetadata, restoreMetadata } from './metadata.js';

const object = (metadata: object | undefined): KubeObject =>
  ({ apiVersion: 'g/v1', kind: 'Thing', ...(metadata && { metadata }) }) as KubeObject;
const converted = (metadata: object | undefined) => object(metadata) as never;

describe('metadata of converted objects', () => {
  it('has labels and annotations of the webhook, and the rest as it was', () => {
    const before = object({ name: 'x', uid: 'u', labels: { a: '1' }, finalizers: ['f.g/h'] });
    const after = converted({ name: 'x', uid: 'u', labels: { b: '2' }, annotations: { c: '3' }, finalizers: [] });
    expect(restoreMetadata(before, after).metadata).toEqual({
      name: 'x',
      uid: 'u',
      finalizers: ['f.g/h'],
      labels: { b: '2' },
      annotations: { c: '3' },
    });
  });

  it('may not be another object', () => {
    const before = object({ name: 'x' });
    expect(changedIdentity(before, converted({ name: 'x' }))).toBeUndefined();
    expect(changedIdentity(before, converted({ name: 'y' }))).toBe('must have the same name: x != y');
    expect(changedIdentity(before, converted(undefined))).toBe('must have the same name: x != ');
    expect(() => restoreMetadata(before, converted(undefined))).toThrow(InvalidMetadata);
    expect(() => restoreMetadata(before, converted({ labels: { a: 5 } }))).toThrow('must be a string, but is int64');
  });

  it('is none where there was none', () => {
    const bare = object(undefined);
    expect(changedIdentity(bare, converted({}))).toBeUndefined();
    expect(changedIdentity(bare, converted({ name: 'y' }))).toBe('must have the same name:  != y');
    expect(restoreMetadata(bare, converted({ name: 'y', labels: { a: 'b' } })).metadata).toEqual({
      labels: { a: 'b' },
    });
  });
});
