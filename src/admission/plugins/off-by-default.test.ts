import { describe, expect, it } from 'vitest';
import type { HttpClient, IncomingResponse } from '../../auth/authentication/http.js';
import type { JsonObject, KubeObject } from '../../machinery/json.js';
import { alwaysAdmit, alwaysDeny } from './always.js';
import type { PluginConfiguration } from './configuration.js';
import { denyServiceExternalIPs } from './deny-service-external-ips.js';
import { eventLimits, eventRateLimit } from './event-rate-limit.js';
import { ImagePolicyWebhook, imagePolicyConfiguration } from './image-policy-webhook.js';
import { namespaceAutoProvision, namespaceExists } from './namespace-presence.js';
import { ownerReferencesPermissionEnforcement } from './owner-references-permission-enforcement.js';
import { authorizer, clustered, type Given, named, pod, run, specAfter } from './plugins.suite.js';
import { podNodeSelector, podNodeSelectors } from './pod-node-selector.js';
import { podTolerationConfiguration, podTolerationRestriction } from './pod-toleration-restriction.js';

// Plugins that run only where somebody turned them on.

const file = (value: object): PluginConfiguration => ({ text: JSON.stringify(value), path: '/config.yaml' });
const creating = (spec: JsonObject = {}): Given => ({ on: '/pods', object: pod(spec) });
const namespaceWith = (annotations: Record<string, string>) => async () => clustered('n', {}, { annotations });

describe('events', () => {
  const event = (more: Partial<Given> = {}): Given => ({ on: '/events', object: named('e'), ...more });
  const limitsOf = (...limits: object[]) =>
    eventLimits(
      file({ apiVersion: 'eventratelimit.admission.k8s.io/v1alpha1', kind: 'Configuration', limits: [...limits] }),
    );

  it('are few in a burst, and more as time goes by', async () => {
    let now = 0;
    const plugin = eventRateLimit({ limits: limitsOf({ type: 'Namespace', qps: 1, burst: 2 }), now: () => now });
    const text = async (more?: Partial<Given>) => (await run(plugin, event(more))).text;
    const refused = '429 limit reached on type Namespace for key n';
    expect([await text(), await text(), await text()]).toEqual(['ok', 'ok', refused]);
    expect(await text({ namespace: 'other' })).toBe('ok');
    expect(await text({ dryRun: true })).toBe('ok');
    expect((await run(plugin, creating())).text).toBe('ok');
    now = 999;
    expect(await text()).toBe(refused);
    now = 1999;
    expect([await text(), await text()]).toEqual(['ok', refused]);
  });
  it('are counted by user, and by what they are about', async () => {
    const limits = limitsOf({ type: 'User', qps: 1, burst: 1 }, { type: 'SourceAndObject', qps: 1, burst: 1 });
    const plugin = eventRateLimit({ limits, now: () => 0 });
    const of = (name: string, uid: string) =>
      run(plugin, event({ user: { name, groups: [] }, object: named('e', { involvedObject: { uid } }) }));
    expect((await of('a', '1')).text).toBe('ok');
    expect((await of('b', '1')).text).toBe('429 limit reached on type SourceAndObject for key 1');
    expect((await of('a', '2')).text).toBe('429 limit reached on type User for key a');
    expect((await of('c', '3')).text).toBe('ok');
  });
  it.each<[object[], string]>([
    [[], 'limits: Invalid value: null: must not be empty'],
    [[{ type: 'Node', qps: 1, burst: 1 }], 'limits[0].type: Unsupported value: "Node"'],
    [[{ type: 'User', qps: 0, burst: 1 }], 'limits[0].qps: Invalid value: 0: must be positive'],
    [[{ type: 'User', qps: 1, burst: -1 }], 'limits[0].burst: Invalid value: -1: must be positive'],
    [[{ type: 'User', qps: 1, burst: 1, cacheSize: -1 }], 'limits[0].cacheSize: Invalid value: -1'],
  ])('with limits %j are refused at the start', (limits, message) => {
    expect(() => limitsOf(...limits)).toThrow(message);
    expect(() => eventLimits(undefined)).toThrow('must not be empty');
  });
});

