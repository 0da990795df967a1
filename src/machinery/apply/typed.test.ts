import { describe, expect, it } from 'vitest';
import type { JsonObject, JsonValue } from '../json.js';
import { catalog } from '../scheme/catalog.js';
import type { Field, SchemaNode, Type } from '../scheme/type.js';
import { compare } from './compare.js';
import { type FieldSet, paths, pathText, setOfPaths } from './field-set.js';
import { mergeTyped } from './merge.js';
import { fieldSetOf } from './owned.js';
import { reconcile } from './reconcile.js';
import { removeItems, withNamedFields } from './remove.js';
import { atomOf } from './schema.js';
import { validateConfig } from './validate.js';

/** A struct as the schema of a custom resource becomes one. */
function struct(
  name: string,
  members: Record<string, SchemaNode & { published?: JsonValue }>,
  more: Partial<SchemaNode> = {},
): SchemaNode {
  const fields = Object.entries(members).map(
    ([n, { published, ...node }]): Field => ({
      name: n,
      node,
      required: false,
      nullable: false,
      pointer: true,
      zero: undefined,
      published,
    }),
  );
  const type: Type = {
    name,
    fields,
    field: new Map(fields.map((f) => [f.name, f])),
    gvk: [],
    inlineParts: [],
    published: true,
  };
  return { kind: 'struct', type, ...more };
}
const text: SchemaNode = { kind: 'string' };
const int: SchemaNode = { kind: 'integer' };
const item = struct('Item', { name: text, port: { ...int, published: 80 }, value: text });

const THING = struct('Thing', {
  name: text,
  count: int,
  on: { kind: 'boolean' },
  either: { kind: 'any' },
  set: { kind: 'array', items: text, listType: 'set' },
  map: { kind: 'array', items: item, listType: 'map', listKeys: ['port', 'name'] },
  whole: { kind: 'array', items: text },
  labels: { kind: 'map', values: text },
  selector: { kind: 'map', values: text, mapType: 'atomic' },
  nested: struct('Nested', { a: text, b: text }),
  sealed: struct('Sealed', { a: text }, { mapType: 'atomic' }),
  open: struct('Open', { known: int }, { values: { kind: 'any' } }),
  constructor: text,
});
const ATOM = atomOf(THING);
const written = (value: JsonValue) => ({ value, atom: ATOM, form: 'written' as const });
const list = (set: FieldSet): string[] => [...paths(set)].map(pathText);
const owned = (value: JsonObject): string[] => list(fieldSetOf(written(value)));

describe('what a configuration owns', () => {
  it.each<[JsonObject, string[]]>([
    [{ name: 'x', count: 1 }, ['.count', '.name']],
    [{ set: ['b', 'a'] }, ['.set[="a"]', '.set[="b"]']],
    [{ set: [] }, []],
    [
      { map: [{ name: 'a', value: 'v' }] },
      ['.map[name="a",port=80]', '.map[name="a",port=80].name', '.map[name="a",port=80].value'],
    ],
    [{ whole: ['x'] }, ['.whole']],
    [{ labels: { a: '1' }, selector: { b: '2' } }, ['.selector', '.labels.a']],
    [{ labels: {}, nested: {} }, ['.labels', '.nested']],
    [{ nested: null }, ['.nested']],
    [{ sealed: { a: 'x' } }, ['.sealed']],
    [{ either: { x: { y: [1] } } }, ['.either.x', '.either.x.y']],
    [{ either: 5 }, ['.either']],
    [{ open: { known: 1, other: 2 } }, ['.open.known', '.open.other']],
    [{ set: ['a', 'a', 'b'] }, ['.set[="a"]', '.set[="b"]']],
  ])('%j', (value, expected) => expect(owned(value)).toEqual(expected));

  it('a repeated item is owned as a whole', () => {
    expect(
      owned({
        map: [
          { name: 'a', value: '1' },
          { name: 'a', value: '2' },
        ],
      }),
    ).toEqual(['.map[name="a",port=80]']);
  });
});

