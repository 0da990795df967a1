import type { JsonObject } from '../../machinery/json.js';
import { list, obj, ptr, str } from '../access.js';
import { age } from './age.js';
import type { GroupPrinters } from './contract.js';
import { nameOf } from './text.js';

export const apiregistration: GroupPrinters = {
  APIService: {
    cells(object, now) {
      const service = ptr(obj(object, 'spec'), 'service');
      return [
        nameOf(object),
        service ? `${str(service, 'namespace')}/${str(service, 'name')}` : 'Local',
        availability(obj(object, 'status')),
        age(object, now),
      ];
    },
  },
};

/** With the reason when it is not available. */
function availability(status: JsonObject): string {
  const condition = list(status, 'conditions').find((c) => str(c, 'type') === 'Available');
  if (!condition) return 'Unknown';
  const reason = str(condition, 'status') === 'True' ? '' : str(condition, 'reason');
  return `${str(condition, 'status')}${reason && ` (${reason})`}`;
}
