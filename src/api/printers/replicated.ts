import type { JsonValue, KubeObject } from '../../machinery/json.js';
import { num, obj } from '../access.js';
import { age } from './age.js';
import { containerCells, nameOf, templateSpec } from './text.js';

/** The cells of a ReplicaSet and of what it was once called, a ReplicationController: they differ in their selectors. */
export function replicatedCells(object: KubeObject, now: number, selector: string): JsonValue[] {
  const spec = obj(object, 'spec');
  const status = obj(object, 'status');
  return [
    nameOf(object),
    num(spec, 'replicas'),
    num(status, 'replicas'),
    num(status, 'readyReplicas'),
    age(object, now),
    ...containerCells(templateSpec(spec)),
    selector,
  ];
}