describe('a configuration must fit its schema', () => {
  it.each<[JsonValue, string]>([
    [{ bogus: 1 }, '.bogus: field not declared in schema'],
    [{ toString: 1 }, '.toString: field not declared in schema'],
    [{ count: 'x' }, '.count: expected numeric (int or float), got string'],
    [{ count: {} }, '.count: expected numeric (int or float), got map[string]interface {}'],
    [{ name: 5 }, '.name: expected string, got &value.valueUnstructured{Value:5}'],
    [{ name: ['x'] }, '.name: expected string, got &value.valueUnstructured{Value:[]interface {}{"x"}}'],
    [{ on: 'yes' }, '.on: expected boolean, got &{yes}'],
    [{ labels: [] }, '.labels: expected map, got &{[]}'],
    [{ whole: { a: 1 } }, '.whole: expected list, got &{map[a:1]}'],
    [{ nested: 'x' }, '.nested: expected map, got &{x}'],
    [{ set: ['a', 'b', 'a'] }, '.set: duplicate entries for key [="a"]'],
    [{ map: [{ name: 'a' }, { name: 'a', port: 80 }] }, '.map: duplicate entries for key [name="a",port=80]'],
    [{ set: [{}] }, ".set: element 0: associative list without keys has an element that's a map type"],
    [{ set: ['a', null] }, ".set: element 1: associative list without keys has an element that's an explicit null"],
    [{ set: [[]] }, '.set: element 0: not supported: associative list with lists as elements'],
    [{ map: [null] }, '.map: element 0: associative list with keys may not have a null element'],
    [{ map: ['x'] }, '.map: element 0: associative list with keys may not have non-map elements'],
    [
      { map: [{ name: 'a', value: 5 }] },
      '.map[name="a",port=80].value: expected string, got &value.valueUnstructured{Value:5}',
    ],
    [{ whole: ['a', 1] }, '.whole[1]: expected string, got &value.valueUnstructured{Value:1}'],
    [
      { count: 'x', nested: { a: 1 } },
      'errors:\n  .count: expected numeric (int or float), got string\n  .nested.a: expected string, got &value.valueUnstructured{Value:1}',
    ],
    [[], 'expected map, got &{[]}'],
  ])('%j', (value, message) => expect(() => validateConfig(value, ATOM)).toThrow(expect.objectContaining({ message })));

  it('accepts nulls and free-form parts', () => {
    validateConfig(
      { name: null, set: null, map: null, labels: { a: null }, either: [{ a: 1 }], open: { x: [{}] } },
      ATOM,
    );
  });
  it('names the keys that an element lacks', () => {
    const keyed = atomOf(
      struct('Keyed', { list: { kind: 'array', items: item, listType: 'map', listKeys: ['name', 'value'] } }),
    );
    expect(() => validateConfig({ list: [{ port: 1 }] }, keyed)).toThrow(
      '.list: element 0: associative list with keys has an element that omits all key fields ["name" "value"] (and doesn\'t have default values for any key fields)',
    );
    validateConfig({ list: [{ name: 'x' }] }, keyed);
  });
});

