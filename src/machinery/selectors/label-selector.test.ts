import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { StatusError } from '../errors.js';
import { EVERYTHING, labelSelectorOf, NOTHING, parseLabelSelector, selectorFromLabels } from './label-selector.js';

const matches = (selector: string, labels: Record<string, string>): boolean =>
  parseLabelSelector(selector).matches(labels);

describe('parse and match', () => {
  const labels = { env: 'prod', tier: 'web', n: '5', empty: '' };
  it.each([
    ['', true],
    [' ', true],
    ['env', true],
    ['!env', false],
    ['!gone', true],
    ['env=prod', true],
    ['env == prod', true],
    ['env!=prod', false],
    ['gone!=x', true],
    ['gone=', false],
    ['empty=', true],
    ['empty', true],
    ['env in (dev,prod)', true],
    ['env in (dev)', false],
    ['env notin (dev, test)', true],
    ['gone notin (x)', true],
    ['env in ()', false],
    ['empty in ()', true],
    ['empty in (,x)', true],
    ['n>4', true],
    ['n>5', false],
    ['n<6', true],
    ['env>1', false],
    ['gone<1', false],
    ['env=prod,tier=web', true],
    ['env=prod,tier=db', false],
    ['env=prod,\n\ttier,!gone,n>1', true],
    ['in=notin', false],
    ['env in (in,notin,prod)', true],
  ])('%s', (selector, expected) => expect(matches(selector, labels)).toBe(expected));

  it('takes names of object members for labels like any other', () => {
    expect(matches('constructor', {})).toBe(false);
    expect(matches('!constructor', {})).toBe(true);
    expect(matches('toString notin (x)', {})).toBe(true);
    expect(matches('hasOwnProperty in (a,b)', {})).toBe(false);
  });
});

describe('canonical text', () => {
  it.each([
    ['b=1,a', 'a,b=1'],
    ['x in (c,a,b,a)', 'x in (a,b,c)'],
    [' z notin ( q ) ', 'z notin (q)'],
    ['!a , b==c', '!a,b==c'],
    ['n > 5,m<3', 'm<3,n>5'],
    ['a in ()', 'a in ()'],
  ])('%s', (text, canonical) => {
    expect(parseLabelSelector(text).toString()).toBe(canonical);
    expect(parseLabelSelector(canonical).toString()).toBe(canonical);
  });
});

const NAME_RULE =
  "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";
const VALUE_RULE =
  "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";

describe('refuses with the words of kube-apiserver', () => {
  it.each([
    [',', "found ',', expected: !, identifier, or 'end of string'"],
    ['=', "found '=', expected: !, identifier, or 'end of string'"],
    ['a,', "found '', expected: identifier after ','"],
    ['a,,b', "found ',', expected: identifier after ','"],
    ['a b c', "unable to parse requirement: found 'b', expected: in, notin, =, ==, !=, gt, lt"],
    ['!a=b', "found '=', expected: ',' or 'end of string'"],
    ['a=b c', "found 'c', expected: ',' or 'end of string'"],
    ['!', "unable to parse requirement: found '', expected: identifier"],
    ['a=(', "unable to parse requirement: found '(', expected: identifier"],
    ['a in b', "unable to parse requirement: found 'b' expected: '('"],
    ['a in (', "unable to parse requirement: found '', expected: ',', ')' or identifier"],
    ['a in (b', "unable to parse requirement: found '', expected: ',' or ')'"],
    ['a in (b,', "unable to parse requirement: found '', expected: ',', or identifier"],
    ['a in (b,=)', "unable to parse requirement: found '=', expected: ',', or identifier"],
    [
      'i>x',
      `unable to parse requirement: values[0]: Invalid value: "x": for 'Gt', 'Lt' operators, the value must be an integer`,
    ],
    ['i>-1', `unable to parse requirement: values[0][i]: Invalid value: "-1": ${VALUE_RULE}`],
    ['%', `unable to parse requirement: <nil>: Invalid value: "%": ${NAME_RULE}`],
    ['a=%,b', `unable to parse requirement: values[0][a]: Invalid value: "%": ${VALUE_RULE}`],
    [
      `a=${'x'.repeat(64)}`,
      `unable to parse requirement: values[0][a]: Invalid value: "${'x'.repeat(64)}": must be no more than 63 bytes`,
    ],
  ])('%s', (text, message) => {
    expect(() => parseLabelSelector(text)).toThrow(StatusError);
    expect(() => parseLabelSelector(text)).toThrow(expect.objectContaining({ message, code: 400 }));
  });

  it('names each fault of a key once', () => {
    expect(() => parseLabelSelector('/x')).toThrow('prefix part must be non-empty');
    expect(() => parseLabelSelector('a/b/c')).toThrow(
      "with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')",
    );
    expect(() => parseLabelSelector(`UP/${'x'.repeat(64)}`)).toThrow(
      /prefix part a lowercase RFC 1123 subdomain.*; name part must be no more than 63 bytes/,
    );
  });
});

