import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { JsonValue } from '../../json.js';
import { catalog } from '../../scheme/catalog.js';
import { parseJson } from '../json/parse.js';
import { decodeCbor, isSelfDescribedCbor } from './decode.js';
import { cborWatchEvent, encodeCbor, encodeCborItem } from './encode.js';

const hex = (text: string) => Buffer.from(text.replaceAll(' ', ''), 'hex');

describe('items', () => {
  it.each<[JsonValue, string]>([
    [0, '00'],
    [23, '17'],
    [24, '1818'],
    [256, '190100'],
    [65536, '1a00010000'],
    [4294967296, '1b0000000100000000'],
    [9223372036854775807n, '1b7fffffffffffffff'],
    [-1, '20'],
    [-9223372036854775808n, '3b7fffffffffffffff'],
    ['é', '42c3a9'],
    [true, 'f5'],
    [null, 'f6'],
    [1.5, 'f93e00'],
    [100000.5, 'fa47c35040'],
    [1.1, 'fb3ff199999999999a'],
    [6e-8, 'fb3e701b2b29a4692b'],
    [[1, [2]], '82018102'],
    [{ bb: 1, a: 2, c: 3 }, 'a34161024163034262 6201'],
  ])('%o is written as %s', (value, bytes) => {
    expect(encodeCborItem(value).toString('hex')).toBe(bytes.replaceAll(' ', ''));
    expect(decodeCbor(hex(bytes))).toEqual(value);
  });
  it('bytes fields are byte strings that ask for base64', () => {
    const body = encodeCbor({ data: { a: 'AAE=' } }, catalog().byGvk('', 'v1', 'Secret')!);
    expect(body.toString('hex')).toBe('d9d9f7a14464617461a14161d6420001');
    expect(isSelfDescribedCbor(body)).toBe(true);
    expect(decodeCbor(body)).toEqual({ data: { a: 'AAE=' } });
  });
  it('a watch event holds the body of its object', () => {
    const event = cborWatchEvent('ADDED', encodeCbor({}));
    expect(event.toString('hex')).toBe('d9d9f7a24474797065454144444544466f626a656374d9d9f7a0');
    expect(decodeCbor(event)).toEqual({ type: 'ADDED', object: {} });
  });
  it('survive', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (v) => {
        const value = parseJson(JSON.stringify(v));
        expect(decodeCbor(encodeCborItem(value))).toEqual(within64Bits(value));
      }),
    );
  });

  it('are floats beyond 64 bits', () => {
    for (const [text, number] of [
      ['9223372036854775807', 2n ** 63n - 1n],
      ['9223372036854775808', 2 ** 63],
      ['-9223372036854775808', -(2n ** 63n)],
      ['-9223372036854777856', -(2 ** 63) - 2048],
    ] as const) {
      expect(decodeCbor(encodeCborItem([parseJson(text)]))).toEqual([number]);
    }
  });
});

describe('what others write', () => {
  it.each<[string, JsonValue]>([
    ['63616263', 'abc'],
    ['9f0102ff', [1, 2]],
    ['bf616101ff', { a: 1 }],
    ['5f41614162ff', 'ab'],
    ['7f61616162ff', 'ab'],
    ['f90000', 0],
    ['f98000', -0],
    ['f90001', 2 ** -24],
    ['f97bff', 65504],
    ['d6420001', 'AAE='],
    ['d542fbff', '-_8'],
    ['d742abcd', 'abcd'],
    ['c074323031332d30332d32315432303a30343a30305a', '2013-03-21T20:04:00Z'],
    ['c11a514b67b0', '2013-03-21T20:04:00Z'],
    ['d8644101', '\u0001'],
    ['1800', 0],
  ])('%s', (bytes, expected) => {
    expect(decodeCbor(hex(bytes))).toEqual(expected);
  });
});

describe('refusals', () => {
  it.each([
    ['', 'unexpected EOF'],
    ['18', 'unexpected EOF'],
    ['62', 'unexpected EOF'],
    ['9b00ffffffffffffff', 'unexpected EOF'],
    ['bb00ffffffffffffff', 'unexpected EOF'],
    ['5bffffffffffffffff', 'unexpected EOF'],
    ['9f', 'unexpected EOF'],
    ['0000', 'cbor: 1 bytes of extraneous data starting at index 1'],
    ['a2416101416102', 'cbor: found duplicate map key "a" at map element index 1'],
    ['a2416101616102', 'cbor: found duplicate map key "a"'],
    ['a10102', 'cbor: cannot unmarshal a map key that is not a string'],
    ['61ff', 'cbor: invalid UTF-8 string'],
    ['1bffffffffffffffff', 'cbor: cannot unmarshal positive integer into Go value of type int64'],
    ['3bffffffffffffffff', 'cbor: cannot unmarshal negative integer'],
    ['c24101', 'bignum'],
    ['f97e00', 'NaN'],
    ['fa7f800000', 'infinity'],
    ['f7', 'cbor: simple value 23 is not recognized'],
    ['f820', 'cbor: simple value 32 is not recognized'],
    ['ff', 'cbor: unexpected "break" code'],
    ['81ff', 'cbor: unexpected "break" code'],
    ['5f6161ff', 'cbor: wrong element in a string of chunks'],
    ['1c', 'cbor: invalid additional information 28'],
    ['c1fb7e37e43c8800759c', 'cbor: time is out of range'],
  ])('%j', (bytes, message) => {
    expect(() => decodeCbor(hex(bytes))).toThrow(message);
  });
  it('of depth', () => {
    expect(() => decodeCbor(Buffer.alloc(100_000, 0x81))).toThrow('cbor: exceeded max nested level');
    expect(() => decodeCbor(Buffer.alloc(100_000, 0xc6))).toThrow('cbor: exceeded max nested level');
  });
});

function within64Bits(v: JsonValue): JsonValue {
  if (typeof v === 'bigint') return BigInt.asIntN(64, v) === v ? v : Number(v);
  if (Array.isArray(v)) return v.map(within64Bits);
  if (v === null || typeof v !== 'object') return v;
  return Object.fromEntries(Object.entries(v).map(([k, e]) => [k, within64Bits(e!)]));
}
