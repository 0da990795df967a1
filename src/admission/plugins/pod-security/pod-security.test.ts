import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { MemoryFeed } from '../../../auth/authorization/memory-feed.suite.js';
import type { JsonObject } from '../../../machinery/json.js';
import { clustered, named, pod, run } from '../plugins.suite.js';
import { podSecurityConfiguration } from './configuration.js';
import { levelText, policyOf } from './levels.js';
import { podSecurity } from './pod-security.js';

const PODS = { group: '', resource: 'pods' };
const PREFIX = 'pod-security.kubernetes.io/';
const host = { hostNetwork: true };
const TEXT = 'host namespaces (hostNetwork=true)';

let objects: MemoryFeed;
let configuration: ReturnType<typeof podSecurityConfiguration>;
let step: number;
beforeEach(() => {
  objects = new MemoryFeed();
  configuration = podSecurityConfiguration(undefined);
  step = 0;
});
const labels = (given: Record<string, string>) =>
  Object.fromEntries(Object.entries(given).map(([key, value]) => [PREFIX + key, value]));
const inNamespace = (given: Record<string, string>) =>
  objects.put({ group: '', resource: 'namespaces' }, clustered('n', {}, { labels: labels(given) }));
const given = (more: Parameters<typeof run>[1]) => {
  let now = 0;
  return run(podSecurity({ objects, configuration, now: () => (now += step) }), more);
};

describe('pods', () => {
  it('that the level forbids are refused', async () => {
    inNamespace({ enforce: 'baseline', 'enforce-version': 'v1.20' });
    const { text, notes } = await given({ on: '/pods', object: pod(host) });
    expect(text).toBe(`403 pods "p" is forbidden: violates PodSecurity "baseline:v1.20": ${TEXT}`);
    expect(notes).toEqual({ [`${PREFIX}enforce-policy`]: 'baseline:v1.20' });
    expect((await given({ on: '/pods', object: pod() })).text).toBe('ok');
  });
  it('are warned about and noted', async () => {
    inNamespace({ warn: 'baseline', audit: 'restricted' });
    const { text, warnings, notes } = await given({ on: '/pods', object: pod(host) });
    expect(text).toBe('ok');
    expect(warnings).toEqual([`would violate PodSecurity "baseline:latest": ${TEXT}`]);
    expect(notes[`${PREFIX}enforce-policy`]).toBe('privileged:latest');
    expect(notes[`${PREFIX}audit-violations`]).toContain(
      'would violate PodSecurity "restricted:latest": host namespaces',
    );
  });
  it('are warned about at the level that is enforced, unless another is named', async () => {
    inNamespace({ enforce: 'restricted', warn: 'privileged' });
    expect((await given({ on: '/pods', object: pod() })).warnings).toEqual([]);
  });
  it('are looked at again when an image changes or a container comes', async () => {
    inNamespace({ enforce: 'baseline' });
    const oldObject = pod(host);
    const change = async (spec: JsonObject, on = '/pods') =>
      (await given({ on, object: pod({ ...host, ...spec }), oldObject })).text;
    expect(await change({})).toBe('ok');
    expect(await change({ containers: [{ name: 'c', image: 'j' }] })).toContain('403');
    expect(await change({ ephemeralContainers: [{ name: 'e' }] }, '/pods/ephemeralcontainers')).toContain('403');
    expect(await change({ containers: [{ name: 'c', image: 'j' }] }, '/pods/status')).toBe('ok');
  });
  it('of labels that make no sense are held to the strictest', async () => {
    inNamespace({ enforce: 'odd', audit: 'odd', warn: 'odd' });
    const { text, notes, warnings } = await given({ on: '/pods', object: pod() });
    expect(text).toContain('violates PodSecurity "restricted:latest"');
    expect(warnings).toEqual([]);
    expect(notes[`${PREFIX}error`]).toContain(
      'Failed to parse policy: [metadata.labels[pod-security.kubernetes.io/enforce]',
    );
  });
  it('of a namespace that is gone are not judged', async () => {
    expect((await given({ on: '/pods', object: pod() })).text).toContain(
      '500 Internal error occurred: failed to lookup',
    );
  });
});

describe('workloads', () => {
  const template = { spec: { hostNetwork: true, containers: [{ name: 'c' }] } };
  it.each([
    ['/podtemplates', { template }],
    ['/replicationcontrollers', { spec: { template } }],
    ['apps/deployments', { spec: { template } }],
    ['batch/cronjobs', { spec: { jobTemplate: { spec: { template } } } }],
  ])('%s are never refused, only warned about', async (on, object) => {
    inNamespace({ enforce: 'baseline' });
    const { text, warnings, notes } = await given({ on, object: named('w', object) });
    expect(text).toBe('ok');
    expect(warnings).toEqual([`would violate PodSecurity "baseline:latest": ${TEXT}`]);
    expect(notes).not.toHaveProperty(`${PREFIX}enforce-policy`);
    expect((await given({ on: `${on}/status`, object: named('w', object) })).warnings).toEqual([]);
  });
  it('without a template, and other kinds, are none of its business', async () => {
    inNamespace({ warn: 'restricted' });
    expect((await given({ on: '/replicationcontrollers', object: named('w', { spec: {} }) })).warnings).toEqual([]);
    expect((await given({ on: '/configmaps', object: named('w', { template }) })).warnings).toEqual([]);
  });
});

