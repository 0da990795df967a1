import { describe, expect, it } from 'vitest';
import { StatusError } from '../../machinery/errors.js';
import type { JsonObject, KubeObject } from '../../machinery/json.js';
import type { Attributes, Decision } from '../contract.js';
import { type AccessReviewKind, reviewAccess, reviewRules } from './access-review.js';
import { alwaysAllow, alwaysDeny, privilegedGroup } from './builtin.js';
import { forbiddenError } from './forbidden.js';
import { ask, askUrl, user } from './rbac/rbac.suite.js';
import { unionAuthorizer, unionRules } from './union.js';

const me = { user: user('me', 'mine'), namespace: '' };

async function review(
  spec: JsonObject,
  kind: AccessReviewKind = 'SubjectAccessReview',
  decision: Decision = { verdict: 'NoOpinion', reason: '' },
  more: { metadata?: JsonObject; namespace?: string } = {},
): Promise<{ asked?: Attributes; status?: unknown; error?: string }> {
  let asked: Attributes | undefined;
  const authorize = (a: Attributes) => {
    asked = a;
    return decision;
  };
  const object = { metadata: more.metadata ?? {}, spec } as KubeObject;
  try {
    const done = await reviewAccess(kind, object, { ...me, namespace: more.namespace ?? '' }, { name: '', authorize });
    return { asked, status: done.status };
  } catch (e) {
    return { error: e instanceof StatusError ? `${e.code} ${e.message}` : `${e}` };
  }
}
const pods = { verb: 'list', resource: 'pods' };

