import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import type { Attributes, UserInfo } from '../../contract.js';
import { CompiledRole, resourceKeys } from './compiled-role.js';
import {
  accountSubject,
  ask,
  askUrl,
  clusterRoleRef,
  groupSubject,
  RbacWorld,
  roleRef,
  rule,
  user,
  userSubject,
} from './rbac.suite.js';
import type { PolicyRule, Subject } from './rule.js';
import { ruleAllows, serviceAccountUser } from './rule.js';

const alice = user('alice', 'dev', 'system:authenticated');
const nobody = user('nobody', 'system:authenticated');
let world: RbacWorld;
beforeEach(async () => {
  world = await RbacWorld.create();
});

describe('matching of rules', () => {
  const cases: [string, PolicyRule, Attributes, boolean][] = [
    ['exact', rule('get', 'pods'), ask(alice, 'get', 'pods'), true],
    ['other verb', rule('get', 'pods'), ask(alice, 'list', 'pods'), false],
    ['other resource', rule('get', 'pods'), ask(alice, 'get', 'secrets'), false],
    ['other group', rule('get', 'pods', 'apps'), ask(alice, 'get', 'pods'), false],
    ['every verb', rule('*', 'pods'), ask(alice, 'anything', 'pods'), true],
    ['every resource', rule('get', '*'), ask(alice, 'get', 'pods/log'), true],
    ['every group', rule('get', 'pods', '*'), ask(alice, 'get', 'pods', { group: 'x.io' }), true],
    ['resource without its subresource', rule('get', 'pods'), ask(alice, 'get', 'pods/log'), false],
    ['subresource without its resource', rule('get', 'pods/log'), ask(alice, 'get', 'pods'), false],
    ['subresource', rule('get', 'pods/log'), ask(alice, 'get', 'pods/log'), true],
    ['subresource of everything', rule('update', '*/scale', '*'), ask(alice, 'update', 'deployments/scale'), true],
    ['another subresource', rule('update', '*/scale', '*'), ask(alice, 'update', 'deployments/status'), false],
    ['all subresources is no pattern', rule('get', 'pods/*'), ask(alice, 'get', 'pods/log'), false],
    ['a prefix is no pattern', rule('ge*', 'po*'), ask(alice, 'get', 'pods'), false],
    ['case counts', rule('GET', 'Pods'), ask(alice, 'get', 'pods'), false],
    ['named', rule('get', 'pods', '', 'a,b'), ask(alice, 'get', 'pods', { name: 'b' }), true],
    ['another name', rule('get', 'pods', '', 'a,b'), ask(alice, 'get', 'pods', { name: 'c' }), false],
    ['no name', rule('list', 'pods', '', 'a,b'), ask(alice, 'list', 'pods'), false],
    ['a star asked for is not every verb', rule('get', 'pods'), ask(alice, '*', 'pods'), false],
    ['a star asked for is not every resource', rule('get', 'pods'), ask(alice, 'get', '*'), false],
    ['url on a resource request', { verbs: ['*'], nonResourceURLs: ['*'] }, ask(alice, 'get', 'pods'), false],
    ['resource rule on a url', rule('*', '*', '*'), askUrl(alice, 'get', '/metrics'), false],
    ['url', { verbs: ['get'], nonResourceURLs: ['/metrics'] }, askUrl(alice, 'get', '/metrics'), true],
    ['url below', { verbs: ['get'], nonResourceURLs: ['/metrics'] }, askUrl(alice, 'get', '/metrics/slis'), false],
    ['url prefix', { verbs: ['get'], nonResourceURLs: ['/twin/*'] }, askUrl(alice, 'get', '/twin/x/y'), true],
    ['url prefix alone', { verbs: ['get'], nonResourceURLs: ['/twin/*'] }, askUrl(alice, 'get', '/twin'), false],
    [
      'url prefix without slash',
      { verbs: ['*'], nonResourceURLs: ['/health*'] },
      askUrl(alice, 'post', '/healthz'),
      true,
    ],
    ['every url', { verbs: ['get'], nonResourceURLs: ['*'] }, askUrl(alice, 'get', '/'), true],
    ['star in the middle', { verbs: ['get'], nonResourceURLs: ['/a*b'] }, askUrl(alice, 'get', '/axb'), false],
  ];
  it.each(cases)('%s', (_, policy, attributes, expected) => {
    expect(ruleAllows(policy, attributes)).toBe(expected);
    world.clusterRole('r', [policy]);
    world.clusterBinding('b', clusterRoleRef('r'), userSubject('alice'));
    expect(world.allows(attributes)).toBe(expected);
    expect(world.allows({ ...attributes, user: nobody })).toBe(false);
  });

  it('gives the same answer through the index as rule by rule', () => {
    const word = fc.constantFrom('get', 'list', 'pods', 'pods/log', '*', '*/log', 'a', 'b', '');
    const words = fc.array(word, { maxLength: 4 });
    const rules = fc.array(
      fc.record({ verbs: words, apiGroups: words, resources: words, resourceNames: words, nonResourceURLs: words }),
      { maxLength: 4 },
    );
    const wide = fc.constantFrom(false, true);
    fc.assert(
      fc.property(
        rules,
        wide,
        word,
        word,
        word,
        word,
        fc.constantFrom('', 'log'),
        (list, w, verb, group, res, name, sub) => {
          const filler = Array.from({ length: 300 }, (_, i) => `filler${i}`);
          const policy = w ? list.map((r) => ({ ...r, resources: [...r.resources, ...filler] })) : list;
          const compiled = new CompiledRole(policy);
          for (const a of [ask(alice, verb, `${res}/${sub}`, { group, name }), askUrl(alice, verb, res)]) {
            expect(compiled.find(a, resourceKeys(a)) !== undefined).toBe(policy.some((r) => ruleAllows(r, a)));
          }
        },
      ),
      { numRuns: 500 },
    );
  });
});

