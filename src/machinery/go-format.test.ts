import { describe, expect, it } from 'vitest';
import { compareBytes, goJson, goJsonString, goQuote, goSyntax, goType, goValue } from './go-format.js';

describe('Go formats', () => {
  it.each([
    ['plain', '"plain"'],
    ['a"b\\c', '"a\\"b\\\\c"'],
    ['\n\t\u0001\u007f', '"\\n\\t\\x01\\x7f"'],
    ['é日', '"é日"'],
    ['\u00ad\u200b', '"\\u00ad\\u200b"'],
    ['\u{e0001}', '"\\U000e0001"'],
  ])('%%q of %j', (text, quoted) => expect(goQuote(text)).toBe(quoted));

  it.each([
    [{ b: [1, 'x'], a: null }, 'map[a:<nil> b:[1 x]]'],
    [{}, 'map[]'],
    [1.5e30, '1.5e+30'],
    [0.00001, '1e-05'],
    [9007199254740993n, '9007199254740993'],
    [true, 'true'],
  ])('%%v of a value', (value, text) => expect(goValue(value)).toBe(text));

  it('%#v', () => {
    expect(goSyntax({ a: [1, 'x', null, true] })).toBe(
      'map[string]interface {}{"a":[]interface {}{1, "x", interface {}(nil), true}}',
    );
  });
  it('%T', () => {
    expect([1, 1.5, 2n ** 60n, 'x', true, null, [], {}].map(goType)).toEqual([
      'int64',
      'float64',
      'int64',
      'string',
      'bool',
      '<nil>',
      '[]interface {}',
      'map[string]interface {}',
    ]);
  });
  it('JSON with HTML escaped, keys sorted', () => {
    expect(goJson({ b: '<&>', a: ['\u2028', '\b\f\\b'], c: undefined })).toBe(
      '{"a":["\\u2028","\\u0008\\u000c\\\\b"],"b":"\\u003c\\u0026\\u003e"}',
    );
    expect(JSON.parse(goJsonString('\\\b\\f"'))).toBe('\\\b\\f"');
  });
  it('compares by UTF-8 bytes', () => {
    const words = ['a', 'ab', 'b', 'z', 'é', '\uffee', '\u{1f600}', ''];
    const byBytes = [...words].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
    expect([...words].reverse().sort(compareBytes)).toEqual(byBytes);
    expect(compareBytes('x', 'x')).toBe(0);
  });
});
