import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { JsonObject, JsonValue } from '../json.js';
import { applyJsonPatch, MAX_OPERATIONS, parseJsonPatch, unknownPatchFields } from './json-patch.js';

const apply = (document: JsonValue, ...ops: JsonValue[]): JsonValue => applyJsonPatch(document, parseJsonPatch(ops));

describe('RFC 6902', () => {
  it.each<[string, JsonValue, JsonValue[], JsonValue]>([
    ['A.1', { foo: 'bar' }, [{ op: 'add', path: '/baz', value: 'qux' }], { foo: 'bar', baz: 'qux' }],
    ['A.2', { foo: ['bar', 'baz'] }, [{ op: 'add', path: '/foo/1', value: 'qux' }], { foo: ['bar', 'qux', 'baz'] }],
    ['A.3', { baz: 'qux', foo: 'bar' }, [{ op: 'remove', path: '/baz' }], { foo: 'bar' }],
    ['A.4', { foo: ['bar', 'qux', 'baz'] }, [{ op: 'remove', path: '/foo/1' }], { foo: ['bar', 'baz'] }],
    ['A.5', { baz: 'qux' }, [{ op: 'replace', path: '/baz', value: 'boo' }], { baz: 'boo' }],
    [
      'A.6',
      { foo: { bar: 'baz', waldo: 'fred' }, qux: { corge: 'grault' } },
      [{ op: 'move', from: '/foo/waldo', path: '/qux/thud' }],
      { foo: { bar: 'baz' }, qux: { corge: 'grault', thud: 'fred' } },
    ],
    [
      'A.7',
      { foo: ['all', 'grass', 'cows', 'eat'] },
      [{ op: 'move', from: '/foo/1', path: '/foo/3' }],
      { foo: ['all', 'cows', 'eat', 'grass'] },
    ],
    [
      'A.8',
      { baz: 'qux', foo: ['a', 2, 'c'] },
      [
        { op: 'test', path: '/baz', value: 'qux' },
        { op: 'test', path: '/foo/1', value: 2 },
      ],
      { baz: 'qux', foo: ['a', 2, 'c'] },
    ],
    [
      'A.10',
      { foo: 'bar' },
      [{ op: 'add', path: '/child', value: { grandchild: {} } }],
      { foo: 'bar', child: { grandchild: {} } },
    ],
    ['A.11', { foo: 'bar' }, [{ op: 'add', path: '/baz', value: 'qux', xyz: 123 }], { foo: 'bar', baz: 'qux' }],
    ['A.14', { '/': 9, '~1': 10 }, [{ op: 'test', path: '/~01', value: 10 }], { '/': 9, '~1': 10 }],
    [
      'A.16',
      { foo: ['bar'] },
      [{ op: 'add', path: '/foo/-', value: ['abc', 'def'] }],
      { foo: ['bar', ['abc', 'def']] },
    ],
    [
      'copy',
      { a: { b: 1 } },
      [
        { op: 'copy', from: '/a', path: '/c' },
        { op: 'add', path: '/c/d', value: 2 },
      ],
      { a: { b: 1 }, c: { b: 1, d: 2 } },
    ],
  ])('%s', (_, document, ops, expected) => expect(apply(document, ...ops)).toEqual(expected));
});

describe('leniency of kube-apiserver', () => {
  it.each<[string, JsonValue, JsonValue[], JsonValue]>([
    ['replace adds', {}, [{ op: 'replace', path: '/a', value: 1 }], { a: 1 }],
    ['copy of nothing gives null', {}, [{ op: 'copy', from: '/a', path: '/b' }], { b: null }],
    [
      'negative index',
      { a: [1, 2, 3] },
      [
        { op: 'remove', path: '/a/-1' },
        { op: 'add', path: '/a/-1', value: 9 },
      ],
      { a: [1, 2, 9] },
    ],
    ['path without slash', { a: 1 }, [{ op: 'add', path: 'x/b', value: 2 }], { a: 1, b: 2 }],
    ['root replaced', { a: 1 }, [{ op: 'replace', path: '', value: { b: 2 } }], { b: 2 }],
    ['root by a scalar does nothing', { a: 1 }, [{ op: 'replace', path: '', value: 5 }], { a: 1 }],
    ['test for null finds what is absent', {}, [{ op: 'test', path: '/a', value: null }], {}],
    ['test of the root', { a: 1 }, [{ op: 'test', path: '', value: { a: 1 } }], { a: 1 }],
    ['add without value', {}, [{ op: 'add', path: '/a' }], { a: null }],
    ['leading zeros and plus', { a: [1, 2] }, [{ op: 'remove', path: '/a/+01' }], { a: [1] }],
    [
      '__proto__ is a member',
      {},
      [{ op: 'add', path: '/__proto__', value: 1 }],
      JSON.parse('{"__proto__":1}') as JsonObject,
    ],
  ])('%s', (_, document, ops, expected) =>
    expect(JSON.stringify(apply(document, ...ops))).toEqual(JSON.stringify(expected)),
  );
});

