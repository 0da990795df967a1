import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Random, randomObject } from '../../machinery/codec/random.suite.js';
import { decodeTyped } from '../../machinery/codec/typed/decode.js';
import { apiVersionOf, cloneJson, equalJson, type JsonObject, type KubeObject } from '../../machinery/json.js';
import { catalog } from '../../machinery/scheme/catalog.js';
import { resourceCatalog } from '../../machinery/scheme/resources.js';
import type { Type } from '../../machinery/scheme/type.js';
import { list, obj, ptr } from '../access.js';
import { type ApiVersion, convert } from './index.js';

interface Pair {
  kind: string;
  from: ApiVersion;
  to: ApiVersion;
}
const typeOf = (kind: string, gv: ApiVersion): Type => catalog().byGvk(gv.group, gv.version, kind)!;
const name = (p: Pair) => `${p.kind} ${apiVersionOf(p.from)} → ${apiVersionOf(p.to)}`;

/** Every two versions at which the same objects are served. */
const pairs: Pair[] = resourceCatalog().resources.flatMap((a) =>
  resourceCatalog()
    .resources.filter((b) => b !== a && b.kind === a.kind && (b.group === a.group || a.kind === 'Event'))
    .map((b) => ({ kind: a.kind, from: a, to: b })),
);

function randomAt(p: Pair, seed: number): KubeObject {
  const object = randomObject(typeOf(p.kind, p.from), new Random(seed), 7) as KubeObject;
  object.metadata ??= {};
  object.apiVersion = apiVersionOf(p.from);
  return object;
}

const sources = fc.tuple(fc.constantFrom(...pairs), fc.integer());

/** The few states that the other version cannot tell apart, and that validation refuses or defaults. */
function canonical(object: KubeObject): KubeObject {
  const spec = obj(object, 'spec');
  for (const claim of [spec, obj(spec, 'spec')])
    for (const request of list(ptr(claim, 'devices'), 'requests'))
      if (Object.keys(ptr(request, 'exactly') ?? { a: 1 }).length === 0) delete request.exactly;
  if (object.apiVersion === 'resource.k8s.io/v1beta1')
    for (const device of Array.isArray(spec.devices) ? list(spec, 'devices') : []) device.basic ??= {};
  if (spec.nodeName === '') delete spec.nodeName;
  if (spec.allNodes === false) delete spec.allNodes;
  if (Object.keys(spec).length === 0) delete object.spec;
  return object;
}

const there = (p: Pair, object: KubeObject) => convert(p.kind, cloneJson(object), p.from, p.to);
const back = (p: Pair, object: KubeObject) => convert(p.kind, cloneJson(object), p.to, p.from);

describe('conversion between served versions', () => {
  it('gives an object that the other version knows every field of', () => {
    fc.assert(
      fc.property(sources, ([p, seed]) => {
        const { unknown } = decodeTyped(typeOf(p.kind, p.to), there(p, randomAt(p, seed)), { strict: true });
        expect(unknown, name(p)).toEqual([]);
      }),
      { numRuns: 1000 },
    );
  });

  it('there and back is identity', () => {
    const lossless = sources.filter(([p]) => p.kind !== 'HorizontalPodAutoscaler');
    fc.assert(
      fc.property(lossless, ([p, seed]) => {
        const object = canonical(randomAt(p, seed));
        const again = canonical(back(p, there(p, object)));
        if (!equalJson(again, object)) expect(again, name(p)).toEqual(object);
      }),
      { numRuns: 2000 },
    );
  });

  it('keeps what it does not know a converter for, and the apiVersion is the asked one', () => {
    const policy = { apiVersion: 'policy/v1', kind: 'PodDisruptionBudget', metadata: {}, spec: { minAvailable: 1 } };
    const at = { group: 'policy', version: 'v1' };
    expect(convert('PodDisruptionBudget', cloneJson(policy), at, at)).toEqual(policy);
  });
});

const V1 = { group: 'autoscaling', version: 'v1' };
const V2 = { group: 'autoscaling', version: 'v2' };
const hpa = (part: JsonObject, annotations?: Record<string, string>): KubeObject => ({
  metadata: annotations ? { annotations } : {},
  ...part,
});
const down = (object: KubeObject) => convert('HorizontalPodAutoscaler', cloneJson(object), V2, V1);
const up = (object: KubeObject) => convert('HorizontalPodAutoscaler', cloneJson(object), V1, V2);

