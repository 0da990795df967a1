import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../json.js';
import { MAX_DEPTH, parseJson } from './parse.js';
import type { Duplicates } from './scanner.js';

describe('values', () => {
  it.each<[string, unknown]>([
    ['9007199254740991', 9007199254740991],
    ['9007199254740992', 9007199254740992n],
    ['-9223372036854775808', -9223372036854775808n],
    ['{"a":9223372036854775807}', { a: 9223372036854775807n }],
    ['[1.5,1e3,-0.25]', [1.5, 1000, -0.25]],
    ['1e22', 1e22],
    ['"\\ud83d\\ude00"', '😀'],
    ['"\\ud800x"', '\ufffdx'],
    ['"\\udc00"', '\ufffd'],
    [' \t\r\n{ "a" : [ ] } ', { a: [] }],
    ['"a\\"b\\\\"', 'a"b\\'],
  ])('%s', (text, expected) => {
    expect(parseJson(text)).toEqual(expected);
    expect(parseJson(Buffer.from(text))).toEqual(expected);
  });
  it('keeps __proto__ a key like any other', () => {
    const plain = parseJson('{"__proto__":{"x":1}}') as JsonObject;
    const scanned = parseJson('{"__proto__":{"x":9007199254740993}}') as JsonObject;
    for (const v of [plain, scanned]) {
      expect(Object.keys(v)).toEqual(['__proto__']);
      expect((v as { x?: number }).x).toBeUndefined();
    }
  });
  it('replaces bytes that are not UTF-8', () => {
    expect(parseJson(Buffer.from('{"k":"\xff"}', 'latin1'))).toEqual({ k: '\ufffd' });
  });
});

describe("syntax errors are Go's", () => {
  it.each([
    ['', 'unexpected end of JSON input'],
    ['{', 'unexpected end of JSON input'],
    ['"abc', 'unexpected end of JSON input'],
    ['{"kind":', 'unexpected end of JSON input'],
    ['nope', "invalid character 'o' in literal null (expecting 'u')"],
    ['tru}', "invalid character '}' in literal true (expecting 'e')"],
    ['{bad', "invalid character 'b' looking for beginning of object key string"],
    ["{'a':1}", "invalid character '\\'' looking for beginning of object key string"],
    ['{"a" 1}', "invalid character '1' after object key"],
    ['{"a":1 "b":2}', "invalid character '\"' after object key:value pair"],
    ['[1 2]', "invalid character '2' after array element"],
    ['[1,]', "invalid character ']' looking for beginning of value"],
    ['{"a":1,}', "invalid character '}' looking for beginning of object key string"],
    ['{} x', "invalid character 'x' after top-level value"],
    ['"a\\x"', "invalid character 'x' in string escape code"],
    ['"\\u12g4"', "invalid character 'g' in \\u hexadecimal character escape"],
    ['"a\nb"', "invalid character '\\n' in string literal"],
    ['-x', "invalid character 'x' in numeric literal"],
    ['01', "invalid character '1' after top-level value"],
    ['1.x', "invalid character 'x' after decimal point in numeric literal"],
    ['1ex', "invalid character 'x' in exponent of numeric literal"],
    ['\ufeff{}', "invalid character 'ï' looking for beginning of value"],
    ['}', "invalid character '}' looking for beginning of value"],
  ])('%j', (text, message) => {
    expect(() => parseJson(text)).toThrow(message);
  });
  it('names the byte, not the character', () => {
    expect(() => parseJson(Buffer.from([0xff, 0xfe, 0x00]))).toThrow(
      "invalid character 'ÿ' looking for beginning of value",
    );
    expect(() => parseJson(Buffer.from([0x00]))).toThrow("invalid character '\\x00' looking for beginning of value");
  });
  it('finds a fault wherever JSON.parse does', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...'{}[]",:\\u01.eE+-tfn \n\u0001é') }), (text) => {
        let fine = true;
        try {
          JSON.parse(text);
        } catch {
          fine = false;
        }
        if (fine) parseJson(text);
        else expect(() => parseJson(text)).toThrow(/^(?:invalid character|unexpected end of JSON input)/);
      }),
      { numRuns: 2000 },
    );
  });
});

describe('bounds', () => {
  it('stops at a depth', () => {
    expect(() => parseJson('['.repeat(MAX_DEPTH) + ']'.repeat(MAX_DEPTH))).not.toThrow();
    const deep = '['.repeat(MAX_DEPTH + 1) + ']'.repeat(MAX_DEPTH + 1);
    expect(() => parseJson(deep)).toThrow("invalid character '[' exceeded max depth");
    expect(() => parseJson('['.repeat(300_000))).toThrow('exceeded max depth');
    expect(() => parseJson(`${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}`)).toThrow("'{' exceeded max depth");
  });
  it('refuses numbers that JSON cannot give back', () => {
    expect(() => parseJson('[1e999]')).toThrow('json: cannot unmarshal number 1e999 into Go value of type float64');
    expect(() => parseJson('9'.repeat(400))).toThrow('into Go value of type float64');
  });
});

describe('repeated keys', () => {
  const repeated = (text: string): string[] => {
    const duplicates: Duplicates = new Map();
    parseJson(text, duplicates);
    return [...duplicates.values()].flat().map((d) => `${d.key}@${d.after}`);
  };
  it('are found, the last value wins', () => {
    expect(repeated('{"a":1,"b":2,"a":3}')).toEqual(['a@2']);
    expect(repeated('{"a":{"x":1,"x":1},"b":[{"y":1,"z":2,"y":1}]}')).toEqual(['x@1', 'y@2']);
    expect(parseJson('{"a":1,"a":2}', new Map())).toEqual({ a: 2 });
  });
  it('are told from strings that look like keys', () => {
    expect(repeated('{"a":"\\":x","b":"c\\" :"}')).toEqual([]);
    expect(repeated('{"a" :1,"b":1,"b":2}')).toEqual(['b@2']);
    expect(repeated('{\n  "a": 1,\n  "b": {"a": 1}\n}')).toEqual([]);
    expect(repeated('{"a":1,"\\u0061":2}')).toEqual(['a@1']);
  });
  it('never miss one', () => {
    const key = fc.constantFrom('a', 'b', '":', ' :', '"');
    const member = fc.tuple(key, fc.constantFrom('1', '"x"', '"\\":"', '{"a":1}'), fc.constantFrom('', ' '));
    fc.assert(
      fc.property(fc.array(member, { maxLength: 5 }), (members) => {
        const text = `{${members.map(([k, v, s]) => `${JSON.stringify(k)}${s}:${v}`).join(',')}}`;
        const unique = new Set(members.map(([k]) => k)).size;
        expect(repeated(text).length).toBe(members.length - unique);
      }),
    );
  });
});
