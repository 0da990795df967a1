import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type ControlPlane, startControlPlane } from '../../src/index.js';
import { ADMIN, type Answer, asking, type User } from '../support/ask.js';

const GROUP = '/apis/admissionregistration.k8s.io/v1';
const MAPS = '/api/v1/namespaces/default/configmaps';
const ALICE: User = { name: 'alice', groups: ['dev', 'system:authenticated'] };

let controlPlane: ControlPlane;
const ask = asking(() => controlPlane);
beforeAll(async () => {
  controlPlane = await startControlPlane();
}, 60_000);
afterAll(() => controlPlane.close());

type Sort = 'Validating' | 'Mutating';
const plural = (sort: Sort, what: 'policies' | 'policybindings') => `${GROUP}/${sort.toLowerCase()}admission${what}`;
const MAP_RULES = [{ apiGroups: [''], apiVersions: ['v1'], operations: ['*'], resources: ['configmaps'] }];
let made: string[] = [];

/** A policy on config maps with a binding, in force when this settles. */
async function policy(sort: Sort, name: string, spec: object, binding: object = {}): Promise<void> {
  const object = (kind: string, s: object) => ({
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: `${sort}Admission${kind}`,
    metadata: { name },
    spec: s,
  });
  const constraints = { matchConstraints: { resourceRules: MAP_RULES } };
  const actions = sort === 'Validating' ? { validationActions: ['Deny'] } : {};
  const more = sort === 'Mutating' ? { failurePolicy: 'Fail', reinvocationPolicy: 'Never' } : {};
  const path = plural(sort, 'policies');
  expect((await ask('POST', path, object('Policy', { ...constraints, ...more, ...spec }))).body).toMatchObject({
    spec: {},
  });
  const bindings = plural(sort, 'policybindings');
  const bound = await ask('POST', bindings, object('PolicyBinding', { policyName: name, ...actions, ...binding }));
  expect(bound.body).toMatchObject({ spec: {} });
  made.push(`${bindings}/${name}`, `${path}/${name}`);
}
afterEach(async () => {
  for (const path of made) await ask('DELETE', path);
  made = [];
  await ask('DELETE', MAPS, { kind: 'DeleteOptions', apiVersion: 'v1' });
});

const map = (name: string, data: object = {}, metadata: object = {}) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, ...metadata },
  data,
});
const create = (name: string, data: object = {}, metadata: object = {}): Promise<Answer> =>
  ask('POST', MAPS, map(name, data, metadata));
const messageOf = ({ body }: Answer) => String(body.message);