describe('HorizontalPodAutoscaler', () => {
  const quantity = fc.constantFrom('1', '100m', '64Mi', '1500m');
  const percent = fc.integer({ min: 1, max: 500 });
  const selector = fc.option(fc.constant({ matchLabels: { a: '<b>' } }), { nil: undefined });
  const metric = selector.map((s) => ({ name: 'm', ...(s ? { selector: s } : {}) }));
  const described = fc.constant({ kind: 'Service', name: 's' });
  const byValue = quantity.map((value) => ({ type: 'Value', value }));
  const byAverage = quantity.map((averageValue) => ({ type: 'AverageValue', averageValue }));
  const byUse = percent.map((averageUtilization) => ({ type: 'Utilization', averageUtilization }));
  const metricSpec = fc.oneof(
    fc.record({
      type: fc.constant('Resource'),
      resource: fc.record({ name: fc.constant('memory'), target: fc.oneof(byUse, byAverage) }),
    }),
    fc.record({
      type: fc.constant('ContainerResource'),
      containerResource: fc.record({
        name: fc.constant('cpu'),
        container: fc.constant('c'),
        target: fc.oneof(byUse, byAverage),
      }),
    }),
    fc.record({ type: fc.constant('Pods'), pods: fc.record({ metric, target: byAverage }) }),
    fc.record({
      type: fc.constant('Object'),
      object: fc.record({ describedObject: described, metric, target: fc.oneof(byValue, byAverage) }),
    }),
    fc.record({ type: fc.constant('External'), external: fc.record({ metric, target: fc.oneof(byValue, byAverage) }) }),
  );
  const cpu = percent.map((averageUtilization) => ({
    type: 'Resource',
    resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization } },
  }));
  const metrics = fc
    .tuple(fc.array(metricSpec, { maxLength: 4 }), fc.option(cpu, { nil: undefined }))
    .map(([others, last]) => (last ? [...others, last] : others))
    .filter((all) => all.length > 0);
  const current = fc.oneof(
    quantity.map((averageValue) => ({
      type: 'Resource',
      resource: { name: 'cpu', current: { averageValue, averageUtilization: 5 } },
    })),
    quantity.map((value) => ({ type: 'External', external: { metric: { name: 'q' }, current: { value } } })),
  );
  const rules = fc.record({
    stabilizationWindowSeconds: fc.nat(3600),
    selectPolicy: fc.constant('Min'),
    policies: fc.constant<JsonObject[]>([{ type: 'Pods', value: 4, periodSeconds: 15 }]),
    tolerance: quantity,
  });

  it('of v2 comes back from v1 whole', () => {
    const whole = fc.record(
      {
        metrics,
        behavior: fc.record({ scaleUp: rules, scaleDown: rules }, { requiredKeys: ['scaleUp'] }),
        currentMetrics: fc.array(current, { minLength: 1, maxLength: 3 }),
        conditions: fc.constant<JsonObject[]>([{ type: 'AbleToScale', status: 'True', reason: 'R', message: 'a & b' }]),
      },
      { requiredKeys: ['metrics'] },
    );
    fc.assert(
      fc.property(whole, ({ metrics: m, behavior, currentMetrics, conditions }) => {
        const status: JsonObject = { ...(currentMetrics && { currentMetrics }), ...(conditions && { conditions }) };
        const spec: JsonObject = { maxReplicas: 3, metrics: m as JsonObject[], behavior };
        const object = cloneJson(hpa(Object.keys(status).length > 0 ? { spec, status } : { spec }));
        expect(up(down(object))).toEqual({ ...object, apiVersion: 'autoscaling/v2' });
      }),
      { numRuns: 500 },
    );
  });

  it('has its CPU target as a field of v1, and the rest in annotations', () => {
    const cpuMetric = {
      type: 'Resource',
      resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 7 } },
    };
    const pods = {
      type: 'Pods',
      pods: { metric: { name: 'hits' }, target: { type: 'AverageValue', averageValue: '1k' } },
    };
    const v1 = down(
      hpa(
        { spec: { metrics: [cpuMetric, pods], behavior: { scaleDown: { selectPolicy: 'Max' } } } },
        { mine: 'x', 'autoscaling.alpha.kubernetes.io/conditions': 'stale' },
      ),
    );
    expect(v1.spec).toEqual({ targetCPUUtilizationPercentage: 7 });
    expect(v1.metadata.annotations).toEqual({
      mine: 'x',
      'autoscaling.alpha.kubernetes.io/metrics':
        '[{"type":"Pods","pods":{"metricName":"hits","targetAverageValue":"1k"}}]',
      'autoscaling.alpha.kubernetes.io/behavior':
        '{"ScaleUp":null,"ScaleDown":{"StabilizationWindowSeconds":null,"SelectPolicy":"Max","Policies":null,"Tolerance":null}}',
    });
  });

  it('without any target is one of 80 % CPU', () => {
    expect(up(hpa({ spec: { maxReplicas: 3 } })).spec).toEqual({
      maxReplicas: 3,
      metrics: [
        { type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 80 } } },
      ],
    });
  });

  it('reads annotations whatever the case of their names, and ignores broken ones', () => {
    const at = (metrics: string, behavior: string) =>
      up(
        hpa(
          { spec: { targetCPUUtilizationPercentage: 5 } },
          {
            'autoscaling.alpha.kubernetes.io/metrics': metrics,
            'autoscaling.alpha.kubernetes.io/behavior': behavior,
          },
        ),
      );
    const good = at('[{"Type":"Pods","PODS":{"metricname":"m"}}]', '{"scaleup":{"SELECTPOLICY":"Min"}}');
    expect(list(obj(good, 'spec'), 'metrics')[0]).toEqual({
      type: 'Pods',
      pods: { metric: { name: 'm' }, target: { type: 'AverageValue', averageValue: '0' } },
    });
    expect(obj(good, 'spec').behavior).toEqual({ scaleUp: { selectPolicy: 'Min' } });
    expect(good.metadata.annotations).toBeUndefined();
    for (const broken of ['', '{', '[1]', '{"a":1}', '[{"type":3}]', '"x"', 'null']) {
      const spec = obj(at(broken, broken), 'spec');
      expect(list(spec, 'metrics')).toHaveLength(1);
      expect(spec.behavior).toBeUndefined();
    }
  });
});
