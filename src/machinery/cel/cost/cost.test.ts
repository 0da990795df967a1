import { describe, expect, it } from 'vitest';
import { compile } from '../compile.js';
import { BASE_ENVIRONMENT, ruleEnvironment } from '../kubernetes/environments.js';
import { type CelSchema, schemaType } from '../kubernetes/schema.js';
import { DYN, listType, mapType, STRING } from '../types/type.js';

const text = (maxLength?: number): CelSchema => ({ type: 'string', maxLength });
const list = (items: CelSchema, maxItems?: number): CelSchema => ({ type: 'array', items, maxItems });
const map = (additionalProperties: CelSchema, maxProperties?: number): CelSchema => ({
  type: 'object',
  additionalProperties,
  maxProperties,
});
const number: CelSchema = { type: 'number' };
const object: CelSchema = {
  type: 'object',
  required: ['required'],
  properties: { required: { type: 'string' }, optional: { type: 'string' } },
};

describe('estimated cost of rules', () => {
  // The numbers are those of Kubernetes: CRDs are accepted and refused by them.
  it.each<[string, CelSchema, number]>([
    ['self.all(x, true)', list(number), 4718591],
    ['self.all(x, true)', list(number, 10), 32],
    ['self.all(x, true)', list(text()), 3145727],
    ['self.all(x, true)', list({ type: 'boolean' }), 1887437],
    ['self.all(x, true)', list(object), 555128],
    ['self.all(x, true)', map(number), 1348169],
    ['self.all(x, true)', map(text(), 3), 11],
    ['self.contains("test")', text(), 314574],
    ['self.contains("test")', text(10), 5],
    ['self.startsWith("test")', text(), 2],
    ['size(self + "hello") > size("hello")', text(), 314578],
    ['size(self + "hello") > size("hello")', text(4), 7],
    ['self.all(x, x == 0.0)', list(number), 6291454],
  ])('%s over %j is %d', (rule, schema, max) => {
    const self = schemaType(schema, 'self')!;
    const compiled = compile(rule, ruleEnvironment(self, false), self);
    expect(compiled.failed).toBeUndefined();
    if (!compiled.failed) expect(compiled.estimatedCost.max).toBe(max);
  });
});

const env = BASE_ENVIRONMENT.withVariables({ s: STRING, l: listType(STRING), m: mapType(STRING, DYN), d: DYN });
const data = { s: 'x'.repeat(25), l: ['a', 'bb', 'ccc'], m: { a: 1, b: { c: 2 } }, d: { l: [1, 2] } };

describe('actual cost', () => {
  it.each([
    ['1 + 1 == 2', 2],
    ['s', 1],
    ['m.b.c', 3],
    ['d.l[0]', 3],
    ['has(m.a)', 1],
    ['has(m.b.c)', 2],
    ['s == s', 5],
    ['s + s', 7],
    ['s.contains("abc")', 4],
    ['s.matches("^x+$")', 4],
    ['s.matches(l[0])', 6],
    ['[1, 2, 3]', 0],
    ['[s]', 11],
    ['{"a": s}', 31],
    ['s in ["a", "b"]', 1],
    ['s in l', 5],
    ['l.all(x, x != "")', 14],
    ['l.exists(x, x == "bb")', 17],
    ['l.map(x, x)', 41],
    ['l.filter(x, x == "a")', 21],
    ['m.a == 1 ? m.a : m.b', 4],
    ['true || s == "x"', 0],
    ['m.?zzz.orValue(1)', 1],
    ['duration("1s") < duration("2s")', 1],
    ['s.split("")', 6],
    ['ip("127.0.0.1").isLoopback()', 2],
  ])('%s costs %d', (expression, cost) => {
    const compiled = compile(expression, env);
    expect(compiled.failed).toBeUndefined();
    if (!compiled.failed) {
      const result = compiled.program.eval(data);
      expect(result.error).toBeUndefined();
      expect(result.cost).toBe(cost);
    }
  });
});

describe('limits', () => {
  const loop = 'lists.range(1000).all(x, lists.range(1000).all(y, x + y >= 0))';

  it('stop an evaluation, whatever would swallow an error', () => {
    const compiled = compile(`${loop} || true`, env);
    if (compiled.failed) throw new Error(compiled.message);
    expect(compiled.program.eval({}, { limit: 1000 })).toMatchObject({
      error: { kind: 'cost', message: 'operation cancelled: actual cost limit exceeded' },
    });
  });

  it('are met by what is done, before it is done', () => {
    const compiled = compile('l.distinct().size()', env);
    if (compiled.failed) throw new Error(compiled.message);
    const l = Array.from({ length: 100_000 }, (_, i) => [i]);
    expect(compiled.program.eval({ l }, { limit: 1_000_000 }).error?.kind).toBe('cost');
  });

  it('let an evaluation be interrupted', () => {
    const compiled = compile(`${loop} || true`, env);
    if (compiled.failed) throw new Error(compiled.message);
    let asked = 0;
    const result = compiled.program.eval({}, { interrupted: () => ++asked > 3 });
    expect(result.error).toEqual({ kind: 'interrupted', message: 'operation interrupted' });
    expect(asked).toBe(4);
  });
});