describe('validating policies', () => {
  it('are in force with the answer to their write, and no longer than their binding', async () => {
    await policy('Validating', 'now', { validations: [{ expression: "object.data.a == 'x'", message: 'a is x' }] });
    expect(await create('one', { a: 'y' })).toMatchObject({ code: 422, body: { reason: 'Invalid' } });
    expect((await create('one', { a: 'x' })).code).toBe(201);
    await ask('DELETE', `${plural('Validating', 'policybindings')}/now`);
    expect((await create('two', { a: 'y' })).code).toBe(201);
  });

  it('change with their generation', async () => {
    await policy('Validating', 'gen', { validations: [{ expression: 'false', message: 'first' }] });
    expect(messageOf(await create('a'))).toContain('first');
    await ask('PATCH', `${plural('Validating', 'policies')}/gen`, {
      spec: { validations: [{ expression: 'false', message: 'second' }] },
    });
    expect(messageOf(await create('a'))).toContain('second');
  });

  it('warn and audit without denying', async () => {
    await policy(
      'Validating',
      'soft',
      { validations: [{ expression: 'false', message: 'm' }] },
      { validationActions: ['Warn', 'Audit'] },
    );
    const answer = await create('a');
    expect(answer.code).toBe(201);
    expect(answer.warnings).toEqual([
      `299 - "Validation failed for ValidatingAdmissionPolicy 'soft' with binding 'soft': m"`,
    ]);
  });

  it('are given parameters of custom kinds, of the namespace of the request', async () => {
    const definition = {
      apiVersion: 'apiextensions.k8s.io/v1',
      kind: 'CustomResourceDefinition',
      metadata: { name: 'limits.policy.example' },
      spec: {
        group: 'policy.example',
        scope: 'Namespaced',
        names: { plural: 'limits', kind: 'Limit' },
        versions: [
          {
            name: 'v1',
            served: true,
            storage: true,
            schema: { openAPIV3Schema: { type: 'object', properties: { max: { type: 'integer' } } } },
          },
        ],
      },
    };
    expect((await ask('POST', '/apis/apiextensions.k8s.io/v1/customresourcedefinitions', definition)).code).toBe(201);
    const spec = {
      paramKind: { apiVersion: 'policy.example/v1', kind: 'Limit' },
      validations: [
        { expression: 'size(object.data) <= params.max', messageExpression: "'at most ' + string(params.max)" },
      ],
    };
    await policy('Validating', 'limited', spec, { paramRef: { name: 'l', parameterNotFoundAction: 'Deny' } });
    expect(messageOf(await create('a', { x: '1' }))).toMatch(
      /no params found for policy binding with `Deny` parameterNotFoundAction$/,
    );
    const limit = { apiVersion: 'policy.example/v1', kind: 'Limit', metadata: { name: 'l' }, max: 1 };
    const created = await ask('POST', '/apis/policy.example/v1/namespaces/default/limits', limit);
    expect(created.code).toBe(201);
    expect((await create('a', { x: '1' })).code).toBe(201);
    expect(messageOf(await create('b', { x: '1', y: '2' }))).toMatch(/denied request: at most 1$/);
    await ask('DELETE', '/apis/apiextensions.k8s.io/v1/customresourcedefinitions/limits.policy.example');
  });

  it('stop what costs too much', async () => {
    const all = (n: number) =>
      Array.from({ length: n }, (_, i) => `x${i}`).reduce((e, x) => `object.data.l.split(',').all(${x}, ${e})`, 'true');
    await policy('Validating', 'dear', { validations: [{ expression: all(3) }] });
    const answer = await create('a', { l: Array.from({ length: 500 }, () => 'x').join(',') });
    expect(answer.code).toBe(422);
    expect(messageOf(answer)).toMatch(/resulted in error: operation cancelled: actual cost limit exceeded$/);
  });

  it('stop what costs too much in all', async () => {
    const one = { expression: "object.data.l.split(',').all(a, object.data.l.split(',').all(b, a == b))" };
    await policy('Validating', 'many', { validations: Array(40).fill(one) });
    const answer = await create('a', { l: Array.from({ length: 270 }, () => 'x').join(',') });
    expect(messageOf(answer)).toMatch(
      /denied request: validation failed due to running out of cost budget, no further validation rules will be run$/,
    );
  });

  it('show what variables can not be computed', async () => {
    await policy('Validating', 'vars', {
      variables: [{ name: 'n', expression: 'object.data.n' }],
      validations: [{ expression: 'variables.n == "1"' }],
    });
    expect(messageOf(await create('a', { x: '' }))).toMatch(
      /expression 'variables.n == "1"' resulted in error: composited variable "n" fails to evaluate: no such key: n$/,
    );
    expect((await create('a', { n: '1' })).code).toBe(201);
  });

  it('never see themselves', async () => {
    const rules = [{ apiGroups: ['*'], apiVersions: ['*'], operations: ['*'], resources: ['*'] }];
    await policy('Validating', 'all', {
      matchConstraints: { resourceRules: rules },
      validations: [{ expression: 'false' }],
    });
    expect((await create('a')).code).toBe(422);
    const review = {
      apiVersion: 'authorization.k8s.io/v1',
      kind: 'SelfSubjectAccessReview',
      spec: { nonResourceAttributes: { path: '/', verb: 'get' } },
    };
    expect((await ask('POST', '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews', review)).code).toBe(201);
    expect((await ask('DELETE', `${plural('Validating', 'policies')}/all`)).code).toBe(200);
    expect((await create('a')).code).toBe(201);
  });

  it('read parameters only for those who may read them', async () => {
    const rbac = '/apis/rbac.authorization.k8s.io/v1';
    await ask('POST', `${rbac}/clusterroles`, {
      metadata: { name: 'policies' },
      rules: [{ apiGroups: ['admissionregistration.k8s.io'], resources: ['*'], verbs: ['*'] }],
    });
    await ask('POST', `${rbac}/clusterrolebindings`, {
      metadata: { name: 'policies' },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'policies' },
      subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: 'alice' }],
    });
    const object = {
      apiVersion: 'admissionregistration.k8s.io/v1',
      kind: 'ValidatingAdmissionPolicy',
      metadata: { name: 'spy' },
      spec: {
        paramKind: { apiVersion: 'v1', kind: 'Secret' },
        matchConstraints: { resourceRules: MAP_RULES },
        validations: [{ expression: 'false', messageExpression: 'string(params.data.key)' }],
      },
    };
    const path = plural('Validating', 'policies');
    const refused = await ask('POST', path, object, ALICE);
    expect(refused.code).toBe(422);
    expect(messageOf(refused)).toContain(
      'spec.paramKind: Forbidden: user &{alice  [dev system:authenticated] map[]} must have "get" permission on all objects of the referenced paramKind (kind=Secret, apiVersion=v1)',
    );
    expect((await ask('POST', path, object, ADMIN)).code).toBe(201);
    made.push(`${path}/spy`);
    const binding = {
      apiVersion: 'admissionregistration.k8s.io/v1',
      kind: 'ValidatingAdmissionPolicyBinding',
      metadata: { name: 'spy' },
      spec: {
        policyName: 'spy',
        validationActions: ['Deny'],
        paramRef: { name: 's', namespace: 'kube-system', parameterNotFoundAction: 'Deny' },
      },
    };
    const bound = await ask('POST', plural('Validating', 'policybindings'), binding, ALICE);
    expect(messageOf(bound)).toContain(
      'spec.paramRef: Forbidden: user &{alice  [dev system:authenticated] map[]} does not have "get" permission on the object referenced by paramRef',
    );
  });

  it('tell in their status what does not fit', async () => {
    await policy('Validating', 'typed', { validations: [{ expression: 'object.data.a > 1' }] });
    const path = `${plural('Validating', 'policies')}/typed`;
    let status: {
      observedGeneration?: number;
      typeChecking?: { expressionWarnings?: { fieldRef: string; warning: string }[] };
    } = {};
    for (let i = 0; i < 200 && !status.observedGeneration; i++) {
      status = ((await ask('GET', path)).body.status ?? {}) as typeof status;
      if (!status.observedGeneration) await new Promise((wake) => setTimeout(wake, 10));
    }
    expect(status.observedGeneration).toBe(1);
    expect(status.typeChecking?.expressionWarnings?.[0]).toMatchObject({
      fieldRef: 'spec.validations[0].expression',
      warning: expect.stringContaining("found no matching overload for '_>_' applied to '(string, int)'"),
    });
  });
});

