import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { catalog } from '../../scheme/catalog.js';
import { compareBytes, encodePlain, encodeRaw, encodeUnstructured, jsonEncoder, prettyJson } from './encode.js';
import { parseJson } from './parse.js';

const gvk = { group: '', version: 'v1', kind: 'Pod' };
const pod = jsonEncoder(catalog().byGvk('', 'v1', 'Pod')!);

describe('built-in types', () => {
  it("write Go's order and the fields that Go always writes", () => {
    expect(pod({ spec: { containers: [{ image: 'i', name: 'c' }] }, metadata: { name: 'p' } }, gvk)).toBe(
      '{"kind":"Pod","apiVersion":"v1","metadata":{"name":"p"},"spec":{"containers":[{"name":"c","image":"i","resources":{}}]},"status":{}}',
    );
    expect(pod({}, gvk)).toBe('{"kind":"Pod","apiVersion":"v1","metadata":{},"spec":{"containers":null},"status":{}}');
  });
  it('leave kind and version out of list items, and take the object’s own when not told', () => {
    expect(pod({ kind: 'Pod', apiVersion: 'v1', metadata: { name: 'p' } }, null)).toMatch(/^\{"metadata"/);
    expect(pod({ apiVersion: 'x/v1', kind: 'Y' })).toMatch(/^\{"kind":"Y","apiVersion":"x\/v1",/);
  });
  it('sort maps by bytes and leave unknown and undefined keys out', () => {
    const labels = { b: '1', '9': '2', '10': '3', a: '4', '😀': '5', '\uffff': '6', __proto__x: undefined };
    const text = pod({ metadata: { labels: labels as never, bogus: 1 } }, null);
    expect(text).toContain('"labels":{"10":"3","9":"2","a":"4","b":"1","\uffff":"6","😀":"5"}');
    expect(text).not.toContain('bogus');
  });
  it('escape as Go does for HTML', () => {
    const text = pod({ metadata: { annotations: { a: '<b>&\u2028\u2029\u0001\n"\\\b' } } }, null);
    expect(text).toContain('"\\u003cb\\u003e\\u0026\\u2028\\u2029\\u0001\\n\\"\\\\\\b"');
  });
  it('keep int64 exact', () => {
    expect(pod({ metadata: { generation: 9223372036854775807n } }, null)).toContain('"generation":9223372036854775807');
  });
  it('write recursive types', () => {
    const crd = jsonEncoder(catalog().byGvk('apiextensions.k8s.io', 'v1', 'CustomResourceDefinition')!);
    const schema = {
      type: 'object',
      properties: { a: { items: { type: 'string' }, type: 'array' } },
      additionalProperties: false,
    };
    const text = crd({ spec: { versions: [{ schema: { openAPIV3Schema: schema }, name: 'v1' }] } }, null);
    expect(text).toContain('{"name":"v1","served":false,"storage":false,"schema":{"openAPIV3Schema":');
    expect(text).toContain('"properties":{"a":{"type":"array","items":{"type":"string"}}}');
    expect(text).toContain('"additionalProperties":false');
  });
});

describe('other values', () => {
  it('unstructured objects sort their keys at every depth', () => {
    expect(encodeUnstructured({ b: [{ z: 1, a: 9007199254740993n }], a: null, '<': 1.5 })).toBe(
      '{"\\u003c":1.5,"a":null,"b":[{"a":9007199254740993,"z":1}]}',
    );
  });
  it('raw text keeps order and escapes only what it must', () => {
    expect(encodeRaw({ b: '<', a: [1, null, true] })).toBe('{"b":"<","a":[1,null,true]}');
    expect(encodePlain({ b: '<' })).toBe('{"b":"\\u003c"}');
  });
  it('is what JSON.parse reads back', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (v) => {
        const value = parseJson(JSON.stringify(v));
        expect(parseJson(encodeUnstructured(value))).toEqual(value);
        expect(JSON.parse(encodeRaw(value))).toEqual(JSON.parse(JSON.stringify(v)));
      }),
    );
  });
});

it('pretty print is that of MarshalIndent', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (v) => {
      const compact = JSON.stringify(v);
      expect(prettyJson(compact)).toBe(JSON.stringify(v, null, 2));
    }),
  );
});

it('compares by UTF-8 bytes', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), fc.string({ unit: 'grapheme' }), (a, b) => {
      expect(Math.sign(compareBytes(a, b))).toBe(Buffer.compare(Buffer.from(a), Buffer.from(b)));
    }),
  );
});
