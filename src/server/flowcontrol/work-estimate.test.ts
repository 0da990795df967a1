import { describe, expect, it } from 'vitest';
import type { Attributes } from '../../auth/contract.js';
import type { FlowRequest } from './contract.js';
import { asks, someone, wants } from './flow.suite.js';
import { WatchCounts } from './watch-counts.js';
import { isMutation, listWork, mutatingWork, readsCollection } from './work-estimate.js';

const bob = someone('bob');
const list = (request: Partial<FlowRequest> = {}, more: Partial<Attributes> = {}) =>
  wants(bob, 'list', 'pods', more, request);
const past = { resourceVersion: '5', resourceVersionMatch: 'Exact' };

describe('width of a list', () => {
  it.each<[string, FlowRequest, number, number]>([
    ['few objects', list(), 99, 1],
    ['none', list(), 0, 1],
    ['a seat for a hundred', list(), 450, 5],
    ['ten at most', list(), 100_000, 10],
    ['a limit doesn’t make the cache do less', list({ limit: 10 }), 450, 5],
    ['one object by name', list({}, { name: 'x' }), 450, 1],
    ['from storage everything is read and encoded', list(past), 250, 5],
    ['from storage a page', list({ ...past, limit: 100 }), 450, 2],
    ['from storage with a selector', list({ ...past, limit: 100 }, { labelSelector: 'a=b' }), 450, 6],
    ['going on with a page', list({ continue: 'x', limit: 100 }), 450, 2],
    ['a page of an exact version, in the old way', list({ resourceVersion: '5', limit: 100 }), 450, 2],
    ['any version', list({ resourceVersion: '0', limit: 100 }), 450, 5],
    ['not older than', list({ resourceVersion: '5', resourceVersionMatch: 'NotOlderThan', limit: 1 }), 450, 5],
  ])('%s', (_, request, objects, seats) => {
    expect(listWork(request, { objects }, 0).seats).toBe(seats);
  });

  it('has a bound by level', () => {
    expect(listWork(list(), { objects: 1000 }, 3).seats).toBe(3);
    expect(listWork(list(), { objects: 1000 }, 30).seats).toBe(10);
  });

  it('is one seat for what others keep', () => {
    expect(listWork(list(), undefined, 0).seats).toBe(1);
  });

  it.each<[string, FlowRequest, number, number, number]>([
    ['small objects', list(), 1000, 100, 1],
    ['large objects', list(), 100, 5000, 5],
    ['cached lists are sent as they go', list(), 1000, 100_000, 10],
    ['stored ones are not', list(past), 50, 100_000, 50],
    ['a page', list({ limit: 3 }), 1000, 100_000, 3],
    ['a stored page', list({ ...past, limit: 3 }), 1000, 100_000, 3],
    ['a stored page with a selector', list({ ...past, limit: 3 }, { fieldSelector: 'a=b' }), 100, 100_000, 50],
    ['a hundred at most', list(past), 1000, 1_000_000, 100],
    ['one object', list({}, { name: 'x' }), 1000, 150_000, 2],
  ])('by size: %s', (_, request, objects, averageBytes, seats) => {
    expect(listWork(request, { objects, averageBytes }, 0).seats).toBe(seats);
  });
});

describe('which requests read a collection', () => {
  const watch = (request: Partial<FlowRequest>) => wants(bob, 'watch', 'pods', {}, request);
  it.each<[FlowRequest, boolean]>([
    [list(), true],
    [wants(bob, 'get', 'pods'), false],
    [watch({}), true],
    [watch({ resourceVersion: '0' }), true],
    [watch({ resourceVersion: '77' }), false],
    [watch({ resourceVersion: '77', sendInitialEvents: true }), true],
  ])('%#', (request, expected) => {
    expect(readsCollection(request)).toBe(expected);
  });
});

describe('width of a write', () => {
  it.each<[string, string, boolean]>([
    ['create', 'pods', true],
    ['update', 'pods/status', true],
    ['patch', 'pods', true],
    ['delete', 'pods', true],
    ['deletecollection', 'pods', false],
    ['get', 'pods', false],
    ['create', 'serviceaccounts/token', false],
    ['post', '/x', false],
  ])('%s %s', (verb, what, expected) => {
    expect(isMutation(wants(bob, verb, what))).toBe(expected);
  });

  it('is one seat, and a while of telling many watches', () => {
    expect(mutatingWork(9, 0)).toEqual({ seats: 1, finalSeats: 0, finalMs: 0 });
    expect(mutatingWork(10, 0)).toEqual({ seats: 1, finalSeats: 1, finalMs: 5 });
    expect(mutatingWork(95, 0)).toEqual({ seats: 1, finalSeats: 10, finalMs: 5 });
    // Wider than allowed: narrower and longer.
    expect(mutatingWork(1000, 0)).toEqual({ seats: 1, finalSeats: 10, finalMs: 50 });
    expect(mutatingWork(95, 4)).toEqual({ seats: 1, finalSeats: 4, finalMs: 12.5 });
  });
});

describe('watches that hear of a write', () => {
  const everywhere = { namespace: '' };

  it('are those of the resource, of the namespace and of the object', () => {
    const counts = new WatchCounts();
    counts.add(asks(bob, 'watch', 'pods', everywhere));
    counts.add(asks(bob, 'watch', 'pods'));
    counts.add(asks(bob, 'watch', 'pods', { name: 'a' }));
    counts.add(asks(bob, 'watch', 'pods', { namespace: 'other' }));
    counts.add(asks(bob, 'watch', 'secrets', everywhere));
    expect(counts.interestedIn(asks(bob, 'update', 'pods', { name: 'a' }))).toBe(3);
    expect(counts.interestedIn(asks(bob, 'update', 'pods', { name: 'b' }))).toBe(2);
    expect(counts.interestedIn(asks(bob, 'create', 'pods'))).toBe(2);
    expect(counts.interestedIn(asks(bob, 'create', 'pods', { group: 'other' }))).toBe(0);
  });

  it('go when they end', () => {
    const counts = new WatchCounts();
    const ends = [1, 2].map(() => counts.add(asks(bob, 'watch', 'pods')));
    expect(counts.interestedIn(asks(bob, 'create', 'pods'))).toBe(2);
    for (const end of ends) end();
    expect(counts.interestedIn(asks(bob, 'create', 'pods'))).toBe(0);
  });

  it('are not those of kubelets', () => {
    const counts = new WatchCounts();
    const watch = (fieldSelector: string) => counts.add(asks(bob, 'watch', 'pods', { ...everywhere, fieldSelector }));
    watch('spec.nodeName=n1')();
    watch('spec.nodeName=');
    watch('spec.nodeName!=n1');
    watch('what is this');
    expect(counts.interestedIn(asks(bob, 'create', 'pods'))).toBe(3);
  });
});
