import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cloneJson, type JsonObject, type KubeObject } from '../../machinery/json.js';
import { catalog } from '../../machinery/scheme/catalog.js';
import type { SchemaNode, Type } from '../../machinery/scheme/type.js';
import { strategyFor } from '../index.js';
import {
  ALLOCATED,
  answered,
  decodeMinimal,
  differences,
  emulateAdmission,
  emulateReservation,
  haveRecordings,
  NOW,
  recorded,
  stable,
  stored,
  type TwinKind,
  testContext,
  twinModule,
} from '../recorded.suite.js';
import { applyDefaults } from './index.js';
import { pullPolicyOf } from './values.js';

const ctx = testContext();
const type = (name: string) => catalog().type(`io.k8s.api.${name}`);
const defaulted = (name: string, obj: JsonObject): JsonObject => {
  const out = cloneJson(obj);
  applyDefaults(type(name), out, ctx);
  return out;
};

describe('defaults', () => {
  it('fill a pod', () => {
    const pod = defaulted('core.v1.Pod', {
      spec: {
        hostNetwork: true,
        containers: [
          {
            name: 'c',
            image: 'i:1',
            ports: [{ containerPort: 80 }],
            resources: { limits: { cpu: '1', memory: '1000001u' } },
          },
        ],
      },
    });
    expect(pod).toEqual({
      spec: {
        hostNetwork: true,
        containers: [
          {
            name: 'c',
            image: 'i:1',
            ports: [{ containerPort: 80, hostPort: 80, protocol: 'TCP' }],
            resources: { limits: { cpu: '1', memory: '1001m' }, requests: { cpu: '1', memory: '1001m' } },
            imagePullPolicy: 'IfNotPresent',
            terminationMessagePath: '/dev/termination-log',
            terminationMessagePolicy: 'File',
          },
        ],
        enableServiceLinks: true,
        dnsPolicy: 'ClusterFirst',
        restartPolicy: 'Always',
        securityContext: {},
        terminationGracePeriodSeconds: 30,
        schedulerName: 'default-scheduler',
      },
    });
  });

  it('keep what is set, zero values of pointers included', () => {
    expect(defaulted('apps.v1.ReplicaSet', { spec: { replicas: 0 } })).toMatchObject({ spec: { replicas: 0 } });
    expect(defaulted('core.v1.Probe', { timeoutSeconds: 7 })).toMatchObject({ timeoutSeconds: 7, periodSeconds: 10 });
  });

  it('make structs by value, and no pointers', () => {
    expect(defaulted('apps.v1.Deployment', {})).toHaveProperty('spec.template.spec.dnsPolicy', 'ClusterFirst');
    expect(defaulted('core.v1.ReplicationController', {})).not.toHaveProperty('spec.template');
    expect(defaulted('core.v1.ConfigMap', {})).toEqual({});
  });

  it('follow conditions', () => {
    const service = (spec: JsonObject) => defaulted('core.v1.Service', { spec }).spec as JsonObject;
    expect(service({ sessionAffinityConfig: { clientIP: {} } })).toMatchObject({
      type: 'ClusterIP',
      sessionAffinity: 'None',
    });
    expect(service({ sessionAffinityConfig: { clientIP: {} } })).not.toHaveProperty('sessionAffinityConfig');
    expect(service({ sessionAffinity: 'ClientIP' }).sessionAffinityConfig).toEqual({
      clientIP: { timeoutSeconds: 10800 },
    });
    expect(service({ type: 'LoadBalancer', ports: [{ port: 5 }] })).toMatchObject({
      externalTrafficPolicy: 'Cluster',
      allocateLoadBalancerNodePorts: true,
      ports: [{ port: 5, targetPort: 5, protocol: 'TCP' }],
    });
    expect(service({ type: 'ExternalName' })).not.toHaveProperty('internalTrafficPolicy');
  });

  it('give pods what their containers ask for', () => {
    const spec = {
      resources: { limits: { cpu: '4', memory: '1Gi' } },
      containers: [{ resources: { requests: { cpu: '1' } } }, { resources: { requests: { cpu: '500m' } } }],
      initContainers: [
        { restartPolicy: 'Always', resources: { requests: { cpu: '1' } } },
        { resources: { requests: { cpu: '3' } } },
      ],
    };
    expect(defaulted('core.v1.Pod', { spec })).toHaveProperty('spec.resources.requests', { cpu: '4', memory: '1Gi' });
  });

  it.each([
    ['a', 'Always'],
    ['a:latest', 'Always'],
    ['reg:5000/a', 'Always'],
    ['reg:5000/a:1', 'IfNotPresent'],
    [`a@sha256:${'a'.repeat(64)}`, 'IfNotPresent'],
    ['A', 'IfNotPresent'],
    ['', 'IfNotPresent'],
  ])('pull %s %s', (image, policy) => expect(pullPolicyOf(image)).toBe(policy));
});