describe('image policies', () => {
  function policy(answers: (IncomingResponse | Error)[], over: JsonObject = {}) {
    const asked: JsonObject[] = [];
    const client: HttpClient = {
      async request({ body }) {
        asked.push(JSON.parse(String(body)));
        const next = answers.length > 1 ? answers.shift()! : answers[0]!;
        if (next instanceof Error) throw next;
        return next;
      },
      close() {},
    };
    const configuration = imagePolicyConfiguration(file({ imagePolicy: { kubeConfigFile: '/k', ...over } }));
    const time = { now: 0 };
    const pause = async () => {};
    const plugin = new ImagePolicyWebhook({ configuration, client, url: 'https://x', now: () => time.now, pause });
    return { plugin, asked, time };
  }
  const says = (status: object): IncomingResponse => ({
    status: 200,
    headers: {},
    body: JSON.stringify({ apiVersion: 'imagepolicy.k8s.io/v1alpha1', kind: 'ImageReview', status }),
  });
  const broken: IncomingResponse = { status: 503, headers: {}, body: '' };

  it('are asked about all images of a pod, and remembered', async () => {
    const { plugin, asked, time } = policy([says({ allowed: true, auditAnnotations: { seen: 'yes' } })], {
      allowTTL: 10,
    });
    const object = pod({ initContainers: [{ name: 'x', image: 'j' }] });
    object.metadata.annotations = { 'a.image-policy.k8s.io/b': 'c', other: 'd' };
    const first = await run(plugin, { on: '/pods', object });
    expect([first.text, first.notes]).toEqual(['ok', { 'imagepolicywebhook.image-policy.k8s.io/seen': 'yes' }]);
    expect(asked[0]).toMatchObject({
      kind: 'ImageReview',
      spec: {
        containers: [{ image: 'i' }, { image: 'j' }],
        annotations: { 'a.image-policy.k8s.io/b': 'c' },
        namespace: 'n',
      },
    });
    await run(plugin, { on: '/pods', object });
    expect(asked).toHaveLength(1);
    time.now = 10_000;
    await run(plugin, { on: '/pods', object });
    expect(asked).toHaveLength(2);
  });
  it.each<[IncomingResponse | Error, string]>([
    [says({ allowed: false, reason: 'old' }), 'image policy webhook backend denied one or more images: old'],
    [says({ allowed: false }), 'one or more images rejected by webhook backend'],
    [says({ allowed: 'true' }), 'one or more images rejected by webhook backend'],
    [broken, 'Error contacting webhook: 503'],
    [new Error('away'), 'away'],
    [{ ...broken, status: 200, body: 'x' }, 'image policy webhook answered with something that is not JSON'],
  ])('that answer %j let nothing in', async (answer, message) => {
    const { plugin } = policy([answer]);
    expect((await run(plugin, creating())).text).toBe(`403 pods "p" is forbidden: ${message}`);
    expect((await run(plugin, { on: '/configmaps', object: named('c') })).text).toBe('ok');
  });
  it('that are away let everything in when told so, and the pod says it', async () => {
    const { plugin } = policy([new Error('away')], { defaultAllow: true });
    const { text, object, notes } = await run(plugin, creating());
    expect([text, notes]).toEqual(['ok', { 'imagepolicywebhook.image-policy.k8s.io/failed-open': 'true' }]);
    expect(object?.metadata.annotations).toEqual({ 'alpha.image-policy.k8s.io/failed-open': 'true' });
    const denied = policy([says({ allowed: false })], { defaultAllow: true });
    expect((await run(denied.plugin, creating())).text).toContain('403');
  });
  it.each<[object, string]>([
    [{}, 'imagePolicy.kubeConfigFile is missing'],
    [{ kubeConfigFile: '/k', allowTTL: 1801 }, 'valid value is between 1s and 30m0s'],
    [{ kubeConfigFile: '/k', denyTTL: 'x' }, 'is no number'],
  ])('configured with %j are refused at the start', (imagePolicy, message) => {
    expect(() => imagePolicyConfiguration(file({ imagePolicy }))).toThrow(message);
    expect(() => imagePolicyConfiguration(undefined)).toThrow('no config specified');
  });
});

