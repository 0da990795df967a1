import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { JsonValue } from '../json.js';
import {
  descend,
  difference,
  EMPTY,
  type FieldSet,
  hasPath,
  intersection,
  isEmptySet,
  type Path,
  parseFieldSet,
  paths,
  pathText,
  recursiveDifference,
  setOfPaths,
  union,
  unionOf,
} from './field-set.js';
import { compareElements, elementText, keyElement, parseElement, valueElement } from './path-element.js';

describe('path elements', () => {
  it.each([
    ['f:name', 'f:name', '.name'],
    ['f:', 'f:', '.'],
    ['k:{"b":1, "a":"x"}', 'k:{"a":"x","b":1}', '[a="x",b=1]'],
    ['v:"a"', 'v:"a"', '[="a"]'],
    ['v: 1.0', 'v:1', '[=1]'],
    ['v:true', 'v:true', '[=true]'],
    ['v:"\\u003c"', 'v:"\\u003c"', '[="<"]'],
    ['i:05', 'i:5', '[5]'],
    ['k:null', 'k:{}', '[]'],
    ['x:future', undefined, undefined],
  ])('%s', (key, canonical, text) => {
    expect(parseElement(key)).toBe(canonical);
    if (canonical) expect(elementText(canonical)).toBe(text);
  });
  it.each(['', 'f', 'name', 'k:{bad', 'k:[]', 'v:', 'i:x', 'i:'])('refuses %j', (key) => {
    expect(() => parseElement(key)).toThrow();
  });
  it('are in the order of fieldsV1', () => {
    const ordered = [
      'f:a',
      'f:b',
      'k:{"a":"z"}',
      'k:{"a":"z","b":9}',
      'k:{"a":"z","b":10}',
      'k:{"b":1}',
      'v:2',
      'v:10',
      'v:"a"',
      'v:"b c"',
      'v:false',
      'v:true',
      'v:[1]',
      'v:[1,2]',
      'v:null',
      'i:2',
      'i:10',
    ];
    expect([...ordered].reverse().sort(compareElements)).toEqual(ordered);
    expect(compareElements('f:a', 'f:a')).toBe(0);
  });
  it('are built in canonical form', () => {
    expect(keyElement({ protocol: 'TCP', containerPort: 80 })).toBe('k:{"containerPort":80,"protocol":"TCP"}');
    expect(valueElement('a&b')).toBe('v:"a\\u0026b"');
  });
});

describe('reading fieldsV1', () => {
  it.each<[JsonValue, FieldSet]>([
    [{}, {}],
    [null, {}],
    [
      { 'f:b': {}, 'f:a': { 'f:x': {}, '.': {} } },
      { 'f:a': { '.': {}, 'f:x': {} }, 'f:b': {} },
    ],
    [{ 'f:a': { '.': {} } }, { 'f:a': {} }],
    [{ 'f:a': null }, { 'f:a': {} }],
    [{ '.': {}, 'f:a': {} }, { 'f:a': {} }],
    [{ 'f:a': { 'x:y': {} } }, { 'f:a': {} }],
  ])('%j', (sent, read) => expect(JSON.stringify(parseFieldSet(sent))).toBe(JSON.stringify(read)));

  it.each<JsonValue>([5, [], 'x', { 'f:a': 5 }, { a: {} }, { 'k:{': {} }, { 'f:a': { 'f:b': [] } }])(
    'refuses %j',
    (sent) => {
      expect(() => parseFieldSet(sent)).toThrow();
    },
  );
  it('refuses what is too deep', () => {
    let deep: JsonValue = {};
    for (let i = 0; i < 100_000; i++) deep = { 'f:a': deep };
    expect(() => parseFieldSet(deep)).toThrow('depth');
  });
});

it('lists members before what is below them', () => {
  const set = parseFieldSet({ 'f:m': { 'f:labels': { 'f:a': {} } }, 'f:z': {}, 'f:a': { '.': {}, 'k:{"n":"x"}': {} } });
  expect([...paths(set)].map(pathText)).toEqual(['.a', '.z', '.a[n="x"]', '.m.labels.a']);
});

describe('operations', () => {
  const element = fc.constantFrom('f:a', 'f:b', 'k:{"n":"x"}', 'k:{"n":"y"}', 'v:1');
  const path = fc.array(element, { minLength: 1, maxLength: 4 });
  const list = fc.array(path, { maxLength: 8 });
  const keys = (set: FieldSet): string[] => [...paths(set)].map((p) => p.join(' ')).sort();
  const model = (ps: Path[]): Set<string> => new Set(ps.map((p) => p.join(' ')));
  const canonical = (set: FieldSet): void => expect(JSON.stringify(set)).toBe(JSON.stringify(parseFieldSet(set)));

  it('are those of sets of paths', () => {
    fc.assert(
      fc.property(list, list, (p, q) => {
        const [a, b] = [setOfPaths(p), setOfPaths(q)];
        const [x, y] = [model(p), model(q)];
        const before = JSON.stringify([a, b]);
        expect(keys(a)).toEqual([...x].sort());
        expect(keys(union(a, b))).toEqual([...new Set([...x, ...y])].sort());
        expect(keys(intersection(a, b))).toEqual([...x].filter((k) => y.has(k)).sort());
        expect(keys(difference(a, b))).toEqual([...x].filter((k) => !y.has(k)).sort());
        const under = (k: string): boolean => [...y].some((r) => k === r || k.startsWith(`${r} `));
        expect(keys(recursiveDifference(a, b))).toEqual([...x].filter((k) => !under(k)).sort());
        for (const set of [a, union(a, b), intersection(a, b), difference(a, b), recursiveDifference(a, b)])
          canonical(set);
        for (const k of q) expect(hasPath(a, k)).toBe(x.has(k.join(' ')));
        expect(isEmptySet(a)).toBe(x.size === 0);
        expect(JSON.stringify([a, b])).toBe(before);
      }),
      { numRuns: 1500 },
    );
  });

  it('unite any number', () => {
    fc.assert(
      fc.property(fc.array(list, { maxLength: 7 }), (all) => {
        expect(unionOf(all.map(setOfPaths))).toEqual(all.map(setOfPaths).reduce(union, EMPTY));
      }),
      { numRuns: 300 },
    );
  });

  it('share what they do not change', () => {
    const a = setOfPaths([['f:a', 'f:b'], ['f:c']]);
    expect(union(a, EMPTY)).toBe(a);
    expect(union(EMPTY, a)).toBe(a);
    expect(union(a, setOfPaths([['f:c']]))).toBe(a);
    expect(difference(a, setOfPaths([['f:x'], ['f:a']]))).toBe(a);
    expect(difference(a, setOfPaths([['f:c']]))['f:a']).toBe(a['f:a']);
  });
  it('descend', () => {
    const a = setOfPaths([['f:a'], ['f:a', 'f:b']]);
    expect(descend(a, 'f:a')).toEqual({ member: true, below: { 'f:b': {} } });
    expect(descend(a, 'f:x')).toBeUndefined();
  });
});
