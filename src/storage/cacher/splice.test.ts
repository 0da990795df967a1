import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { injectResourceVersion } from './splice.js';

const inject = (text: string, revision = 7) => injectResourceVersion(Buffer.from(text), revision).json.toString();
const body = (text: string) => {
  const { json, bodyStart } = injectResourceVersion(Buffer.from(text), 7);
  return `{${json.subarray(bodyStart).toString()}`;
};

describe('injectResourceVersion', () => {
  it.each([
    // Go's field order
    [
      '{"kind":"A","apiVersion":"v1","metadata":{"name":"n","namespace":"x","uid":"u","creationTimestamp":null}}',
      '{"kind":"A","apiVersion":"v1","metadata":{"name":"n","namespace":"x","uid":"u","resourceVersion":"7","creationTimestamp":null}}',
    ],
    [
      '{"kind":"A","apiVersion":"v1","metadata":{"name":"n","generateName":"g","uid":"u","generation":1}}',
      '{"kind":"A","apiVersion":"v1","metadata":{"name":"n","generateName":"g","uid":"u","resourceVersion":"7","generation":1}}',
    ],
    [
      '{"kind":"A","apiVersion":"v1","metadata":{"name":"n"}}',
      '{"kind":"A","apiVersion":"v1","metadata":{"name":"n","resourceVersion":"7"}}',
    ],
    [
      '{"kind":"A","apiVersion":"v1","metadata":{}}',
      '{"kind":"A","apiVersion":"v1","metadata":{"resourceVersion":"7"}}',
    ],
    [
      '{"kind":"A","apiVersion":"v1","metadata":{"labels":{"uid":"x"}}}',
      '{"kind":"A","apiVersion":"v1","metadata":{"resourceVersion":"7","labels":{"uid":"x"}}}',
    ],
    // order of the alphabet, as custom resources have it
    [
      '{"apiVersion":"g/v1","kind":"A","metadata":{"annotations":{"uid":"x"},"name":"n","uid":"u"},"spec":{}}',
      '{"apiVersion":"g/v1","kind":"A","metadata":{"annotations":{"uid":"x"},"name":"n","resourceVersion":"7","uid":"u"},"spec":{}}',
    ],
    [
      '{"apiVersion":"g/v1","kind":"A","metadata":{"name":"n"}}',
      '{"apiVersion":"g/v1","kind":"A","metadata":{"name":"n","resourceVersion":"7"}}',
    ],
    [
      '{"apiVersion":"g/v1","aaa":{"metadata":{"name":"no"}},"kind":"A","metadata":{"uid":"u"}}',
      '{"apiVersion":"g/v1","aaa":{"metadata":{"name":"no"}},"kind":"A","metadata":{"resourceVersion":"7","uid":"u"}}',
    ],
    // one that is there already is replaced
    [
      '{"kind":"A","apiVersion":"v1","metadata":{"name":"n","resourceVersion":"123","uid":"u"}}',
      '{"kind":"A","apiVersion":"v1","metadata":{"name":"n","resourceVersion":"7","uid":"u"}}',
    ],
    ['{"metadata":{"resourceVersion":"","uid":"u"}}', '{"metadata":{"resourceVersion":"7","uid":"u"}}'],
    // strings that look like structure
    [
      '{"kind":"\\"metadata\\":{","apiVersion":"}{\\\\","metadata":{"name":"a\\"b","uid":"\\\\"}}',
      '{"kind":"\\"metadata\\":{","apiVersion":"}{\\\\","metadata":{"name":"a\\"b","uid":"\\\\","resourceVersion":"7"}}',
    ],
    [
      '{"spec":[{"metadata":{}},"]}",{"a":[1,2,{"b":null}]}],"n":-1.5e3,"t":true,"metadata":{"name":"n"}}',
      '{"spec":[{"metadata":{}},"]}",{"a":[1,2,{"b":null}]}],"n":-1.5e3,"t":true,"metadata":{"name":"n","resourceVersion":"7"}}',
    ],
    // white space
    [
      '{ "kind" : "A" ,\n"metadata" : { "name" : "n" , "labels" : {} } }\n',
      '{ "kind" : "A" ,\n"metadata" : { "name" : "n" , "resourceVersion":"7","labels" : {} } }',
    ],
  ])('%s', (stored, expected) => {
    expect(inject(stored)).toBe(expected);
    expect(JSON.parse(inject(stored)).metadata.resourceVersion).toBe('7');
  });

  it('knows where the object goes on after kind and apiVersion', () => {
    expect(body('{"kind":"A","apiVersion":"v1","metadata":{"name":"n"},"x":1}')).toBe(
      '{"metadata":{"name":"n","resourceVersion":"7"},"x":1}',
    );
    expect(body('{"apiVersion":"v1","kind":"A","metadata":{"name":"n"}}')).toBe(
      '{"metadata":{"name":"n","resourceVersion":"7"}}',
    );
    expect(body('{"metadata":{"name":"n"},"kind":"A","apiVersion":"v1"}')).toBe(
      '{"metadata":{"name":"n","resourceVersion":"7"},"kind":"A","apiVersion":"v1"}',
    );
    expect(body('{"a":1,"kind":"A","metadata":{"name":"n"}}')).toBe(
      '{"a":1,"kind":"A","metadata":{"name":"n","resourceVersion":"7"}}',
    );
  });

  it.each([
    '',
    '[]',
    '{}',
    'null',
    '{"a":1}',
    '{"metadata":1}',
    '{"metadata":[]}',
    '{"metadata"',
    '{"metadata":{"name":"x',
    '{"a":{"metadata":{}}}',
    '{"kind":"A"}x',
    'k8s\0\n',
  ])('refuses %s', (text) => {
    expect(() => inject(text)).toThrow('not a JSON object with metadata');
  });

  it('changes nothing else, whatever the object holds', () => {
    const tricky = fc.oneof(fc.string(), fc.constantFrom('"metadata":{', '\\', '"', '}', '{"metadata":{"uid":"'));
    const value = fc.letrec((tie) => ({
      value: fc.oneof(
        tricky,
        fc.integer(),
        fc.boolean(),
        fc.constant(null),
        fc.array(tie('value'), { maxLength: 3 }),
        fc.dictionary(tricky, tie('value'), { maxKeys: 3 }),
      ),
    })).value;
    const meta = fc.dictionary(
      fc.oneof(tricky, fc.constantFrom('name', 'namespace', 'uid', 'labels', 'resourceVersion', 'selfLink')),
      value,
      { maxKeys: 6 },
    );
    const object = fc.record({
      before: fc.dictionary(tricky, value, { maxKeys: 3 }),
      meta,
      after: fc.dictionary(tricky, value, { maxKeys: 3 }),
      space: fc.constantFrom(undefined, 1),
    });
    fc.assert(
      fc.property(
        object,
        fc.integer({ min: 1, max: 2 ** 53 - 1 }),
        ({ before, meta: metadata, after, space }, revision) => {
          delete before.metadata;
          delete after.metadata;
          const text = JSON.stringify({ ...before, metadata, ...after }, undefined, space);
          const expected = JSON.parse(text);
          expected.metadata.resourceVersion = String(revision);
          expect(JSON.parse(inject(text, revision))).toEqual(expected);
        },
      ),
      { numRuns: 500 },
    );
  });

  it('ends on damaged bytes, and only looks as far as it must', () => {
    const text = '{"kind":"A","apiVersion":"v1","spec":[{"a":"\\"x"}],"metadata":{"name":"n","uid":"u"}}';
    for (let cut = 1; cut < text.length; cut++) {
      for (const damaged of [text.slice(0, -cut), text.slice(cut)]) {
        try {
          expect(inject(damaged).length).toBeLessThanOrEqual(damaged.length + 24);
        } catch (e) {
          expect(String(e)).toContain('not a JSON object with metadata');
        }
      }
    }
  });
});
