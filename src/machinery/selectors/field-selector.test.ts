import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { escapeFieldValue, FieldSelector, parseFieldSelector } from './field-selector.js';

const fields = { 'metadata.name': 'x', 'spec.a': 'b=c,d\\e', empty: '' };

describe('parse and match', () => {
  it.each([
    ['', true],
    [',', true],
    ['metadata.name=x', true],
    ['metadata.name==x', true],
    ['metadata.name!=x', false],
    ['metadata.name=y', false],
    ['gone=', true],
    ['gone!=', false],
    ['gone!=x', true],
    ['spec.a=b\\=c\\,d\\\\e', true],
    ['metadata.name=x,empty=', true],
    ['metadata.name=x,empty!=', false],
    ['constructor=', true],
  ])('%s', (text, expected) => expect(parseFieldSelector(text).matches(fields)).toBe(expected));

  it('splits at the first operator', () => {
    expect(parseFieldSelector('a!b=c').requirements).toEqual([{ field: 'a!b', operator: '=', value: 'c' }]);
    expect(parseFieldSelector('=x').requirements).toEqual([{ field: '', operator: '=', value: 'x' }]);
  });
  it('sorts terms', () => {
    expect(parseFieldSelector('b=2,a!=1').toString()).toBe('a!=1,b=2');
  });
  it('tells exact values', () => {
    expect(parseFieldSelector('a!=1,a=2').exactValue('a')).toBe('2');
    expect(parseFieldSelector('a!=1').exactValue('a')).toBeUndefined();
    expect(new FieldSelector([]).empty).toBe(true);
  });
});

describe('refuses with the words of kube-apiserver', () => {
  it.each([
    ['abc', "invalid selector: 'abc'; can't understand 'abc'"],
    ['a=b,c', "invalid selector: 'a=b,c'; can't understand 'c'"],
    ['a=b=c', 'invalid field selector: unescaped character in value: 61'],
    ['a=\\x', 'invalid field selector: invalid escape sequence: \\x'],
    ['a=\\', 'invalid field selector: invalid escape sequence: \\'],
  ])('%s', (text, message) => {
    expect(() => parseFieldSelector(text)).toThrow(expect.objectContaining({ message, code: 400 }));
  });
});

describe('properties', () => {
  it('every value comes back from its escaped form', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom('a', '=', ',', '\\', 'ü', '!') }), (value) => {
        const selector = parseFieldSelector(`f=${escapeFieldValue(value)}`);
        expect(selector.requirements).toEqual([{ field: 'f', operator: '=', value }]);
        expect(parseFieldSelector(selector.toString()).toString()).toBe(selector.toString());
      }),
    );
  });
  it('any text parses or is refused with 400', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        try {
          parseFieldSelector(text).matches(fields);
        } catch (e) {
          expect(e).toMatchObject({ code: 400 });
        }
      }),
      { numRuns: 2000, interruptAfterTimeLimit: 1000 },
    );
  });
});
