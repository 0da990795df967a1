import type { JsonObject, KubeObject } from '../../../machinery/json.js';
import { list, obj, str } from '../../access.js';
import { age, humanDuration } from '../age.js';
import type { RowCondition, RowPrinter } from '../contract.js';
import { conditionStatus, isDeleted, nameOf, orNone } from '../text.js';
import { containerStates, deletionReason } from './pod-status.js';

const finished = (reason: string, message: string): RowCondition => ({
  type: 'Completed',
  status: 'True',
  reason,
  message,
});
const FINISHED: ReadonlyMap<string, RowCondition> = new Map([
  ['Succeeded', finished('Succeeded', 'The pod has completed successfully.')],
  ['Failed', finished('Failed', 'The pod failed.')],
]);

export const pod: RowPrinter = {
  cells(object, now) {
    const spec = obj(object, 'spec');
    const status = obj(object, 'status');
    const { ready, total, reason, restarts, lastRestart } = containerStates(spec, status);
    const ago = restarts > 0 && lastRestart !== undefined ? ` (${humanDuration(now - lastRestart)} ago)` : '';
    return [
      nameOf(object),
      `${ready}/${total}`,
      (isDeleted(object) && deletionReason(status)) || reason,
      `${restarts}${ago}`,
      age(object, now),
      orNone(str(status, 'podIP') || str(list(status, 'podIPs')[0], 'ip')),
      orNone(str(spec, 'nodeName')),
      orNone(str(status, 'nominatedNodeName')),
      readinessGates(spec, status),
    ];
  },
  conditions(object: KubeObject) {
    const condition = FINISHED.get(str(obj(object, 'status'), 'phase'));
    return condition && [condition];
  },
};

/** How many of the gates are open. */
function readinessGates(spec: JsonObject, status: JsonObject): string {
  const gates = list(spec, 'readinessGates');
  if (gates.length === 0) return '<none>';
  const open = gates.filter((gate) => conditionStatus(status, str(gate, 'conditionType')) === 'True');
  return `${open.length}/${gates.length}`;
}
