import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonicalQuantity, Quantity } from './quantity.js';

const WRONG = "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";

describe('canonical text', () => {
  it.each([
    ['0', '0'],
    ['000', '0'],
    ['1', '1'],
    ['1000m', '1'],
    ['100m', '100m'],
    ['0.5', '500m'],
    ['1.5', '1500m'],
    ['0.5Gi', '512Mi'],
    ['1024Mi', '1Gi'],
    ['1028Mi', '1028Mi'],
    ['1536Mi', '1536Mi'],
    ['2048Ki', '2Mi'],
    ['100Ki', '100Ki'],
    ['1000', '1k'],
    ['1000k', '1M'],
    ['12e3', '12e3'],
    ['12E3', '12E3'],
    ['1e4', '10e3'],
    ['100e-2', '1'],
    ['1E', '1E'],
    ['0.0000000001', '1n'],
    ['-0.0000000001', '-1n'],
    ['1.0000000001', '1000000001n'],
    ['0.1Ki', '102400m'],
    ['0.0001Ki', '102400u'],
    ['16Ei', '9223372036854775807'],
    ['123456789012345678901', '123456789012345678901'],
    ['+1', '+1'],
    ['-1', '-1'],
    ['.5', '500m'],
    ['5.', '5.'],
    ['-', '0'],
  ])('%s is written as %s', (text, expected) => {
    expect(canonicalQuantity(text)).toBe(expected);
  });

  it.each(['', 'x', '1.2.3', '1 ', '1KiB', 'abc', '1e3x'])('refuses %j', (text) => {
    expect(() => canonicalQuantity(text)).toThrow(WRONG);
  });
  it.each(['1i', '1e', '--1', '1MM', '1mi', '1e99999'])('refuses the suffix of %j', (text) => {
    expect(() => canonicalQuantity(text)).toThrow("unable to parse quantity's suffix");
  });
  it('refuses text that only costs time', () => {
    expect(() => canonicalQuantity('1'.repeat(100_000))).toThrow('unable to parse numeric part of quantity');
  });
});

describe('arithmetic', () => {
  it('adds and subtracts exactly', () => {
    expect(Quantity.parse('1Gi').add(Quantity.parse('512Mi')).toString()).toBe('1536Mi');
    expect(Quantity.parse('1').sub(Quantity.parse('1m')).toString()).toBe('999m');
    expect(Quantity.parse('0').add(Quantity.parse('1Ki')).toString()).toBe('1Ki');
    expect(Quantity.parse('1').sub(Quantity.parse('1000m')).isZero()).toBe(true);
  });
  it('compares across notations', () => {
    expect(Quantity.parse('1Ki').compare(Quantity.parse('1024'))).toBe(0);
    expect(Quantity.parse('1k').compare(Quantity.parse('1Ki'))).toBe(-1);
    expect(Quantity.parse('-1').compare(Quantity.parse('-1500m'))).toBe(1);
    expect(Quantity.parse('-1').sign()).toBe(-1);
  });
  it('rounds away from zero', () => {
    expect(Quantity.parse('1500m').valueRounded()).toBe(2n);
    expect(Quantity.parse('-1500m').valueRounded()).toBe(-2n);
    expect(Quantity.parse('1u').milliValue()).toBe(1n);
    expect(Quantity.parse('1500m').roundUp(0).toString()).toBe('2');
    expect(Quantity.parse('2').roundUp(0).toString()).toBe('2');
    expect(Quantity.parse('1500m').isInteger()).toBe(false);
    expect(Quantity.parse('2000m').isInteger()).toBe(true);
    expect(Quantity.parse('2.5Ki').toNumber()).toBe(2560);
  });
  it('holds values within int64', () => {
    expect(Quantity.parse('100E').valueRounded()).toBe(9223372036854775807n);
    expect(Quantity.ofMilli(1500).negate().toString()).toBe('-1500m');
    expect(Quantity.of(2048, 'BinarySI').toString()).toBe('2Ki');
  });
});

describe('properties', () => {
  const suffix = fc.constantFrom(
    '',
    'n',
    'u',
    'm',
    'k',
    'M',
    'G',
    'T',
    'P',
    'Ki',
    'Mi',
    'Gi',
    'Ti',
    'Pi',
    'e3',
    'E-2',
    'e0',
  );
  const text = fc
    .tuple(fc.constantFrom('', '-'), fc.nat(99999), fc.nat(999), suffix)
    .map(([s, a, b, u]) => `${s}${a}.${b}${u}`);
  it('the canonical text has the same value and is its own canonical text', () => {
    fc.assert(
      fc.property(text, (t) => {
        const q = Quantity.parse(t);
        const back = Quantity.parse(q.toString());
        expect(back.compare(q)).toBe(0);
        expect(canonicalQuantity(q.toString())).toBe(q.toString());
      }),
    );
  });
  it('a + b - b is a', () => {
    fc.assert(
      fc.property(text, text, (a, b) => {
        const x = Quantity.parse(a);
        const y = Quantity.parse(b);
        expect(x.add(y).sub(y).compare(x)).toBe(0);
      }),
    );
  });
  it('refuses or reads anything', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...'0123456789.+-eEinumkKMGTP x') }), (t) => {
        try {
          Quantity.parse(t).toString();
        } catch (e) {
          expect((e as Error).message).toMatch(/quantit/);
        }
      }),
    );
  });
});
