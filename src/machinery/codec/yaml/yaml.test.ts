import { describe, expect, it } from 'vitest';
import type { JsonValue } from '../../json.js';
import { compareNatural, formatYaml } from './format.js';
import { parseYaml } from './parse.js';
import { resolvePlain } from './resolve.js';

const value = (text: string): JsonValue => parseYaml(text).value;

describe("scalars follow Go's YAML 1.1", () => {
  it.each<[string, JsonValue]>([
    ['yes', true],
    ['Off', false],
    ['n', false],
    ['~', null],
    ['', null],
    ['0777', 511],
    ['0o17', 15],
    ['0b11', 3],
    ['-0x1F', -31],
    ['1_000', 1000],
    ['+12', 12],
    ['08', 8],
    ['9223372036854775807', 9223372036854775807n],
    ['18446744073709551615', 18446744073709551615n],
    ['18446744073709551616', 2 ** 64],
    ['1e3', 1000],
    ['.5', 0.5],
    ['1.', 1],
    ['-x', '-x'],
    ['0x', '0x'],
    ['1e999', '1e999'],
    ['12:30:45', '12:30:45'],
    ['2020-01-01', '2020-01-01'],
    ['2020-01-01T00:00:00Z', '2020-01-01T00:00:00Z'],
    ['1.2.3', '1.2.3'],
    ['"yes"', 'yes'],
    ["'12'", '12'],
    ['!!str 12', '12'],
    ['!!float 12', 12],
    ['!!binary aGk=', 'hi'],
    ['!mine x', 'x'],
    ['! 12', '12'],
  ])('%j', (text, expected) => {
    expect(value(`a: ${text}`)).toEqual({ a: expected });
  });
  it('knows timestamps, merges and words', () => {
    expect(resolvePlain('2020-1-1').tag).toBe('timestamp');
    expect(resolvePlain('2020-13-01').tag).toBe('str');
    expect(resolvePlain('<<').tag).toBe('merge');
    expect(resolvePlain('.NaN').tag).toBe('float');
  });
});

describe('collections', () => {
  it('sort their keys and make them strings', () => {
    expect(JSON.stringify(value('b: 1\na: 2\ny: 3\n1.5: 4\n"x": 5'))).toBe('{"1.5":4,"a":2,"b":1,"true":3,"x":5}');
    expect(JSON.stringify(value('12: 1'))).toBe('{"12":1}');
    expect(Object.keys(value('__proto__: {a: 1}') as object)).toEqual(['__proto__']);
  });
  it('merge', () => {
    expect(value('b: &b {x: 1, z: 1}\nd: {<<: *b, z: 2}\ne:\n  <<: [{x: 5}, *b]\n')).toEqual({
      b: { x: 1, z: 1 },
      d: { x: 1, z: 2 },
      e: { x: 5, z: 1 },
    });
    expect(() => value('a: {<<: 5}')).toThrow('yaml: map merge requires map or sequence of maps as the value');
  });
  it('share what aliases name', () => {
    expect(value('a: &x [1, {b: 2}]\nc: *x')).toEqual({ a: [1, { b: 2 }], c: [1, { b: 2 }] });
  });
  it('only the first document counts', () => {
    expect(value('---\na: 1\n---\n[')).toEqual({ a: 1 });
    expect(value('# head\n%YAML 1.1\n---\na: 1\n...\n]')).toEqual({ a: 1 });
    expect(value('a: |\n  text\n  --- not a marker\n')).toEqual({ a: 'text\n--- not a marker\n' });
    expect(value('---\n---\na: 1')).toBeNull();
  });
  it('JSON is YAML', () => {
    expect(value('{"a":[1,null,true,"x\\u00e9"],\n\t"b":{}}')).toEqual({ a: [1, null, true, 'xé'], b: {} });
  });
  it('list repeated keys with the line of their value', () => {
    const { value: v, duplicates } = parseYaml('a: 1\nb:\n  c: 1\n  c: 2\na: 3\n1: x\n1: z\n');
    expect(v).toEqual({ '1': 'z', a: 3, b: { c: 2 } });
    expect(duplicates).toEqual([
      'yaml: unmarshal errors:\n  line 4: key "c" already set in map\n  line 5: key "a" already set in map\n  line 7: key 1 already set in map',
    ]);
  });
});

