import { describe, expect, it } from 'vitest';
import type { Attributes, Authorizer, HeaderValues, UserInfo } from '../../contract.js';
import { parseImpersonation } from './headers.js';
import { createImpersonator } from './impersonate.js';

const bob: UserInfo = { name: 'bob', groups: ['system:authenticated'] };
const request = (user: UserInfo = bob, over: Partial<Attributes> = {}): Attributes => ({
  user,
  verb: 'create',
  isResourceRequest: true,
  group: 'authentication.k8s.io',
  version: 'v1',
  resource: 'selfsubjectreviews',
  subresource: '',
  namespace: '',
  name: '',
  path: '/apis/authentication.k8s.io/v1/selfsubjectreviews',
  ...over,
});
const key = (a: Attributes): string =>
  [a.verb, a.group, a.subresource ? `${a.resource}/${a.subresource}` : a.resource, a.namespace, a.name].join(' ');

function setUp(allowed: readonly (string | RegExp)[], constrained = true) {
  const asked: Attributes[] = [];
  const authorizer: Authorizer = {
    name: 'test',
    authorize(attributes) {
      asked.push(attributes);
      const ok = allowed.some((rule) =>
        typeof rule === 'string' ? rule === key(attributes) : rule.test(key(attributes)),
      );
      return { verdict: ok ? 'Allow' : 'NoOpinion', reason: '' };
    },
  };
  return { impersonate: createImpersonator({ authorizer, constrained }), asked };
}
const all = [/^/];
const legacy = [/^impersonate /];

describe('headers', () => {
  it.each<[HeaderValues, object | undefined]>([
    [{}, undefined],
    [{ 'impersonate-user': '' }, undefined],
    [{ 'impersonate-user': 'zed' }, { name: 'zed', uid: '', groups: [], extra: {} }],
    [
      { 'impersonate-user': ['zed', 'other'], 'impersonate-group': ['a, b', 'c'], 'impersonate-uid': '7' },
      { name: 'zed', uid: '7', groups: ['a, b', 'c'], extra: {} },
    ],
    [
      {
        'impersonate-user': 'z',
        'impersonate-extra-scopes': ['a', 'b'],
        'impersonate-extra-acme.com%2fproject': 'p',
        'impersonate-extra-bad%zz': 'q',
      },
      { name: 'z', uid: '', groups: [], extra: { scopes: ['a', 'b'], 'acme.com/project': ['p'], 'bad%zz': ['q'] } },
    ],
  ])('%j', (headers, wanted) => {
    expect(parseImpersonation(headers)).toEqual(wanted);
  });
  it.each<[HeaderValues, string]>([
    [
      { 'impersonate-group': 'g1' },
      'requested &user.DefaultInfo{Name:"", UID:"", Groups:[]string{"g1"}, Extra:map[string][]string(nil)} without impersonating a user name',
    ],
    [
      { 'impersonate-uid': '7' },
      'requested &user.DefaultInfo{Name:"", UID:"7", Groups:[]string(nil), Extra:map[string][]string(nil)} without impersonating a user name',
    ],
    [
      { 'impersonate-extra-b': 'x', 'impersonate-extra-a': ['y', 'z'] },
      'requested &user.DefaultInfo{Name:"", UID:"", Groups:[]string(nil), Extra:map[string][]string{"a":[]string{"y", "z"}, "b":[]string{"x"}}} without impersonating a user name',
    ],
  ])('%j need a user', (headers, message) => {
    expect(() => parseImpersonation(headers)).toThrow(
      expect.objectContaining({ code: 400, reason: 'BadRequest', message }),
    );
  });
});

describe('who may do everything', () => {
  const admin: UserInfo = { name: 'admin', groups: ['system:masters'] };
  it.each<[HeaderValues, UserInfo]>([
    [{ 'impersonate-user': 'zed' }, { name: 'zed', groups: ['system:authenticated'] }],
    [
      { 'impersonate-user': 'zed', 'impersonate-group': ['g1', 'g2'] },
      { name: 'zed', groups: ['g1', 'g2', 'system:authenticated'] },
    ],
    [
      { 'impersonate-user': 'zed', 'impersonate-uid': '7' },
      { name: 'zed', uid: '7', groups: ['system:authenticated'] },
    ],
    [
      { 'impersonate-user': 'zed', 'impersonate-extra-scopes': ['a'] },
      { name: 'zed', groups: ['system:authenticated'], extra: { scopes: ['a'] } },
    ],
    [
      { 'impersonate-user': 'system:serviceaccount:n:default' },
      {
        name: 'system:serviceaccount:n:default',
        groups: ['system:serviceaccounts', 'system:serviceaccounts:n', 'system:authenticated'],
      },
    ],
    [
      { 'impersonate-user': 'system:serviceaccount:n:default', 'impersonate-group': 'g' },
      { name: 'system:serviceaccount:n:default', groups: ['g', 'system:authenticated'] },
    ],
    [
      { 'impersonate-user': 'system:serviceaccount:bad' },
      { name: 'system:serviceaccount:bad', groups: ['system:authenticated'] },
    ],
    [{ 'impersonate-user': 'system:anonymous' }, { name: 'system:anonymous', groups: ['system:unauthenticated'] }],
    [
      { 'impersonate-user': 'zed', 'impersonate-group': 'system:masters' },
      { name: 'zed', groups: ['system:masters', 'system:authenticated'] },
    ],
    [
      { 'impersonate-user': 'zed', 'impersonate-group': 'system:authenticated' },
      { name: 'zed', groups: ['system:authenticated'] },
    ],
    [
      { 'impersonate-user': 'zed', 'impersonate-group': 'system:unauthenticated' },
      { name: 'zed', groups: ['system:unauthenticated'] },
    ],
  ])('acts as %j', async (headers, user) => {
    for (const constrained of [true, false]) {
      expect((await setUp(all, constrained).impersonate(headers, request(admin)))?.user).toEqual(user);
    }
  });
  it('acts as a node of the node group only through constrained modes', async () => {
    const node = { 'impersonate-user': 'system:node:n1' };
    expect(await setUp(all).impersonate(node, request(admin))).toEqual({
      user: { name: 'system:node:n1', groups: ['system:nodes', 'system:authenticated'] },
      constraint: 'impersonate:arbitrary-node',
    });
    expect(await setUp(all, false).impersonate(node, request(admin))).toEqual({
      user: { name: 'system:node:n1', groups: ['system:authenticated'] },
      constraint: '',
    });
  });
  it('may just be', async () => {
    expect(await setUp(all).impersonate({}, request(admin))).toBeUndefined();
  });
});