describe('bindings', () => {
  it('a ClusterRole holds everywhere by a ClusterRoleBinding, in one namespace by a RoleBinding', () => {
    world.clusterRole('r', [rule('get', 'pods')]);
    world.binding('a', 'b', clusterRoleRef('r'), userSubject('alice'));
    expect(world.allows(ask(alice, 'get', 'pods', { namespace: 'a' }))).toBe(true);
    expect(world.allows(ask(alice, 'get', 'pods', { namespace: 'b' }))).toBe(false);
    expect(world.allows(ask(alice, 'get', 'pods', { namespace: '' }))).toBe(false);
    world.clusterBinding('c', clusterRoleRef('r'), userSubject('alice'));
    expect(world.allows(ask(alice, 'get', 'pods', { namespace: 'b' }))).toBe(true);
    expect(world.allows(ask(alice, 'get', 'pods', { namespace: '' }))).toBe(true);
  });

  it('a Role of another namespace gives nothing, nor does one in a ClusterRoleBinding', () => {
    world.role('a', 'r', [rule('get', 'pods')]);
    world.binding('b', 'x', roleRef('r'), userSubject('alice'));
    world.clusterBinding('y', roleRef('r'), userSubject('alice'));
    expect(world.allows(ask(alice, 'get', 'pods', { namespace: 'a' }))).toBe(false);
    expect(world.allows(ask(alice, 'get', 'pods', { namespace: 'b' }))).toBe(false);
  });

  it('names the binding, the role and the subject that decided, and gives them as data', () => {
    world.role('default', 'r', [rule('get', 'pods')]);
    world.binding('default', 'b', roleRef('r'), groupSubject('dev'), userSubject('alice'));
    const decision = world.authorizer.authorize(ask(alice, 'get', 'pods'));
    expect(decision.reason).toBe('RBAC: allowed by RoleBinding "b/default" of Role "r" to Group "dev"');
    expect(decision.evidence).toEqual({
      binding: { kind: 'RoleBinding', namespace: 'default', name: 'b' },
      role: roleRef('r'),
      subject: groupSubject('dev'),
      rule: rule('get', 'pods'),
    });
    world.clusterRole('c', [rule('list', 'pods')]);
    world.clusterBinding('cb', clusterRoleRef('c'), accountSubject('s1', 'ns1'));
    const account = user(serviceAccountUser('ns1', 's1'));
    expect(world.authorizer.authorize(ask(account, 'list', 'pods')).reason).toBe(
      'RBAC: allowed by ClusterRoleBinding "cb" of ClusterRole "c" to ServiceAccount "s1/ns1"',
    );
  });

  it('tells which roles were not found when nothing allows', () => {
    world.binding('default', 'b', roleRef('gone'), userSubject('alice'));
    expect(world.authorizer.authorize(ask(alice, 'get', 'pods'))).toMatchObject({
      verdict: 'NoOpinion',
      reason: 'RBAC: role.rbac.authorization.k8s.io "gone" not found',
    });
    world.clusterBinding('cb', clusterRoleRef('away'), groupSubject('dev'), userSubject('alice'));
    expect(world.authorizer.authorize(ask(alice, 'get', 'pods')).reason).toBe(
      'RBAC: [clusterrole.rbac.authorization.k8s.io "away" not found, role.rbac.authorization.k8s.io "gone" not found]',
    );
    expect(world.authorizer.authorize(ask(nobody, 'get', 'pods')).reason).toBe('');
    world.clusterRole('ok', [rule('get', 'pods')]);
    world.clusterBinding('ok', clusterRoleRef('ok'), userSubject('alice'));
    expect(world.allows(ask(alice, 'get', 'pods'))).toBe(true);
  });

  it('takes changes at once: role first or binding first, edits, removals and new incarnations', () => {
    const request = ask(alice, 'get', 'pods');
    world.binding('default', 'b', clusterRoleRef('r'), userSubject('alice'));
    expect(world.allows(request)).toBe(false);
    world.clusterRole('r', [rule('get', 'pods')]);
    expect(world.allows(request)).toBe(true);
    world.clusterRole('r', [rule('list', 'pods')]);
    expect(world.allows(request)).toBe(false);
    world.clusterRole('r', [rule('get', 'pods')]);
    world.binding('default', 'b', clusterRoleRef('r'), userSubject('bob'));
    expect(world.allows(request)).toBe(false);
    world.binding('default', 'b', clusterRoleRef('r'), userSubject('bob'), groupSubject('dev'));
    expect(world.allows(request)).toBe(true);
    world.remove('clusterroles', '', 'r');
    expect(world.allows(request)).toBe(false);
    world.clusterRole('r', [rule('get', 'pods')]);
    expect(world.allows(request)).toBe(true);
    world.remove('rolebindings', 'default', 'b');
    expect(world.allows(request)).toBe(false);
  });

  it('keeps up with changes for a subject with very many bindings', () => {
    for (let i = 0; i < 100; i++) {
      world.clusterRole(`r${i}`, [rule('get', `things${i}`)]);
      world.clusterBinding(`b${i}`, clusterRoleRef(`r${i}`), userSubject('alice'));
    }
    expect(world.allows(ask(alice, 'get', 'things99'))).toBe(true);
    expect(world.allows(ask(alice, 'get', 'things100'))).toBe(false);
    world.clusterRole('r99', [rule('get', 'things100')]);
    expect(world.allows(ask(alice, 'get', 'things99'))).toBe(false);
    expect(world.allows(ask(alice, 'get', 'things100'))).toBe(true);
    world.remove('clusterrolebindings', '', 'b99');
    expect(world.allows(ask(alice, 'get', 'things100'))).toBe(false);
    world.remove('clusterroles', '', 'r98');
    expect(world.allows(ask(alice, 'get', 'things98'))).toBe(false);
    expect(world.authorizer.authorize(ask(alice, 'get', 'x')).reason).toContain('"r98" not found');
  });

  it('lists every applicable rule once', () => {
    world.clusterRole('r', [rule('get', 'pods'), { verbs: ['get'], nonResourceURLs: ['/x'] }]);
    world.clusterBinding('b', clusterRoleRef('r'), userSubject('alice'), groupSubject('dev'));
    world.role('default', 'q', [rule('list', 'pods', '', 'a')]);
    world.binding('default', 'b', roleRef('q'), userSubject('alice'));
    world.binding('default', 'c', roleRef('gone'), userSubject('alice'));
    expect(world.authorizer.rulesFor(alice, 'default')).toEqual({
      resourceRules: [
        { verbs: ['get'], apiGroups: [''], resources: ['pods'], resourceNames: undefined },
        { verbs: ['list'], apiGroups: [''], resources: ['pods'], resourceNames: ['a'] },
      ],
      nonResourceRules: [{ verbs: ['get'], nonResourceURLs: ['/x'] }],
      incomplete: false,
      errors: ['role.rbac.authorization.k8s.io "gone" not found'],
    });
    expect(world.authorizer.rulesFor(nobody, 'default')).toMatchObject({ resourceRules: [], nonResourceRules: [] });
  });
});

