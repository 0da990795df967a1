import { encodePlain, jsonEncoder } from '../../machinery/codec/json/encode.js';
import { decodeTyped } from '../../machinery/codec/typed/decode.js';
import { isJsonObject, type JsonObject, type JsonValue, type KubeObject } from '../../machinery/json.js';
import { catalog } from '../../machinery/scheme/catalog.js';
import type { SchemaNode, Type } from '../../machinery/scheme/type.js';
import { edit, list, obj, ptr, str, stringMap } from '../access.js';
import { goForm } from '../validation/goform.js';
import { flatMetric, flatMetricStatus, nestedMetric, nestedMetricStatus } from './autoscaling-metrics.js';
import type { ConverterTable } from './index.js';

const PREFIX = 'autoscaling.alpha.kubernetes.io/';
const METRICS = `${PREFIX}metrics`;
const CURRENT_METRICS = `${PREFIX}current-metrics`;
const CONDITIONS = `${PREFIX}conditions`;
const BEHAVIOR = `${PREFIX}behavior`;
const TOLERANCES = [`${PREFIX}scale-down-tolerance`, `${PREFIX}scale-up-tolerance`];

const DEFAULT_CPU_UTILIZATION = 80;

const typeOf = (name: string): Type => catalog().type(`io.k8s.api.autoscaling.${name}`);

/** Annotations that carry fields of v2 mean nothing on an object that has these fields. */
export function dropCarriedFields(object: KubeObject): void {
  const { annotations } = object.metadata;
  if (!annotations) return;
  for (const name of [METRICS, CURRENT_METRICS, CONDITIONS, BEHAVIOR, ...TOLERANCES]) delete annotations[name];
  if (Object.keys(annotations).length === 0) delete object.metadata.annotations;
}

/** Field names as the type writes them: Go reads JSON whatever the case of its names. */
function foldNames(node: SchemaNode, value: JsonValue): JsonValue {
  if (Array.isArray(value)) return value.map((e) => (node.items ? foldNames(node.items, e) : e));
  if (node.kind !== 'struct' || !isJsonObject(value)) return value;
  const out: JsonObject = {};
  for (const name of Object.keys(value)) {
    const field = node.type!.field.get(name) ?? node.type!.fields.find((f) => sameFold(f.name, name));
    const v = value[name];
    if (field && v !== undefined) out[field.name] = foldNames(field.node, v);
  }
  return out;
}
const sameFold = (a: string, b: string): boolean => a.toLowerCase() === b.toLowerCase();

/** What an annotation holds; undefined when there is none or it is not of that type, which is no error. */
function carried(annotations: Record<string, string>, name: string, type: Type, many: boolean): JsonValue | undefined {
  const text = annotations[name];
  if (text === undefined) return undefined;
  const read = (v: JsonValue) => decodeTyped(type, foldNames({ kind: 'struct', type }, v)).object;
  try {
    const value = JSON.parse(text) as JsonValue;
    if (!many) return read(value);
    return value === null ? [] : Array.isArray(value) ? value.map(read) : undefined;
  } catch {
    return undefined;
  }
}
function carriedList(object: KubeObject, name: string, type: string): JsonObject[] | undefined {
  return carried(stringMap(object.metadata, 'annotations'), name, typeOf(type), true) as JsonObject[] | undefined;
}

const cpuUtilization = (percent: JsonValue): JsonObject => ({
  type: 'Resource',
  resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: percent } },
});

/** The metrics of v1: CPU alone. */
function cpuTarget(metric: JsonObject): JsonValue | undefined {
  const resource = ptr(metric, 'resource');
  if (str(metric, 'type') !== 'Resource' || str(resource, 'name') !== 'cpu') return undefined;
  return ptr(resource, 'target')?.averageUtilization;
}

function toV2(object: KubeObject): void {
  const annotations = stringMap(object.metadata, 'annotations');
  edit(object, 'spec', (spec) => {
    const cpu = spec.targetCPUUtilizationPercentage;
    delete spec.targetCPUUtilizationPercentage;
    const metrics = (carriedList(object, METRICS, 'v1.MetricSpec') ?? []).map(nestedMetric);
    if (cpu !== undefined) metrics.push(cpuUtilization(cpu));
    spec.metrics = metrics.length > 0 ? metrics : [cpuUtilization(DEFAULT_CPU_UTILIZATION)];
    const behavior = carried(annotations, BEHAVIOR, typeOf('v2.HorizontalPodAutoscalerBehavior'), false);
    if (isJsonObject(behavior) && Object.keys(behavior).length > 0) spec.behavior = behavior;
  });
  edit(object, 'status', (status) => {
    const cpu = status.currentCPUUtilizationPercentage;
    delete status.currentCPUUtilizationPercentage;
    const current = carriedList(object, CURRENT_METRICS, 'v1.MetricStatus');
    // The annotation says more than the field.
    if (current) status.currentMetrics = current.map(nestedMetricStatus);
    else if (cpu !== undefined)
      status.currentMetrics = [{ type: 'Resource', resource: { name: 'cpu', current: { averageUtilization: cpu } } }];
    const conditions = carriedList(object, CONDITIONS, 'v1.HorizontalPodAutoscalerCondition');
    if (conditions && conditions.length > 0) status.conditions = conditions;
  });
  dropCarriedFields(object);
}

function toV1(object: KubeObject): void {
  dropCarriedFields(object);
  const carry: Record<string, string> = {};
  const encodeList = (type: string, values: JsonObject[]) =>
    `[${values.map((v) => jsonEncoder(typeOf(type))(v)).join()}]`;
  edit(object, 'spec', (spec) => {
    const metrics = list(spec, 'metrics');
    const cpu = metrics.map(cpuTarget).find((v) => v !== undefined);
    const others = metrics.filter((m) => cpuTarget(m) === undefined);
    if (others.length > 0) carry[METRICS] = encodeList('v1.MetricSpec', others.map(flatMetric));
    if (spec.behavior !== undefined)
      carry[BEHAVIOR] = encodePlain(goForm('autoscaling.v2.HorizontalPodAutoscalerBehavior', spec.behavior) ?? null);
    delete spec.metrics;
    delete spec.behavior;
    if (cpu !== undefined) spec.targetCPUUtilizationPercentage = cpu;
  });
  edit(object, 'status', (status) => {
    const metrics = list(status, 'currentMetrics');
    if (metrics.length > 0) carry[CURRENT_METRICS] = encodeList('v1.MetricStatus', metrics.map(flatMetricStatus));
    const conditions = list(status, 'conditions');
    if (conditions.length > 0) carry[CONDITIONS] = encodeList('v1.HorizontalPodAutoscalerCondition', conditions);
    delete status.currentMetrics;
    delete status.conditions;
    for (const metric of metrics) {
      const resource = ptr(metric, 'resource');
      const percent = obj(resource, 'current').averageUtilization;
      if (str(metric, 'type') === 'Resource' && str(resource, 'name') === 'cpu' && percent !== undefined)
        status.currentCPUUtilizationPercentage = percent;
    }
  });
  if (Object.keys(carry).length > 0) object.metadata.annotations = { ...object.metadata.annotations, ...carry };
}

/** Both ways between v1 and v2. Lossless but for the order of metrics: v1 has CPU last. */
export const horizontalPodAutoscaler: ConverterTable = {
  'autoscaling/v1→autoscaling/v2': toV2,
  'autoscaling/v2→autoscaling/v1': toV1,
};
