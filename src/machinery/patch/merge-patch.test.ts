import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { JsonObject, JsonValue } from '../json.js';
import { applyMergePatch, parseMergePatch } from './merge-patch.js';
import { patchedInvalid, patchedText } from './patched.js';

describe('RFC 7386', () => {
  it.each<[JsonObject, JsonObject, JsonObject]>([
    [{ a: 'b' }, { a: 'c' }, { a: 'c' }],
    [{ a: 'b' }, { b: 'c' }, { a: 'b', b: 'c' }],
    [{ a: 'b' }, { a: null }, {}],
    [{ a: 'b', b: 'c' }, { a: null }, { b: 'c' }],
    [{ a: ['b'] }, { a: 'c' }, { a: 'c' }],
    [{ a: 'c' }, { a: ['b'] }, { a: ['b'] }],
    [{ a: { b: 'c' } }, { a: { b: 'd', c: null } }, { a: { b: 'd' } }],
    [{ a: [{ b: 'c' }] }, { a: [1] }, { a: [1] }],
    [{ e: null }, { a: 1 }, { e: null, a: 1 }],
    [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
  ])('%j + %j', (document, patch, expected) => expect(applyMergePatch(document, patch)).toEqual(expected));
});

describe('as kube-apiserver does it', () => {
  it('drops nulls from objects in lists that replace a list or nothing', () => {
    expect(applyMergePatch({ a: [1] }, { a: [{ x: null, y: [null] }], b: [{ z: null }] })).toEqual({
      a: [{ y: [null] }],
      b: [{}],
    });
  });
  it('keeps them where a list replaces an object', () => {
    expect(applyMergePatch({ a: { b: 1 } }, { a: [{ x: null }] })).toEqual({ a: [{ x: null }] });
  });
  it('takes member names of JavaScript objects as they are', () => {
    const patched = applyMergePatch({}, JSON.parse('{"__proto__":{"x":1},"constructor":{"y":2}}') as JsonObject);
    expect(JSON.stringify(patched)).toBe('{"__proto__":{"x":1},"constructor":{"y":2}}');
  });
});

describe('the shape of the body', () => {
  it.each<[JsonValue, boolean, string]>([
    [[], true, 'error decoding patch: json: cannot unmarshal array into Go value of type map[string]interface {}'],
    ['x', true, 'error decoding patch: json: cannot unmarshal string into Go value of type map[string]interface {}'],
    [5, true, 'error decoding patch: json: cannot unmarshal number into Go value of type map[string]interface {}'],
    [null, true, 'Invalid JSON Patch'],
    [true, false, 'Invalid JSON Patch'],
  ])('%j strict %s', (body, strict, message) => {
    expect(() => parseMergePatch(body, strict)).toThrow(expect.objectContaining({ code: 400, message }));
  });
  it('a list replaces the document when nobody validates', () => {
    expect(applyMergePatch({ a: 1 }, parseMergePatch([{ b: null }], false))).toEqual([{}]);
  });
});

describe('the patched document in messages', () => {
  it('has sorted members where the patch looked', () => {
    const document = { z: 1, a: { y: 1, b: 2 }, m: { d: 1, c: '<' } };
    expect(patchedText(applyMergePatch(document, { a: { x: { q: 1, p: 2 } } }))).toBe(
      '{"a":{"b":2,"x":{"p":2,"q":1},"y":1},"m":{"d":1,"c":"\\u003c"},"z":1}',
    );
  });
  it('becomes a 422', () => {
    expect(patchedInvalid('{"a":1}', 'why').toStatus()).toMatchObject({
      code: 422,
      message: ' "" is invalid: patch: Invalid value: "{\\"a\\":1}": why',
      details: { causes: [{ field: 'patch', reason: 'FieldValueInvalid' }] },
    });
  });
});

it('settles after one application more than it should need, and leaves its inputs as they were', () => {
  const object = fc.dictionary(
    fc.constantFrom('a', 'b', 'c'),
    fc.jsonValue({ maxDepth: 4 }),
  ) as fc.Arbitrary<JsonObject>;
  fc.assert(
    fc.property(object, object, (document, patch) => {
      const before = JSON.stringify([document, patch]);
      // Nulls in a list that replaces an object go only when the list meets itself.
      const twice = applyMergePatch(applyMergePatch(document, patch) as JsonObject, patch) as JsonObject;
      expect(applyMergePatch(twice, patch)).toEqual(twice);
      expect(JSON.stringify([document, patch])).toBe(before);
    }),
    { numRuns: 500 },
  );
});