describe('subjects', () => {
  const account = user('system:serviceaccount:hehe:boi', 'system:serviceaccounts', 'system:serviceaccounts:hehe');
  const others: UserInfo[] = [
    user('system:serviceaccount:hehe:boi2', 'system:serviceaccounts:hehe'),
    user('system:serviceaccount:other:boi', 'system:serviceaccounts:other'),
    user('boi'),
    user('hehe:boi'),
    user('system:serviceaccount:hehe'),
    user('System:serviceaccount:hehe:boi'),
    user('x', 'system:serviceaccount:hehe:boi'),
  ];
  const scopes = [
    {
      title: 'RoleBinding',
      bind: (s: Subject) => world.binding('default', 'b', clusterRoleRef('r'), s),
      elsewhere: false,
    },
    {
      title: 'ClusterRoleBinding',
      bind: (s: Subject) => world.clusterBinding('b', clusterRoleRef('r'), s),
      elsewhere: true,
    },
  ];
  const named: Subject[] = [accountSubject('boi', 'hehe'), userSubject('system:serviceaccount:hehe:boi')];

  // kind: ServiceAccount hehe/boi and kind: User system:serviceaccount:hehe:boi are the same subject.
  for (const { title, bind, elsewhere } of scopes) {
    for (const subject of named) {
      it(`${title} to ${subject.kind} of the account grants the account exactly that`, () => {
        world.clusterRole('r', [rule('get,list', 'pods,pods/log'), rule('*', 'deployments', 'apps', 'x')]);
        bind(subject);
        for (const verb of ['get', 'list', 'watch', 'create', 'delete']) {
          for (const what of ['pods', 'pods/log', 'pods/exec', 'secrets', 'deployments']) {
            for (const [namespace, name, group] of [
              ['default', '', ''],
              ['other', '', ''],
              ['', '', ''],
              ['default', 'x', 'apps'],
              ['default', 'y', 'apps'],
            ] as const) {
              const at = { namespace, name, group };
              const inScope = elsewhere || namespace === 'default';
              const core = group === '' && ['get', 'list'].includes(verb) && ['pods', 'pods/log'].includes(what);
              const expected = inScope && (core || (group === 'apps' && what === 'deployments' && name === 'x'));
              expect(world.allows(ask(account, verb, what, at)), `${verb} ${what} ${JSON.stringify(at)}`).toBe(
                expected,
              );
              for (const other of others) expect(world.allows(ask(other, verb, what, at))).toBe(false);
            }
          }
        }
      });
    }
  }

  it('both ways of naming an account are interchangeable, whatever the names, the scope and the order of writes', () => {
    const name = fc.constantFrom('a', 'b', 'a:b', 'default');
    fc.assert(
      fc.asyncProperty(
        name,
        name,
        name,
        name,
        fc.boolean(),
        fc.boolean(),
        async (ns, sa, ns2, sa2, cluster, bindFirst) => {
          const verdicts: boolean[] = [];
          for (const subject of [accountSubject(sa, ns), userSubject(serviceAccountUser(ns, sa))]) {
            const w = await RbacWorld.create();
            const bind = () =>
              cluster
                ? w.clusterBinding('b', clusterRoleRef('r'), subject)
                : w.binding('default', 'b', clusterRoleRef('r'), subject);
            if (bindFirst) bind();
            w.clusterRole('r', [rule('get', 'pods')]);
            if (!bindFirst) bind();
            verdicts.push(w.allows(ask(user(serviceAccountUser(ns2, sa2)), 'get', 'pods')));
          }
          expect(verdicts[0]).toBe(verdicts[1]);
          expect(verdicts[0]).toBe(serviceAccountUser(ns, sa) === serviceAccountUser(ns2, sa2));
        },
      ),
      { numRuns: 100 },
    );
  });

  it('an account without a namespace is of the namespace of the binding, and nobody in a ClusterRoleBinding', () => {
    world.clusterRole('r', [rule('get', 'pods')]);
    world.binding('hehe', 'b', clusterRoleRef('r'), accountSubject('boi'));
    world.clusterBinding('b', clusterRoleRef('r'), accountSubject('boi'));
    expect(world.allows(ask(account, 'get', 'pods', { namespace: 'hehe' }))).toBe(true);
    expect(world.allows(ask(account, 'get', 'pods', { namespace: 'default' }))).toBe(false);
    expect(world.allows(ask(user('system:serviceaccount::boi'), 'get', 'pods'))).toBe(false);
  });

  it('a user is no group and a group no user; an unknown kind is nobody', () => {
    world.clusterRole('r', [rule('get', 'pods')]);
    world.clusterBinding('b', clusterRoleRef('r'), groupSubject('g'), { kind: 'Robot', name: 'u' }, { kind: 'User' });
    expect(world.allows(ask(user('g'), 'get', 'pods'))).toBe(false);
    expect(world.allows(ask(user('u', 'u'), 'get', 'pods'))).toBe(false);
    expect(world.allows(ask(user('x', 'g'), 'get', 'pods'))).toBe(true);
  });
});