/** Values of a type, shallow and with few elements, zero values in pointers only. */
function arbitrary(t: Type, depth: number): fc.Arbitrary<JsonObject> {
  const entries: Record<string, fc.Arbitrary<unknown>> = {};
  for (const f of t.fields)
    if (depth > 0 || f.node.kind !== 'struct') entries[f.name] = node(f.node, f.enum, depth - 1);
  return fc.record(entries, { requiredKeys: [] }) as fc.Arbitrary<JsonObject>;
}
function node(n: SchemaNode, values: readonly string[] | undefined, depth: number): fc.Arbitrary<unknown> {
  switch (n.kind) {
    case 'string':
      return fc.constantFrom('x', 'nginx:1', ...(values ?? []));
    case 'integer':
    case 'number':
      return fc.integer({ min: 1, max: 70000 });
    case 'boolean':
      return fc.constant(true);
    case 'array':
      return depth < 0 ? fc.constant([]) : fc.array(node(n.items!, undefined, depth), { maxLength: 2 });
    case 'map':
      return depth < 0
        ? fc.constant({})
        : fc.dictionary(fc.constantFrom('cpu', 'k'), node(n.values!, undefined, depth), { maxKeys: 1 });
    case 'struct':
      return depth < 0 ? fc.constant({}) : arbitrary(n.type!, depth);
    default:
      return n.type?.special === 'Quantity' ? fc.constantFrom('1', '1500u', '2Gi') : fc.constantFrom('x', 3);
  }
}

describe('default(default(x)) = default(x)', () => {
  const kinds = [
    'core.v1.Pod',
    'core.v1.Service',
    'core.v1.LimitRange',
    'apps.v1.Deployment',
    'apps.v1.StatefulSet',
    'batch.v1.Job',
    'autoscaling.v2.HorizontalPodAutoscaler',
    'networking.v1.NetworkPolicy',
    'resource.v1.ResourceSlice',
  ];
  it.each(kinds)('%s', (name) => {
    fc.assert(
      fc.property(arbitrary(type(name), 5), (obj) => {
        const once = defaulted(name, obj);
        expect(defaulted(name, once)).toEqual(once);
      }),
      { numRuns: 60 },
    );
  });
});

describe.runIf(haveRecordings)('defaulting as recorded', async () => {
  if (!haveRecordings) return;
  const suite = await twinModule<{ default(): Iterable<{ name: string; steps: { path: string; body: unknown }[] }> }>(
    'suites/defaulting.mjs',
  );
  const { byKind } = await twinModule<{ byKind: Record<string, TwinKind> }>('lib/kinds.mjs');
  const { slug } = await twinModule<{ slug(suite: string, name: string): string }>('lib/runner.mjs');
  const golden = new Map(recorded('defaulting').map((c) => [c.n, c.a[0]!]));
  const report = process.env.REPORT;
  /** Added by other parts: admission, signing. */
  const ACCEPTED: Record<string, RegExp> = {
    'Pod priority': /^spec\.priority/,
    'CertificateSigningRequest legacy user': /^spec\.(username|uid|groups)/,
  };

  for (const c of suite.default()) {
    const want = golden.get(c.name);
    if (!want?.b || want.c !== 201) continue;
    const k = byKind[c.name.split(' ')[0]!]!;
    it(c.name, () => {
      const body = JSON.parse(
        JSON.stringify(c.steps[0]!.body).replaceAll('{{id}}', slug('defaulting', c.name)),
      ) as JsonObject;
      const obj = decodeMinimal(k.group, k.version, k.kind, body);
      const t = catalog().byGvk(k.group, k.version, k.kind)!;
      applyDefaults(t, obj, ctx);
      emulateAdmission(k.kind, obj);
      obj.metadata.namespace = 'x';
      obj.metadata.creationTimestamp = NOW;
      obj.metadata.uid = (want.b as KubeObject).metadata.uid;
      emulateReservation(k.kind, obj);
      strategyFor(k.group, k.kind).prepareForCreate?.({ ...ctx, requestVersion: `${k.group}/${k.version}` }, obj);
      const answer = decodeMinimal(k.group, k.version, k.kind, answered(want.b!));
      const again = cloneJson(answer) as KubeObject;
      applyDefaults(t, again, ctx);
      const off = [...differences(stable(answer), stable(stored(t, obj))), ...differences(answer, again)].filter(
        (d) => !ALLOCATED.test(d) && !ACCEPTED[c.name]?.test(d),
      );
      if (report && off.length) process.stdout.write(`${c.name}: ${off.join('; ')}\n`);
      else expect(off).toEqual([]);
    });
  }
});
