import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { jsonPathFault } from './json-path.js';

describe('JSONPath templates', () => {
  it.each([
    '{spec.validations[0].expression}',
    '{.a.b}',
    '{@}',
    '{$.a[*].b}',
    "{.a['b.c']}",
    '{.a[0:2:1]}',
    '{.a[-1]}',
    '{.a[0,1]}',
    '{..name}',
    '{.items[?(@.kind=="x")].name}',
    '{.items[?(@.a)]}',
    '{"text"} and {.b\\.c}',
    'no action',
  ])('%s is one', (text) => {
    expect(jsonPathFault(text)).toBeUndefined();
  });

  it.each([
    ['{', 'unclosed action'],
    ['{.a', 'unclosed action'],
    ['{-bad-}', 'cannot parse number -'],
    ['{/abs}', "unrecognized character in action: U+002F '/'"],
    ['{.a[b]}', 'invalid array index b'],
    ['{.a[-]}', 'array index - is not a number'],
    ['{.a[0}', 'unterminated array'],
    ['{.....a}', 'invalid multiple recursive descent'],
    ['{"x}', 'unterminated quoted string'],
    ['{[?(@.a]}', 'unterminated filter'],
    ['{[?(@.a)}', 'unclosed array expect ]'],
    ['{1.2.3}', 'cannot parse number 1.2.3'],
  ])('%s is none', (text, fault) => {
    expect(jsonPathFault(text)).toBe(fault);
  });

  it('ends on any text', () => {
    const piece = fc.constantFrom(
      '{',
      '}',
      '[',
      ']',
      '?(',
      ')',
      '..',
      '.',
      "'",
      '"',
      '\\',
      'a',
      '1',
      '-',
      ',',
      ':',
      '\n',
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 60 }), (parts) => {
        jsonPathFault(parts.join(''));
      }),
      { numRuns: 2000 },
    );
    expect(jsonPathFault('{[?('.repeat(50_000))).toBeDefined();
  });
});
