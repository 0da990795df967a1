import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../json.js';
import { catalog } from '../../scheme/catalog.js';
import { decodeTyped } from './decode.js';
import { noteSentEmpties, sentEmpties, withSentEmpties } from './sent-empty.js';

const deployment = (value: JsonObject) => decodeTyped(catalog().byGvk('apps', 'v1', 'Deployment')!, value).object;

describe('what was sent empty', () => {
  it('is known by its path, though the minimal form does not have it', () => {
    const container = { name: 'c', env: [], resources: { limits: {} } };
    const object = deployment({
      metadata: { labels: {}, annotations: { a: 'b' }, finalizers: null },
      spec: { template: { metadata: { labels: {} }, spec: { containers: [container] } } },
    });
    expect(object.metadata).toEqual({ annotations: { a: 'b' } });
    expect([...sentEmpties(object)]).toEqual([
      ['metadata.labels', '{}'],
      ['spec.template.metadata.labels', '{}'],
      ['spec.template.spec.containers[0].env', '[]'],
      ['spec.template.spec.containers[0].resources.limits', '{}'],
    ]);
  });

  it('is nothing for objects that nobody sent, and bounded for those that somebody did', () => {
    expect([sentEmpties({}).size, sentEmpties(undefined).size]).toEqual([0, 0]);
    const containers = Array.from({ length: 500 }, (_, i) => ({ name: `c${i}`, env: [] }));
    expect(sentEmpties(deployment({ spec: { template: { spec: { containers } } } })).size).toBe(100);
  });

  it('goes over to a copy that is told', () => {
    const [from, to] = [deployment({ metadata: { labels: {} } }), {}];
    noteSentEmpties(to, sentEmpties(from));
    expect(sentEmpties(to)).toBe(sentEmpties(from));
  });

  it('is shown in place of null, by the names of Go', () => {
    const empties = new Map([
      ['a.b', '[]'],
      ['a.c.d', '{}'],
      ['l[3].x', '[]'],
      ['ab.c', '[]'],
    ] as const);
    expect(withSentEmpties(null, 'a.b', empties)).toEqual([]);
    expect(withSentEmpties(null, 'a', empties)).toBe(null);
    expect(withSentEmpties({ B: null, C: { D: null, E: null }, X: 1 }, 'a', empties)).toEqual({
      B: [],
      C: { D: {}, E: null },
      X: 1,
    });
    expect(withSentEmpties({ X: null }, 'l', empties)).toEqual({ X: [] });
    expect(withSentEmpties({ L: [{}, {}, {}, { X: null }] }, 'a', new Map([['a.l[3].x', '[]']]))).toEqual({
      L: [{}, {}, {}, { X: [] }],
    });
    expect(withSentEmpties({ B: 1, C: 'text' }, 'a', empties)).toEqual({ B: 1, C: 'text' });
  });
});
