import { describe, expect, it } from 'vitest';
import type { IncomingResponse } from '../authentication/http.js';
import {
  type AuthorizationDependencies,
  type AuthorizationOptions,
  buildAuthorization,
  validateAuthorizationOptions,
} from './authorization.js';
import { decodeConfigFile, durationMs, goDuration } from './config-file.js';
import { MemoryFeed } from './memory-feed.suite.js';
import { ask, clusterRoleRef, RbacWorld, rule, user, userSubject } from './rbac/rbac.suite.js';
import { RbacIndex } from './rbac/rbac-index.js';

const options = (more: Partial<AuthorizationOptions> = {}): AuthorizationOptions => ({
  modes: [],
  webhookVersion: 'v1beta1',
  webhookAuthorizedTtl: 300_000,
  webhookUnauthorizedTtl: 30_000,
  given: new Set(),
  ...more,
});
const KUBECONFIG = JSON.stringify({
  'current-context': 'c',
  contexts: [{ name: 'c', context: { cluster: 'k', user: 'u' } }],
  clusters: [{ name: 'k', cluster: { server: 'https://w.example.com/authorize' } }],
  users: [{ name: 'u', user: { token: 't' } }],
});

function setup(files: Record<string, string> = {}) {
  const changed = new Map<string, () => void>();
  const logs: string[] = [];
  const answers: IncomingResponse[] = [];
  const dependencies: AuthorizationDependencies = {
    feed: new MemoryFeed(),
    rbacIndex: new RbacIndex(),
    readFile: (path) => {
      if (files[path] === undefined) throw new Error(`open ${path}: no such file or directory`);
      return Buffer.from(files[path]);
    },
    watchFile: (path, callback) => {
      changed.set(path, callback);
      return () => changed.delete(path);
    },
    connect: () => ({
      request: async () => answers.shift() ?? { status: 200, headers: {}, body: '{"status":{"allowed":true}}' },
      close() {},
    }),
    now: () => 0,
    sleep: async () => {},
    gate: () => false,
    log: (level, message) => void logs.push(`${level} ${message}`),
  };
  return { dependencies, changed, logs, files };
}
const config = (...authorizers: object[]) =>
  JSON.stringify({ apiVersion: 'apiserver.config.k8s.io/v1', kind: 'AuthorizationConfiguration', authorizers });
const hook = (more: object = {}) => ({
  type: 'Webhook',
  name: 'hook',
  webhook: {
    timeout: '3s',
    subjectAccessReviewVersion: 'v1',
    failurePolicy: 'Deny',
    connectionInfo: { type: 'KubeConfigFile', kubeConfigFile: '/k' },
    ...more,
  },
});

describe('flags', () => {
  it.each([
    [{}, []],
    [{ modes: ['Node', 'RBAC'] }, []],
    [{ modes: ['Nope'] }, ['authorization-mode "Nope" is not a valid mode']],
    [{ modes: ['ABAC'] }, ["authorization-mode ABAC's authorization policy file not passed"]],
    [{ modes: ['Webhook'] }, ["authorization-mode Webhook's authorization config file not passed"]],
    [{ modes: ['RBAC'], policyFile: '/p' }, ['cannot specify --authorization-policy-file without mode ABAC']],
    [
      { modes: ['RBAC'], webhookConfigFile: '/p' },
      ['cannot specify --authorization-webhook-config-file without mode Webhook'],
    ],
    [{ modes: ['RBAC', 'RBAC'] }, ['authorization-mode ["RBAC" "RBAC"] has mode specified more than once']],
    [
      { modes: ['Webhook'], webhookConfigFile: '/k', webhookVersion: 'v2' },
      ['unsupported webhook authorizer version "v2", supported versions are "v1", "v1beta1"'],
    ],
    [
      { configFile: '/c', modes: ['RBAC'], given: new Set(['--authorization-mode']) },
      [
        '--authorization-config can not be specified when --authorization-mode or --authorization-webhook-* flags are defined',
      ],
    ],
    [
      { configFile: '/missing' },
      ['failed to load AuthorizationConfiguration from file: open /missing: no such file or directory'],
    ],
  ] as [Partial<AuthorizationOptions>, string[]][])('%j', (flags, errors) => {
    expect(validateAuthorizationOptions(options(flags), setup().dependencies)).toEqual(errors);
  });

  it('are refused all at once at the start', async () => {
    await expect(buildAuthorization(options({ modes: ['Nope', 'ABAC'] }), setup().dependencies)).rejects.toThrow(
      `[authorization-mode "Nope" is not a valid mode, authorization-mode ABAC's authorization policy file not passed]`,
    );
  });
});

