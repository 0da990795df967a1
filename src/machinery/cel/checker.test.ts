import { describe, expect, it } from 'vitest';
import { BASE_ENVIRONMENT, compile, objectDecl, types } from './index.js';

const { INT, STRING, DYN, BOOL, DOUBLE } = types;
const text = { type: STRING, minSize: 2, maxElements: 10 };
const env = BASE_ENVIRONMENT.withVariables({
  self: objectDecl('T', { s: text, n: { type: INT, minSize: 1, maxElements: 0 } }),
  i: INT,
  s: STRING,
  b: BOOL,
  d: DYN,
  f: DOUBLE,
  l: types.listType(INT),
  m: types.mapType(STRING, INT),
  o: types.optionalType(INT),
  'a.b': STRING,
});

function typeOf(expression: string): string {
  const result = compile(expression, env);
  return result.failed
    ? result.issues.map((i) => `${i.location.column + 1}: ${i.message}`).join('\n')
    : types.formatType(result.outputType);
}

describe('types', () => {
  it.each([
    ['i + 1', 'int'],
    ['i < 1.5', 'bool'],
    ['[1, 2][0]', 'int'],
    ['[]', 'list(dyn)'],
    ['{"a": [1]}', 'map(string, list(int))'],
    ['l.map(x, string(x))', 'list(string)'],
    ['m.map(k, m[k])', 'list(int)'],
    ['m.transformMap(k, v, string(v))', 'map(string, string)'],
    ['l.filter(x, x > 0)', 'list(int)'],
    ['d.anything[0].more', 'dyn'],
    ['self.s', 'string'],
    ['self.?s', 'optional_type(string)'],
    ['o.optMap(x, x > 1)', 'optional_type(bool)'],
    ['o.orValue(1)', 'int'],
    ['l[?0]', 'optional_type(int)'],
    ['type(i)', 'type(int)'],
    ['type(1) == int', 'bool'],
    ['a.b', 'string'],
    ['b ? i : d', 'dyn'],
    ['timestamp("2024-01-01T00:00:00Z") - duration("1h")', 'timestamp'],
    ['quantity("1").add(1)', 'kubernetes.Quantity'],
    ['ip("::1")', 'net.IP'],
    ['net.IP', 'type(net.IP)'],
    ['l.min()', 'int'],
    ['[l].flatten()', 'list(int)'],
    ['[3, 1].sortBy(x, -x)', 'list(int)'],
    ['null', 'null'],
  ])('%s is %s', (expression, type) => {
    expect(typeOf(expression)).toBe(type);
  });
});

describe('refused', () => {
  it.each([
    ['nope', "1: undeclared reference to 'nope' (in container '')"],
    ['s.frob()', "7: undeclared reference to 'frob' (in container '')"],
    [
      'math.abs(1)',
      "1: undeclared reference to 'math' (in container '')\n9: undeclared reference to 'abs' (in container '')",
    ],
    [
      'cel.bind(x, 1, x)',
      "1: undeclared reference to 'cel' (in container '')\n9: undeclared reference to 'bind' (in container '')\n10: undeclared reference to 'x' (in container '')\n16: undeclared reference to 'x' (in container '')",
    ],
    ["'a'.reverse()", "12: found no matching overload for 'reverse' applied to 'string.()'"],
    ['self.zzz', "5: undefined field 'zzz'"],
    ['has(self.zzz)', "4: undefined field 'zzz'"],
    ['i.x', "2: type 'int' does not support field selection"],
    ['i + s', "3: found no matching overload for '_+_' applied to '(int, string)'"],
    ['s.startsWith(1)', "13: found no matching overload for 'startsWith' applied to 'string.(int)'"],
    ['i == "1"', "3: found no matching overload for '_==_' applied to '(int, string)'"],
    ['i && b', "1: expected type 'bool' but found 'int'"],
    ['b ? 1 : "a"', "3: found no matching overload for '_?_:_' applied to '(bool, int, string)'"],
    ['[1, "a"]', "5: expected type 'int' but found 'string'"],
    ['{"a": 1, "b": 2.0}', "15: expected type 'int' but found 'double'"],
    ['[1, dyn("a")]', "8: expected type 'int' but found 'dyn'"],
    [
      'i.all(x, true)',
      "1: expression of type 'int' cannot be range of a comprehension (must be list, map, or dynamic)",
    ],
    ['l.all(x, x)', "10: expected type 'bool' but found 'int'"],
    ['T{s: "a"}.s + 1', "13: found no matching overload for '_+_' applied to '(string, int)'"],
    ['T{n: "a"}', "4: expected type of field 'n' is 'int' but provided type is 'string'"],
    ['Nope{}', "5: undeclared reference to 'Nope' (in container '')"],
    ['i{}', "2: 'int' is not a type"],
    ['[?i]', "3: expected type 'optional_type(int)' but found 'int'"],
    ['duration("x")', '10: invalid duration argument'],
    ['timestamp("x")', '11: invalid timestamp argument'],
    ['s.matches("(")', '11: invalid matches argument'],
    [
      '"%d".format(["a"])',
      '14: error during formatting: decimal clause can only be used on integers, was given string',
    ],
    ['"%d".format([1, 2])', '12: too many arguments supplied to string.format (expected 1, got 2)'],
    ['"%d %d".format([1])', '15: index 1 out of range'],
  ])('%s', (expression, message) => {
    expect(typeOf(expression)).toBe(message);
  });

  it.each([
    ['int("a")', "type conversion error from 'string' to 'int'"],
    ['s.find("(")', 'error parsing regexp: missing closing ): `(`'],
    ['uint(-1)', 'unsigned integer overflow'],
  ])('%s when its constants are computed', (expression, message) => {
    expect(compile(expression, env)).toEqual({ failed: 'instantiation', message, issues: [] });
  });
});

it('tells which variables and fields an expression uses', () => {
  const result = compile('self.s == s && l.all(x, x > i) && d.?field.orValue(1) == 1', env);
  expect(result.failed).toBeUndefined();
  if (result.failed) return;
  expect([...result.variables].sort()).toEqual(['@result', 'd', 'i', 'l', 's', 'self', 'x']);
  expect([...result.fields].sort()).toEqual(['field', 's']);
});
