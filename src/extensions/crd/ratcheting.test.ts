import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ControlPlane, startControlPlane } from '../../controlplane.js';
import type { JsonObject } from '../../machinery/json.js';

// KEP-4008: an update may leave what was invalid before as it was, and nothing else.

const ADMIN = { name: 'admin', groups: ['system:masters', 'system:authenticated'] };
const CRDS = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
const RELICS = '/apis/example.com/v1/namespaces/default/relics';

const integer = { type: 'integer' };
const text = { type: 'string' };
const loose = {
  count: integer,
  code: text,
  ruled: integer,
  moving: integer,
  other: text,
  wanted: text,
  byKey: {
    type: 'array',
    'x-kubernetes-list-type': 'map',
    'x-kubernetes-list-map-keys': ['name'],
    items: { type: 'object', required: ['name'], properties: { name: text, size: integer } },
  },
  atomic: { type: 'array', items: integer },
};
/** What the definition becomes once objects are there. */
const strict = {
  ...loose,
  count: { ...integer, maximum: 10 },
  code: { ...text, pattern: '^[a-z]+$' },
  ruled: { ...integer, 'x-kubernetes-validations': [{ rule: 'self < 10', message: 'ruled is small' }] },
  moving: { ...integer, 'x-kubernetes-validations': [{ rule: 'self >= oldSelf', message: 'moving grows' }] },
  byKey: {
    ...loose.byKey,
    items: { ...loose.byKey.items, properties: { name: text, size: { ...integer, maximum: 10 } } },
  },
  atomic: { type: 'array', items: { ...integer, maximum: 10 } },
};
const definition = (properties: object, required: string[] = []) => ({
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'relics.example.com' },
  spec: {
    group: 'example.com',
    scope: 'Namespaced',
    names: { plural: 'relics', kind: 'Relic' },
    versions: [
      {
        name: 'v1',
        served: true,
        storage: true,
        schema: {
          openAPIV3Schema: { type: 'object', properties: { spec: { type: 'object', properties, required } } },
        },
      },
    ],
  },
});

let cp: ControlPlane;
async function ask(method: string, path: string, body?: object) {
  const type = method === 'PATCH' ? 'application/merge-patch+json' : 'application/json';
  const answer = await cp.inject({ method, path, body, headers: { 'content-type': type }, user: ADMIN });
  const said = await answer.text();
  return { code: answer.status, body: (said.startsWith('{') ? JSON.parse(said) : {}) as JsonObject };
}
const relic = (name: string, spec: object) => ({
  apiVersion: 'example.com/v1',
  kind: 'Relic',
  metadata: { name },
  spec,
});
const old = {
  count: 11,
  code: 'A1',
  ruled: 12,
  moving: 5,
  other: 'a',
  byKey: [
    { name: 'x', size: 13 },
    { name: 'y', size: 1 },
  ],
  atomic: [14, 1],
};

async function until(holds: () => Promise<boolean>): Promise<void> {
  for (let i = 0; i < 200; i++) {
    if (await holds()) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error('does not come true');
}

beforeAll(async () => {
  cp = await startControlPlane({ controllers: [], log: () => {} });
  await ask('POST', CRDS, definition(loose));
  await until(async () => (await ask('GET', RELICS)).code === 200);
  expect((await ask('POST', RELICS, relic('old', old))).code).toBe(201);
  const { code } = await ask('PATCH', `${CRDS}/relics.example.com`, definition(strict, ['wanted']));
  expect(code).toBe(200);
  await until(async () => (await ask('POST', `${RELICS}?dryRun=All`, relic('new', old))).code === 422);
}, 60_000);
afterAll(() => cp.close());

const patch = (spec: object) => ask('PATCH', `${RELICS}/old?dryRun=All`, { spec });

describe('what was invalid before its schema changed', () => {
  it('can not be made any more', async () => {
    const { body } = await ask('POST', RELICS, relic('new', { ...old, wanted: 'w' }));
    for (const field of ['count', 'code', 'ruled', 'byKey[0].size', 'atomic[0]']) {
      expect(body.message).toContain(`spec.${field}:`);
    }
  });

  it.each<[string, object]>([
    ['with its labels', { metadata: { labels: { a: 'b' } } }],
    ['without any change', {}],
  ])('stays when nothing of it changes, %s', async (_, change) => {
    expect((await ask('PATCH', `${RELICS}/old?dryRun=All`, change)).code).toBe(200);
  });

  it('must have what is required as soon as anything beside it changes', async () => {
    const { code, body } = await patch({ other: 'b' });
    expect([code, body.message]).toEqual([422, expect.stringContaining('spec.wanted: Required value')]);
    expect(body.message).not.toContain('spec.count');
  });

  it.each<[object, string[]]>([
    [{ other: 'b', moving: 6 }, []],
    [{ count: 12, ruled: 9 }, ['count']],
    [{ code: 'A2' }, ['code']],
    [{ ruled: 13 }, ['ruled']],
    [{ moving: 4 }, ['moving']],
    // Items of a map are told apart by their keys, those of atomic lists belong to the whole.
    [{ byKey: [old.byKey[1], old.byKey[0]] }, []],
    [{ byKey: [{ name: 'x', size: 14 }] }, ['byKey[0].size']],
    [{ byKey: [...old.byKey, { name: 'z', size: 15 }] }, ['byKey[2].size']],
    [{ atomic: [14, 2] }, ['atomic[0]']],
  ])('after %j only that counts: %j', async (spec, fields) => {
    const { code, body } = await patch({ wanted: 'w', ...spec });
    expect(code).toBe(fields.length === 0 ? 200 : 422);
    const { causes: all = [] } = (body.details ?? {}) as { causes?: { field: string }[] };
    const causes = all.map((c) => c.field);
    expect([...new Set(causes)].sort()).toEqual(fields.map((f) => `spec.${f}`).sort());
  });
});