describe('legacy rights', () => {
  const rules = [
    'impersonate  users  a',
    'impersonate  groups  g',
    'impersonate authentication.k8s.io userextras/scopes  x',
    'impersonate authentication.k8s.io uids  7',
    'impersonate  serviceaccounts n s',
  ];
  const cases: [HeaderValues, string | undefined][] = [
    [{ 'impersonate-user': 'a' }, undefined],
    [
      { 'impersonate-user': 'b' },
      'users "b" is forbidden: User "bob" cannot impersonate resource "users" in API group "" at the cluster scope',
    ],
    [{ 'impersonate-user': 'a', 'impersonate-group': 'g' }, undefined],
    [
      { 'impersonate-user': 'a', 'impersonate-group': 'other' },
      'groups "other" is forbidden: User "bob" cannot impersonate resource "groups" in API group "" at the cluster scope',
    ],
    [{ 'impersonate-user': 'a', 'impersonate-extra-scopes': 'x' }, undefined],
    [
      { 'impersonate-user': 'a', 'impersonate-extra-scopes': 'y' },
      'userextras.authentication.k8s.io "y" is forbidden: User "bob" cannot impersonate resource "userextras/scopes" in API group "authentication.k8s.io" at the cluster scope',
    ],
    [
      { 'impersonate-user': 'a', 'impersonate-extra-other': 'x' },
      'userextras.authentication.k8s.io "x" is forbidden: User "bob" cannot impersonate resource "userextras/other" in API group "authentication.k8s.io" at the cluster scope',
    ],
    [{ 'impersonate-user': 'a', 'impersonate-uid': '7' }, undefined],
    [
      { 'impersonate-user': 'a', 'impersonate-uid': '8' },
      'uids.authentication.k8s.io "8" is forbidden: User "bob" cannot impersonate resource "uids" in API group "authentication.k8s.io" at the cluster scope',
    ],
    [{ 'impersonate-user': 'system:serviceaccount:n:s' }, undefined],
    [
      { 'impersonate-user': 'system:serviceaccount:n:t' },
      'serviceaccounts "t" is forbidden: User "bob" cannot impersonate resource "serviceaccounts" in API group "" in the namespace "n"',
    ],
  ];
  it('give the recorded answers, once one of them was used', async () => {
    const { impersonate } = setUp(rules);
    for (const [headers, message] of cases) {
      if (message === undefined) expect(await impersonate(headers, request())).toMatchObject({ constraint: '' });
      else await expect(impersonate(headers, request())).rejects.toMatchObject({ code: 403, message });
    }
  });
  it('are not there: the error is of the first mode', async () => {
    const { impersonate } = setUp([]);
    await expect(impersonate({ 'impersonate-user': 'zed' }, request())).rejects.toMatchObject({
      code: 403,
      message:
        'selfsubjectreviews.authentication.k8s.io is forbidden: User "bob" cannot impersonate-on:user-info:create resource "selfsubjectreviews" in API group "authentication.k8s.io" at the cluster scope',
    });
    await expect(setUp([], false).impersonate({ 'impersonate-user': 'zed' }, request())).rejects.toMatchObject({
      message:
        'users "zed" is forbidden: User "bob" cannot impersonate resource "users" in API group "" at the cluster scope',
    });
  });
  it('are asked as before the constrained modes', async () => {
    const { impersonate, asked } = setUp(legacy);
    await impersonate(
      {
        'impersonate-user': 'zed',
        'impersonate-group': ['a', 'b'],
        'impersonate-uid': '3',
        'impersonate-extra-s': ['x', 'y'],
      },
      request(),
    );
    expect(asked.slice(1).map(key)).toEqual([
      'impersonate  users  zed',
      'impersonate authentication.k8s.io uids  3',
      'impersonate  groups  a',
      'impersonate  groups  b',
      'impersonate authentication.k8s.io userextras/s  x',
      'impersonate authentication.k8s.io userextras/s  y',
    ]);
    expect(asked.every((a) => a.user === bob)).toBe(true);
  });
});