describe('namespaces', () => {
  it('are made for what is put into them', async () => {
    const there = new Set(['n']);
    const create = async ({ metadata }: KubeObject) => there.add(metadata.name!);
    const read = async (name: string) => (there.has(name) ? clustered(name) : undefined);
    const plugin = namespaceAutoProvision(read, create);
    await run(plugin, { ...creating(), namespace: 'dry', dryRun: true });
    await run(plugin, { on: '/nodes', object: clustered('x'), namespace: '' });
    await run(plugin, { ...creating(), namespace: 'm' });
    expect([...there]).toEqual(['n', 'm']);
    const failing = namespaceAutoProvision(read, () => Promise.reject(new Error('no')));
    expect((await run(failing, { ...creating(), namespace: 'k' })).text).toBe('403 pods "p" is forbidden: no');
  });
  it('must be there', async () => {
    const plugin = namespaceExists(async (name) => (name === 'n' ? clustered('n') : undefined));
    expect((await run(plugin, creating())).text).toBe('ok');
    expect((await run(plugin, { ...creating(), namespace: 'm' })).text).toBe('404 namespaces "m" not found');
    expect((await run(plugin, { ...creating(), namespace: 'm', operation: 'DELETE' })).text).toContain('404');
  });
});

describe('owner references', () => {
  const owner = (blockOwnerDeletion: boolean, kind = 'Deployment') => ({
    apiVersion: 'apps/v1',
    kind,
    name: 'd',
    uid: 'u',
    blockOwnerDeletion,
  });
  const owned = (...ownerReferences: object[]) => named('c', {}, { ownerReferences: ownerReferences as JsonObject[] });
  function plugin(may: string[]) {
    const users = authorizer((a) => may.includes(`${a.verb} ${a.resource}${a.subresource && `/${a.subresource}`}`));
    return ownerReferencesPermissionEnforcement({
      authorizer: users,
      resourceOf: (_, __, kind) => (kind === 'Deployment' ? { resource: 'deployments', namespaced: true } : undefined),
    });
  }
  const update = (...owners: object[]): Given => ({ on: '/configmaps', object: owned(...owners), oldObject: owned() });
  const create = (...owners: object[]): Given => ({ on: '/configmaps', object: owned(...owners) });

  it.each<[string[], Given, string]>([
    [[], create(owner(false)), 'ok'],
    [[], { on: '/configmaps', object: owned(owner(true)), oldObject: owned(owner(true)) }, 'ok'],
    [[], update(owner(false)), "cannot set an ownerRef on a resource you can't delete: because, <nil>"],
    [['delete configmaps'], update(owner(false)), 'ok'],
    [
      ['delete configmaps'],
      update(owner(true)),
      "if an ownerReference refers to a resource you can't set finalizers on",
    ],
    [['delete configmaps', 'update deployments/finalizers'], update(owner(true)), 'ok'],
    [[], create(owner(true)), "you can't set finalizers on: because, <nil>"],
    [['update deployments/finalizers'], create(owner(true)), 'ok'],
    [['update */finalizers'], create(owner(true, 'Unknown')), 'ok'],
    [[], create(owner(true, 'Unknown')), 'no matches for kind "Unknown" in version "apps/v1"'],
  ])('who may %j: %j', async (may, given, text) => {
    const answer = (await run(plugin(may), given)).text;
    if (text === 'ok') expect(answer).toBe('ok');
    else expect(answer).toMatch(/^403 configmaps "c" is forbidden: /);
    expect(answer).toContain(text);
  });
});

describe('node selectors of a namespace', () => {
  const KEY = 'scheduler.alpha.kubernetes.io/node-selector';
  const plugin = (annotations: Record<string, string>, config: JsonObject = {}) =>
    podNodeSelector({
      namespaceOf: namespaceWith(annotations),
      selectors: podNodeSelectors(file({ podNodeSelectorPluginConfig: config })),
    });
  it('join those of the pod', async () => {
    const given = creating({ nodeSelector: { disk: 'fast' } });
    expect((await specAfter(plugin({ [KEY]: 'zone=a' }), given)).nodeSelector).toEqual({ zone: 'a', disk: 'fast' });
    const byDefault = plugin({}, { clusterDefaultNodeSelector: 'zone=b' });
    expect((await specAfter(byDefault, creating())).nodeSelector).toEqual({ zone: 'b' });
    expect(await specAfter(plugin({}), creating())).not.toHaveProperty('nodeSelector');
  });
  it.each<[Record<string, string>, JsonObject, string]>([
    [{ [KEY]: 'zone=a' }, {}, '403 pods "p" is forbidden: pod node label selector conflicts with its namespace'],
    [{}, { n: 'disk=fast' }, '403 pods "p" is forbidden: pod node label selector labels conflict with its namespace'],
    [{ [KEY]: 'zone' }, {}, '500 invalid selector: [zone]'],
    [{ [KEY]: 'zone=a=b' }, {}, '500 invalid selector: [zone a b]'],
  ])('%j %j refuse another', async (annotations, config, text) => {
    const { text: answer } = await run(plugin(annotations, config), creating({ nodeSelector: { zone: 'b' } }));
    expect(answer).toContain(text);
  });
  it('of a namespace that is not there are an error, as is a configuration that is no map', async () => {
    const absent = podNodeSelector({ namespaceOf: async () => undefined, selectors: {} });
    expect((await run(absent, creating())).text).toContain('500');
    expect(() => podNodeSelectors(file({ podNodeSelectorPluginConfig: { n: 1 } }))).toThrow('map of strings');
  });
});

