import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ControlPlane, startControlPlane } from '../../controlplane.js';

const ADMIN = { name: 'admin', groups: ['system:masters', 'system:authenticated'] };
const CRDS = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
const THINGS = '/apis/example.com/v1/namespaces/default/things';

const embedded = {
  type: 'object',
  'x-kubernetes-embedded-resource': true,
  'x-kubernetes-preserve-unknown-fields': true,
};
const properties = { n: { type: 'integer' }, mac: { type: 'string', format: 'mac' }, pod: embedded };
const definition = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'things.example.com' },
  spec: {
    group: 'example.com',
    scope: 'Namespaced',
    names: { plural: 'things', kind: 'Thing' },
    conversion: { strategy: 'None', webhook: {} },
    versions: ['v1', 'v2'].map((name) => ({
      name,
      served: true,
      storage: name === 'v1',
      subresources: name === 'v1' ? {} : { status: {} },
      schema: {
        openAPIV3Schema: {
          type: 'object',
          properties: { spec: { type: 'object', properties }, status: embedded },
          'x-kubernetes-validations': [{ rule: 'self.metadata.name.startsWith("t")', message: 'name' }],
        },
      },
    })),
  },
};

let cp: ControlPlane;
async function ask(method: string, path: string, body?: object | string): Promise<ReturnType<typeof JSON.parse>> {
  const type = method === 'PATCH' ? 'application/merge-patch+json' : 'application/json';
  const answer = await cp.inject({ method, path, body, headers: { 'content-type': type }, user: ADMIN });
  const text = await answer.text();
  return { code: answer.status, text, ...(text.startsWith('{') ? JSON.parse(text) : {}) };
}
const thing = (name: string, spec: object, over: object = {}): object => ({
  apiVersion: 'example.com/v1',
  kind: 'Thing',
  metadata: { name },
  spec,
  ...over,
});

let made: Awaited<ReturnType<typeof ask>>;
beforeAll(async () => {
  cp = await startControlPlane({ controllers: [], log: () => {} });
  made = await ask('POST', CRDS, definition);
  for (let i = 0; i < 200 && (await ask('GET', THINGS)).code !== 200; i++) {
    await new Promise((done) => setTimeout(done, 20));
  }
  await ask('POST', THINGS, thing('t', { n: 1 }));
});
afterAll(() => cp.close());

describe('definitions', () => {
  it('have no webhook that says nothing, and rules on metadata', () => {
    expect([made.code, made.spec.conversion]).toEqual([201, { strategy: 'None' }]);
  });

  it('refuse dependencies for being there', async () => {
    const [version] = structuredClone(definition.spec.versions);
    const schema = { ...version!.schema.openAPIV3Schema, dependencies: {} };
    const versions = [{ ...version, schema: { openAPIV3Schema: schema } }];
    const { code, details } = await ask('POST', `${CRDS}?dryRun=All`, {
      ...definition,
      spec: { ...definition.spec, versions },
    });
    expect([code, details.causes]).toEqual([
      422,
      [expect.objectContaining({ reason: 'FieldValueForbidden', message: 'Forbidden: dependencies is not supported' })],
    ]);
  });
});

describe('what a schema may hold', () => {
  const schemaOf = (name: string, spec: string) =>
    JSON.stringify({ ...definition, metadata: { name } })
      .replaceAll('example.com', name.slice(name.indexOf('.') + 1))
      .replaceAll(JSON.stringify({ type: 'object', properties }), spec);

  it('integers of any size, of which others see the document as well', async () => {
    const n = '{"type":"object","properties":{"n":{"type":"integer","default":9007199254740993}}}';
    expect((await ask('POST', CRDS, schemaOf('things.large.example', n))).code).toBe(201);
    const api = '/apis/large.example/v1/namespaces/default/things';
    await expect.poll(async () => (await ask('GET', api)).code).toBe(200);
    expect((await ask('GET', '/openapi/v2')).text).toContain('9007199254740993');
    expect((await ask('GET', '/openapi/v3/apis/large.example/v1')).text).toContain('9007199254740993');
  });

  it.each([
    ['items that are no schema', '{"type":"array","items":"x"}', 'items: Required value'],
    [
      'rules without a text, beside a default',
      '{"type":"object","properties":{"n":{"type":"integer","default":1,"x-kubernetes-validations":[{}]}}}',
      'rule: Required value',
    ],
  ])('not: %s', async (_, spec, text) => {
    const { code, message } = await ask('POST', CRDS, schemaOf('things.odd.example', spec));
    expect([code, message]).toEqual([422, expect.stringContaining(text)]);
  });
});

