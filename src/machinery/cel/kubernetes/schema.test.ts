import { describe, expect, it } from 'vitest';
import { compile } from '../compile.js';
import { formatType } from '../types/type.js';
import { ruleEnvironment } from './environments.js';
import { escapeFieldName } from './field-names.js';
import { LIMITS } from './limits.js';
import { type CelSchema, maxCardinality, schemaType } from './schema.js';

const text: CelSchema = { type: 'string' };
const spec: CelSchema = {
  type: 'object',
  required: ['n'],
  properties: {
    n: { type: 'integer' },
    d: { type: 'number' },
    s: text,
    nullable: { type: 'string', nullable: true },
    when: { type: 'string', format: 'date-time' },
    day: { type: 'string', format: 'date' },
    span: { type: 'string', format: 'duration' },
    data: { type: 'string', format: 'byte' },
    either: { 'x-kubernetes-int-or-string': true },
    any: { 'x-kubernetes-preserve-unknown-fields': true },
    open: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true, properties: { known: text } },
    'a-b.c/d__e': text,
    namespace: text,
    '9x': text,
    set: { type: 'array', items: text, 'x-kubernetes-list-type': 'set' },
    byKey: {
      type: 'array',
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['k'],
      items: { type: 'object', properties: { k: text, v: { type: 'integer' } } },
    },
    ratios: { type: 'array', items: { type: 'number' } },
    times: { type: 'object', additionalProperties: { type: 'string', format: 'date-time' } },
    template: { type: 'object', 'x-kubernetes-embedded-resource': true },
    untyped: { type: 'array' },
  },
};

const self = schemaType(spec, 'selfType')!;

function run(rule: string, data: unknown, oldData?: unknown): unknown {
  const compiled = compile(rule, ruleEnvironment(self, false), self);
  if (compiled.failed) return compiled.issues[0]?.message ?? compiled.message;
  const result = compiled.program.eval({ self: data, oldSelf: oldData }, { limit: LIMITS.perCall });
  return result.error ? result.error.message : result.value;
}

describe('types of fields', () => {
  it.each([
    ['n', 'int'],
    ['d', 'double'],
    ['nullable', 'string'],
    ['when', 'timestamp'],
    ['day', 'timestamp'],
    ['span', 'duration'],
    ['data', 'bytes'],
    ['either', 'dyn'],
    ['set', 'list(string)'],
    ['times', 'map(string, timestamp)'],
    ['byKey', 'list(selfType.byKey.@idx)'],
    ['a__dash__b__dot__c__slash__d__underscores__e', 'string'],
    ['__namespace__', 'string'],
  ])('%s is %s', (field, type) => {
    expect(formatType(self.fields!.get(field)!.decl.type)).toBe(type);
  });

  it.each(['any', '9x', 'untyped', 'namespace'])('%s has no field', (field) => {
    expect(self.fields!.has(field)).toBe(false);
  });
});

describe('data', () => {
  const data = {
    n: 1,
    d: 2,
    nullable: null,
    when: '2024-01-01T00:00:00Z',
    day: '2024-01-02',
    span: '3 days',
    data: 'aGk=',
    either: '50%',
    open: { known: 'x', other: 1 },
    'a-b.c/d__e': 'esc',
    namespace: 'ns',
    set: ['a', 'b'],
    byKey: [
      { k: 'x', v: 1 },
      { k: 'y', v: 2 },
    ],
    ratios: [1, 2.5],
    times: { t: '2024-01-01T00:00:00Z' },
    template: { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'p' }, spec: {} },
  };
  it.each([
    'self.d / 4.0 == 0.5 && type(self.d) == double',
    '!has(self.nullable) && has(self.n)',
    'self.day - self.when == duration("24h") && self.when.getFullYear() == 2024',
    'self.span == duration("72h")',
    'self.data == b"hi"',
    'type(self.either) == string ? self.either.endsWith("%") : self.either > 1',
    'self.open.known == "x"',
    'self.a__dash__b__dot__c__slash__d__underscores__e == "esc"',
    'self.namespace == "ns" && self.__namespace__ == "ns"',
    'self.set == ["b", "a"] && self.set + ["c", "a"] == ["c", "b", "a"] && !(self.set == ["a", "c"])',
    '(self.byKey + self.byKey.filter(e, e.k == "x")).size() == 2',
    'self == oldSelf && self.byKey == oldSelf.byKey',
    'self.ratios.sum() == 3.5 && self.ratios.all(r, type(r) == double)',
    'self.times.t < timestamp("2025-01-01T00:00:00Z")',
    'self.template.metadata.name == "p" && self.template.kind == "Pod"',
  ])('%s', (rule) => {
    const reordered = { ...data, set: ['b', 'a'], byKey: data.byKey.toReversed() };
    expect(run(rule, data, reordered)).toBe(true);
  });

  it.each([
    ['self.any.x == 1', "undefined field 'any'"],
    ['self.open.other == 1', "undefined field 'other'"],
    ['self.nullable == "x"', 'no such key: nullable'],
    ['self.when.getFullYear() == 1', 'Invalid date-time formatted string soon'],
    ['self.span > duration("1s")', 'Invalid duration soon: unable to parse soon as duration'],
  ])('%s fails', (rule, message) => {
    expect(run(rule, { ...data, when: 'soon', span: 'soon' })).toBe(message);
  });
});

it('knows apiVersion, kind and metadata of resources', () => {
  const root = schemaType({ type: 'object', properties: { spec } }, 'root', true)!;
  const compiled = compile(
    'self.metadata.name.startsWith("t") && self.kind == "T"',
    ruleEnvironment(root, false),
    root,
  );
  expect(compiled.failed).toBeUndefined();
  expect(compile('self.metadata.labels', ruleEnvironment(root, false)).failed).toBe('compilation');
});

it('makes oldSelf optional where the rule says so', () => {
  const compiled = compile('oldSelf.hasValue() || self.n == 1', ruleEnvironment(self, true), self);
  expect(compiled.failed).toBeUndefined();
});

it.each([
  ['a', 'a'],
  ['a_b', 'a_b'],
  ['a__b', 'a__underscores__b'],
  ['for', '__for__'],
  ['a.b-c/d', 'a__dot__b__dash__c__slash__d'],
  ['-a', '__dash__a'],
  ['', undefined],
  ['1a', undefined],
  ['a b', undefined],
  ['ä', undefined],
])('%s is written %s', (name, escaped) => {
  expect(escapeFieldName(name)).toBe(escaped);
});

it('estimates how often data can occur', () => {
  expect(maxCardinality(schemaType(text, 't')!)).toBe(1048576);
});
