import { list, obj, ptr, str } from '../../api/access.js';
import type { JsonObject } from '../../machinery/json.js';
import { addInto, type ResourceList, raiseInto, resourceList } from './resource-list.js';

export type Side = 'requests' | 'limits';

export interface PodResourcesOptions {
  /** Amounts that a container uses, should they not be those of its spec. */
  readonly ofContainer?: (container: JsonObject, kind: 'containers' | 'initContainers') => ResourceList;
  /** Resource names that the pod as a whole may state, over the sum of its containers. None: it may not. */
  readonly podLevel?: (name: string) => boolean;
}

/**
 * What a pod's containers need at most at one time: the running ones together, or an init container together with the
 * sidecars that were started before it (KEP-753). Overhead is not in it.
 */
export function podResources(pod: JsonObject, side: Side, options: PodResourcesOptions = {}): ResourceList {
  const { podLevel } = options;
  const ofContainer = options.ofContainer ?? ((container) => resourceList(obj(obj(container, 'resources'), side)));
  const spec = obj(pod, 'spec');
  const sum: ResourceList = new Map();
  for (const container of list(spec, 'containers')) addInto(sum, ofContainer(container, 'containers'));
  const sidecars: ResourceList = new Map();
  const start: ResourceList = new Map();
  for (const container of list(spec, 'initContainers')) {
    const own = ofContainer(container, 'initContainers');
    if (str(container, 'restartPolicy') === 'Always') {
      addInto(sum, own);
      addInto(sidecars, own);
      raiseInto(start, sidecars);
    } else {
      const now = new Map(own);
      addInto(now, sidecars);
      raiseInto(start, now);
    }
  }
  raiseInto(sum, start);
  if (podLevel) {
    const whole = resourceList(obj(obj(spec, 'resources'), side));
    for (const [name, q] of whole) if (podLevel(name)) sum.set(name, q);
  }
  return sum;
}

/** What a pod may state for all its containers together (KEP-2837). */
export const isPodLevelResource = (name: string): boolean =>
  name === 'cpu' || name === 'memory' || name.startsWith('hugepages-');

/** Adds what running the pod costs beside its containers; to limits only where there is one. */
export function addOverhead(pod: JsonObject, side: Side, amounts: ResourceList): void {
  const overhead = ptr(obj(pod, 'spec'), 'overhead');
  if (!overhead) return;
  const more = resourceList(overhead);
  if (side === 'limits')
    for (const name of [...more.keys()]) if (amounts.get(name)?.isZero() ?? true) more.delete(name);
  addInto(amounts, more);
}
