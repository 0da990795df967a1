import { describe, expect, it } from 'vitest';
import { AbacAuthorizer, parseAbacPolicies } from './abac.js';
import { ask, askUrl, user } from './rbac/rbac.suite.js';

const alice = user('alice', 'dev', 'system:authenticated');
const anonymous = user('system:anonymous', 'system:unauthenticated');
const policy = (spec: object) =>
  JSON.stringify({ apiVersion: 'abac.authorization.kubernetes.io/v1beta1', kind: 'Policy', spec });
const allows = (lines: string, request: Parameters<AbacAuthorizer['authorize']>[0]) =>
  new AbacAuthorizer(parseAbacPolicies(lines, 'f')).authorize(request).verdict === 'Allow';

describe('policies', () => {
  const everything = { namespace: '*', resource: '*', apiGroup: '*', nonResourcePath: '*' };
  const get = ask(alice, 'get', 'pods', { namespace: 'n', group: '' });
  it.each([
    ['user', { ...everything, user: 'alice' }, get, true],
    ['another user', { ...everything, user: 'bob' }, get, false],
    ['group', { ...everything, group: 'dev' }, get, true],
    ['another group', { ...everything, group: 'ops' }, get, false],
    ['user and group both', { ...everything, user: 'alice', group: 'dev' }, get, true],
    ['user but not group', { ...everything, user: 'alice', group: 'ops' }, get, false],
    ['nobody named', everything, get, false],
    ['everybody authenticated', { ...everything, user: '*' }, get, true],
    ['everybody is not the anonymous', { ...everything, group: '*' }, { ...get, user: anonymous }, false],
    ['namespace', { user: 'alice', namespace: 'n', resource: 'pods', apiGroup: '' }, get, true],
    ['another namespace', { user: 'alice', namespace: 'm', resource: 'pods' }, get, false],
    ['no namespace is the cluster', { user: 'alice', resource: 'pods' }, get, false],
    ['another resource', { user: 'alice', namespace: 'n', resource: 'secrets' }, get, false],
    ['another API group', { user: 'alice', namespace: 'n', resource: 'pods', apiGroup: 'apps' }, get, false],
    [
      'subresources come along',
      { user: 'alice', namespace: 'n', resource: 'pods' },
      ask(alice, 'get', 'pods/log', { namespace: 'n' }),
      true,
    ],
    ['readonly reads', { ...everything, user: 'alice', readonly: true }, get, true],
    ['readonly writes not', { ...everything, user: 'alice', readonly: true }, ask(alice, 'delete', 'pods'), false],
    ['path', { user: 'alice', nonResourcePath: '/metrics' }, askUrl(alice, 'get', '/metrics'), true],
    ['paths below', { user: 'alice', nonResourcePath: '/a/*' }, askUrl(alice, 'get', '/a/b'), true],
    ['another path', { user: 'alice', nonResourcePath: '/metrics' }, askUrl(alice, 'get', '/metrics/x'), false],
    [
      'resource policy on a path',
      { user: 'alice', namespace: '*', resource: '*', apiGroup: '*' },
      askUrl(alice, 'get', '/metrics'),
      false,
    ],
    ['path policy on a resource', { user: 'alice', nonResourcePath: '*' }, get, false],
  ])('%s', (_, spec, request, expected) => {
    expect(allows(policy(spec), request)).toBe(expected);
  });

  it.each([
    [{}, get, true],
    [{}, askUrl(alice, 'post', '/x'), true],
    [{}, { ...get, user: anonymous }, false],
    [{ user: 'bob' }, get, false],
    [{ namespace: 'n' }, get, true],
    [{ namespace: 'm' }, get, false],
    [{ resource: 'pods' }, get, true],
    [{ resource: 'pods' }, askUrl(alice, 'get', '/x'), false],
    [{ readonly: true }, ask(alice, 'create', 'pods'), false],
  ])('in the old form: %j', (line, request, expected) => {
    expect(allows(JSON.stringify(line), request)).toBe(expected);
  });

  it('skips comments and blank lines, and names the line that is wrong', () => {
    expect(parseAbacPolicies('\n# x\n  \n{"user":"a"}\n', 'f')).toHaveLength(1);
    const fails = (text: string) => expect(() => parseAbacPolicies(text, '/p.jsonl'));
    fails('{}\n{').toThrow('error reading policy file /p.jsonl, line 2: {: ');
    fails('{"user":1}').toThrow('error reading policy file /p.jsonl, line 1: {"user":1}: user: expected a string');
    fails('{"apiVersion":"x/v1","kind":"Policy"}').toThrow('no kind "Policy" is registered for version "x/v1"');
    fails('{"kind":"Policy"}').toThrow('no kind "Policy" is registered for version ""');
    fails('[]').toThrow('not an object');
  });

  it('says that nothing matched, and lists rights', () => {
    const abac = new AbacAuthorizer(
      parseAbacPolicies(policy({ user: 'alice', namespace: '*', resource: 'pods', readonly: true }), 'f'),
    );
    expect(abac.authorize(ask(alice, 'create', 'pods')).reason).toBe('No policy matched.');
    expect(abac.rulesFor(alice, 'n')).toMatchObject({
      resourceRules: [{ verbs: ['get', 'list', 'watch'], apiGroups: [''], resources: ['pods'] }],
      nonResourceRules: [],
      incomplete: false,
    });
    expect(abac.rulesFor(user('bob'), 'n').resourceRules).toEqual([]);
  });
});
