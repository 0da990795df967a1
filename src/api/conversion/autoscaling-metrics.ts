import type { JsonObject } from '../../machinery/json.js';
import { edit, ptr, str } from '../access.js';

// autoscaling/v1 has no metrics but CPU. What v2 knows beyond it travels in annotations, in a flat form of its own
// (types autoscaling.v1.MetricSpec and MetricStatus, which no endpoint serves): `target.averageValue` of v2 stands there
// as `targetAverageValue`, and so on.

/** `always`: no pointer in the flat form, so that it is never unset in v2. */
type Pair = readonly [flat: string, nested: readonly string[], always?: true];

interface Source {
  readonly pairs: readonly Pair[];
  /** `target.type`, which the flat form tells by what is set. */
  readonly type?: (flat: JsonObject) => string;
}

const utilizationOrValue = (flat: JsonObject) =>
  flat.targetAverageUtilization === undefined ? 'AverageValue' : 'Utilization';
const RESOURCE: readonly Pair[] = [
  ['name', ['name']],
  ['targetAverageUtilization', ['target', 'averageUtilization']],
  ['targetAverageValue', ['target', 'averageValue']],
];
const RESOURCE_STATUS: readonly Pair[] = [
  ['name', ['name']],
  ['currentAverageUtilization', ['current', 'averageUtilization']],
  ['currentAverageValue', ['current', 'averageValue'], true],
];

const SPEC: Readonly<Record<string, Source>> = {
  resource: { pairs: RESOURCE, type: utilizationOrValue },
  containerResource: { pairs: [...RESOURCE, ['container', ['container']]], type: utilizationOrValue },
  object: {
    pairs: [
      ['target', ['describedObject']],
      ['metricName', ['metric', 'name']],
      ['targetValue', ['target', 'value']],
      ['selector', ['metric', 'selector']],
      ['averageValue', ['target', 'averageValue']],
    ],
    type: (flat) => (flat.averageValue === undefined ? 'Value' : 'AverageValue'),
  },
  pods: {
    pairs: [
      ['metricName', ['metric', 'name']],
      ['targetAverageValue', ['target', 'averageValue'], true],
      ['selector', ['metric', 'selector']],
    ],
    type: () => 'AverageValue',
  },
  external: {
    pairs: [
      ['metricName', ['metric', 'name']],
      ['metricSelector', ['metric', 'selector']],
      ['targetValue', ['target', 'value']],
      ['targetAverageValue', ['target', 'averageValue']],
    ],
    type: (flat) => (flat.targetValue === undefined ? 'AverageValue' : 'Value'),
  },
};

const STATUS: Readonly<Record<string, Source>> = {
  resource: { pairs: RESOURCE_STATUS },
  containerResource: { pairs: [...RESOURCE_STATUS, ['container', ['container']]] },
  object: {
    pairs: [
      ['target', ['describedObject']],
      ['metricName', ['metric', 'name']],
      ['currentValue', ['current', 'value'], true],
      ['selector', ['metric', 'selector']],
      ['averageValue', ['current', 'averageValue']],
    ],
  },
  pods: {
    pairs: [
      ['metricName', ['metric', 'name']],
      ['currentAverageValue', ['current', 'averageValue'], true],
      ['selector', ['metric', 'selector']],
    ],
  },
  external: {
    pairs: [
      ['metricName', ['metric', 'name']],
      ['metricSelector', ['metric', 'selector']],
      ['currentValue', ['current', 'value'], true],
      ['currentAverageValue', ['current', 'averageValue']],
    ],
  },
};

function flatten(metric: JsonObject, sources: Readonly<Record<string, Source>>): JsonObject {
  const out: JsonObject = { type: str(metric, 'type') };
  for (const [name, { pairs }] of Object.entries(sources)) {
    const nested = ptr(metric, name);
    if (!nested) continue;
    const flat: JsonObject = {};
    out[name] = flat;
    for (const [to, [first, second]] of pairs) {
      const value = second === undefined ? nested[first!] : ptr(nested, first!)?.[second];
      if (value !== undefined) flat[to] = value;
    }
  }
  return out;
}

function nest(metric: JsonObject, sources: Readonly<Record<string, Source>>): JsonObject {
  const out: JsonObject = { type: str(metric, 'type') };
  for (const [name, { pairs, type }] of Object.entries(sources)) {
    const flat = ptr(metric, name);
    if (!flat) continue;
    const nested: JsonObject = {};
    out[name] = nested;
    for (const [from, [first, second], always] of pairs) {
      const value = flat[from] ?? (always ? '0' : undefined);
      if (value === undefined) continue;
      if (second === undefined) nested[first!] = value;
      else
        edit(nested, first!, (part) => {
          part[second] = value;
        });
    }
    if (type)
      edit(nested, 'target', (target) => {
        target.type = type(flat);
        if (name === 'object' && target.type === 'Value') target.value ??= '0';
      });
  }
  return out;
}

export const flatMetric = (metric: JsonObject): JsonObject => flatten(metric, SPEC);
export const nestedMetric = (metric: JsonObject): JsonObject => nest(metric, SPEC);
export const flatMetricStatus = (metric: JsonObject): JsonObject => flatten(metric, STATUS);
export const nestedMetricStatus = (metric: JsonObject): JsonObject => nest(metric, STATUS);
