import { describe, expect, it } from 'vitest';
import type { KubeObject } from '../../../machinery/json.js';
import { cloneJson } from '../../../machinery/json.js';
import { MemoryFeed } from '../memory-feed.suite.js';
import { aggregatedRules } from './aggregation.js';
import { RbacAuthorizer } from './authorizer.js';
import { defaultPolicy, type PolicyChange, planPolicy } from './bootstrap-policy.js';
import type { RbacResource } from './escalation.js';
import { ask, askUrl, rule, user, userSubject } from './rbac.suite.js';
import { RbacIndex } from './rbac-index.js';
import type { BindingObject, RoleObject } from './rule.js';
import { RBAC_GROUP } from './rule.js';

const group = (resource: string) => ({ group: RBAC_GROUP, resource });
function apply(feed: MemoryFeed, changes: readonly PolicyChange[]): void {
  for (const { resource, object } of changes) feed.put(group(resource), object);
}
const plan = (feed: MemoryFeed) =>
  planPolicy(defaultPolicy(), (resource, ns, name) => feed.get(group(resource), ns, name));
function fresh(): MemoryFeed {
  const feed = new MemoryFeed();
  apply(feed, plan(feed));
  return feed;
}
function edit<T extends KubeObject>(feed: MemoryFeed, resource: RbacResource, name: string, change: (o: T) => void) {
  const object = cloneJson(feed.get(group(resource), '', name)!) as T;
  change(object);
  feed.put(group(resource), object);
}

describe('default policy', () => {
  it('is complete on a fresh store and needs nothing after that', () => {
    const feed = fresh();
    expect(feed.list(group('clusterroles')).length).toBe(70);
    expect(feed.list(group('clusterrolebindings')).length).toBe(51);
    expect(feed.list(group('roles')).length).toBe(7);
    expect(feed.list(group('rolebindings')).length).toBe(7);
    expect(plan(feed)).toEqual([]);
  });

  it('gives the documented rights and no others', async () => {
    const feed = fresh();
    const index = new RbacIndex();
    await index.follow(feed);
    const rbac = new RbacAuthorizer(index);
    const allowed = (a: Parameters<RbacAuthorizer['authorize']>[0]) => rbac.authorize(a).verdict === 'Allow';
    const anybody = user('u', 'system:authenticated');
    const anonymous = user('system:anonymous', 'system:unauthenticated');
    expect(allowed(askUrl(anybody, 'get', '/api'))).toBe(true);
    expect(allowed(askUrl(anonymous, 'get', '/api'))).toBe(false);
    expect(allowed(askUrl(anonymous, 'get', '/healthz'))).toBe(true);
    expect(allowed(askUrl(anonymous, 'post', '/healthz'))).toBe(false);
    expect(allowed(askUrl(anybody, 'get', '/metrics'))).toBe(false);
    expect(allowed(ask(anybody, 'get', 'pods'))).toBe(false);
    expect(allowed(ask(user('root', 'system:masters'), 'delete', 'secrets', { group: 'x' }))).toBe(true);
    const node = user('system:node:n', 'system:nodes', 'system:authenticated');
    expect(allowed(ask(node, 'get', 'secrets'))).toBe(false);
  });

  it('adds rules, labels, annotations and subjects that went missing, and keeps additional ones', () => {
    const feed = fresh();
    edit<RoleObject>(feed, 'clusterroles', 'system:basic-user', (o) => {
      o.rules = [rule('get', 'extra')];
      o.metadata.labels = { mine: 'x' };
    });
    edit<BindingObject>(feed, 'clusterrolebindings', 'cluster-admin', (o) => {
      o.subjects = [userSubject('me')];
    });
    const changes = plan(feed);
    expect(changes.map((c) => `${c.operation} ${c.resource} ${c.object.metadata.name}`)).toEqual([
      'update clusterroles system:basic-user',
      'update clusterrolebindings cluster-admin',
    ]);
    const [role, binding] = changes.map((c) => c.object) as [RoleObject, BindingObject];
    expect(role.rules?.[0]).toEqual(rule('get', 'extra'));
    expect(role.rules).toContainEqual(rule('create', 'selfsubjectreviews', 'authentication.k8s.io'));
    expect(role.metadata.labels).toEqual({ mine: 'x', 'kubernetes.io/bootstrapping': 'rbac-defaults' });
    expect(binding.subjects?.map((s) => s.name)).toEqual(['me', 'system:masters']);
    apply(feed, changes);
    expect(plan(feed)).toEqual([]);
  });

  it('leaves alone what opted out: removed subjects and rules stay out', () => {
    const feed = fresh();
    const optOut = (o: KubeObject) => {
      o.metadata.annotations = { 'rbac.authorization.kubernetes.io/autoupdate': 'false' };
    };
    edit<BindingObject>(feed, 'clusterrolebindings', 'system:discovery', (o) => {
      optOut(o);
      o.subjects = [];
    });
    edit<RoleObject>(feed, 'clusterroles', 'system:discovery', (o) => {
      optOut(o);
      o.rules = [];
    });
    expect(plan(feed)).toEqual([]);
  });

  it('a narrowed rule comes back as the part that is missing', () => {
    const feed = fresh();
    edit<RoleObject>(feed, 'clusterroles', 'system:kube-scheduler', (o) => {
      o.rules = o.rules!.map((r) => ({ ...r, verbs: r.verbs!.filter((v) => v !== 'watch') }));
    });
    const [change] = plan(feed);
    const added = (change!.object as RoleObject).rules!.filter((r) => r.verbs!.includes('watch'));
    expect(added.every((r) => r.verbs!.length === 1)).toBe(true);
    apply(feed, [change!]);
    expect(plan(feed)).toEqual([]);
  });

  it('a binding to another role is made anew', () => {
    const feed = fresh();
    edit<BindingObject>(feed, 'clusterrolebindings', 'cluster-admin', (o) => {
      o.metadata.uid = 'u1';
      o.roleRef = { ...o.roleRef, name: 'view' };
    });
    expect(plan(feed)).toMatchObject([
      { operation: 'recreate', uid: 'u1', object: { roleRef: { name: 'cluster-admin' } } },
    ]);
  });

  it('gives back a missing aggregation rule and takes away one that does not belong', () => {
    const feed = fresh();
    edit<RoleObject>(feed, 'clusterroles', 'view', (o) => {
      delete o.aggregationRule;
      o.rules = [rule('get', 'mine')];
    });
    edit<RoleObject>(feed, 'clusterroles', 'system:basic-user', (o) => {
      o.aggregationRule = { clusterRoleSelectors: [{ matchLabels: { a: 'b' } }] };
    });
    const changes = plan(feed);
    const byName = new Map(changes.map((c) => [c.object.metadata.name, c.object as RoleObject]));
    expect(byName.get('view')!.aggregationRule).toEqual({
      clusterRoleSelectors: [{ matchLabels: { 'rbac.authorization.k8s.io/aggregate-to-view': 'true' } }],
    });
    expect(byName.get('view')!.rules).toEqual([rule('get', 'mine')]);
    expect(byName.get('system:basic-user')!.aggregationRule).toBeUndefined();
  });

  it('on the way from an old release, keeps what operators made of roles and bindings', () => {
    const feed = new MemoryFeed();
    feed.put(group('clusterroles'), { metadata: { name: 'edit' }, rules: [rule('get', 'mine')] } as RoleObject);
    feed.put(group('clusterrolebindings'), {
      metadata: { name: 'system:discovery' },
      subjects: [userSubject('only-me')],
      roleRef: { apiGroup: RBAC_GROUP, kind: 'ClusterRole', name: 'system:discovery' },
    } as BindingObject);
    const changes = plan(feed);
    const of = (name: string) => changes.find((c) => c.object.metadata.name === name)!.object;
    expect((of('system:aggregate-to-edit') as RoleObject).rules?.[0]).toEqual(rule('get', 'mine'));
    expect((of('system:public-info-viewer') as RoleObject).kind).toBe('ClusterRole');
    const viewer = changes.find(
      (c) => c.resource === 'clusterrolebindings' && c.object.metadata.name === 'system:public-info-viewer',
    )!.object as BindingObject;
    expect(viewer.subjects?.map((s) => s.name)).toContain('only-me');
  });
});