describe('tolerations of a namespace', () => {
  const DEFAULTS = 'scheduler.alpha.kubernetes.io/defaultTolerations';
  const ALLOWED = 'scheduler.alpha.kubernetes.io/tolerationsWhitelist';
  const own = { key: 'own', operator: 'Exists' };
  const configured = (config: object) =>
    podTolerationConfiguration(
      file({ apiVersion: 'podtolerationrestriction.admission.k8s.io/v1alpha1', kind: 'Configuration', ...config }),
      () => true,
    );
  const plugin = (annotations: Record<string, string>, config = {}) =>
    podTolerationRestriction({
      namespaceOf: namespaceWith(annotations),
      configuration: configured(config),
      gate: () => true,
    });
  it('are added to its pods', async () => {
    const listed = plugin({ [DEFAULTS]: JSON.stringify([own]) });
    expect((await specAfter(listed, creating())).tolerations).toEqual([own]);
    const ofCluster = { key: 'all', operator: 'Exists', effect: 'NoSchedule' };
    expect((await specAfter(plugin({}, { default: [ofCluster] }), creating())).tolerations).toEqual([ofCluster]);
    const requests = { containers: [{ name: 'c', image: 'i', resources: { requests: { cpu: '1' } } }] };
    expect((await specAfter(plugin({}), creating(requests))).tolerations).toEqual([
      { key: 'node.kubernetes.io/memory-pressure', operator: 'Exists', effect: 'NoSchedule' },
    ]);
  });
  it('that are not allowed are refused', async () => {
    const other = creating({ tolerations: [{ key: 'other', operator: 'Exists' }] });
    const namespaced = plugin({ [ALLOWED]: JSON.stringify([own]) });
    expect((await run(namespaced, other)).text).toMatch(/^500 .* conflict with its namespace whitelist$/);
    expect((await run(namespaced, creating({ tolerations: [own] }))).text).toBe('ok');
    const clusterWide = plugin({}, { whitelist: [own] });
    expect((await run(clusterWide, other)).text).toMatch(/^500 .* conflict with its cluster whitelist$/);
    expect((await run(plugin({}), other)).text).toBe('ok');
    expect((await run(plugin({ [DEFAULTS]: '{}' }), creating())).text).toContain('expected a list of tolerations');
    expect(() => configured({ default: [{ key: 'k', operator: 'Odd' }] })).toThrow('invalid config');
  });
});

it('external addresses of services are kept, not added', async () => {
  const plugin = denyServiceExternalIPs();
  const service = (...externalIPs: string[]) => named('s', { spec: { externalIPs } });
  const update = (before: KubeObject, object: KubeObject) =>
    run(plugin, { on: '/services', object, oldObject: before });
  const refused = '403 services "s" is forbidden: Use of external IPs is denied by admission control';
  expect((await run(plugin, { on: '/services', object: service('1.2.3.4') })).text).toBe(refused);
  expect((await run(plugin, { on: '/services', object: service() })).text).toBe('ok');
  expect((await update(service('1.2.3.4'), service('1.2.3.4'))).text).toBe('ok');
  expect((await update(service('1.2.3.4'), service())).text).toBe('ok');
  expect((await update(service('1.2.3.4'), service('1.2.3.4', '5.6.7.8'))).text).toBe(refused);
});

it('everything, or nothing', async () => {
  expect((await run(alwaysAdmit(), creating())).text).toBe('ok');
  expect((await run(alwaysDeny(), creating())).text).toBe(
    '403 pods "p" is forbidden: admission control is denying all modifications',
  );
});
