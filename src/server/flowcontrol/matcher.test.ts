import { describe, expect, it } from 'vitest';
import type { Attributes } from '../../auth/contract.js';
import type { FlowSchema, NonResourceRule, ResourceRule, Subject } from './configuration.js';
import { asks, EVERYTHING, someone, toAccount, toGroup, toUser } from './flow.suite.js';
import { schemaMatcher } from './matcher.js';

function schemaOf(subjects: Subject[], rules: object): FlowSchema {
  return {
    metadata: { name: 'x' },
    spec: { priorityLevelConfiguration: { name: 'x' }, rules: [{ subjects, ...rules }] },
  };
}
const everybody = [toUser('*')];
const onResources = (rule: Partial<ResourceRule>, attributes: Attributes): boolean =>
  schemaMatcher(
    schemaOf(everybody, {
      resourceRules: [{ verbs: ['*'], apiGroups: ['*'], resources: ['*'], namespaces: ['*'], ...rule }],
    }),
  )(attributes);
const onUrls = (rule: Partial<NonResourceRule>, verb: string, path: string): boolean =>
  schemaMatcher(schemaOf(everybody, { nonResourceRules: [{ verbs: ['*'], nonResourceURLs: ['*'], ...rule }] }))(
    asks(someone('bob'), verb, path),
  );

describe('whom a FlowSchema is about', () => {
  const account = { name: 'system:serviceaccount:ns:robot', groups: ['system:serviceaccounts:ns'] };
  it.each<[string, Subject, typeof account, boolean]>([
    ['a user by name', toUser('bob'), { name: 'bob', groups: [] }, true],
    ['another user', toUser('bob'), { name: 'bobby', groups: [] }, false],
    ['every user', toUser('*'), { name: 'bob', groups: [] }, true],
    ['a group', toGroup('devs'), { name: 'bob', groups: ['ops', 'devs'] }, true],
    ['another group', toGroup('devs'), { name: 'devs', groups: ['ops'] }, false],
    ['every group, even of those in none', toGroup('*'), { name: 'bob', groups: [] }, true],
    ['a service account', toAccount('ns', 'robot'), account, true],
    ['a service account by its user name', toUser('system:serviceaccount:ns:robot'), account, true],
    ['another service account', toAccount('ns', 'rob'), account, false],
    ['all service accounts of a namespace', toAccount('ns', '*'), account, true],
    ['all of another namespace', toAccount('n', '*'), account, false],
    ['a kind without its part', { kind: 'User' }, account, false],
  ])('%s', (_, subject, user, expected) => {
    expect(schemaMatcher(schemaOf([subject], EVERYTHING))(asks(user, 'get', 'pods'))).toBe(expected);
  });

  it('one rule of many is enough, but subject and action of the same', () => {
    const rules = [
      { subjects: [toUser('bob')], resourceRules: [] },
      { subjects: [toUser('eve')], ...EVERYTHING },
    ];
    const matches = schemaMatcher({
      metadata: { name: 'x' },
      spec: { priorityLevelConfiguration: { name: 'x' }, rules },
    });
    expect(matches(asks(someone('bob'), 'get', 'pods'))).toBe(false);
    expect(matches(asks(someone('eve'), 'get', 'pods'))).toBe(true);
  });

  it('nobody without rules', () => {
    expect(schemaMatcher(schemaOf([], {}))(asks(someone('bob'), 'get', 'pods'))).toBe(false);
  });
});

describe('verb × group × resource × scope', () => {
  const bob = someone('bob');
  it.each<[string, Partial<ResourceRule>, Attributes, boolean]>([
    ['verb', { verbs: ['get', 'list'] }, asks(bob, 'list', 'pods'), true],
    ['other verb', { verbs: ['get', 'list'] }, asks(bob, 'watch', 'pods'), false],
    ['resource', { resources: ['pods'] }, asks(bob, 'get', 'pods'), true],
    ['a subresource is a resource of its own', { resources: ['pods'] }, asks(bob, 'get', 'pods/log'), false],
    ['subresource', { resources: ['pods/log'] }, asks(bob, 'get', 'pods/log'), true],
    ['the resource of a subresource', { resources: ['pods/log'] }, asks(bob, 'get', 'pods'), false],
    ['* has the subresources too', {}, asks(bob, 'get', 'pods/log'), true],
    ['no patterns', { resources: ['*/log'] }, asks(bob, 'get', 'pods/log'), false],
    ['group', { apiGroups: ['apps'] }, asks(bob, 'get', 'pods', { group: 'apps' }), true],
    ['other group', { apiGroups: ['apps'] }, asks(bob, 'get', 'pods'), false],
    ['namespace', { namespaces: ['default'] }, asks(bob, 'get', 'pods'), true],
    ['other namespace', { namespaces: ['default'] }, asks(bob, 'get', 'pods', { namespace: 'x' }), false],
    ['namespaces don’t have what is cluster-wide', {}, asks(bob, 'list', 'pods', { namespace: '' }), false],
    ['cluster scope', { clusterScope: true, namespaces: [] }, asks(bob, 'list', 'pods', { namespace: '' }), true],
    ['cluster scope has no namespaces', { clusterScope: true, namespaces: [] }, asks(bob, 'list', 'pods'), false],
    ['not a resource', { clusterScope: true }, asks(bob, 'get', '/healthz'), false],
  ])('%s', (_, rule, attributes, expected) => {
    expect(onResources(rule, attributes)).toBe(expected);
  });
});

describe('URLs', () => {
  it.each<[string, string, boolean]>([
    ['*', '/anything', true],
    ['/healthz', '/healthz', true],
    ['/healthz', '/healthz/ping', true],
    ['/healthz', '/healthzy', false],
    ['/healthz/*', '/healthz/ping', true],
    ['/healthz/*', '/healthz', false],
    ['/healthz/', '/healthz/ping', true],
    ['/', '/version', true],
  ])('%s against %s', (url, path, expected) => {
    expect(onUrls({ nonResourceURLs: [url] }, 'get', path)).toBe(expected);
  });

  it('have verbs', () => {
    expect(onUrls({ verbs: ['get'] }, 'post', '/x')).toBe(false);
    expect(onUrls({ verbs: ['get', 'post'] }, 'post', '/x')).toBe(true);
  });

  it('are not for resources', () => {
    const rules = { nonResourceRules: [{ verbs: ['*'], nonResourceURLs: ['*'] }] };
    expect(schemaMatcher(schemaOf(everybody, rules))(asks(someone('bob'), 'get', 'pods'))).toBe(false);
  });
});