describe('constrained rights', () => {
  const on = (mode: string) => `impersonate-on:${mode}:create authentication.k8s.io selfsubjectreviews  `;
  it('need both the user and what is done', async () => {
    const user = 'impersonate:user-info authentication.k8s.io users  zed';
    const zed = { 'impersonate-user': 'zed' };
    expect(await setUp([on('user-info'), user]).impersonate(zed, request())).toMatchObject({
      constraint: 'impersonate:user-info',
    });
    await expect(setUp([on('user-info')]).impersonate(zed, request())).rejects.toThrow(
      'cannot impersonate:user-info resource "users" in API group "authentication.k8s.io"',
    );
    await expect(setUp([user]).impersonate(zed, request())).rejects.toThrow('cannot impersonate-on:user-info:create');
    await expect(setUp([on('user-info'), user]).impersonate(zed, request(bob, { verb: 'list' }))).rejects.toMatchObject(
      { code: 403 },
    );
  });
  it.each<[HeaderValues, string]>([
    [
      { 'impersonate-user': 'zed', 'impersonate-group': ['system:masters'] },
      'impersonating the system:masters group is not allowed',
    ],
    [{ 'impersonate-user': 'zed', 'impersonate-group': [''] }, 'impersonating the empty string group is not allowed'],
    [
      { 'impersonate-user': 'zed', 'impersonate-extra-scopes': 'x' },
      'impersonating an invalid key in extra is not allowed: extra.key: Invalid value: "scopes": must be a domain-prefixed path (such as "acme.io/foo")',
    ],
    [
      { 'impersonate-user': 'zed', 'impersonate-extra-a.io%2fb': '' },
      'impersonating the empty string value in extra is not allowed',
    ],
    [
      { 'impersonate-user': 'zed', 'impersonate-extra-a.io%2f%42': 'x' },
      'impersonating a non-lowercase key in extra is not allowed: "a.io/B"',
    ],
    [
      { 'impersonate-user': 'zed', 'impersonate-extra-': 'x' },
      'impersonating the empty string key in extra is not allowed',
    ],
  ])('never reach %j', async (headers, message) => {
    await expect(setUp([/^impersonate[:-]/]).impersonate(headers, request())).rejects.toThrow(message);
  });
  it('for many values are asked at once first', async () => {
    const headers = { 'impersonate-user': 'zed', 'impersonate-group': ['a', 'b', 'c', 'd'] };
    const wide = setUp([
      on('user-info'),
      'impersonate:user-info authentication.k8s.io users  zed',
      'impersonate:user-info authentication.k8s.io groups  *',
    ]);
    expect((await wide.impersonate(headers, request()))?.user.groups).toEqual([
      'a',
      'b',
      'c',
      'd',
      'system:authenticated',
    ]);
    expect(wide.asked).toHaveLength(3);
  });
  it('let a service account act as the node it runs on, whichever that is', async () => {
    const agent: UserInfo = {
      name: 'system:serviceaccount:n:agent',
      groups: [],
      extra: { 'authentication.kubernetes.io/node-name': ['n1'], 'authentication.kubernetes.io/pod-name': ['p'] },
    };
    const { impersonate, asked } = setUp([
      on('associated-node'),
      'impersonate:associated-node authentication.k8s.io nodes  *',
    ]);
    expect(await impersonate({ 'impersonate-user': 'system:node:n1' }, request(agent))).toEqual({
      user: { name: 'system:node:n1', groups: ['system:nodes', 'system:authenticated'] },
      constraint: 'impersonate:associated-node',
    });
    for (const { user } of asked) {
      expect(user.extra).toEqual({
        'authentication.kubernetes.io/associated-node-keys': [
          'authentication.kubernetes.io/node-name',
          'authentication.kubernetes.io/pod-name',
        ],
      });
    }
    await expect(impersonate({ 'impersonate-user': 'system:node:n2' }, request(agent))).rejects.toMatchObject({
      code: 403,
    });
    await expect(
      impersonate({ 'impersonate-user': 'system:node:n1', 'impersonate-group': 'g' }, request(agent)),
    ).rejects.toMatchObject({ code: 403 });
    await expect(
      impersonate({ 'impersonate-user': 'system:node:n1' }, request({ ...agent, name: 'mallory' })),
    ).rejects.toMatchObject({ code: 403 });
  });
  it('keep the reason of the authorizer', async () => {
    const impersonate = createImpersonator({
      constrained: false,
      authorizer: { name: 't', authorize: () => ({ verdict: 'Deny', reason: 'not you', error: 'down' }) },
    });
    await expect(impersonate({ 'impersonate-user': 'z' }, request())).rejects.toThrow(
      'at the cluster scope: down: not you',
    );
  });
});
