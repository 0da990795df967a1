import { invalidValue, notSupported, Path, required } from '../../machinery/field.js';
import type { JsonObject, KubeObject } from '../../machinery/json.js';
import { bool, obj, str } from '../access.js';
import { LABEL_SELECTOR } from '../apps/selector.js';
import { templateWarnings } from '../core/pod-template.js';
import { hostnameWarning } from '../core/replication-controller.js';
import { kind } from '../kind.js';
import type { Strategy } from '../strategy.js';
import {
  type Check,
  goForm,
  ifPresent,
  nonNegative,
  oneOfInOrder,
  type Rule,
  required as requiredRule,
  struct,
} from '../validation/index.js';
import { jobSpec, jobSpecWarnings } from './job-spec.js';
import { isTimeZone, scheduleFault } from './schedule.js';

/** Names of jobs get a time of 11 characters appended, and stay within 63. */
const MAX_NAME = 52;
/** The path is what the real server prints. */
const ZONE_IN_SCHEDULE =
  'cannot use TZ or CRON_TZ in spec.spec.schedule, use timeZone instead, see https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/ for more details';
const ZONE_PART = /^[A-Za-z.\-_0-9+]{1,14}$/;

const oldSpec = (c: Check): JsonObject | undefined => c.old && obj(c.old, 'spec');

/** A zone in the schedule itself is what clusters had before the field, and remains where it is. */
function schedule(spec: JsonObject, at: Path, c: Check): void {
  const text = str(spec, 'schedule');
  if (text === '') {
    c.errors.push(required(at));
    return;
  }
  const fault = scheduleFault(text);
  if (fault !== undefined) c.errors.push(invalidValue(at, text, fault));
  const old = oldSpec(c);
  if (!text.includes('TZ')) return;
  if (!old || !str(old, 'schedule').includes('TZ'))
    c.errors.push(invalidValue(at, text, 'cannot use TZ or CRON_TZ in schedule, use timeZone field instead'));
  else if (spec.timeZone !== undefined)
    c.errors.push(invalidValue(at, text, 'cannot use both timeZone field and TZ or CRON_TZ in schedule'));
}

const timeZone: Rule = (v, at, c) => {
  const zone = v as string;
  const old = oldSpec(c);
  if (old && old.timeZone === zone) return;
  const unknown = () => c.errors.push(invalidValue(at, zone, `unknown time zone ${zone}`));
  if (zone === '') c.errors.push(invalidValue(at, zone, 'timeZone must be nil or non-empty string'));
  else if (zone.split('/').some((p) => p === '.' || p === '..' || p.startsWith('-') || !ZONE_PART.test(p))) unknown();
  else {
    if (zone.toLowerCase() === 'local')
      c.errors.push(
        invalidValue(at, zone, 'timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones'),
      );
    if (!isTimeZone(zone)) unknown();
  }
};

const jobTemplate: Rule = (v, at, c) => {
  const spec = obj(v as JsonObject | undefined, 'spec');
  const old = oldSpec(c);
  const here = at.child('spec');
  jobSpec(spec, old && obj(obj(old, 'jobTemplate'), 'spec'), here, c);
  if (spec.selector !== undefined)
    c.errors.push(
      invalidValue(here.child('selector'), goForm(LABEL_SELECTOR, spec.selector), '`selector` will be auto-generated'),
    );
  if (bool(spec, 'manualSelector')) c.errors.push(notSupported(here.child('manualSelector'), true, ['nil', 'false']));
};

const tail = struct('batch.v1.CronJobSpec', {
  startingDeadlineSeconds: ifPresent(nonNegative),
  timeZone: ifPresent(timeZone),
  concurrencyPolicy: requiredRule(oneOfInOrder('Allow', 'Forbid', 'Replace')),
  jobTemplate,
  successfulJobsHistoryLimit: ifPresent(nonNegative),
  failedJobsHistoryLimit: ifPresent(nonNegative),
});

const SPEC = new Path('spec');

export const cronJob: Strategy = kind({
  group: 'batch',
  kind: 'CronJob',
  rules(v, _, c) {
    const o = v as KubeObject;
    schedule(obj(o, 'spec'), SPEC.child('schedule'), c);
    tail(obj(o, 'spec'), SPEC, c);
    const { name = '' } = o.metadata;
    if (!c.old && name.length > MAX_NAME)
      c.errors.push(
        invalidValue(new Path('metadata').child('name'), name, `must be no more than ${MAX_NAME} characters`),
      );
  },
  warnings(_, o, old) {
    const spec = obj(o, 'spec');
    const changed = !old || old.metadata.generation !== o.metadata.generation;
    return [
      ...(old ? [] : hostnameWarning(o.metadata.name ?? '')),
      ...(changed ? jobSpecWarnings(obj(obj(spec, 'jobTemplate'), 'spec')) : []),
      ...templateWarnings(o, old, 'spec', 'jobTemplate', 'spec', 'template'),
      ...(old && str(spec, 'schedule').includes('TZ') ? [ZONE_IN_SCHEDULE] : []),
    ];
  },
});