describe('refusals', () => {
  it.each([
    ['kind: [unclosed', "yaml: line 1: did not find expected ',' or ']'"],
    ['a: {b: 1', "yaml: line 1: did not find expected ',' or '}'"],
    ['\t- bad', 'yaml: found character that cannot start any token'],
    ['a: @b', 'yaml: found character that cannot start any token'],
    ['a: b: c', 'yaml: mapping values are not allowed in this context'],
    ['x: 1\na: b: c', 'yaml: line 2: mapping values are not allowed in this context'],
    ['a:\n  - b\n - c', 'yaml: line 2: did not find expected key'],
    ['a: "x', 'yaml: found unexpected end of stream'],
    ['a: "\\q"', 'yaml: found unknown escape character'],
    ['a: *b', "yaml: unknown anchor 'b' referenced"],
    ['a: &a [*a]', "yaml: anchor 'a' value contains itself"],
    ['a: .inf', 'json: unsupported value: +Inf'],
    ['a: -.inf', 'json: unsupported value: -Inf'],
    ['a: .nan', 'json: unsupported value: NaN'],
    ['~: 1', 'unsupported map key of type'],
    ['[a]: 1', 'yaml: invalid map key'],
    ['a: !!int x', 'yaml: cannot decode !!str `x` as a !!int'],
    ['a: !!binary "?"', 'yaml: !!binary value contains invalid base64 data'],
    ['"a" "b"', 'yaml: did not find expected <document start>'],
    ['a: \u0001', 'yaml: control characters are not allowed'],
  ])('%j', (text, message) => {
    expect(() => parseYaml(text)).toThrow(message);
  });
  it('of bytes that are not UTF-8', () => {
    expect(() => parseYaml(Buffer.from([0x61, 0xff]))).toThrow('yaml: invalid leading UTF-8 octet');
    expect(parseYaml(Buffer.from('\ufeffa: 1')).value).toEqual({ a: 1 });
  });
  it('of depth and of growth through aliases', () => {
    expect(() => parseYaml('['.repeat(100_000))).toThrow('exceeded max depth');
    expect(() => parseYaml('- '.repeat(5000))).toThrow('exceeded max depth');
    let bomb = `a0: &a0 [${'x,'.repeat(9)}]\n`;
    for (let i = 1; i < 10; i++) bomb += `a${i}: &a${i} [${`*a${i - 1},`.repeat(9)}]\n`;
    expect(() => parseYaml(bomb)).toThrow('yaml: document contains excessive aliasing');
    let merges = 'm0: &m0 {k: 1}\n';
    for (let i = 1; i < 30; i++) merges += `m${i}: &m${i}\n  <<: [*m${i - 1}, *m${i - 1}]\n`;
    expect(() => parseYaml(merges)).toThrow('yaml: document contains excessive aliasing');
  });
});

describe('written text', () => {
  it.each<[JsonValue, string]>([
    [{}, '{}\n'],
    [[], '[]\n'],
    ['x', 'x\n'],
    [{ b: 1, a: [] }, 'a: []\nb: 1\n'],
    [{ a: [{ b: 1, c: [2] }, [3, [4]], {}] }, 'a:\n- b: 1\n  c:\n  - 2\n- - 3\n  - - 4\n- {}\n'],
    [[{ a: { b: null } }], '- a:\n    b: null\n'],
    [{ a: '' }, 'a: ""\n'],
    [
      { a: 'yes', b: '1', c: '2020-01-01', d: '~', e: '1:30' },
      'a: "yes"\nb: "1"\nc: "2020-01-01"\nd: "~"\ne: "1:30"\n',
    ],
    [{ a: '*', b: '- x', c: 'a: b', d: ' x', e: 'it: "s\'' }, "a: '*'\nb: '- x'\nc: 'a: b'\nd: ' x'\ne: 'it: \"s'''\n"],
    [{ a: 'x\ny\n', b: 'x\ny', c: 'x\n\n', d: ' x\n' }, 'a: |\n  x\n  y\nb: |-\n  x\n  y\nc: |+\n  x\n\nd: |2\n   x\n'],
    [{ a: '\t', b: 'x \ny', c: '\u0007😀' }, 'a: "\\t"\nb: "x \\ny"\nc: "\\a\\U0001F600"\n'],
    [
      { a: 1.5, b: 1e21, c: 1234567.5, d: 0.00001, e: -3, f: 9223372036854775807n },
      'a: 1.5\nb: 1e+21\nc: 1.2345675e+06\nd: 1e-05\ne: -3\nf: 9223372036854775807\n',
    ],
    [{ ['k'.repeat(129)]: 1 }, `? ${'k'.repeat(129)}\n: 1\n`],
    [{ 'a\nb': { c: 1 } }, '? |-\n  a\n  b\n: c: 1\n'],
  ])('%o', (input, expected) => {
    expect(formatYaml(input)).toBe(expected);
  });
  it('folds behind column 80', () => {
    const text = formatYaml({ a: 'word '.repeat(30).trim() });
    expect(text).toBe(`a: ${'word '.repeat(15)}word\n  ${'word '.repeat(13)}word\n`);
  });
  it('orders keys as people count', () => {
    const keys = ['a10', 'a2', 'a', 'B', '.x', 'a1', '10', '9', 'a_b', 'ab', 'a01', '101', '11'];
    expect(keys.sort(compareNatural)).toEqual([
      '.x',
      '9',
      '10',
      '11',
      '101',
      'B',
      'a',
      'a_b',
      'a1',
      'a01',
      'a2',
      'a10',
      'ab',
    ]);
  });
});