describe('refused with 422 that does not say why', () => {
  it.each<[string, JsonValue, JsonValue]>([
    ['unknown op', {}, { op: 'frob', path: '/a' }],
    ['no op', {}, { path: '/a', value: 1 }],
    ['no path', {}, { op: 'add', value: 1 }],
    ['null operation', {}, null],
    ['add to the root', {}, { op: 'add', path: '', value: {} }],
    ['missing parent', {}, { op: 'add', path: '/a/b', value: 1 }],
    ['through a scalar', { a: 'x' }, { op: 'add', path: '/a/b', value: 1 }],
    ['through null', { a: null }, { op: 'add', path: '/a/b', value: 1 }],
    ['remove missing', {}, { op: 'remove', path: '/a' }],
    ['remove an inherited name', {}, { op: 'remove', path: '/constructor' }],
    ['move missing', {}, { op: 'move', from: '/a', path: '/b' }],
    ['copy without from', {}, { op: 'copy', path: '/b' }],
    ['index too large', { a: [1] }, { op: 'add', path: '/a/2', value: 1 }],
    ['index too small', { a: [1] }, { op: 'remove', path: '/a/-2' }],
    ['index is text', { a: [1] }, { op: 'replace', path: '/a/x', value: 1 }],
    ['replace appends not', { a: [1] }, { op: 'replace', path: '/a/-', value: 1 }],
    ['huge index', { a: [1] }, { op: 'remove', path: `/a/${'9'.repeat(400)}` }],
    ['test fails', { a: 1 }, { op: 'test', path: '/a', value: 2 }],
    ['test without value', { a: 1 }, { op: 'test', path: '/a' }],
    ['root without value', {}, { op: 'replace', path: '' }],
  ])('%s', (_, document, op) => {
    expect(() => apply(document, op)).toThrow(
      expect.objectContaining({
        code: 422,
        reason: 'Invalid',
        message: 'the server rejected our request due to an error in our request',
      }),
    );
  });

  it('leaves the document as it was', () => {
    const document = { a: { b: [1, 2] } };
    expect(() => apply(document, { op: 'add', path: '/a/b/0', value: 0 }, { op: 'remove', path: '/x' })).toThrow();
    expect(document).toEqual({ a: { b: [1, 2] } });
  });

  it('stops copies that grow without bound', () => {
    const double = Array.from({ length: 64 }, () => ({ op: 'copy', from: '/a', path: '/a/-' }));
    expect(() => apply({ a: ['x'.repeat(100)] }, ...double)).toThrow(expect.objectContaining({ code: 422 }));
  });
});

describe('the shape of the body', () => {
  it.each<[JsonValue, boolean, string]>([
    [
      { op: 'add' },
      true,
      'error decoding patch: json: cannot unmarshal object into Go value of type []handlers.jsonPatchOp',
    ],
    ['x', true, 'error decoding patch: json: cannot unmarshal string into Go value of type []handlers.jsonPatchOp'],
    [['x'], true, 'error decoding patch: json: cannot unmarshal string into Go value of type handlers.jsonPatchOp'],
    [
      [{ op: 5 }],
      true,
      'error decoding patch: json: cannot unmarshal number into Go struct field jsonPatchOp.op of type string',
    ],
    [
      [{ path: [] }],
      true,
      'error decoding patch: json: cannot unmarshal array into Go struct field jsonPatchOp.path of type string',
    ],
    [{ op: 'add' }, false, 'json: cannot unmarshal object into Go value of type jsonpatch.Patch'],
    [[true], false, 'json: cannot unmarshal bool into Go value of type jsonpatch.Operation'],
  ])('%j strict %s', (body, strict, message) => {
    expect(() => parseJsonPatch(body, strict)).toThrow(expect.objectContaining({ code: 400, message }));
  });
  it('allows 10,000 operations', () => {
    const op = { op: 'test', path: '/a', value: null };
    expect(parseJsonPatch(Array.from({ length: MAX_OPERATIONS }, () => op))).toHaveLength(MAX_OPERATIONS);
    expect(() => parseJsonPatch(Array.from({ length: MAX_OPERATIONS + 1 }, () => op))).toThrow(
      expect.objectContaining({
        code: 413,
        message: 'Request entity too large: The allowed maximum operations in a JSON patch is 10000, got 10001',
      }),
    );
  });
  it('takes null for no operations', () => expect(parseJsonPatch(null)).toEqual([]));
  it('names unknown members', () => {
    expect(
      unknownPatchFields(
        parseJsonPatch([
          { op: 'add', bogus: 1 },
          { x: 1, path: '' },
        ]),
      ),
    ).toEqual(['json patch unknown field "[0].bogus"', 'json patch unknown field "[1].x"']);
  });
});

describe('properties', () => {
  const pointer = fc
    .array(fc.constantFrom('a', 'b', '0', '1', '-', '-1', '~0', '~1', ''), { maxLength: 4 })
    .map((p) => p.map((x) => `/${x}`).join(''));
  const value = fc.jsonValue({ maxDepth: 3 }) as fc.Arbitrary<JsonValue>;
  const op = fc.record(
    { op: fc.constantFrom('add', 'remove', 'replace', 'move', 'copy', 'test'), path: pointer, from: pointer, value },
    { requiredKeys: ['op', 'path'] },
  );
  it('never changes its inputs and fails only with 422', () => {
    fc.assert(
      fc.property(
        fc.dictionary(fc.constantFrom('a', 'b', '~', '/'), value),
        fc.array(op, { maxLength: 6 }),
        (document, ops) => {
          const before = JSON.stringify([document, ops]);
          try {
            applyJsonPatch(document, parseJsonPatch(ops as JsonValue));
          } catch (e) {
            expect(e).toMatchObject({ code: 422 });
          }
          expect(JSON.stringify([document, ops])).toBe(before);
        },
      ),
      { numRuns: 2000, interruptAfterTimeLimit: 2000 },
    );
  });
  it('what was added can be tested and removed', () => {
    fc.assert(
      fc.property(value, (v) => {
        const added = apply({ a: 1 }, { op: 'add', path: '/x', value: v }, { op: 'test', path: '/x', value: v });
        expect(apply(added, { op: 'remove', path: '/x' })).toEqual({ a: 1 });
      }),
    );
  });
});
