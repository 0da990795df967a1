import { compareBytes } from '../../machinery/go-format.js';
import type { JsonObject, JsonValue } from '../../machinery/json.js';
import { num, obj, ptr, str } from '../access.js';
import { age } from './age.js';
import type { GroupPrinters } from './contract.js';
import { conditionStatus, nameOf } from './text.js';

export const flowcontrol: GroupPrinters = {
  FlowSchema: {
    cells(object, now) {
      const spec = obj(object, 'spec');
      const method = ptr(spec, 'distinguisherMethod');
      return [
        nameOf(object),
        str(obj(spec, 'priorityLevelConfiguration'), 'name'),
        num(spec, 'matchingPrecedence'),
        method ? str(method, 'type') : '<none>',
        age(object, now),
        conditionStatus(obj(object, 'status'), 'Dangling') || '?',
      ];
    },
    /** The order in which they are tried. */
    compare: (a, b) =>
      num(obj(a, 'spec'), 'matchingPrecedence') - num(obj(b, 'spec'), 'matchingPrecedence') ||
      compareBytes(nameOf(a), nameOf(b)),
  },
  PriorityLevelConfiguration: {
    cells(object, now) {
      const spec = obj(object, 'spec');
      const limited = ptr(spec, 'limited');
      const queuing = ptr(obj(limited, 'limitResponse'), 'queuing');
      return [
        nameOf(object),
        str(spec, 'type'),
        cell(limited, 'nominalConcurrencyShares'),
        cell(queuing, 'queues'),
        cell(queuing, 'handSize'),
        cell(queuing, 'queueLengthLimit'),
        age(object, now),
      ];
    },
  },
};

/** A number, as such; the column is a string all the same. */
const cell = (part: JsonObject | undefined, name: string): JsonValue => (part ? num(part, name) : '<none>');