describe('modes', () => {
  const request = ask(user('alice'), 'get', 'pods');
  const root = ask(user('root', 'system:masters'), 'delete', 'nodes');
  it.each([
    [{}, 'Allow', ''],
    [{ modes: ['AlwaysDeny'] }, 'NoOpinion', 'Everything is forbidden.'],
    [{ modes: ['RBAC'] }, 'NoOpinion', ''],
    [{ modes: ['AlwaysDeny', 'ABAC'], policyFile: '/p' }, 'Allow', ''],
    [{ modes: ['RBAC', 'Webhook'], webhookConfigFile: '/k', webhookVersion: 'v1' }, 'Allow', ''],
  ] as [Partial<AuthorizationOptions>, string, string][])('%j', async (flags, verdict, reason) => {
    const { dependencies } = setup({ '/p': '{"user":"alice"}', '/k': KUBECONFIG });
    const built = await buildAuthorization(options(flags), dependencies);
    expect(await built.authorizer.authorize(request)).toMatchObject({ verdict, reason });
    expect(await built.authorizer.authorize(root)).toMatchObject({ verdict: 'Allow' });
    built.close();
  });

  it('RBAC follows the index of the server, Node the feed', async () => {
    const world = await RbacWorld.create();
    const { dependencies } = setup();
    const built = await buildAuthorization(options({ modes: ['Node', 'RBAC'] }), {
      ...dependencies,
      feed: world.feed,
      rbacIndex: world.index,
    });
    const node = user('system:node:n', 'system:nodes');
    const secret = ask(node, 'get', 'secrets', { name: 's' });
    expect(await built.authorizer.authorize(request)).toMatchObject({ verdict: 'NoOpinion' });
    world.clusterRole('r', [rule('get', 'pods')]);
    world.clusterBinding('b', clusterRoleRef('r'), userSubject('alice'));
    expect(await built.authorizer.authorize(request)).toMatchObject({ verdict: 'Allow', by: 'RBAC' });
    expect(await built.authorizer.authorize(secret)).toMatchObject({
      verdict: 'NoOpinion',
      reason: expect.stringContaining('no relationship'),
    });
    const volumes = [{ name: 'v', secret: { secretName: 's' } }];
    world.feed.put(
      { group: '', resource: 'pods' },
      { metadata: { namespace: 'default', name: 'p' }, spec: { nodeName: 'n', volumes } },
    );
    expect(await built.authorizer.authorize(secret)).toMatchObject({ verdict: 'Allow', by: 'Node' });
    expect(built.rules.rulesFor(node, 'default').incomplete).toBe(true);
    expect(built.rules.rulesFor(user('alice'), 'default').resourceRules).toHaveLength(1);
  });
});

