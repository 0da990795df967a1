import { describe, expect, it } from 'vitest';
import { labelSelectorOf } from '../../machinery/selectors/label-selector.js';
import { attributes, versionOf } from '../attributes.suite.js';
import { MatchResources } from '../policy/match-resources.js';
import { matchRules, type Rule } from './rules.js';
import { matchesNamespace, matchesObject } from './selectors.js';

const rule = (over: Partial<Rule> = {}): Rule => ({
  operations: ['CREATE'],
  apiGroups: ['apps'],
  apiVersions: ['v1'],
  resources: ['things'],
  ...over,
});
const at = (version: string) => versionOf('apps', version, 'things');
const V1 = at('v1');
const V2 = at('v2');
const things = (over = {}) => attributes({ resource: V1.resource, kind: V1.kind, ...over });
const match = (r: Rule, over = {}) => matchRules([r], undefined, things(over), [V1]) !== undefined;

describe('rules', () => {
  it.each<[string, Partial<Rule>, object]>([
    ['what they name', {}, {}],
    ['any operation', { operations: ['*'] }, { operation: 'DELETE' }],
    ['any group', { apiGroups: ['*'] }, {}],
    ['any version', { apiVersions: ['x', '*'] }, {}],
    ['any resource', { resources: ['*'] }, {}],
    ['a subresource', { resources: ['things/status'] }, { subresource: 'status' }],
    ['all subresources', { resources: ['things/*'] }, { subresource: 'status' }],
    ['the resource with its subresources', { resources: ['things/*'] }, {}],
    ['a subresource of all', { resources: ['*/scale'] }, { subresource: 'scale' }],
    ['names', { resourceNames: ['b', 'c'] }, {}],
    ['what is in a namespace', { scope: 'Namespaced' }, {}],
    ['what is in none', { scope: 'Cluster' }, { namespace: '' }],
  ])('match %s', (_, r, over) => {
    expect(match(rule(r), over)).toBe(true);
  });

  it.each<[string, Partial<Rule>, object]>([
    ['another operation', {}, { operation: 'UPDATE' }],
    ['another group', { apiGroups: [''] }, {}],
    ['another version', { apiVersions: ['v2'] }, {}],
    ['another resource', { resources: ['pods'] }, {}],
    ['subresources that they do not name', {}, { subresource: 'status' }],
    ['subresources, for a star', { resources: ['*'] }, { subresource: 'status' }],
    ['other names', { resourceNames: ['d'] }, {}],
    ['other scopes', { scope: 'Cluster' }, {}],
    ['namespaced ones that are in none', { scope: 'Namespaced' }, { namespace: '' }],
    ['a scope that is none', { scope: 'Odd' }, {}],
    ['anything when they say nothing', { operations: undefined }, {}],
  ])('do not match %s', (_, r, over) => {
    expect(match(rule(r), over)).toBe(false);
  });

  it('prefer the version of the request, and find others only when they may', () => {
    const rules = [rule({ apiVersions: ['v2'] }), rule()];
    expect(matchRules(rules, 'Equivalent', things(), [V1, V2])).toBe(V1);
    expect(matchRules([rules[0]!], 'Equivalent', things(), [V1, V2])).toBe(V2);
    expect(matchRules([rules[0]!], 'Exact', things(), [V1, V2])).toBeUndefined();
  });

  it('take a namespace for cluster-scoped, and for in the namespace of its name', () => {
    const namespaces = versionOf('', 'v1', 'namespaces', 'Namespace');
    const request = attributes({ resource: namespaces.resource, namespace: '', name: 'n' });
    const named = (scope: string) =>
      matchRules([rule({ apiGroups: [''], resources: ['namespaces'], scope })], undefined, request, [namespaces]);
    expect(named('Cluster')).toBe(namespaces);
    expect(named('Namespaced')).toBeUndefined();
  });
});

describe('selectors', () => {
  const app = labelSelectorOf({ matchLabels: { app: 'x' } });
  const labelled = (labels: Record<string, string> | undefined) => ({ metadata: { name: 'c', labels } });
  const namespaceOf = async (name: string) =>
    name === 'gone' ? undefined : labelled(name === 'ns' ? { app: 'x' } : {});

  it('look at the new and at the stored object', () => {
    expect(matchesObject(app, attributes({ object: labelled({ app: 'x' }) }))).toBe(true);
    expect(matchesObject(app, attributes({ object: labelled({}), oldObject: labelled({ app: 'x' }) }))).toBe(true);
    expect(matchesObject(app, attributes({ object: labelled({ app: 'y' }) }))).toBe(false);
    expect(matchesObject(app, attributes({ object: undefined }))).toBe(false);
    expect(matchesObject(labelSelectorOf({}), attributes({ object: undefined }))).toBe(true);
  });

  it('look at the namespace, but never at cluster-scoped objects', async () => {
    expect(await matchesNamespace(app, attributes(), namespaceOf)).toBe(true);
    expect(await matchesNamespace(app, attributes({ namespace: 'other' }), namespaceOf)).toBe(false);
    expect(await matchesNamespace(app, attributes({ namespace: '' }), namespaceOf)).toBe(true);
    await expect(matchesNamespace(app, attributes({ namespace: 'gone' }), namespaceOf)).rejects.toThrow(
      'namespaces "gone" not found',
    );
  });

  it('take a namespace that is written with its new labels', async () => {
    const resource = { group: '', version: 'v1', resource: 'namespaces' };
    const request = attributes({ resource, namespace: '', name: 'other', object: labelled({ app: 'x' }) });
    expect(await matchesNamespace(app, request, namespaceOf)).toBe(true);
    expect(await matchesNamespace(app, { ...request, operation: 'DELETE' }, namespaceOf)).toBe(false);
  });
});

describe('resources of policies', () => {
  const selectors = { namespaceSelector: {}, objectSelector: {} };
  const none = async () => undefined;
  const matches = (spec: object) => new MatchResources({ ...selectors, ...spec }).match(things(), [V1, V2], none);

  it('are all, without rules, but for what is excluded', async () => {
    expect(await matches({})).toBe(V1);
    expect(await matches({ excludeResourceRules: [rule({ resourceNames: ['other'] })] })).toBe(V1);
    expect(await matches({ excludeResourceRules: [rule({ resourceNames: ['c'] })] })).toBeUndefined();
    expect(
      await matches({ excludeResourceRules: [rule({ apiVersions: ['v2'] })], matchPolicy: 'Equivalent' }),
    ).toBeUndefined();
    expect(await matches({ resourceRules: [rule({ apiVersions: ['v2'] })], matchPolicy: 'Equivalent' })).toBe(V2);
  });

  it('can not be told without selectors', async () => {
    await expect(matches({ namespaceSelector: undefined })).rejects.toThrow('a nil namespace selector was passed');
    await expect(matches({ objectSelector: undefined })).rejects.toThrow('a nil object selector was passed');
  });
});
