import {
  forbiddenField,
  invalidValue,
  notSupported,
  type Path,
  required as requiredError,
} from '../../machinery/field.js';
import type { JsonObject } from '../../machinery/json.js';
import { num, obj, ptr, str } from '../access.js';
import { quantity, validateContainerResourceName } from '../core/pod/resources.js';
import {
  type Check,
  dnsLabel,
  ifPresent,
  pathSegment,
  type Rule,
  required,
  requiredWith,
  satisfies,
  struct,
  whole,
} from '../validation/index.js';

/** What an object reference of an autoscaler may leave open about its apiVersion. */
export interface ReferenceOptions {
  readonly anyVersion: boolean;
  readonly coreGroup: boolean;
}
interface MetricsCheck extends Check {
  readonly described: ReferenceOptions;
}

/** What is wrong with the apiVersion of a reference. */
export function apiVersionFault(apiVersion: string, options: ReferenceOptions): string | undefined {
  if (options.anyVersion) return undefined;
  const parts = apiVersion.split('/');
  if (parts.length > 2) return `unexpected GroupVersion string: ${apiVersion}`;
  const group = parts.length === 2 ? parts[0] : '';
  return group === '' && !options.coreGroup ? 'apiVersion must specify API group' : undefined;
}

const names = struct('autoscaling.v2.CrossVersionObjectReference', {
  kind: required(pathSegment),
  name: required(pathSegment),
});
/** autoscaling.v2.CrossVersionObjectReference. */
export function validateReference(ref: JsonObject, options: ReferenceOptions, at: Path, c: Check): void {
  names(ref, at, c);
  const apiVersion = str(ref, 'apiVersion');
  const fault = apiVersionFault(apiVersion, options);
  if (fault) c.errors.push(invalidValue(at.child('apiVersion'), apiVersion, fault));
}

const positiveAmount: Rule = (v, at, c) => {
  if (quantity(v).sign() !== 1) c.errors.push(invalidValue(at, v, 'must be positive'));
};
const TARGET_TYPES = ['Utilization', 'Value', 'AverageValue'];
const targetRules = struct('autoscaling.v2.MetricTarget', {
  type: (v, at, c) => {
    if (v === '') c.errors.push(requiredError(at, 'must specify a metric target type'));
    if (!TARGET_TYPES.includes(v as string))
      c.errors.push(invalidValue(at, v, 'must be either Utilization, Value, or AverageValue'));
  },
  value: ifPresent(positiveAmount),
  averageValue: ifPresent(positiveAmount),
  averageUtilization: ifPresent(satisfies((n) => n >= 1, 'must be greater than 0')),
});

/** Of the two ways to state the target at least one must be used; `both`: and only one. */
function targetOf(a: string, b: string, reportedAt: string, none: string, both?: { at: string; text: string }): Rule {
  return (v, at, c) => {
    targetRules(v, at, c);
    const target = (v ?? {}) as JsonObject;
    if (target[a] === undefined && target[b] === undefined) c.errors.push(requiredError(at.child(reportedAt), none));
    if (both && target[a] !== undefined && target[b] !== undefined)
      c.errors.push(forbiddenField(at.child(both.at), both.text));
  };
}
const rawOrUse = targetOf(
  'averageUtilization',
  'averageValue',
  'averageUtilization',
  'must set either a target raw value or a target utilization',
  { at: 'averageValue', text: 'may not set both a target raw value and a target utilization' },
);

const metric = struct('autoscaling.v2.MetricIdentifier', {
  name: requiredWith('must specify a metric name', pathSegment),
});

/** In the order in which they are looked at. */
const SOURCES: Readonly<Record<string, Rule<MetricsCheck>>> = {
  object: struct<MetricsCheck>('autoscaling.v2.ObjectMetricSource', {
    describedObject: (v, at, c) => validateReference((v ?? {}) as JsonObject, c.described, at, c),
    metric,
    target: targetOf('value', 'averageValue', 'averageValue', 'must set either a target value or averageValue'),
  }),
  external: struct('autoscaling.v2.ExternalMetricSource', {
    metric,
    target: targetOf(
      'value',
      'averageValue',
      'averageValue',
      'must set either a target value for metric or a per-pod target',
      { at: 'value', text: 'may not set both a target value for metric and a per-pod target' },
    ),
  }),
  pods: struct('autoscaling.v2.PodsMetricSource', {
    metric,
    target: targetOf('averageValue', 'averageValue', 'averageValue', 'must specify a positive target averageValue'),
  }),
  resource: struct('autoscaling.v2.ResourceMetricSource', {
    name: requiredWith('must specify a resource name'),
    target: rawOrUse,
  }),
  containerResource: struct('autoscaling.v2.ContainerResourceMetricSource', {
    name: requiredWith('must specify a resource name', (v, at, c) => validateContainerResourceName(String(v), at, c)),
    container: requiredWith('must specify a container', dnsLabel),
    target: rawOrUse,
  }),
};
const FIELD_OF: Readonly<Record<string, string>> = {
  ContainerResource: 'containerResource',
  External: 'external',
  Object: 'object',
  Pods: 'pods',
  Resource: 'resource',
};
const TYPES = Object.keys(FIELD_OF);

const metricSpec: Rule<MetricsCheck> = whole((spec, at, c) => {
  const type = str(spec, 'type');
  const unsupported = () => c.errors.push(notSupported(at.child('type'), type, TYPES));
  if (type === '') c.errors.push(requiredError(at.child('type'), 'must specify a metric source type'));
  if (!TYPES.includes(type)) unsupported();
  const present = Object.keys(SOURCES).filter((name) => spec[name] !== undefined);
  const first = present[0];
  if (first) SOURCES[first]!(spec[first], at.child(first), c);
  const expected = TYPES.includes(type) ? FIELD_OF[type]! : undefined;
  if (!expected) unsupported();
  else if (spec[expected] === undefined)
    c.errors.push(requiredError(at.child(expected), 'must populate information for the given metric source'));
  if (present.length > 1)
    for (const name of present.filter((n) => n !== expected))
      c.errors.push(forbiddenField(at.child(name), 'must populate the given metric source only'));
});

/** What an autoscaler goes by. Without replicas only what comes from outside of the pods can be measured. */
export function validateMetrics(spec: JsonObject, described: ReferenceOptions, at: Path, c: Check): void {
  const check: MetricsCheck = { ...c, described };
  const metrics = Array.isArray(spec.metrics) ? (spec.metrics as JsonObject[]) : [];
  metrics.forEach((m, i) => {
    metricSpec(m, at.index(i), check);
  });
  const toZero = spec.minReplicas !== undefined && num(spec, 'minReplicas') === 0;
  if (toZero && !metrics.some((m) => ['Object', 'External'].includes(str(m, 'type'))))
    c.errors.push(
      forbiddenField(at, 'must specify at least one Object or External metric to support scaling to zero replicas'),
    );
}

/** Whether some metric describes an object in a way that is refused today. */
export function describesOddly(metrics: readonly JsonObject[], options: ReferenceOptions): boolean {
  return metrics.some((m) => {
    const described = ptr(m, 'object');
    if (str(m, 'type') !== 'Object' || !described) return false;
    return apiVersionFault(str(obj(described, 'describedObject'), 'apiVersion'), options) !== undefined;
  });
}