describe('the configuration file', () => {
  it.each([
    ['', "couldn't get version/kind"],
    ['{}', "Object 'Kind' is missing"],
    ['{"kind":"AuthorizationConfiguration"}', "Object 'apiVersion' is missing"],
    [
      '{"apiVersion":"apiserver.config.k8s.io/v9","kind":"AuthorizationConfiguration"}',
      'is registered for version "apiserver.config.k8s.io/v9"',
    ],
    [config({ type: 'RBAC', name: 'rbac', extra: 1 }), 'strict decoding error: unknown field "authorizers[0].extra"'],
    [config({ type: 1 }), 'authorizers[0].type: expected a string, found a number'],
    [config(), 'authorizers: Required value: at least one authorization mode must be defined'],
    [config({ name: 'x' }), 'authorizers[0].type: Required value'],
    [
      config({ type: 'X', name: 'x' }),
      'authorizers[0].type: Unsupported value: "X": supported values: "ABAC", "AlwaysAllow", "AlwaysDeny", "Node", "RBAC", "Webhook"',
    ],
    [
      config({ type: 'RBAC', name: 'rbac' }, { type: 'RBAC', name: 'b' }),
      'authorizers[1].type: Duplicate value: "RBAC"',
    ],
    [config({ type: 'RBAC', name: 'mine' }), 'expected name rbac for authorizer RBAC instead of mine'],
    [config({ type: 'RBAC' }), 'authorizers[0].name: Required value'],
    [
      config({ type: 'RBAC', name: 'rbac', webhook: {} }),
      'authorizers[0].webhook: Invalid value: "non-null": may only be specified when type=Webhook',
    ],
    [
      config({ type: 'Webhook', name: 'Bad_Name' }),
      'authorizers[0].name: Invalid value: "Bad_Name": authorizer name is invalid: ',
    ],
    [config({ type: 'Webhook', name: 'w' }), 'authorizers[0].webhook: Required value: required when type=Webhook'],
    [config(hook(), hook()), 'authorizers[1].name: Duplicate value: "hook"'],
    [config(hook({ timeout: '31s' })), 'authorizers[0].timeout: Invalid value: "31s": must be > 0s and <= 30s'],
    [config(hook({ timeout: undefined })), 'authorizers[0].timeout: Required value'],
    [config(hook({ timeout: 'soon' })), 'timeout: time: invalid duration "soon"'],
    [config(hook({ unauthorizedTTL: '-1s' })), 'authorizers[0].unauthorizedTTL: Invalid value: "-1s": must be > 0s'],
    [
      config(hook({ failurePolicy: 'Open' })),
      'authorizers[0].failurePolicy: Unsupported value: "Open": supported values: "NoOpinion", "Deny"',
    ],
    [config(hook({ subjectAccessReviewVersion: '' })), 'authorizers[0].subjectAccessReviewVersion: Required value'],
    [
      config(hook({ connectionInfo: { type: 'KubeConfigFile', kubeConfigFile: 'k' } })),
      'authorizers[0].connectionInfo.kubeConfigFile: Invalid value: "k": must be an absolute path',
    ],
    [
      config(hook({ connectionInfo: { type: 'KubeConfigFile', kubeConfigFile: '/x' } })),
      'error loading file: open /x: no such file or directory',
    ],
    [
      config(hook({ connectionInfo: { type: 'InClusterConfig' } })),
      'authorizers[0].connectionInfo.type: Invalid value: "InClusterConfig"',
    ],
    [
      config(hook({ matchConditions: [{ expression: 'true' }], matchConditionSubjectAccessReviewVersion: 'v1' })),
      'authorizers[0].matchConditions[0].expression: Invalid value: "true": CEL expressions in matchConditions are not supported by this server yet',
    ],
    [
      config(hook({ matchConditions: [{ expression: ' ' }] })),
      'authorizers[0].matchConditionSubjectAccessReviewVersion: Required value: required if match conditions are specified',
    ],
  ])('%s', (text, message) => {
    const { dependencies } = setup({ '/c': text, '/k': KUBECONFIG });
    expect(validateAuthorizationOptions(options({ configFile: '/c' }), dependencies).join('; ')).toContain(message);
  });

  it('orders several webhooks, and uses conditions when they can be compiled', async () => {
    const conditions = { matchConditions: [{ expression: 'x' }], matchConditionSubjectAccessReviewVersion: 'v1' };
    const { dependencies } = setup({ '/c': config(hook(conditions), { ...hook(), name: 'second' }), '/k': KUBECONFIG });
    const compileMatchConditions = () => () => false;
    const built = await buildAuthorization(options({ configFile: '/c' }), { ...dependencies, compileMatchConditions });
    expect(await built.authorizer.authorize(ask(user('a'), 'get', 'x'))).toMatchObject({
      verdict: 'Allow',
      by: 'second',
    });
  });

  it('takes effect when it changes; a broken one changes nothing', async () => {
    const { dependencies, changed, logs, files } = setup({ '/c': config({ type: 'AlwaysDeny', name: 'alwaysdeny' }) });
    const built = await buildAuthorization(options({ configFile: '/c' }), dependencies);
    const verdict = async () => (await built.authorizer.authorize(ask(user('a'), 'get', 'x'))).verdict;
    expect(await verdict()).toBe('NoOpinion');
    files['/c'] = config({ type: 'AlwaysAllow', name: 'wrong' });
    changed.get('/c')!();
    await expect.poll(() => logs.length).toBe(1);
    expect(logs[0]).toContain('error --authorization-config was not reloaded: expected name alwaysallow');
    expect(await verdict()).toBe('NoOpinion');
    files['/c'] = config({ type: 'AlwaysAllow', name: 'alwaysallow' });
    changed.get('/c')!();
    await expect.poll(() => logs.length).toBe(2);
    expect(await verdict()).toBe('Allow');
    built.close();
    expect(changed.size).toBe(0);
  });
});

describe('configuration values', () => {
  it.each([
    ['5m0s', 300_000, '5m0s'],
    ['1h30m', 5_400_000, '1h30m0s'],
    ['500ms', 500, '500ms'],
    ['1.5s', 1500, '1.5s'],
    ['0', 0, '0s'],
    ['-3s', -3000, '-3s'],
  ])('duration %s', (text, ms, printed) => {
    expect(durationMs(text)).toBe(ms);
    expect(goDuration(ms)).toBe(printed);
  });
  it.each(['', '5', 'm', '5m ', '1x', '1m-2s', '--1s'])('no duration: %j', (text) => {
    expect(durationMs(text)).toBeUndefined();
  });
  it('names repeated fields', () => {
    expect(() =>
      decodeConfigFile('apiVersion: a/v1\nkind: K\nx: "1"\nx: "2"\n', 'K', ['a/v1'], { x: 'string' }),
    ).toThrow('strict decoding error: ');
  });
});
