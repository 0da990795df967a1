import { compareBytes } from '../../../machinery/go-format.js';
import type { JsonObject, KubeObject } from '../../../machinery/json.js';
import { bool, list, obj, str, stringMap } from '../../access.js';
import { age } from '../age.js';
import type { RowPrinter } from '../contract.js';
import { conditionStatus, nameOf, orNone } from '../text.js';

const ROLE_PREFIX = 'node-role.kubernetes.io/';
const ROLE = 'kubernetes.io/role';
const orUnknown = (text: string): string => text || '<unknown>';

export const node: RowPrinter = {
  cells(object, now) {
    const status = obj(object, 'status');
    const info = obj(status, 'nodeInfo');
    const architecture = str(info, 'architecture');
    return [
      nameOf(object),
      readiness(object),
      orNone(roles(object)),
      age(object, now),
      str(info, 'kubeletVersion'),
      address(status, 'InternalIP'),
      address(status, 'ExternalIP'),
      orUnknown(str(info, 'osImage')),
      `${orUnknown(str(info, 'kernelVersion'))}${architecture && ` (${architecture})`}`,
      orUnknown(str(info, 'containerRuntimeVersion')),
    ];
  },
};

function readiness(object: KubeObject): string {
  const ready = conditionStatus(obj(object, 'status'), 'Ready');
  const word = ready === 'True' ? 'Ready' : ready ? 'NotReady' : 'Unknown';
  return bool(obj(object, 'spec'), 'unschedulable') ? `${word},SchedulingDisabled` : word;
}

/** From the labels `node-role.kubernetes.io/<role>` and `kubernetes.io/role=<role>`. */
function roles(object: KubeObject): string {
  const found = new Set<string>();
  for (const [key, value] of Object.entries(stringMap(object.metadata, 'labels'))) {
    if (key.startsWith(ROLE_PREFIX)) found.add(key.slice(ROLE_PREFIX.length));
    else if (key === ROLE) found.add(value);
  }
  found.delete('');
  return [...found].sort(compareBytes).join(',');
}

/** The first address of a type. */
function address(status: JsonObject, type: string): string {
  const found = list(status, 'addresses').find((a) => str(a, 'type') === type);
  return found ? str(found, 'address') : '<none>';
}