describe('custom resources', () => {
  it('are validated by rules on their metadata', async () => {
    expect(await ask('POST', THINGS, thing('x', {}))).toMatchObject({
      code: 422,
      message: 'Thing.example.com "x" is invalid: <nil>: Invalid value: name',
    });
  });

  it('of another kind are refused before anybody looks for their name', async () => {
    expect(await ask('POST', THINGS, thing('t', {}, { kind: 'Other' }))).toMatchObject({
      code: 422,
      message: 'Other.example.com "t" is invalid: kind: Invalid value: "Other": must be Thing',
    });
    expect((await ask('POST', THINGS, thing('t', {}))).code).toBe(409);
  });

  it('may not be patched to another version, kind or none', async () => {
    expect((await ask('PATCH', `${THINGS}/t`, { apiVersion: 'example.com/v2' })).message).toBe(
      'Thing.example.com "t" is invalid: apiVersion: Invalid value: "example.com/v2": must be example.com/v1',
    );
    expect((await ask('PATCH', `${THINGS}/t`, { kind: 'Other' })).code).toBe(422);
    expect((await ask('PATCH', `${THINGS}/t`, { apiVersion: { a: 1 } })).message).toContain(
      'into Go struct field .apiV',
    );
    expect((await ask('PATCH', `${THINGS}/t`, { kind: null })).message).toContain(`Object 'Kind' is missing in '{`);
  });

  it('with metadata of a wrong type are no such object', async () => {
    const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 5, bogus: 1 } };
    expect(await ask('POST', THINGS, thing('t2', { pod }))).toMatchObject({
      code: 400,
      message:
        'Thing in version "v1" cannot be handled as a Thing: spec.pod.metadata: Invalid value: {"bogus":1,"name":5}: json: cannot unmarshal number into Go struct field ObjectMeta.name of type string',
    });
    expect((await ask('POST', THINGS, thing('t2', {}, { metadata: { name: 5 } }))).code).toBe(400);
  });

  it.each([
    ['01:23:45:67:89:ab', 201],
    ['0123.4567.89ab', 201],
    ['0123456789ab', 201],
    ['4111111111111111', 201],
    ['507f1f77bcf86cd799439011', 422],
    ['01:23:45', 422],
  ])('have MAC addresses as Go reads them: %s', async (mac, code) => {
    expect((await ask('POST', `${THINGS}?dryRun=All`, thing('t-mac', { mac }))).code).toBe(code);
  });
});

describe('subresources', () => {
  it('that a version does not define are objects that are not there', async () => {
    expect(await ask('GET', `${THINGS}/t/status`)).toMatchObject({
      code: 404,
      message: 'things.example.com "t" not found',
    });
    expect((await ask('GET', `${THINGS}/t/scale`)).reason).toBe('NotFound');
    expect((await ask('GET', '/apis/example.com/v1/nothing/t/status')).text).toBe('404 page not found\n');
  });

  it('have three verbs', async () => {
    expect(await ask('DELETE', `${THINGS.replace('v1', 'v2')}/t/status`)).toMatchObject({
      code: 405,
      message: 'delete is not supported on resources of kind "things.example.com"',
    });
  });
});