describe('any history of writes', () => {
  it('leaves the decisions that the objects that remain give', async () => {
    const names = ['a', 'b', 'c'];
    const pick = <T>(list: readonly T[]) => fc.constantFrom(...list);
    const subject = pick([userSubject('u1'), userSubject('u2'), groupSubject('g'), accountSubject('u1', 'n1')]);
    const verbs = fc.uniqueArray(pick(['get', 'list', '*']), { maxLength: 2 });
    const policy = fc.record({ verbs, resources: fc.uniqueArray(pick(['pods', '*', 'x']), { maxLength: 2 }) });
    const rules = fc.array(policy, { maxLength: 2 });
    const operation = fc.record({
      kind: pick(['role', 'clusterrole', 'binding', 'clusterbinding', 'remove']),
      name: pick(names),
      ns: pick(['n1', 'n2']),
      ref: pick([...names.map(clusterRoleRef), ...names.map(roleRef)]),
      subjects: fc.array(subject, { maxLength: 3 }),
      rules,
      resource: pick(['roles', 'clusterroles', 'rolebindings', 'clusterrolebindings']),
    });
    const people = [user('u1'), user('u2', 'g'), user('system:serviceaccount:n1:u1'), user('u3', 'g', 'g2')];
    await fc.assert(
      fc.asyncProperty(fc.array(operation, { maxLength: 40 }), async (operations) => {
        const w = await RbacWorld.create();
        for (const o of operations) {
          const list = o.rules.map((r) => ({ ...r, apiGroups: [''] }));
          if (o.kind === 'role') w.role(o.ns, o.name, list);
          if (o.kind === 'clusterrole') w.clusterRole(o.name, list);
          if (o.kind === 'binding') w.binding(o.ns, o.name, o.ref, ...o.subjects);
          if (o.kind === 'clusterbinding') w.clusterBinding(o.name, o.ref, ...o.subjects);
          if (o.kind === 'remove') w.remove(o.resource, o.resource.startsWith('cluster') ? '' : o.ns, o.name);
        }
        const fresh = new RbacWorld();
        await fresh.index.follow(w.feed);
        for (const person of people) {
          for (const namespace of ['', 'n1', 'n2']) {
            for (const verb of ['get', 'list', 'watch']) {
              const request = ask(person, verb, 'pods', { namespace });
              const [a, b] = [w.authorizer.authorize(request), fresh.authorizer.authorize(request)];
              expect(a.verdict).toBe(b.verdict);
              // Which of several bindings is named may differ, and errors come in another order.
              if (a.verdict === 'NoOpinion') expect([...a.reason].sort()).toEqual([...b.reason].sort());
            }
          }
        }
      }),
      { numRuns: 60 },
    );
  });
});
