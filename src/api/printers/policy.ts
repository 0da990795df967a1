import type { JsonObject } from '../../machinery/json.js';
import { num, obj } from '../access.js';
import { age } from './age.js';
import type { GroupPrinters } from './contract.js';
import { nameOf } from './text.js';

export const policy: GroupPrinters = {
  PodDisruptionBudget: {
    cells(object, now) {
      const spec = obj(object, 'spec');
      return [
        nameOf(object),
        amount(spec, 'minAvailable'),
        amount(spec, 'maxUnavailable'),
        num(obj(object, 'status'), 'disruptionsAllowed'),
        age(object, now),
      ];
    },
  },
};

/** A number or a percentage. */
const amount = (spec: JsonObject, name: string): string => `${spec[name] ?? 'N/A'}`;
