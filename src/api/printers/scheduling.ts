import type { JsonObject } from '../../machinery/json.js';
import { bool, list, num, obj, ptr, str } from '../access.js';
import { age } from './age.js';
import type { GroupPrinters } from './contract.js';
import { nameOf } from './text.js';

export const scheduling: GroupPrinters = {
  PodGroup: {
    cells(object, now) {
      const spec = obj(object, 'spec');
      const template = ptr(spec, 'podGroupTemplateRef');
      return [
        nameOf(object),
        ptr(obj(spec, 'schedulingPolicy'), 'gang') ? 'Gang' : 'Basic',
        template ? str(obj(template, 'workload'), 'workloadName') : '<none>',
        groupState(obj(object, 'status')),
        age(object, now),
      ];
    },
  },
  PriorityClass: {
    cells: (object, now) => [
      nameOf(object),
      num(object, 'value'),
      bool(object, 'globalDefault'),
      age(object, now),
      str(object, 'preemptionPolicy'),
    ],
  },
  Workload: { cells: (object, now) => [nameOf(object), age(object, now)] },
};

/** A disruption goes before what the scheduler said. */
function groupState(status: JsonObject): string {
  const condition = (type: string): JsonObject | undefined =>
    list(status, 'conditions').find((c) => str(c, 'type') === type);
  const disrupted = condition('DisruptionTarget');
  if (disrupted) return str(disrupted, 'reason');
  const scheduled = condition('PodGroupScheduled');
  if (!scheduled) return 'Pending';
  return str(scheduled, 'status') === 'True' ? 'Scheduled' : 'Unschedulable';
}
