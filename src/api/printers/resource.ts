import type { KubeObject } from '../../machinery/json.js';
import { list, obj, ptr, str } from '../access.js';
import { age, since, time } from './age.js';
import type { GroupPrinters, RowPrinter } from './contract.js';
import { resourcePoolStatusRequest } from './resource-pool-status.js';
import { isDeleted, nameOf } from './text.js';

const nameAndAge: RowPrinter = { cells: (object, now) => [nameOf(object), age(object, now)] };

/** Dynamic resource allocation (KEP-4381). */
export const resource: GroupPrinters = {
  DeviceClass: nameAndAge,
  DeviceTaintRule: {
    cells(object, now) {
      const taint = obj(obj(object, 'spec'), 'taint');
      return [
        nameOf(object),
        str(taint, 'key'),
        str(taint, 'value'),
        str(taint, 'effect'),
        time(taint, 'timeAdded') === undefined ? '' : since(taint, 'timeAdded', now),
        age(object, now),
      ];
    },
  },
  ResourceClaim: {
    cells: (object, now) => [nameOf(object), claimState(object), age(object, now)],
  },
  ResourceClaimTemplate: nameAndAge,
  ResourcePoolStatusRequest: resourcePoolStatusRequest,
  ResourceSlice: {
    cells(object, now) {
      const spec = obj(object, 'spec');
      return [
        nameOf(object),
        str(spec, 'nodeName'),
        str(spec, 'driver'),
        str(obj(spec, 'pool'), 'name'),
        age(object, now),
      ];
    },
  },
};

function claimState(object: KubeObject): string {
  const status = obj(object, 'status');
  const states = isDeleted(object) ? ['deleted'] : [];
  if (ptr(status, 'allocation')) {
    states.push('allocated');
    if (list(status, 'reservedFor').length > 0) states.push('reserved');
  } else if (states.length === 0) states.push('pending');
  return states.join(',');
}
