import { list, obj, str } from '../../api/access.js';
import type { JsonObject, KubeObject } from '../../machinery/json.js';

/** Sets a condition of a pod; the transition time stays while the status does. Changes the pod in place. */
export function setCondition(
  pod: KubeObject,
  condition: JsonObject & { type: string; status: string },
  now: string,
): void {
  const status = obj(pod, 'status');
  const conditions = [...list(status, 'conditions')];
  const i = conditions.findIndex((c) => str(c, 'type') === condition.type);
  const before = conditions[i];
  const unchanged = before && str(before, 'status') === condition.status;
  const next = { ...condition, lastTransitionTime: unchanged ? before.lastTransitionTime : now };
  if (i < 0) conditions.push(next);
  else conditions[i] = next;
  pod.status = { ...status, conditions };
}

export const isReady = (pod: KubeObject): boolean =>
  list(obj(pod, 'status'), 'conditions').some((c) => str(c, 'type') === 'Ready' && str(c, 'status') === 'True');