describe('namespaces', () => {
  const namespace = (own: Record<string, string>) => clustered('n', {}, { labels: labels(own) });
  const update = (to: Record<string, string>, from: Record<string, string> = {}) =>
    given({ on: '/namespaces', object: namespace(to), oldObject: namespace(from) });

  it('must have labels that make sense', async () => {
    const { text } = await given({ on: '/namespaces', object: namespace({ enforce: 'odd', 'warn-version': 'x' }) });
    expect(text).toContain('422 Namespace "n" is invalid: [metadata.labels[pod-security.kubernetes.io/enforce]');
    expect(text).toContain('Invalid value: "odd": must be one of privileged, baseline, restricted');
    expect(text).toContain('Invalid value: "x": must be "latest" or "v1.x"');
    expect((await update({ enforce: 'odd' })).text).toContain('422');
    expect((await update({ enforce: 'odd', audit: 'baseline' }, { enforce: 'odd' })).text).toBe('ok');
  });
  it('that become stricter tell about the pods they have', async () => {
    const owner = (uid: string) => ({
      ownerReferences: [{ apiVersion: 'v1', kind: 'R', name: 'r', uid, controller: true }],
    });
    const privileged = { containers: [{ name: 'c', securityContext: { privileged: true } }] };
    objects.put(PODS, { ...pod(host, { name: 'b' }) });
    objects.put(PODS, { ...pod(host, { name: 'a', ...owner('1') }) });
    objects.put(PODS, { ...pod(host, { name: 'c', ...owner('1') }) });
    objects.put(PODS, { ...pod(privileged, { name: 'd' }) });
    objects.put(PODS, { ...pod({}, { name: 'e' }) });
    expect((await update({ enforce: 'baseline' })).warnings).toEqual([
      'existing pods in namespace "n" violate the new PodSecurity enforce level "baseline:latest"',
      'a (and 2 other pods): host namespaces',
      'd: privileged',
    ]);
    expect((await update({ enforce: 'privileged' })).warnings).toEqual([]);
    expect((await update({ enforce: 'baseline' }, { enforce: 'restricted' })).warnings).toEqual([]);
    expect((await update({ warn: 'baseline' })).warnings).toEqual([]);
  });
  it('are not searched without end', async () => {
    step = 600;
    for (const name of ['a', 'b', 'c']) objects.put(PODS, pod({}, { name }));
    expect((await update({ enforce: 'baseline' })).warnings).toEqual([
      'new PodSecurity enforce level only checked against the first 2 of 3 existing pods',
    ]);
  });
});

describe('configuration', () => {
  const configured = (value: object) => {
    const whole = { apiVersion: 'pod-security.admission.config.k8s.io/v1', kind: 'PodSecurityConfiguration', ...value };
    configuration = podSecurityConfiguration({ text: JSON.stringify(whole), path: '/x' });
  };
  it('has defaults for namespaces that say nothing', async () => {
    configured({ defaults: { enforce: 'baseline', 'enforce-version': 'v1.30' } });
    inNamespace({});
    expect((await given({ on: '/pods', object: pod(host) })).text).toContain('violates PodSecurity "baseline:v1.30"');
  });
  it('has exemptions', async () => {
    configured({ exemptions: { usernames: ['root'], namespaces: ['n'], runtimeClasses: ['vm'] } });
    inNamespace({ enforce: 'restricted' });
    const by = async (more: object) =>
      (await given({ on: '/pods', object: pod(host), ...more })).notes[`${PREFIX}exempt`];
    expect(await by({})).toBe('namespace');
    const namespaces = { group: '', resource: 'namespaces' };
    objects.put(namespaces, clustered('m', {}, { labels: labels({ enforce: 'restricted' }) }));
    expect(await by({ namespace: 'm', user: { name: 'root', groups: [] } })).toBe('user');
    expect(await by({ namespace: 'm', object: pod({ runtimeClassName: 'vm' }) })).toBe('runtimeClass');
    const object = clustered('n', {}, { labels: labels({ enforce: 'restricted', audit: 'baseline' }) });
    expect((await given({ on: '/namespaces', object })).warnings).toEqual([
      'namespace "n" is exempt from Pod Security, and the policy (enforce=restricted:latest, audit=baseline:latest) will be ignored',
    ]);
  });
  it('is refused when it is wrong', () => {
    expect(() => configured({ defaults: { enforce: 'odd' } })).toThrow(
      'defaults.enforce: Invalid value: "odd": must be one of privileged, baseline, restricted',
    );
    expect(() => configured({ defaults: { 'warn-version': 'v2.0' } })).toThrow('must be "latest" or "v1.x"');
    expect(() => configured({ exemptions: { namespaces: ['a', 'a'] } })).toThrow(
      'exemptions.namespaces[1]: Duplicate value: "a"',
    );
    expect(() => configured({ exemptions: { usernames: [''] } })).toThrow('username must not be empty');
    expect(() => configured({ bogus: 1 })).toThrow('unknown field "bogus"');
    expect(() => podSecurityConfiguration({ text: 'kind: X\napiVersion: v1', path: '/x' })).toThrow('no kind "X"');
  });
});

it('whatever labels say, there is a policy', () => {
  const label = fc.constantFrom('enforce', 'enforce-version', 'audit', 'audit-version', 'warn', 'warn-version');
  const value = fc.oneof(
    fc.constantFrom('privileged', 'baseline', 'restricted', 'latest', 'v1.0', 'v1.36'),
    fc.string(),
  );
  const { defaults } = podSecurityConfiguration(undefined);
  fc.assert(
    fc.property(fc.dictionary(label, value), (given) => {
      const { policy } = policyOf(labels(given), defaults);
      expect(levelText(policy.enforce)).toMatch(/^(privileged|baseline|restricted):(latest|v1\.\d+)$/);
    }),
  );
});
