import { describe, expect, it } from 'vitest';
import type { CelSchema } from '../../machinery/cel/index.js';
import { catalog } from '../../machinery/scheme/catalog.js';
import { catalogSchema } from './catalog-schema.js';
import { checkTypes, type TypeCheckingDeps } from './type-checking.js';
import type { ValidatingPolicySpec } from './validating-policy.js';

const CUSTOM: CelSchema = {
  type: 'object',
  properties: { spec: { type: 'object', properties: { size: { type: 'integer' } } } },
};
const KINDS: Record<string, string> = {
  'apps/v1/deployments': 'Deployment',
  '/v1/pods': 'Pod',
  'x.example/v1/foos': 'Foo',
};

function deps(): TypeCheckingDeps {
  let count = 0;
  return {
    kindOf({ group, version, resource }) {
      const kind = KINDS[`${group}/${version}/${resource}`];
      return kind === undefined ? undefined : { group, version, kind };
    },
    schemaOf({ group, version, kind }) {
      if (group === 'x.example') return CUSTOM;
      const type = catalog().byGvk(group, version, kind);
      return type && catalogSchema(type);
    },
    unique: () => ++count,
  };
}

function spec(
  expressions: string[],
  over: Partial<ValidatingPolicySpec> = {},
  resources = ['deployments'],
): ValidatingPolicySpec {
  const rule = { apiGroups: ['apps', '', 'x.example'], apiVersions: ['v1'], operations: ['*'], resources };
  return {
    matchConstraints: { resourceRules: [rule] },
    validations: expressions.map((expression) => ({ expression })),
    ...over,
  };
}
const warnings = (s: ValidatingPolicySpec) => checkTypes(s, deps());

describe('type checking', () => {
  it('has nothing to say about what fits', () => {
    const fits = [
      'object.spec.replicas > 1',
      "object.metadata.labels['a'] == 'b' && has(oldObject.spec)",
      "object.spec.template.spec.containers.all(c, c.image.startsWith('x'))",
      'object.metadata.creationTimestamp < timestamp("2030-01-01T00:00:00Z")',
      'object.spec.strategy.rollingUpdate.maxSurge == 1 || object.spec.strategy.rollingUpdate.maxSurge == "10%"',
      "authorizer.group('').resource('pods').check('get').allowed()",
      "request.operation == 'CREATE' && namespaceObject.metadata.name != ''",
    ];
    expect(warnings(spec(fits))).toEqual([]);
  });

  it('tells what does not fit, by kind', () => {
    expect(warnings(spec(['object.spec.replicas > "1"', 'true', 'object.spec.nope']))).toEqual([
      {
        fieldRef: 'spec.validations[0].expression',
        warning:
          "apps/v1, Kind=Deployment: ERROR: <input>:1:22: found no matching overload for '_>_' applied to '(int, string)'\n | object.spec.replicas > \"1\"\n | .....................^\n",
      },
      {
        fieldRef: 'spec.validations[2].expression',
        warning:
          "apps/v1, Kind=Deployment: ERROR: <input>:1:12: undefined field 'nope'\n | object.spec.nope\n | ...........^\n",
      },
    ]);
    const [both] = warnings(spec(['object.spec.nope'], {}, ['pods', 'deployments', 'foos']));
    expect(both?.warning.match(/Kind=\w+/g)).toEqual(['Kind=Pod', 'Kind=Deployment', 'Kind=Foo']);
  });

  it('looks at messages, variables and parameters', () => {
    const s = spec(['variables.n > 1'], {
      variables: [{ name: 'n', expression: 'object.spec.replicas' }],
      validations: [{ expression: 'variables.n > 1', messageExpression: "'n is ' + variables.n" }],
      paramKind: { apiVersion: 'x.example/v1', kind: 'Foo' },
    });
    expect(warnings(s).map((w) => w.fieldRef)).toEqual(['spec.validations[0].messageExpression']);
    expect(warnings({ ...s, validations: [{ expression: 'params.spec.size > 1 && params.spec.x' }] })).toMatchObject([
      { warning: expect.stringContaining("undefined field 'x'") },
    ]);
  });

  it('knows the schemas of custom resources', () => {
    expect(warnings(spec(['object.spec.size > 1 && object.metadata.name != ""'], {}, ['foos']))).toEqual([]);
    expect(warnings(spec(['object.spec.size > ""'], {}, ['foos']))).toHaveLength(1);
  });

  it.each([
    ['wildcards', { apiGroups: ['*'], apiVersions: ['v1'], resources: ['deployments'] }],
    ['any version', { apiGroups: ['apps'], apiVersions: ['*'], resources: ['deployments'] }],
    ['subresources', { apiGroups: ['apps'], apiVersions: ['v1'], resources: ['deployments/*', '*'] }],
    ['what is not served', { apiGroups: ['apps'], apiVersions: ['v1'], resources: ['nothings'] }],
  ])('is not done for %s', (_, rule) => {
    expect(warnings(spec(['object.spec.nope'], { matchConstraints: { resourceRules: [rule] } }))).toEqual([]);
  });

  it('ends for types that hold themselves', () => {
    const type = catalog().byGvk('apiextensions.k8s.io', 'v1', 'CustomResourceDefinition');
    expect(JSON.stringify(type && catalogSchema(type)).length).toBeLessThan(1_000_000);
  });
});
