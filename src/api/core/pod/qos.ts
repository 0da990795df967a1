import type { JsonObject } from '../../../machinery/json.js';
import type { Quantity } from '../../../machinery/quantity.js';
import { list, obj, ptr, str } from '../../access.js';
import { quantity } from './resources.js';

type Amounts = Map<string, Quantity>;
const COMPUTE = ['cpu', 'memory'];

/** Adds the cpu and memory that are above zero, and tells which those were. */
function collect(into: Amounts, amounts: JsonObject): Set<string> {
  const found = new Set<string>();
  for (const name of COMPUTE) {
    if (amounts[name] === undefined) continue;
    const q = quantity(amounts[name]);
    if (q.sign() <= 0) continue;
    found.add(name);
    into.set(name, into.get(name)?.add(q) ?? q);
  }
  return found;
}

/**
 * The class that decides whose pods go first when a node runs short: Guaranteed when every container is limited in cpu and
 * memory to what it requests, BestEffort when none says anything, else Burstable. Pod-level resources, where set, decide alone.
 */
export function computeQos(pod: JsonObject, podLevel: boolean): 'Guaranteed' | 'Burstable' | 'BestEffort' {
  const spec = obj(pod, 'spec');
  const own = ptr(spec, 'resources');
  const holders =
    podLevel && own
      ? [own]
      : [...list(spec, 'containers'), ...list(spec, 'initContainers')].map((c) => obj(c, 'resources'));
  const requests: Amounts = new Map();
  const limits: Amounts = new Map();
  let guaranteed = true;
  for (const resources of holders) {
    collect(requests, obj(resources, 'requests'));
    if (collect(limits, obj(resources, 'limits')).size < COMPUTE.length) guaranteed = false;
  }
  if (requests.size === 0 && limits.size === 0) return 'BestEffort';
  const equal = [...requests].every(([name, q]) => limits.get(name)?.compare(q) === 0);
  return guaranteed && equal && requests.size === limits.size ? 'Guaranteed' : 'Burstable';
}

/** The class that is recorded, else the computed one. */
export const qosOf = (pod: JsonObject, podLevel: boolean): string =>
  str(obj(pod, 'status'), 'qosClass') || computeQos(pod, podLevel);
