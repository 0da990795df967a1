import type { JsonObject, KubeObject } from '../../machinery/json.js';
import { list, num, obj, ptr, str } from '../access.js';
import { age, humanDuration, since, time } from './age.js';
import type { GroupPrinters } from './contract.js';
import { conditionStatus, containerCells, isDeleted, nameOf, selectorText, strOr, templateSpec } from './text.js';

export const batch: GroupPrinters = {
  CronJob: {
    cells(object, now) {
      const spec = obj(object, 'spec');
      const status = obj(object, 'status');
      const jobSpec = obj(obj(spec, 'jobTemplate'), 'spec');
      return [
        nameOf(object),
        str(spec, 'schedule'),
        strOr(spec, 'timeZone', '<none>'),
        typeof spec.suspend === 'boolean' ? (spec.suspend ? 'True' : 'False') : '<unset>',
        list(status, 'active').length,
        time(status, 'lastScheduleTime') === undefined ? '<none>' : since(status, 'lastScheduleTime', now),
        age(object, now),
        ...containerCells(templateSpec(jobSpec)),
        selectorText(ptr(jobSpec, 'selector')),
      ];
    },
  },
  Job: {
    cells(object, now) {
      const spec = obj(object, 'spec');
      return [
        nameOf(object),
        state(object),
        completions(spec, num(obj(object, 'status'), 'succeeded')),
        duration(obj(object, 'status'), now),
        age(object, now),
        ...containerCells(templateSpec(spec)),
        selectorText(ptr(spec, 'selector')),
      ];
    },
  },
};

/** The condition that says most; being deleted goes before all that is not final. */
function state(object: KubeObject): string {
  const status = obj(object, 'status');
  const holds = (type: string): boolean => conditionStatus(status, type) === 'True';
  const final = ['Complete', 'Failed'].find(holds);
  if (final) return final;
  if (isDeleted(object)) return 'Terminating';
  return ['Suspended', 'FailureTarget', 'SuccessCriteriaMet'].find(holds) ?? 'Running';
}

function completions(spec: JsonObject, succeeded: number): string {
  if (typeof spec.completions === 'number') return `${succeeded}/${spec.completions}`;
  const parallelism = num(spec, 'parallelism');
  return parallelism > 1 ? `${succeeded}/1 of ${parallelism}` : `${succeeded}/1`;
}

function duration(status: JsonObject, now: number): string {
  const start = time(status, 'startTime');
  return start === undefined ? '' : humanDuration((time(status, 'completionTime') ?? now) - start);
}
