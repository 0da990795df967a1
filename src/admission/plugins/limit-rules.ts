import { list, obj, str } from '../../api/access.js';
import type { JsonObject, KubeObject } from '../../machinery/json.js';
import { Quantity } from '../../machinery/quantity.js';
import { podResources } from './pod-resources.js';
import { type ResourceList, resourceList } from './resource-list.js';

/** Beyond it thousandths do not fit into an int64, and whole units are compared. */
const MAX_MILLI = (2n ** 63n - 1n) / 1000n;
const ZERO = Quantity.of(0);

interface Amounts {
  readonly requests: ResourceList;
  readonly limits: ResourceList;
}

/** What a claim asks for against the limits of type PersistentVolumeClaim. */
export function claimFaults(limits: readonly JsonObject[], claim: KubeObject): string[] {
  const requests = resourceList(obj(obj(obj(claim, 'spec'), 'resources'), 'requests'));
  const faults: string[] = [];
  for (const limit of limits) {
    const type = str(limit, 'type');
    if (type !== 'PersistentVolumeClaim') continue;
    for (const [name, q] of resourceList(obj(limit, 'min'))) {
      add(faults, belowMin(type, name, q, { requests, limits: new Map() }));
    }
    for (const [name, q] of resourceList(obj(limit, 'max'))) add(faults, requestAboveMax(type, name, q, requests));
  }
  return faults;
}

/** Each container, init containers included, against limits of type Container; their sum against those of type Pod. */
export function podFaults(limits: readonly JsonObject[], pod: KubeObject, podLevel: boolean): string[] {
  const faults: string[] = [];
  const spec = obj(pod, 'spec');
  for (const limit of limits) {
    const type = str(limit, 'type');
    if (type === 'Container') {
      for (const container of [...list(spec, 'containers'), ...list(spec, 'initContainers')]) {
        const resources = obj(container, 'resources');
        const requests = resourceList(obj(resources, 'requests'));
        check(faults, limit, { requests, limits: resourceList(obj(resources, 'limits')) });
      }
    } else if (type === 'Pod') {
      const options = podLevel ? { podLevel: (name: string) => name === 'cpu' || name === 'memory' } : {};
      const requests = podResources(pod, 'requests', options);
      check(faults, limit, { requests, limits: podResources(pod, 'limits', options) });
    }
  }
  return faults;
}

function add(faults: string[], fault: string | undefined): void {
  if (fault) faults.push(fault);
}

function check(faults: string[], limit: JsonObject, amounts: Amounts): void {
  const type = str(limit, 'type');
  for (const [name, q] of resourceList(obj(limit, 'min'))) add(faults, belowMin(type, name, q, amounts));
  for (const [name, q] of resourceList(obj(limit, 'max'))) add(faults, aboveMax(type, name, q, amounts));
  for (const [name, q] of resourceList(obj(limit, 'maxLimitRequestRatio'))) {
    add(faults, aboveRatio(type, name, q, amounts));
  }
}

/** The amounts as integers of one unit: thousandths if all of them fit. */
function comparable(...amounts: readonly (Quantity | undefined)[]): bigint[] {
  const whole = amounts.map((q) => (q ?? ZERO).valueRounded());
  return whole.every((v) => v <= MAX_MILLI) ? amounts.map((q) => (q ?? ZERO).milliValue()) : whole;
}

function belowMin(type: string, name: string, min: Quantity, amounts: Amounts): string | undefined {
  const request = amounts.requests.get(name);
  const limit = amounts.limits.get(name);
  const [r = 0n, l = 0n, m = 0n] = comparable(request, limit, min);
  const what = `minimum ${name} usage per ${type} is ${min}`;
  if (!request) return `${what}.  No request is specified`;
  if (r < m) return `${what}, but request is ${request}`;
  return limit && l < m ? `${what}, but limit is ${limit}` : undefined;
}

function requestAboveMax(type: string, name: string, max: Quantity, requests: ResourceList): string | undefined {
  const request = requests.get(name);
  const [r = 0n, m = 0n] = comparable(request, max);
  const what = `maximum ${name} usage per ${type} is ${max}`;
  if (!request) return `${what}.  No request is specified`;
  return r > m ? `${what}, but request is ${request}` : undefined;
}

function aboveMax(type: string, name: string, max: Quantity, amounts: Amounts): string | undefined {
  const request = amounts.requests.get(name);
  const limit = amounts.limits.get(name);
  const [r = 0n, l = 0n, m = 0n] = comparable(request, limit, max);
  const what = `maximum ${name} usage per ${type} is ${max}`;
  if (!limit) return `${what}.  No limit is specified`;
  if (l > m) return `${what}, but limit is ${limit}`;
  return request && r > m ? `${what}, but request is ${request}` : undefined;
}

function aboveRatio(type: string, name: string, max: Quantity, amounts: Amounts): string | undefined {
  const [r = 0n, l = 0n] = comparable(amounts.requests.get(name), amounts.limits.get(name), max);
  const what = `${name} max limit to request ratio per ${type} is ${max}`;
  if (r === 0n) return `${what}, but no request is specified or request is 0`;
  if (l === 0n) return `${what}, but no limit is specified or limit is 0`;
  const ratio = Number(l) / Number(r);
  const milli = max.valueRounded() <= MAX_MILLI;
  const exceeded = milli ? ratio * 1000 > Number(max.milliValue()) : ratio > Number(max.valueRounded());
  return exceeded ? `${what}, but provided ratio is ${ratio.toFixed(6)}` : undefined;
}