describe('access reviews', () => {
  it('ask for the subject of the spec, or for oneself', async () => {
    const spec = { user: 'u', groups: ['g'], uid: '7', extra: { k: ['v'] }, resourceAttributes: pods };
    expect((await review(spec)).asked).toMatchObject({
      user: { name: 'u', groups: ['g'], uid: '7', extra: { k: ['v'] } },
      verb: 'list',
      resource: 'pods',
      version: '*',
      isResourceRequest: true,
    });
    const self = await review({ nonResourceAttributes: { path: '/x', verb: 'get' } }, 'SelfSubjectAccessReview');
    expect(self.asked).toMatchObject({ user: me.user, path: '/x', verb: 'get', isResourceRequest: false });
  });

  it.each([
    [
      { verdict: 'Allow', reason: 'because' },
      { allowed: true, reason: 'because' },
    ],
    [
      { verdict: 'Deny', reason: 'no' },
      { allowed: false, denied: true, reason: 'no' },
    ],
    [{ verdict: 'NoOpinion', reason: '' }, { allowed: false }],
    [
      { verdict: 'NoOpinion', reason: '', error: 'broken' },
      { allowed: false, evaluationError: 'broken' },
    ],
  ] as [Decision, JsonObject][])('%j', async (decision, status) => {
    expect((await review({ user: 'u', resourceAttributes: pods }, 'SubjectAccessReview', decision)).status).toEqual(
      status,
    );
  });

  const where = '.authorization.k8s.io "" is invalid: ';
  it.each([
    [
      {},
      `[spec.resourceAttributes: Invalid value: null: exactly one of nonResourceAttributes or resourceAttributes must be specified, spec.user: Invalid value: "": at least one of user or group must be specified]`,
    ],
    [{ resourceAttributes: pods }, 'spec.user: Invalid value: "": at least one of user or group must be specified'],
    [
      { user: 'x', resourceAttributes: pods, nonResourceAttributes: { path: '/x' } },
      'spec.nonResourceAttributes: Invalid value: {"Path":"/x","Verb":""}: cannot be specified in combination with resourceAttributes',
    ],
    [
      { user: 'x', resourceAttributes: { ...pods, labelSelector: {} } },
      'spec.resourceAttributes.labelSelector.requirements: Required value: when spec.resourceAttributes.labelSelector is specified, requirements or rawSelector is required',
    ],
    [
      {
        user: 'x',
        resourceAttributes: {
          ...pods,
          fieldSelector: { rawSelector: 'a=b', requirements: [{ key: 'k', operator: 'In', values: ['v'] }] },
        },
      },
      'spec.resourceAttributes.fieldSelector.rawSelector: Invalid value: "a=b": may not specified at the same time as requirements',
    ],
    [
      { user: 'x', resourceAttributes: { ...pods, fieldSelector: { requirements: [{ operator: 'In' }] } } },
      "[spec.resourceAttributes.fieldSelector.requirements[0].key: Required value: must be specified, spec.resourceAttributes.fieldSelector.requirements[0].values: Required value: must be specified when `operator` is 'In' or 'NotIn']",
    ],
    [
      {
        user: 'x',
        resourceAttributes: {
          ...pods,
          labelSelector: { requirements: [{ key: 'k', operator: 'Exists', values: ['v'] }] },
        },
      },
      "spec.resourceAttributes.labelSelector.requirements[0].values: Forbidden: may not be specified when `operator` is 'Exists' or 'DoesNotExist'",
    ],
  ])('refuses %j', async (spec, message) => {
    expect((await review(spec)).error).toBe(`422 ${where}${message}`);
  });

  it('takes no metadata, and only the namespace of the request in a local review', async () => {
    const spec = { user: 'x', resourceAttributes: { ...pods, namespace: 'n' } };
    const named = { metadata: { name: 'x' } };
    expect((await review(spec, 'SubjectAccessReview', undefined, named)).error).toContain(
      'metadata: Invalid value: {"name":"x"}: must be empty',
    );
    const local = (metadata: JsonObject, attributes = spec) =>
      review(attributes, 'LocalSubjectAccessReview', undefined, { metadata, namespace: 'n' });
    expect((await local({})).status).toEqual({ allowed: false });
    expect((await local({ namespace: 'n', managedFields: [] })).status).toEqual({ allowed: false });
    expect((await local({ namespace: 'm' })).error).toContain('400');
    const elsewhere = { user: 'x', resourceAttributes: pods } as unknown as typeof spec;
    expect((await local({}, elsewhere)).error).toBe(
      `422 ${where}spec.resourceAttributes.namespace: Invalid value: "": must match metadata.namespace`,
    );
  });

  it.each([
    [{ fieldSelector: { rawSelector: 'spec.nodeName=a' } }, 'spec.nodeName=a', undefined, undefined],
    [
      {
        fieldSelector: {
          requirements: [
            { key: 'a', operator: 'In', values: ['x=y'] },
            { key: 'b', operator: 'NotIn', values: ['z'] },
          ],
        },
      },
      'a=x\\=y,b!=z',
      undefined,
      undefined,
    ],
    [
      {
        fieldSelector: {
          requirements: [
            { key: 'a', operator: 'In', values: ['x', 'y'] },
            { key: 'b', operator: 'In', values: ['z'] },
          ],
        },
      },
      'b=z',
      undefined,
      'fieldSelector partially ignored',
    ],
    [
      { fieldSelector: { requirements: [{ key: 'a', operator: 'Exists' }] } },
      undefined,
      undefined,
      'fieldSelector ignored',
    ],
    [{ fieldSelector: { rawSelector: 'key in value' } }, undefined, undefined, 'fieldSelector ignored'],
    [{ labelSelector: { rawSelector: 'a in (b,c),!d' } }, undefined, 'a in (b,c),!d', undefined],
    [
      {
        labelSelector: {
          requirements: [
            { key: 'k', operator: 'Bad' },
            { key: 'l', operator: 'Exists' },
          ],
        },
      },
      undefined,
      'l',
      'labelSelector partially ignored',
    ],
  ])('understands %j', async (selectors, fields, labels, problem) => {
    const { asked, status } = await review({ user: 'x', resourceAttributes: { ...pods, ...selectors } });
    expect([asked?.fieldSelector, asked?.labelSelector]).toEqual([fields, labels]);
    const text = problem && `spec.resourceAttributes.${problem} due to parse error`;
    expect(status).toEqual(text ? { allowed: false, evaluationError: text } : { allowed: false });
  });
});

