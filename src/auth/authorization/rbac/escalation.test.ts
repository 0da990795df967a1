import { beforeEach, describe, expect, it } from 'vitest';
import { StatusError } from '../../../machinery/errors.js';
import type { KubeObject } from '../../../machinery/json.js';
import { compactRules, uncoveredRules } from './covers.js';
import { EscalationGuard, type RbacResource } from './escalation.js';
import { clusterRoleRef, RbacWorld, roleRef, rule, user, userSubject } from './rbac.suite.js';
import type { BindingObject, PolicyRule, RoleObject } from './rule.js';
import { compactString } from './rule.js';

const alice = user('alice', 'system:authenticated');
let world: RbacWorld;
let guard: EscalationGuard;
beforeEach(async () => {
  world = await RbacWorld.create();
  guard = new EscalationGuard(world.index, world.authorizer);
  world.clusterRole('held', [rule('get', 'configmaps'), { verbs: ['get'], nonResourceURLs: ['/a/*'] }]);
  world.clusterBinding('held', clusterRoleRef('held'), userSubject('alice'));
});

const role = (name: string, rules: PolicyRule[], more: Partial<RoleObject> = {}): RoleObject => ({
  metadata: { name },
  rules,
  ...more,
});
const binding = (name: string, ref: BindingObject['roleRef']): BindingObject => ({ metadata: { name }, roleRef: ref });
const request = (resource: RbacResource, name = '', who = alice) => ({
  user: who,
  resource,
  namespace: resource.startsWith('cluster') ? '' : 'default',
  name,
});
async function message(attempt: Promise<void>): Promise<string> {
  try {
    await attempt;
    return 'ok';
  } catch (e) {
    return e instanceof StatusError ? `${e.code} ${e.message}` : `${e}`;
  }
}
const WHO =
  'user "alice" (groups=["system:authenticated"]) is attempting to grant RBAC permissions not currently held:\n';

