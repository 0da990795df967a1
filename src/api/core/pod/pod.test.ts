import { describe, expect, it } from 'vitest';
import type { JsonObject, KubeObject } from '../../../machinery/json.js';
import { strategyFor } from '../../index.js';
import { create, part, update } from '../../strategy.suite.js';

const container = { name: 'c', image: 'i' };
const pod = (spec: JsonObject = {}, metadata: JsonObject = {}) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata,
  spec: { containers: [container], ...spec },
});
const withContainer = (more: JsonObject) => pod({ containers: [{ ...container, ...more }] });
const faultsOf = (body: JsonObject) => create(body).faults;

describe('Pod', () => {
  it('starts pending, of a class that follows from its resources', () => {
    expect(create(pod()).obj.status).toEqual({ phase: 'Pending', qosClass: 'BestEffort' });
    const both = { cpu: '1', memory: '1Gi' };
    expect(create(withContainer({ resources: { limits: both } })).obj.status).toMatchObject({ qosClass: 'Guaranteed' });
    expect(create(withContainer({ resources: { requests: both } })).obj.status).toMatchObject({
      qosClass: 'Burstable',
    });
  });

  it.each<[string, JsonObject, string]>([
    ['no containers', pod({ containers: [] }), 'spec.containers: Required value'],
    ['no image', withContainer({ image: '' }), 'spec.containers[0].image: Required value'],
    ['two of a name', pod({ containers: [container, container] }), 'spec.containers[1].name: Duplicate value: "c"'],
    [
      'a port out of range',
      withContainer({ ports: [{ containerPort: 0 }] }),
      'spec.containers[0].ports[0].containerPort: Required value',
    ],
    [
      'more requests than limits',
      withContainer({ resources: { requests: { cpu: '2' }, limits: { cpu: '1' } } }),
      'spec.containers[0].resources.requests: Invalid value: "2": must be less than or equal to cpu limit of 1',
    ],
    [
      'a mount of nothing',
      withContainer({ volumeMounts: [{ name: 'v', mountPath: '/v' }] }),
      'spec.containers[0].volumeMounts[0].name: Not found: "v"',
    ],
    [
      'two sources of a volume',
      pod({ volumes: [{ name: 'v', emptyDir: {}, hostPath: { path: '/' } }] }),
      'spec.volumes[0].hostPath: Forbidden: may not specify more than 1 volume type',
    ],
    [
      'a bad restart policy',
      pod({ restartPolicy: 'Sometimes' }),
      'spec.restartPolicy: Unsupported value: "Sometimes": supported values: "Always", "OnFailure", "Never"',
    ],
    [
      'a label that is none',
      pod({}, { labels: { 'a b': 'c' } }),
      "metadata.labels: Invalid value: \"a b\": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')",
    ],
    [
      'ephemeral containers',
      pod({
        ephemeralContainers: [{ name: 'e', image: 'i', terminationMessagePolicy: 'File', imagePullPolicy: 'Always' }],
      }),
      'spec.ephemeralContainers: Forbidden: cannot be set on create',
    ],
  ])('refuses %s', (_, body, fault) => {
    expect(faultsOf(body)).toContain(fault);
  });

  it('refuses a spread that is there twice, at all places but the last', () => {
    const spread = (topologyKey: string) => ({ maxSkew: 1, topologyKey, whenUnsatisfiable: 'DoNotSchedule' });
    const faults = faultsOf(pod({ topologySpreadConstraints: ['a', 'b', 'a', 'a'].map(spread) }));
    expect(faults).toEqual(
      [0, 2].map(
        (i) =>
          `spec.topologySpreadConstraints[${i}].{topologyKey, whenUnsatisfiable}: Duplicate value: "{a, DoNotSchedule}"`,
      ),
    );
  });

  it('warns of paths that overlap as often as anybody can be told', () => {
    const volume = (paths: string[]) => ({
      name: 'v',
      configMap: { name: 'm', items: paths.map((path, i) => ({ key: `k${i}`, path })) },
    });
    const told = (paths: string[]) => create(pod({ volumes: [volume(paths)] })).warnings;
    const start = 'volume "v" (ConfigMap "m"): overlapping paths:';
    expect(told(['a', 'a/b', 'ab', 'c'])).toEqual([`${start} "a/b" with "a"`]);
    expect(told(Array<string>(2000).fill('a'))).toHaveLength(4096);
  });

  it('takes sidecars, but not their probes on other init containers', () => {
    const probe = { startupProbe: { exec: { command: ['x'] } } };
    const init = (more: JsonObject) => faultsOf(pod({ initContainers: [{ name: 'i', image: 'i', ...more }] }));
    expect(init({ restartPolicy: 'Always', ...probe })).toEqual([]);
    expect(init(probe)).toEqual([
      'spec.initContainers[0].startupProbe: Forbidden: may not be set for init containers without restartPolicy=Always',
    ]);
  });

  it('warns of what works otherwise than it looks', () => {
    const env = [
      { name: 'A', value: '1' },
      { name: 'A', value: '2' },
    ];
    expect(create(withContainer({ env })).warnings).toEqual([
      'spec.containers[0].env[1]: hides previous definition of "A", which may be dropped when using apply',
    ]);
    expect(create(pod()).warnings).toEqual([]);
  });

  describe('changes', () => {
    const old = create(pod({ activeDeadlineSeconds: 100, tolerations: [{ operator: 'Exists', key: 'k' }] })).obj;
    const change = (f: (spec: JsonObject) => void) => update(old, (o) => f(part(o, 'spec'))).faults;
    it('of image, deadline and more tolerations are fine', () => {
      expect(change((s) => Object.assign(part(s, 'containers', 0), { image: 'j' }))).toEqual([]);
      expect(change((s) => Object.assign(s, { activeDeadlineSeconds: 50 }))).toEqual([]);
      expect(change((s) => (s.tolerations as JsonObject[]).push({ operator: 'Exists', key: 'l' }))).toEqual([]);
    });
    it('of tolerations only put new ones beside the old, or change their seconds', () => {
      const modified = [
        'spec.tolerations: Forbidden: existing toleration can not be modified except its tolerationSeconds',
      ];
      expect(change((s) => Object.assign(part(s, 'tolerations', 0), { effect: 'NoExecute' }))).toEqual(modified);
      expect(change((s) => (s.tolerations as JsonObject[]).pop())).toEqual(modified);
      const held = { key: 'k', operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 5 };
      const { obj } = create(pod({ tolerations: [held] }));
      expect(
        update(obj, (o) => Object.assign(part(o, 'spec', 'tolerations', 0), { tolerationSeconds: 9 })).faults,
      ).toEqual([]);
    });
    it('of anything else show what would change', () => {
      const [fault] = change((s) => Object.assign(part(s, 'containers', 0), { command: ['x'] }));
      expect(fault).toMatch(/^spec: Forbidden: pod updates may not change fields other than/);
      expect(fault).toMatch(/\n\+\s+"x"\n/);
      expect(change((s) => Object.assign(s, { activeDeadlineSeconds: 200 }))).toEqual([
        'spec.activeDeadlineSeconds: Invalid value: 200: must be less than or equal to previous value',
      ]);
      expect(change((s) => (s.containers as JsonObject[]).push({ name: 'd', image: 'i' }))).toEqual([
        'spec.containers: Forbidden: pod updates may not add or remove containers',
      ]);
    });
    it('of the spec do not come with the status', () => {
      const { obj, faults } = update(
        old,
        (o) => {
          part(o, 'spec').nodeName = 'n';
          o.status = { phase: 'Running', qosClass: 'BestEffort' };
        },
        'status',
      );
      expect(faults).toEqual([]);
      expect([part(obj, 'spec').nodeName, part(obj, 'status').phase]).toEqual([undefined, 'Running']);
      expect(update(old, (o) => Object.assign(o, { status: { qosClass: 'Guaranteed' } }), 'status').faults).toEqual([
        'status.qosClass: Invalid value: "Guaranteed": field is immutable',
      ]);
    });
  });

  describe('subresources', () => {
    const both = { cpu: '1', memory: '1Gi' };
    const guaranteed = create(withContainer({ resources: { limits: both } })).obj;
    const resize = (resources: JsonObject, of: KubeObject = guaranteed) =>
      update(of, (o) => Object.assign(part(o, 'spec', 'containers', 0), { resources }), 'resize').faults;
    it('resize keeps the class of the pod', () => {
      const more = { cpu: '2', memory: '1Gi' };
      expect(resize({ limits: more, requests: more })).toEqual([]);
      expect(resize({ limits: more, requests: both }).join()).toMatch(
        /Pod QOS Class may not change as a result of resizing/,
      );
    });
    it('resize is for cpu and memory', () => {
      const faults = resize({ limits: { ...both, 'ephemeral-storage': '1Gi' }, requests: both });
      expect(faults.join()).toMatch(/only cpu and memory resources are mutable/);
    });
    it('ephemeral containers are only added', () => {
      const debug = (name: string) => ({
        name,
        image: 'i',
        terminationMessagePolicy: 'File',
        imagePullPolicy: 'Always',
      });
      const add = (of: KubeObject, ...names: string[]) =>
        update(
          of,
          (o) => Object.assign(part(o, 'spec'), { ephemeralContainers: names.map(debug) }),
          'ephemeralcontainers',
        );
      const first = add(guaranteed, 'a');
      expect(first.faults).toEqual([]);
      expect(add(first.obj, 'a', 'b').faults).toEqual([]);
      expect(add(first.obj, 'b').faults.join()).toMatch(/existing ephemeral containers "a" may not be removed/);
      expect(add(guaranteed, 'c').faults).toContain('spec.ephemeralContainers[0].name: Duplicate value: "c"');
    });
  });

  it('goes at once unless it runs somewhere', () => {
    const grace = (spec: JsonObject, phase: string, requested?: number) =>
      strategyFor('', 'Pod').gracePeriod!({ metadata: {}, spec, status: { phase } } as KubeObject, requested);
    expect(grace({ terminationGracePeriodSeconds: 30 }, 'Pending')).toBe(0);
    expect(grace({ nodeName: 'n', terminationGracePeriodSeconds: 30 }, 'Running')).toBe(30);
    expect(grace({ nodeName: 'n', terminationGracePeriodSeconds: 30 }, 'Running', 5)).toBe(5);
    expect(grace({ nodeName: 'n' }, 'Succeeded', 5)).toBe(0);
    expect(grace({ nodeName: 'n', terminationGracePeriodSeconds: -5 }, 'Running')).toBe(1);
  });
});
