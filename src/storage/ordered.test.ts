import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Fifo } from './fifo.js';
import { OrderedMap, type OrderedView } from './ordered.js';

function values<V>(view: OrderedView<V>, start = '', end = '\uffff'): V[] {
  const out: V[] = [];
  const cursor = view.cursor(start, end);
  for (let v = cursor.next(); v !== undefined; v = cursor.next()) out.push(v);
  return out;
}

const key = fc.integer({ min: 0, max: 400 }).map((n) => `k${n}`);
const operation = fc.oneof(
  { weight: 5, arbitrary: fc.record({ op: fc.constant('set' as const), key, value: fc.nat() }) },
  { weight: 4, arbitrary: fc.record({ op: fc.constant('delete' as const), key }) },
  { weight: 1, arbitrary: fc.record({ op: fc.constant('snapshot' as const) }) },
);

describe('OrderedMap', () => {
  it('equals a sorted Map, and its snapshots stay as they were', () => {
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 1500, size: 'max' }), key, key, (operations, from, to) => {
        const map = new OrderedMap<number>();
        const model = new Map<string, number>();
        const snapshots: { view: OrderedView<number>; expected: number[] }[] = [];
        const sorted = (start = '', end = '\uffff') =>
          [...model.entries()]
            .filter(([k]) => k >= start && k < end)
            .sort(([a], [b]) => (a < b ? -1 : 1))
            .map(([, v]) => v);
        for (const o of operations) {
          if (o.op === 'set') {
            expect(map.set(o.key, o.value)).toBe(model.get(o.key));
            model.set(o.key, o.value);
          } else if (o.op === 'delete') {
            expect(map.delete(o.key)).toBe(model.get(o.key));
            model.delete(o.key);
          } else if (snapshots.length < 8) snapshots.push({ view: map.snapshot(), expected: sorted() });
        }
        expect(map.size).toBe(model.size);
        expect(values(map)).toEqual(sorted());
        expect(values(map, from, to)).toEqual(sorted(from, to));
        expect(map.count(from, to)).toBe(sorted(from, to).length);
        for (const k of model.keys()) expect(map.get(k)).toBe(model.get(k));
        for (const s of snapshots) expect(values(s.view)).toEqual(s.expected);
      }),
      { numRuns: 60 },
    );
  });

  it('shrinks to nothing and grows again', () => {
    const map = new OrderedMap<number>();
    for (let round = 0; round < 3; round++) {
      for (let i = 0; i < 5000; i++) map.set(`k${(i * 7919) % 5000}`, i);
      expect(map.size).toBe(5000);
      for (let i = 0; i < 5000; i++) expect(map.delete(`k${i}`)).toBeDefined();
      expect(map.size).toBe(0);
      expect(values(map)).toEqual([]);
    }
  });

  it('has nothing for keys it does not hold', () => {
    const map = new OrderedMap<number>();
    expect(map.get('a')).toBeUndefined();
    expect(map.delete('a')).toBeUndefined();
    map.set('b', 1);
    expect(map.get('a')).toBeUndefined();
    expect(map.get('c')).toBeUndefined();
    expect(map.count('c', 'a')).toBe(0);
    expect(values(map, 'b', 'b')).toEqual([]);
  });

  it('keeps a fork and its origin apart', () => {
    const map = new OrderedMap<number>();
    for (let i = 0; i < 200; i++) map.set(`k${i}`, i);
    const fork = map.fork();
    fork.set('k1', -1);
    map.set('k2', -2);
    map.delete('k3');
    expect([map.get('k1'), fork.get('k1')]).toEqual([1, -1]);
    expect([map.get('k2'), fork.get('k2')]).toEqual([-2, 2]);
    expect([map.get('k3'), fork.get('k3')]).toEqual([undefined, 3]);
  });
});

describe('Fifo', () => {
  it('numbers its entries and forgets the front', () => {
    const fifo = new Fifo<number>();
    for (let i = 0; i < 3000; i++) fifo.push(i);
    for (let i = 0; i < 2000; i++) expect(fifo.shift()).toBe(i);
    expect([fifo.first, fifo.next, fifo.length]).toEqual([2000, 3000, 1000]);
    expect(fifo.at(1999)).toBeUndefined();
    expect(fifo.at(2000)).toBe(2000);
    expect(fifo.at(2999)).toBe(2999);
    expect(fifo.at(3000)).toBeUndefined();
    fifo.clear();
    expect([fifo.first, fifo.length]).toEqual([3000, 0]);
    expect(fifo.shift()).toBeUndefined();
    fifo.push(7);
    expect(fifo.at(3000)).toBe(7);
    fifo.unshift([5, 6]);
    expect([fifo.first, fifo.at(2998), fifo.at(2999), fifo.at(3000)]).toEqual([2998, 5, 6, 7]);
    expect([fifo.shift(), fifo.shift(), fifo.shift(), fifo.length]).toEqual([5, 6, 7, 0]);
  });
});