describe('writing roles', () => {
  it.each([
    ['what is held', [rule('get', 'configmaps')], 'ok'],
    ['part of what is held', [rule('get', 'configmaps', '', 'x')], 'ok'],
    ['nothing', [], 'ok'],
    ['a url below a held prefix', [{ verbs: ['get'], nonResourceURLs: ['/a/b', '/a/c*'] }], 'ok'],
    ['another resource', [rule('get', 'secrets')], '{APIGroups:[""], Resources:["secrets"], Verbs:["get"]}'],
    ['every verb', [rule('*', 'configmaps')], '{APIGroups:[""], Resources:["configmaps"], Verbs:["*"]}'],
    [
      'a product of groups, resources and verbs',
      [rule('get,list', 'configmaps,pods', ',apps')],
      '{APIGroups:[""], Resources:["configmaps"], Verbs:["list"]}\n{APIGroups:[""], Resources:["pods"], Verbs:["get" "list"]}\n{APIGroups:["apps"], Resources:["configmaps"], Verbs:["get" "list"]}\n{APIGroups:["apps"], Resources:["pods"], Verbs:["get" "list"]}',
    ],
    [
      'names',
      [rule('get', 'secrets', '', 'a,b')],
      '{APIGroups:[""], Resources:["secrets"], ResourceNames:["a"], Verbs:["get"]}\n{APIGroups:[""], Resources:["secrets"], ResourceNames:["b"], Verbs:["get"]}',
    ],
    ['urls', [{ verbs: ['get'], nonResourceURLs: ['/x'] }], '{NonResourceURLs:["/x"], Verbs:["get"]}'],
  ] as [string, PolicyRule[], string][])('%s', async (_, rules, expected) => {
    const text = await message(guard.confirmRole(request('clusterroles'), role('r', rules)));
    const full = `403 clusterroles.rbac.authorization.k8s.io "r" is forbidden: ${WHO}${expected}`;
    expect(text).toBe(expected === 'ok' ? 'ok' : full);
  });

  it('lets system:masters do anything', async () => {
    const root = user('root', 'system:masters');
    expect(await message(guard.confirmRole(request('roles', '', root), role('r', [rule('*', '*', '*')])))).toBe('ok');
  });

  it('counts what is held in the namespace for roles, and only cluster-wide rights for cluster roles', async () => {
    world.role('default', 'local', [rule('get', 'secrets')]);
    world.binding('default', 'local', roleRef('local'), userSubject('alice'));
    expect(await message(guard.confirmRole(request('roles'), role('r', [rule('get', 'secrets')])))).toBe('ok');
    const elsewhere = { ...request('roles'), namespace: 'other' };
    expect(await message(guard.confirmRole(elsewhere, role('r', [rule('get', 'secrets')])))).toContain('403');
    expect(await message(guard.confirmRole(request('clusterroles'), role('r', [rule('get', 'secrets')])))).toContain(
      '403',
    );
  });

  it('the right to escalate suffices, for the resource it is given for', async () => {
    world.clusterRole('esc', [rule('escalate', 'roles', 'rbac.authorization.k8s.io')]);
    world.clusterBinding('esc', clusterRoleRef('esc'), userSubject('alice'));
    expect(await message(guard.confirmRole(request('roles'), role('r', [rule('*', 'secrets')])))).toBe('ok');
    expect(await message(guard.confirmRole(request('clusterroles'), role('r', [rule('*', 'secrets')])))).toContain(
      '403',
    );
  });

  it('a right to escalate named roles does not help to create them, since a create has no name', async () => {
    world.clusterRole('esc', [rule('escalate', 'roles', 'rbac.authorization.k8s.io', 'r')]);
    world.clusterBinding('esc', clusterRoleRef('esc'), userSubject('alice'));
    const greedy = role('r', [rule('get', 'secrets')]);
    expect(await message(guard.confirmRole(request('roles'), greedy))).toContain('403');
    expect(await message(guard.confirmRole(request('roles', 'r'), greedy, role('r', [])))).toBe('ok');
  });

  it('updates of finalizers and owners alone are free, any other update is looked at', async () => {
    const old = role('r', [rule('get', 'secrets')]);
    const released: RoleObject = { ...old, metadata: { name: 'r', finalizers: ['x/y'], ownerReferences: [] } };
    expect(await message(guard.confirmRole(request('roles', 'r'), old, released))).toBe('ok');
    const labelled: RoleObject = { ...old, metadata: { name: 'r', labels: { a: 'b' } } };
    expect(await message(guard.confirmRole(request('roles', 'r'), labelled, old))).toContain('403');
  });

  it('aggregation needs every right', async () => {
    const gathering = role('r', [], { aggregationRule: { clusterRoleSelectors: [{ matchLabels: { a: 'b' } }] } });
    const refused =
      '403 clusterroles.rbac.authorization.k8s.io "r" is forbidden: must have cluster-admin privileges to use the aggregationRule';
    expect(await message(guard.confirmRole(request('clusterroles'), gathering))).toBe(refused);
    expect(await message(guard.confirmRole(request('clusterroles', 'r'), role('r', []), gathering))).toBe(refused);
    world.clusterRole('all', [rule('*', '*', '*'), { verbs: ['*'], nonResourceURLs: ['*'] }]);
    world.clusterBinding('all', clusterRoleRef('all'), userSubject('alice'));
    expect(await message(guard.confirmRole(request('clusterroles'), gathering))).toBe('ok');
  });

  it('adds what could not be resolved', async () => {
    world.clusterBinding('lost', clusterRoleRef('lost'), userSubject('alice'));
    const text = await message(guard.confirmRole(request('roles'), role('r', [rule('get', 'secrets')])));
    expect(text).toBe(
      `403 roles.rbac.authorization.k8s.io "r" is forbidden: ${WHO}{APIGroups:[""], Resources:["secrets"], Verbs:["get"]}; resolution errors: [roles.rbac.authorization.k8s.io "lost" not found]`,
    );
  });

  it('judges a rule of billions of combinations in an instant, and refuses it', async () => {
    const many = Array.from({ length: 3000 }, (_, i) => `x${i}`);
    const huge: PolicyRule = { verbs: many, apiGroups: many, resources: many, resourceNames: many };
    expect(await message(guard.confirmRole(request('roles'), role('r', [huge])))).toContain('403');
    world.clusterRole('all', [rule('*', '*', '*')]);
    world.clusterBinding('all', clusterRoleRef('all'), userSubject('alice'));
    expect(await message(guard.confirmRole(request('roles'), role('r', [huge])))).toBe('ok');
  });
});