describe('LabelSelector objects', () => {
  it('means nothing when absent and everything when empty', () => {
    expect(labelSelectorOf(undefined)).toBe(NOTHING);
    expect(labelSelectorOf(null).matches({})).toBe(false);
    expect(labelSelectorOf({})).toBe(EVERYTHING);
    expect(labelSelectorOf({ matchLabels: {} }).matches({})).toBe(true);
  });
  it('joins labels and expressions', () => {
    const selector = labelSelectorOf({
      matchLabels: { a: 'b' },
      matchExpressions: [
        { key: 'c', operator: 'In', values: ['d', 'e'] },
        { key: 'f', operator: 'NotIn', values: ['g'] },
        { key: 'h', operator: 'Exists' },
        { key: 'i', operator: 'DoesNotExist' },
      ],
    });
    expect(selector.toString()).toBe('a=b,c in (d,e),f notin (g),h,!i');
    expect(selector.matches({ a: 'b', c: 'd', h: '' })).toBe(true);
    expect(selector.matches({ a: 'b', c: 'd', h: '', i: '' })).toBe(false);
  });
  it.each([
    [
      { matchExpressions: [{ key: 'a', operator: 'in', values: ['b'] }] },
      '"in" is not a valid label selector operator',
    ],
    [{ matchExpressions: [{ key: 'a', operator: 'toString' }] }, '"toString" is not a valid label selector operator'],
    [
      { matchExpressions: [{ key: 'a', operator: 'In' }] },
      "values: Invalid value: []: for 'in', 'notin' operators, values set can't be empty",
    ],
    [
      { matchExpressions: [{ key: 'a', operator: 'Exists', values: ['b'] }] },
      'values set must be empty for exists and does not exist',
    ],
    [{ matchLabels: { 'no key!': 'v' } }, 'key: Invalid value: "no key!"'],
  ])('refuses %j', (object, message) => expect(() => labelSelectorOf(object)).toThrow(message));
});

it('tells the exact value that an index may use', () => {
  expect(parseLabelSelector('a=b,c').exactValue('a')).toBe('b');
  expect(parseLabelSelector('a in (b)').exactValue('a')).toBe('b');
  expect(parseLabelSelector('a in (b,c)').exactValue('a')).toBeUndefined();
  expect(parseLabelSelector('a!=b').exactValue('a')).toBeUndefined();
  expect(selectorFromLabels({ x: 'y' }).exactValue('x')).toBe('y');
});

describe('properties', () => {
  const key = fc.stringMatching(/^[a-z]([a-z-]{0,8}[a-z])?$/).filter((k) => k !== 'in' && k !== 'notin');
  const value = fc.stringMatching(/^[a-zA-Z0-9]{0,5}$/);
  const requirement = fc.oneof(
    key,
    key.map((k) => `!${k}`),
    fc.tuple(key, fc.constantFrom('=', '==', '!='), value).map((p) => p.join('')),
    fc
      .tuple(key, fc.constantFrom('in', 'notin'), fc.array(value, { minLength: 1, maxLength: 4 }))
      .map(([k, op, vs]) => `${k} ${op} (${vs.join(',')})`),
  );
  it('the canonical text means the same', () => {
    fc.assert(
      fc.property(fc.array(requirement, { maxLength: 5 }), fc.dictionary(key, value), (parts, labels) => {
        const selector = parseLabelSelector(parts.join(','));
        const again = parseLabelSelector(selector.toString());
        expect(again.toString()).toBe(selector.toString());
        expect(again.matches(labels)).toBe(selector.matches(labels));
      }),
      { numRuns: 300 },
    );
  });
  it('any text parses or is refused with 400', () => {
    const symbols = fc.constantFrom('a', 'b/c', ' ', ',', '=', '!', '(', ')', '>', '<', 'in', 'notin', '\0', 'é', '.');
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.array(symbols).map((s) => s.join('')),
        ),
        (text) => {
          try {
            parseLabelSelector(text).matches({ a: 'b' });
          } catch (e) {
            expect(e).toMatchObject({ code: 400 });
          }
        },
      ),
      { numRuns: 3000, interruptAfterTimeLimit: 2000 },
    );
  });
});