const apply = (expression: string) => ({ patchType: 'ApplyConfiguration', applyConfiguration: { expression } });
const patch = (expression: string) => ({ patchType: 'JSONPatch', jsonPatch: { expression } });

describe('mutating policies', () => {
  it('apply configurations and patches in turn', async () => {
    await policy('Mutating', 'both', {
      variables: [{ name: 'n', expression: 'size(object.data)' }],
      mutations: [
        apply("Object{data: {'applied': string(variables.n)}}"),
        patch("[JSONPatch{op: 'add', path: '/data/patched', value: string(variables.n)}]"),
        patch("[JSONPatch{op: 'test', path: '/data/a', value: 'other'}, JSONPatch{op: 'remove', path: '/data/a'}]"),
      ],
    });
    const { code, body } = await create('a', { a: '1' });
    expect(code).toBe(201);
    expect(body.data).toEqual({ a: '1', applied: '1', patched: '2' });
  });

  it('merge lists by their keys', async () => {
    const rules = [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['pods'] }];
    const env = "Object.spec.containers.env{name: 'A', value: 'added'}";
    await policy('Mutating', 'lists', {
      matchConstraints: { resourceRules: rules },
      mutations: [apply(`Object{spec: Object.spec{containers: [Object.spec.containers{name: 'c', env: [${env}]}]}}`)],
    });
    const containers = [{ name: 'c', image: 'i', env: [{ name: 'B', value: 'own' }] }];
    const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'p' }, spec: { containers } };
    const { body } = await ask('POST', '/api/v1/namespaces/default/pods?dryRun=All', pod);
    expect(body).toMatchObject({
      spec: {
        containers: [
          {
            name: 'c',
            image: 'i',
            env: [
              { name: 'B', value: 'own' },
              { name: 'A', value: 'added' },
            ],
          },
        ],
      },
    });
  });

  it('run again when what they saw has changed', async () => {
    const count = apply("Object{data: {'count': string(int(object.data.?count.orValue('0')) + 1)}}");
    await policy('Mutating', 'a-again', { mutations: [count], reinvocationPolicy: 'IfNeeded' });
    await policy('Mutating', 'b-other', { mutations: [apply("Object{data: {'other': 'x'}}")] });
    expect((await create('a', { a: '1' })).body.data).toEqual({ a: '1', count: '2', other: 'x' });
  });

  it.each([
    [
      'fail',
      patch("[JSONPatch{op: 'remove', path: '/nothing'}]"),
      "error in remove for path: '/nothing': Unable to remove nonexistent key: nothing: missing value",
    ],
    [
      'name what is not there',
      apply('Object{bogus: 1}'),
      'error applying patch: failed to convert patch object to typed object: .bogus: field not declared in schema',
    ],
    [
      'have parts in the wrong place',
      apply('Object{metadata: Object.spec{}}'),
      'type mismatch: unexpected type name "Object.spec", expected "Object.metadata", which matches field name path from root Object type',
    ],
    [
      'can not be computed',
      apply("Object{data: {'x': object.data.none}}"),
      "expression 'Object{data: {'x': object.data.none}}' resulted in error: no such key: none",
    ],
  ])('deny the request when they %s', async (_, mutation, message) => {
    await policy('Mutating', 'broken', { mutations: [mutation] });
    const answer = await create('a', { a: '1' });
    expect(answer).toMatchObject({ code: 403, body: { reason: 'Invalid' } });
    expect(messageOf(answer)).toContain(`policy 'broken' with binding 'broken' denied request: `);
    expect(messageOf(answer)).toContain(message);
  });

  it('may not replace atomic lists', async () => {
    const rules = [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['pods'] }];
    const containers = "[Object.spec.containers{name: 'c', args: ['x']}]";
    await policy('Mutating', 'atomic', {
      matchConstraints: { resourceRules: rules },
      mutations: [apply(`Object{spec: Object.spec{containers: ${containers}}}`)],
    });
    const pod = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'p' },
      spec: { containers: [{ name: 'c', image: 'i' }] },
    };
    const answer = await ask('POST', '/api/v1/namespaces/default/pods?dryRun=All', pod);
    expect(messageOf(answer)).toContain(
      'invalid ApplyConfiguration: may not mutate atomic arrays, maps or structs: .spec.containers[0].args',
    );
  });

  it('change nothing when their failures are ignored', async () => {
    await policy('Mutating', 'ignored', {
      failurePolicy: 'Ignore',
      mutations: [apply("Object{data: {'x': object.data.none}}")],
    });
    expect((await create('a', { a: '1' })).body.data).toEqual({ a: '1' });
  });
});