describe('writing bindings', () => {
  it('needs the rights of the role, or the right to bind it', async () => {
    world.role('default', 'r', [rule('get', 'secrets')]);
    const attempt = () => message(guard.confirmBinding(request('rolebindings'), binding('b', roleRef('r'))));
    expect(await attempt()).toBe(
      `403 rolebindings.rbac.authorization.k8s.io "b" is forbidden: ${WHO}{APIGroups:[""], Resources:["secrets"], Verbs:["get"]}`,
    );
    world.role('default', 'binder', [rule('bind', 'roles', 'rbac.authorization.k8s.io', 'r')]);
    world.binding('default', 'binder', roleRef('binder'), userSubject('alice'));
    expect(await attempt()).toBe('ok');
    const cluster = binding('b', clusterRoleRef('r'));
    expect(await message(guard.confirmBinding(request('clusterrolebindings'), cluster))).toContain('404');
  });

  it('a right to bind in one namespace is none in another or in the cluster', async () => {
    world.clusterRole('r', [rule('get', 'secrets')]);
    world.role('default', 'binder', [rule('bind', 'clusterroles', 'rbac.authorization.k8s.io')]);
    world.binding('default', 'binder', roleRef('binder'), userSubject('alice'));
    const b = binding('b', clusterRoleRef('r'));
    expect(await message(guard.confirmBinding(request('rolebindings'), b))).toBe('ok');
    expect(await message(guard.confirmBinding({ ...request('rolebindings'), namespace: 'other' }, b))).toContain('403');
    expect(await message(guard.confirmBinding(request('clusterrolebindings'), b))).toContain('403');
  });

  it('a missing role is not found, named as the resource of the request', async () => {
    const text = await message(guard.confirmBinding(request('rolebindings'), binding('b', roleRef('missing'))));
    expect(text).toBe('404 rolebindings.rbac.authorization.k8s.io "missing" not found');
  });

  it('an unknown kind of role is an error of its own', async () => {
    const odd = binding('b', { kind: 'Nope', name: 'x' } as KubeObject['roleRef'] as BindingObject['roleRef']);
    expect(await message(guard.confirmBinding(request('rolebindings'), odd))).toBe(
      '500 unsupported role reference kind: "Nope"',
    );
  });
});

describe('covering', () => {
  it.each([
    [[rule('get', 'pods/log')], [rule('get', '*/log')], false],
    [[rule('get', '*/log')], [rule('get', 'pods/log')], true],
    [[rule('get', '*')], [rule('get', 'pods/log')], true],
    [[rule('get', 'pods')], [rule('get', '*')], false],
    [[rule('get', 'pods', '', 'a'), rule('get', 'pods', '', 'b')], [rule('get', 'pods', '', 'a,b')], true],
    [[rule('get', 'pods', '', 'a')], [rule('get', 'pods')], false],
    [[rule('get', 'pods'), rule('list', 'secrets')], [rule('get,list', 'pods,secrets')], false],
    [[rule('get', 'pods'), rule('list', 'pods')], [rule('get,list', 'pods')], true],
    [[{ verbs: ['get'], nonResourceURLs: ['*'] }], [{ verbs: ['get'], nonResourceURLs: ['/x*'] }], true],
    [[{ verbs: ['get'], nonResourceURLs: ['/x'] }], [{ verbs: ['get'], nonResourceURLs: ['/x*'] }], false],
    [[], [], true],
  ] as [PolicyRule[], PolicyRule[], boolean][])('case %#', (held, wanted, expected) => {
    expect(uncoveredRules(held, wanted).length === 0).toBe(expected);
  });

  it('joins verbs of the same resource and shows each part', () => {
    const compact = compactRules([rule('get', 'a'), rule('list', 'b'), rule('list', 'a'), rule('get', 'c', '', 'n')]);
    expect(compact.map(compactString)).toEqual([
      '{APIGroups:[""], Resources:["c"], ResourceNames:["n"], Verbs:["get"]}',
      '{APIGroups:[""], Resources:["a"], Verbs:["get" "list"]}',
      '{APIGroups:[""], Resources:["b"], Verbs:["list"]}',
    ]);
  });
});