describe('rules reviews', () => {
  it('need a namespace and join what all modes know', () => {
    const resolver = unionRules([
      alwaysAllow,
      { rulesFor: () => ({ ...alwaysDeny.rulesFor(me.user, ''), incomplete: true, errors: ['a', 'b'] }) },
    ]);
    const object = (spec: JsonObject): KubeObject => ({ metadata: {}, spec });
    expect(() => reviewRules(object({}), me.user, resolver)).toThrow('no namespace on request');
    expect(reviewRules(object({ namespace: 'n' }), me.user, resolver).status).toEqual({
      resourceRules: [{ verbs: ['*'], apiGroups: ['*'], resources: ['*'] }],
      nonResourceRules: [{ verbs: ['*'], nonResourceURLs: ['*'] }],
      incomplete: true,
      evaluationError: '[a, b]',
    });
  });
});

describe('the union of authorizers', () => {
  const says = (decision: Decision, late = false) => ({
    name: '',
    authorize: () => (late ? Promise.resolve(decision) : decision),
  });
  const none = { verdict: 'NoOpinion', reason: 'r1' } as const;
  it('takes the first opinion, in order, be it late or not', async () => {
    for (const late of [false, true]) {
      const allow = says({ verdict: 'Allow', reason: 'yes' }, late);
      const deny = says({ verdict: 'Deny', reason: 'no' }, late);
      expect(await unionAuthorizer([says(none, late), allow, deny]).authorize(ask(me.user, 'get', 'x'))).toMatchObject({
        verdict: 'Allow',
      });
      expect(await unionAuthorizer([says(none), deny, allow]).authorize(ask(me.user, 'get', 'x'))).toMatchObject({
        verdict: 'Deny',
        reason: 'no',
      });
    }
  });
  it('joins reasons and errors when nobody has one, and denies by default', async () => {
    const second = says({ verdict: 'NoOpinion', reason: 'r2', error: 'e' }, true);
    expect(
      await unionAuthorizer([says(none), second, says({ verdict: 'NoOpinion', reason: '' })]).authorize(
        ask(me.user, 'get', 'x'),
      ),
    ).toEqual({
      verdict: 'NoOpinion',
      reason: 'r1\nr2',
      error: 'e',
    });
    expect(await unionAuthorizer([]).authorize(ask(me.user, 'get', 'x'))).toEqual({ verdict: 'NoOpinion', reason: '' });
  });
  it('is synchronous when all its members are', () => {
    expect(unionAuthorizer([privilegedGroup, alwaysDeny]).authorize(ask(me.user, 'get', 'x'))).toMatchObject({
      verdict: 'NoOpinion',
      reason: 'Everything is forbidden.',
    });
    expect(
      unionAuthorizer([privilegedGroup, alwaysDeny]).authorize(ask(user('r', 'system:masters'), 'get', 'x')),
    ).toMatchObject({ verdict: 'Allow' });
  });
});

describe('refusals', () => {
  it.each([
    [
      ask(me.user, 'list', 'pods'),
      '',
      'pods is forbidden: User "me" cannot list resource "pods" in API group "" in the namespace "default"',
    ],
    [
      ask(me.user, 'get', 'pods/log', { name: 'p' }),
      '',
      'pods "p" is forbidden: User "me" cannot get resource "pods/log" in API group "" in the namespace "default"',
    ],
    [
      ask(me.user, 'get', 'things', { group: 'x.io', namespace: '' }),
      'RBAC: lost',
      'things.x.io is forbidden: User "me" cannot get resource "things" in API group "x.io" at the cluster scope: RBAC: lost',
    ],
    [askUrl(me.user, 'get', '/<b>&'), '', 'forbidden: User "me" cannot get path "/&lt;b&gt;&amp;"'],
    [askUrl(user('a"\n'), 'post', '/x'), '', 'forbidden: User "a\\"\\n" cannot post path "/x"'],
  ])('%#', (attributes, reason, message) => {
    const error = forbiddenError(attributes, reason);
    expect([error.code, error.reason, error.message]).toEqual([403, 'Forbidden', message]);
  });
});