describe('comparison', () => {
  const diff = (before: JsonObject, after: JsonObject): string[] => {
    const c = compare(written(before), written(after));
    return [
      ...list(c.added).map((p) => `+${p}`),
      ...list(c.modified).map((p) => `~${p}`),
      ...list(c.removed).map((p) => `-${p}`),
    ];
  };
  it.each<[JsonObject, JsonObject, string[]]>([
    [{ name: 'a' }, { name: 'b', count: 1 }, ['+.count', '~.name']],
    [{ name: 'a', labels: { a: '1', b: '2' } }, { labels: { b: '3' } }, ['~.labels.b', '-.name', '-.labels.a']],
    [{}, { labels: { a: '1' } }, ['+.labels', '+.labels.a']],
    [{ labels: {} }, {}, ['-.labels']],
    [{ set: ['a', 'b'] }, { set: ['b', 'c'] }, ['+.set[="c"]', '-.set[="a"]']],
    [{ map: [{ name: 'a', value: '1' }] }, { map: [{ name: 'a', value: '2' }] }, ['~.map[name="a",port=80].value']],
    [{ whole: ['a'] }, { whole: ['b'] }, ['~.whole']],
    [{ whole: ['a'] }, { whole: ['a'] }, []],
    [{ selector: { a: '1' } }, { selector: { a: '1', b: '2' } }, ['~.selector']],
    [{ sealed: { a: '1' } }, { sealed: { a: '2' } }, ['~.sealed']],
    [{ either: 'x' }, { either: { a: 1 } }, ['+.either.a', '~.either']],
    [{ nested: null }, { nested: {} }, ['~.nested']],
    [{ set: ['a', 'a'] }, { set: ['a'] }, ['+.set[="a"]', '-.set[="a"]']],
    [{ set: ['a'] }, { set: ['a', 'a'] }, ['+.set[="a"]', '-.set[="a"]']],
    [{ set: ['a', 'a'] }, { set: ['a', 'a', 'a'] }, ['~.set[="a"]']],
    [{ constructor: 'x' } as unknown as JsonObject, {}, ['-.constructor']],
  ])('%j → %j', (before, after, expected) => expect(diff(before, after)).toEqual(expected));

  it('finds nothing in what is the same', () =>
    expect(diff({ name: 'x', map: [{ name: 'a' }] }, { map: [{ name: 'a' }], name: 'x' })).toEqual([]));
  it('fails on elements without keys', () =>
    expect(() => diff({}, { map: [null] as unknown as JsonValue[] })).toThrow());

  it('knows the fields that Go always has', () => {
    const atom = atomOf({ kind: 'struct', type: catalog().byGvk('apps', 'v1', 'Deployment')! });
    const c = compare(
      { value: {}, atom, form: 'go' },
      { value: { spec: { strategy: { type: 'x' }, paused: false }, status: {} }, atom, form: 'go' },
    );
    expect([list(c.added), list(c.modified), list(c.removed)]).toEqual([['.spec.strategy.type'], [], []]);
  });
});

describe('merge', () => {
  const merged = (live: JsonObject, config: JsonObject): JsonValue | undefined =>
    mergeTyped(written(live), written(config));
  const m = (...names: string[]): JsonObject => ({ set: names });
  it.each<[JsonObject, JsonObject, JsonObject]>([
    [{ name: 'a', count: 1 }, { name: 'b' }, { name: 'b', count: 1 }],
    [{ labels: { a: '1' } }, { labels: { b: '2' } }, { labels: { a: '1', b: '2' } }],
    [{ selector: { a: '1' } }, { selector: { b: '2' } }, { selector: { b: '2' } }],
    [{ whole: ['a'] }, { whole: ['b'] }, { whole: ['b'] }],
    [{ either: { a: 1 } }, { either: [2] }, { either: [2] }],
    [{ nested: { a: 'x' } }, { nested: null }, { nested: { a: 'x' } }],
    [{ labels: {} }, { labels: null }, { labels: null }],
    [m('a', 'b'), m('c'), m('a', 'b', 'c')],
    [m('a', 'b', 'c'), m('c', 'a'), m('b', 'c', 'a')],
    [m('a', 'b', 'c'), m('b', 'n', 'c'), m('a', 'b', 'n', 'c')],
    [m('a', 'x', 'b'), m('b', 'a'), m('x', 'b', 'a')],
    [m('a', 'b'), m('z', 'a'), m('z', 'a', 'b')],
    [m('a', 'a', 'x'), m('a', 'n'), m('a', 'n', 'x')],
    [m(), m('a'), m('a')],
    [
      { map: [{ name: 'a', value: '1' }, { name: 'b' }] },
      { map: [{ name: 'b', value: '2' }] },
      {
        map: [
          { name: 'a', value: '1' },
          { name: 'b', value: '2' },
        ],
      },
    ],
  ])('%j + %j', (live, config, expected) => {
    const before = JSON.stringify([live, config]);
    expect(merged(live, config)).toEqual(expected);
    expect(JSON.stringify([live, config])).toBe(before);
  });
});

