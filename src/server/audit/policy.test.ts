import { describe, expect, it } from 'vitest';
import { request, urlRequest } from './audit.suite.js';
import type { AuditRequest } from './contract.js';
import { parseAuditPolicy, policyEvaluator } from './policy.js';

const policy = (rules: string, top = '') => `apiVersion: audit.k8s.io/v1\nkind: Policy\n${top}\nrules:\n${rules}`;
const parse = (text: string) => {
  const warnings: string[] = [];
  return { policy: parseAuditPolicy(text, (m) => warnings.push(m)), warnings };
};
const level = (rules: string, { attributes }: AuditRequest, user = true) =>
  policyEvaluator(parse(policy(rules)).policy)(attributes, user ? attributes.user : undefined).level;

describe('matching', () => {
  it.each([
    ['- {level: Metadata}', request(), 'Metadata'],
    ['- {level: Metadata}', urlRequest('/x'), 'Metadata'],
    ['- {level: Request, users: [alice]}', request(), 'Request'],
    ['- {level: Request, users: [bob]}', request(), 'None'],
    ['- {level: Request, userGroups: [ops, dev]}', request(), 'Request'],
    ['- {level: Request, userGroups: [ops]}', request(), 'None'],
    ['- {level: Request, verbs: [get, list]}', request(), 'Request'],
    ['- {level: Request, verbs: [create]}', request(), 'None'],
    ['- {level: Request, namespaces: [default]}', request(), 'Request'],
    ['- {level: Request, namespaces: [""]}', request(), 'None'],
    ['- {level: Request, namespaces: [""]}', request({ namespace: '' }), 'Request'],
    ['- {level: Request, namespaces: [default]}', urlRequest('/x'), 'None'],
    ['- {level: Request, resources: [{}]}', request(), 'Request'],
    ['- {level: Request, resources: [{group: apps}]}', request(), 'None'],
    ['- {level: Request, resources: [{group: "*"}]}', request({ group: 'apps' }), 'Request'],
    ['- {level: Request, resources: [{resources: [pods]}]}', request(), 'Request'],
    ['- {level: Request, resources: [{resources: [pods]}]}', request({ subresource: 'log' }), 'None'],
    ['- {level: Request, resources: [{resources: [pods/log]}]}', request({ subresource: 'log' }), 'Request'],
    ['- {level: Request, resources: [{resources: ["pods/*"]}]}', request({ subresource: 'log' }), 'Request'],
    ['- {level: Request, resources: [{resources: ["pods/*"]}]}', request(), 'Request'],
    ['- {level: Request, resources: [{resources: ["*/log"]}]}', request({ subresource: 'log' }), 'Request'],
    ['- {level: Request, resources: [{resources: ["*/log"]}]}', request(), 'None'],
    ['- {level: Request, resources: [{resources: ["*"]}]}', request({ subresource: 'log' }), 'Request'],
    ['- {level: Request, resources: [{resources: [pods], resourceNames: [p]}]}', request(), 'Request'],
    ['- {level: Request, resources: [{resources: [pods], resourceNames: [q]}]}', request(), 'None'],
    ['- {level: Request, resources: [{resources: [pods]}]}', urlRequest('/x'), 'None'],
    ['- {level: Request, nonResourceURLs: [/healthz*]}', urlRequest('/healthz/x'), 'Request'],
    ['- {level: Request, nonResourceURLs: [/healthz]}', urlRequest('/healthz/x'), 'None'],
    ['- {level: Request, nonResourceURLs: ["*"]}', request(), 'None'],
    ['- {level: None, users: [alice]}\n- {level: Metadata}', request(), 'None'],
    ['- {level: Request, verbs: [list]}\n- {level: Metadata}', request(), 'Metadata'],
  ])('%s', (rules, r, expected) => {
    expect(level(rules, r)).toBe(expected);
  });

  it('a request without a user matches no rule about users', () => {
    expect(level('- {level: Request, users: [alice]}\n- {level: Metadata}', request(), false)).toBe('Metadata');
    expect(level('- {level: Request, userGroups: [dev]}', request(), false)).toBe('None');
  });

  it('a rule adds to the stages left out, and may override the managed fields', () => {
    const { policy: p } = parse(
      policy(
        '- {level: Request, omitStages: [Panic], omitManagedFields: false, verbs: [get]}\n- {level: Request}',
        'omitStages: [RequestReceived]\nomitManagedFields: true',
      ),
    );
    const evaluate = policyEvaluator(p);
    const own = evaluate(request().attributes, undefined);
    expect([[...own.omitStages], own.omitManagedFields]).toEqual([['RequestReceived', 'Panic'], false]);
    const other = evaluate(request({ verb: 'list' }).attributes, undefined);
    expect([[...other.omitStages], other.omitManagedFields]).toEqual([['RequestReceived'], true]);
  });
});

describe('the file', () => {
  it.each([
    ['', "couldn't get version/kind"],
    [
      'apiVersion: audit.k8s.io/v1beta1\nkind: Policy\nrules: [{level: None}]',
      'no kind "Policy" is registered for version "audit.k8s.io/v1beta1"',
    ],
    ['apiVersion: audit.k8s.io/v1\nkind: Policy', 'loaded illegal policy with 0 rules'],
    [policy('- {}'), 'rules[0].level: Required value'],
    [
      policy('- {level: Loud}'),
      'rules[0].level: Unsupported value: "Loud": supported values: "None", "Metadata", "Request", "RequestResponse"',
    ],
    [
      policy('- {level: None, nonResourceURLs: [healthz]}'),
      `rules[0].nonResourceURLs[0]: Invalid value: "healthz": non-resource URL rules must begin with a '/' character`,
    ],
    [
      policy('- {level: None, nonResourceURLs: ["/a*b"]}'),
      'rules[0].nonResourceURLs[0]: Invalid value: "/a*b": non-resource URL wildcards \'*\' must be the final character of the rule',
    ],
    [
      policy('- {level: None, nonResourceURLs: [/a], namespaces: [x]}'),
      'rules[0].nonResourceURLs: Invalid value: ["/a"]: rules cannot apply to both regular resources and non-resource URLs',
    ],
    [
      policy('- {level: None, resources: [{group: rbac/v1}]}'),
      'rules[0].resources.group: Invalid value: "rbac/v1": a lowercase RFC 1123 subdomain',
    ],
    [
      policy('- {level: None, resources: [{resourceNames: [x]}]}'),
      'rules[0].resources.resourceNames: Invalid value: ["x"]: using resourceNames requires at least one resource',
    ],
    [
      policy('- {level: None, omitStages: [Late]}'),
      'rules[0].omitStages[0]: Invalid value: "Late": allowed stages are RequestReceived,ResponseStarted,ResponseComplete,Panic',
    ],
    [policy('- {level: None, users: alice}'), 'rules[0].users: expected a list'],
    ['apiVersion: audit.k8s.io/v1\nkind: Policy\nrules: {', 'yaml'],
  ])('%#: %s', (text, message) => {
    expect(() => parse(text)).toThrow(message);
  });
  it('is read leniently when only unknown fields are wrong, with a warning', () => {
    const { policy: p, warnings } = parse(policy('- {level: Metadata, loud: true}', 'metadata: {name: x}'));
    expect(p.rules[0]!.level).toBe('Metadata');
    expect(warnings).toEqual([
      'Audit policy contains errors, falling back to lenient decoding: strict decoding error: unknown field "rules[0].loud"',
    ]);
  });
});
