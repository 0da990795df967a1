import type { JsonObject } from '../../machinery/json.js';
import { list, num, obj, ptr, str } from '../access.js';
import { age } from './age.js';
import type { GroupPrinters } from './contract.js';
import { firstOf, nameOf, strOr } from './text.js';

const MAX_METRICS = 2;

export const autoscaling: GroupPrinters = {
  HorizontalPodAutoscaler: {
    cells(object, now) {
      const spec = obj(object, 'spec');
      const status = obj(object, 'status');
      const target = obj(spec, 'scaleTargetRef');
      const current = list(status, 'currentMetrics');
      const metrics = list(spec, 'metrics').map((metric, i) => metricText(metric, current[i]));
      return [
        nameOf(object),
        `${str(target, 'kind')}/${str(target, 'name')}`,
        metrics.length === 0 ? '<none>' : firstOf(metrics, MAX_METRICS, ', '),
        typeof spec.minReplicas === 'number' ? `${spec.minReplicas}` : '<unset>',
        num(spec, 'maxReplicas'),
        num(status, 'currentReplicas'),
        age(object, now),
      ];
    },
  },
  Scale: {
    cells: (object, now) => [
      nameOf(object),
      num(obj(object, 'spec'), 'replicas'),
      num(obj(object, 'status'), 'replicas'),
      age(object, now),
    ],
  },
};

const FIELDS: ReadonlyMap<string, string> = new Map([
  ['External', 'external'],
  ['Pods', 'pods'],
  ['Object', 'object'],
  ['Resource', 'resource'],
  ['ContainerResource', 'containerResource'],
]);
const UNKNOWN = '<unknown>';

/** `current/target` of a metric; the status at the same place in its list may be there or not, and of any type. */
function metricText(metric: JsonObject, status: JsonObject | undefined): string {
  const type = str(metric, 'type');
  const field = FIELDS.get(type);
  if (!field) return '<unknown type>';
  const source = obj(metric, field);
  const target = obj(source, 'target');
  const current = ptr(ptr(status, field), 'current');
  const averaged = target.averageValue !== undefined && target.averageValue !== null;
  if (type === 'Pods') return `${quantityOf(current, 'averageValue')}/${quantityOf(target, 'averageValue')}`;
  if (type === 'External' || type === 'Object') {
    if (!averaged) return `${quantityOf(current, 'value')}/${quantityOf(target, 'value')}`;
    return `${strOr(current, 'averageValue', UNKNOWN)}/${quantityOf(target, 'averageValue')} (avg)`;
  }
  const text = averaged
    ? `${quantityOf(current, 'averageValue')}/${quantityOf(target, 'averageValue')}`
    : `${percent(current, UNKNOWN)}/${percent(target, '<auto>')}`;
  return `${str(source, 'name')}: ${text}`;
}

/** A quantity; `<nil>` where a status holds another measure than the target. */
const quantityOf = (part: JsonObject | undefined, name: string): string =>
  part ? strOr(part, name, '<nil>') : UNKNOWN;

function percent(part: JsonObject | undefined, absent: string): string {
  const value = part?.averageUtilization;
  return typeof value === 'number' ? `${value}%` : absent;
}
