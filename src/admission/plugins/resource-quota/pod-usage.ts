import { list, obj, ptr, str } from '../../../api/access.js';
import type { JsonObject, KubeObject } from '../../../machinery/json.js';
import { type PodResourcesOptions, podResources, type Side } from '../pod-resources.js';
import { type ResourceList, raiseInto, resourceList } from '../resource-list.js';

/**
 * What a pod's containers take, while they are being resized, too (KEP-1287): the most of what is wanted, what the node
 * agreed to and what is in effect; a wish that the node can't fulfil does not count.
 */
export function actualPodResources(
  pod: KubeObject,
  side: Side,
  podLevel: PodResourcesOptions['podLevel'],
): ResourceList {
  const status = obj(pod, 'status');
  const statuses = new Map(
    ['containerStatuses', 'initContainerStatuses'].flatMap((f) => list(status, f)).map((s) => [str(s, 'name'), s]),
  );
  const pending = list(status, 'conditions').find((c) => str(c, 'type') === 'PodResizePending');
  const infeasible = str(pending, 'reason') === 'Infeasible';
  const ofContainer = (container: JsonObject, kind: 'containers' | 'initContainers'): ResourceList => {
    const wanted = resourceList(obj(obj(container, 'resources'), side));
    const running = kind === 'containers' || str(container, 'restartPolicy') === 'Always';
    const found = running ? statuses.get(str(container, 'name')) : undefined;
    if (!found || !ptr(found, 'resources')) return wanted;
    const amounts: ResourceList = infeasible ? new Map() : wanted;
    raiseInto(amounts, resourceList(obj(obj(found, 'resources'), side)));
    if (side === 'requests') raiseInto(amounts, resourceList(obj(found, 'allocatedResources')));
    return amounts;
  };
  return podResources(pod, side, { ofContainer, podLevel });
}