describe('aggregation', () => {
  const part = (name: string, labels: Record<string, string>, ...rules: RoleObject['rules'] & object): RoleObject => ({
    metadata: { name, labels },
    rules,
  });
  const sum = (rules: RoleObject['rules'], ...clusterRoleSelectors: object[]): RoleObject =>
    ({ metadata: { name: 'sum', labels: { a: 'b' } }, rules, aggregationRule: { clusterRoleSelectors } }) as RoleObject;

  it('is the union of the roles that match, by selector and name, without repetition and itself', () => {
    const all = [
      part('z', { a: 'b' }, rule('get', 'z')),
      part('c', { a: 'b' }, rule('get', 'c'), rule('get', 'z')),
      part('d', { x: 'y' }, rule('get', 'd')),
      part('e', { a: 'other' }, rule('get', 'e')),
    ];
    const role = sum(null, { matchLabels: { a: 'b' } }, { matchExpressions: [{ key: 'x', operator: 'Exists' }] });
    expect(aggregatedRules(role, [...all, role])).toEqual([rule('get', 'c'), rule('get', 'z'), rule('get', 'd')]);
  });

  it('says nothing when nothing is to be done', () => {
    const all = [part('c', { a: 'b' }, rule('get', 'c'))];
    expect(aggregatedRules(part('x', {}, rule('get', 'y')), all)).toBeUndefined();
    expect(aggregatedRules(sum([rule('get', 'c')], { matchLabels: { a: 'b' } }), all)).toBeUndefined();
    expect(aggregatedRules(sum([], { matchLabels: { a: 'none' } }), all)).toBeUndefined();
    expect(aggregatedRules(sum([rule('get', 'c')], { matchLabels: { a: 'none' } }), all)).toEqual([]);
  });

  it('fills view, edit and admin of the default policy', () => {
    const feed = fresh();
    for (let round = 0; round < 3; round++) {
      const all = feed.list(group('clusterroles')) as RoleObject[];
      for (const role of all) {
        const rules = aggregatedRules(role, all);
        if (rules) feed.put(group('clusterroles'), { ...role, rules } as RoleObject);
      }
    }
    const rules = (name: string) => (feed.get(group('clusterroles'), '', name) as RoleObject).rules!;
    expect(rules('view').length).toBeGreaterThan(5);
    expect(rules('edit').length).toBeGreaterThan(rules('view').length);
    expect(rules('admin').length).toBeGreaterThan(rules('edit').length);
    expect(rules('view').some((r) => r.resources?.includes('secrets'))).toBe(false);
  });
});