describe('removal', () => {
  const without = (value: JsonObject, ...gone: string[][]): JsonValue | undefined =>
    removeItems(written(value), setOfPaths(gone));
  it.each<[JsonObject, string[][], JsonObject]>([
    [{ name: 'a', count: 1 }, [['f:name']], { count: 1 }],
    [{ labels: { a: '1', b: '2' } }, [['f:labels', 'f:a']], { labels: { b: '2' } }],
    [{ labels: { a: '1' } }, [['f:labels', 'f:a']], { labels: {} }],
    [{ set: ['a', 'b'] }, [['f:set', 'v:"a"']], { set: ['b'] }],
    [{ set: ['a'] }, [['f:set', 'v:"a"']], { set: [] }],
    [
      { map: [{ name: 'a', value: '1' }] },
      [['f:map', 'k:{"name":"a","port":80}', 'f:value']],
      { map: [{ name: 'a' }] },
    ],
    [{ map: [{ name: 'a' }, { name: 'b' }] }, [['f:map', 'k:{"name":"a","port":80}']], { map: [{ name: 'b' }] }],
    [{ name: 'a' }, [['f:name']], {}],
    [{ name: 'a' }, [['f:gone'], ['f:name', 'f:below']], { name: 'a' }],
  ])('%j', (value, gone, expected) => expect(without(value, ...gone)).toEqual(expected));

  it('counts declared members in', () => {
    const set = setOfPaths([
      ['f:nested', 'f:a'],
      ['f:labels', 'f:x'],
      ['f:map', 'k:{"name":"a"}', 'f:name'],
      ['f:open', 'f:q', 'f:r'],
    ]);
    expect(list(withNamedFields(set, ATOM))).toEqual([
      '.labels',
      '.map',
      '.nested',
      '.open',
      '.labels.x',
      '.map[name="a"].name',
      '.nested.a',
      '.open.q.r',
    ]);
  });
});

describe('sets written under an older schema', () => {
  it('follow what became atomic', () => {
    const old = setOfPaths([
      ['f:selector', 'f:a'],
      ['f:sealed'],
      ['f:sealed', 'f:a'],
      ['f:whole', 'v:"x"'],
      ['f:name'],
      ['f:bogus', 'f:x'],
    ]);
    expect(list(reconcile(old, ATOM))).toEqual(['.name', '.sealed', '.selector', '.whole', '.bogus.x']);
  });
  it('stay as they are otherwise', () => {
    const set = setOfPaths([
      ['f:selector'],
      ['f:whole'],
      ['f:labels', 'f:a'],
      ['f:either', 'f:a', 'f:b'],
      ['f:set', 'v:"a"'],
    ]);
    expect(reconcile(set, ATOM)).toBe(set);
    expect(reconcile(set, ATOM)).toBe(set);
  });
});

it('falls back to the patch strategy where a list has no type', () => {
  const field = {
    name: 'l',
    node: { kind: 'array', items: item },
    required: false,
    nullable: false,
    pointer: true,
    zero: undefined,
    patchStrategy: 'merge,retainKeys',
    patchMergeKey: 'name',
  } satisfies Field;
  const type: Type = {
    name: 'T',
    fields: [field],
    field: new Map([['l', field]]),
    gvk: [],
    inlineParts: [],
    published: true,
  };
  const atom = atomOf({ kind: 'struct', type });
  expect(list(fieldSetOf({ value: { l: [{ name: 'x' }] }, atom, form: 'written' }))).toEqual([
    '.l[name="x"]',
    '.l[name="x"].name',
  ]);
});

it('compiles types that refer to themselves', () => {
  const crd = atomOf({
    kind: 'struct',
    type: catalog().type('io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaProps'),
  });
  const set = fieldSetOf({
    value: { properties: { a: { properties: { b: { type: 'x' } } } }, default: { x: 1 } },
    atom: crd,
    form: 'written',
  });
  expect(list(set)).toContain('.properties.a.properties.b.type');
});
