import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../machinery/json.js';
import { collectParams, type ParamRef, type ParamResource, paramResource } from './params.js';

const object = (namespace: string, name: string, labels: Record<string, string>): JsonObject => ({
  metadata: { namespace, name, labels },
});
const ALL = [object('a', 'one', { p: 'x' }), object('a', 'two', { p: 'x' }), object('b', 'one', {})];

function resource(namespaced = true): ParamResource {
  const inside = (namespace: string) =>
    ALL.filter((o) => !namespaced || (o.metadata as JsonObject).namespace === namespace);
  return {
    namespaced,
    get: async (namespace, name) => inside(namespace).find((o) => (o.metadata as JsonObject).name === name),
    list: async (namespace, selector) =>
      inside(namespace).filter((o) => selector.matches((o.metadata as { labels: Record<string, string> }).labels)),
  };
}
const collect = (ref: ParamRef | undefined, namespace = 'a', from: ParamResource | undefined = resource()) =>
  collectParams(from, ref, namespace);

describe('parameters', () => {
  it('are none without a kind or a reference', async () => {
    expect(await collectParams(undefined, { name: 'one' }, 'a')).toEqual([undefined]);
    expect(await collect(undefined)).toEqual([undefined]);
  });

  it('are found by name, in the namespace of the reference or of the request', async () => {
    expect(await collect({ name: 'one' })).toEqual([ALL[0]]);
    expect(await collect({ name: 'one', namespace: 'b' })).toEqual([ALL[2]]);
    expect(await collect({ name: 'one' }, '', resource(false))).toEqual([ALL[0]]);
  });

  it('are found by labels', async () => {
    expect(await collect({ selector: { matchLabels: { p: 'x' } } })).toEqual([ALL[0], ALL[1]]);
    expect(await collect({ selector: {} }, 'b')).toEqual([ALL[2]]);
  });

  it('may be missing when the reference says so', async () => {
    expect(await collect({ name: 'none', parameterNotFoundAction: 'Allow' })).toEqual([]);
    await expect(collect({ name: 'none', parameterNotFoundAction: 'Deny' })).rejects.toThrow(
      'no params found for policy binding',
    );
    await expect(collect({ selector: { matchLabels: { p: 'y' } }, parameterNotFoundAction: 'Deny' })).rejects.toThrow(
      'no params found',
    );
  });

  it.each<[string, ParamRef, string, boolean, string]>([
    [
      'a namespaced kind for a cluster-scoped object',
      { name: 'one' },
      '',
      true,
      'cannot use namespaced paramRef in policy binding that matches cluster-scoped resources',
    ],
    [
      'a namespace for a cluster-scoped kind',
      { name: 'one', namespace: 'a' },
      'a',
      false,
      'paramRef.namespace must not be provided for a cluster-scoped `paramKind`',
    ],
    [
      'both name and selector',
      { name: 'one', selector: {} },
      'a',
      true,
      'paramRef.name and paramRef.selector are mutually exclusive',
    ],
    ['neither', {}, 'a', true, 'one of name or selector must be provided'],
    [
      'a selector that is none',
      { selector: { matchExpressions: [{ key: 'a', operator: 'Odd' }] } },
      'a',
      true,
      '"Odd" is not a valid label selector operator',
    ],
  ])('are refused for %s', async (_, ref, namespace, namespaced, message) => {
    await expect(collect(ref, namespace, resource(namespaced))).rejects.toThrow(message);
  });

  it('are of a kind that is served', () => {
    const found = resource();
    expect(
      paramResource({ apiVersion: 'x/v1', kind: 'K' }, { find: (k) => (k.group === 'x' ? found : undefined) }),
    ).toBe(found);
    expect(() => paramResource({ apiVersion: 'v1', kind: 'K' }, { find: () => undefined })).toThrow(
      "failed to find resource referenced by paramKind: '/v1, Kind=K'",
    );
  });
});
