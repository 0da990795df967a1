import type { JsonObject } from '../../machinery/json.js';
import { list, num, obj, ptr, str } from '../access.js';
import { since } from './age.js';
import type { RowPrinter } from './contract.js';
import { nameOf } from './text.js';

const COUNTS = ['totalDevices', 'availableDevices', 'allocatedDevices', 'unavailableDevices'];

/** What a driver's pools hold, added up; dashes as long as nothing is known. */
export const resourcePoolStatusRequest: RowPrinter = {
  cells(object, now) {
    const status = ptr(object, 'status');
    const pools = list(status, 'pools');
    const outcome = outcomeOf(status);
    const known = status !== undefined && outcome?.type !== 'Failed';
    const counts = known
      ? COUNTS.map((name) => pools.reduce((sum, pool) => sum + num(pool, name), 0))
      : COUNTS.map(() => '-');
    const errors = pools.filter((pool) => typeof pool.validationError === 'string').length;
    const poolCount = num(status, 'poolCount');
    const complete = outcome?.type === 'Complete';
    const cut = complete && poolCount > pools.length ? ` (${pools.length}/${poolCount} pools)` : '';
    return [
      nameOf(object),
      str(obj(object, 'spec'), 'driver'),
      ...counts.map(String),
      known ? `${errors}` : '-',
      poolCount,
      `${str(outcome, 'type') || 'Pending'}${cut}`,
      complete ? since(outcome, 'lastTransitionTime', now) : '<none>',
    ];
  },
};

function outcomeOf(status: JsonObject | undefined): JsonObject | undefined {
  return list(status, 'conditions').find(
    (c) => ['Complete', 'Failed'].includes(str(c, 'type')) && str(c, 'status') === 'True',
  );
}
