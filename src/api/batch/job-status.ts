import { duplicate, invalidValue, Path, required } from '../../machinery/field.js';
import { equalJson, type JsonObject, type KubeObject } from '../../machinery/json.js';
import { bool, list, num, obj, ptr, str } from '../access.js';
import { type Check, goForm, ifPresent, invalidWhole, nonNegative, struct } from '../validation/index.js';
import { commonIndex, countIndexes } from './indexes.js';
import { isIndexed, uncounted } from './job-spec.js';

const STATUS = new Path('status');
const CONDITIONS = STATUS.child('conditions');

const counts = struct('batch.v1.JobStatus', {
  active: nonNegative,
  succeeded: nonNegative,
  failed: nonNegative,
  ready: ifPresent(nonNegative),
  terminating: ifPresent(nonNegative),
});

/** What the conditions of a job say. */
interface State {
  readonly complete: boolean;
  readonly failed: boolean;
  readonly finished: boolean;
  readonly failureTarget: boolean;
  readonly success: boolean;
}

const holds = (status: JsonObject, type: string): boolean =>
  list(status, 'conditions').some((c) => str(c, 'type') === type && str(c, 'status') === 'True');

function stateOf(status: JsonObject): State {
  const complete = holds(status, 'Complete');
  const failed = holds(status, 'Failed');
  return {
    complete,
    failed,
    finished: complete || failed,
    failureTarget: holds(status, 'FailureTarget'),
    success: holds(status, 'SuccessCriteriaMet'),
  };
}

function uncountedPods(status: JsonObject, c: Check): void {
  const seen = new Set<string>();
  for (const [name, uids] of uncounted(status))
    uids.forEach((uid, i) => {
      const at = STATUS.child('uncountedTerminatedPods', name).index(i);
      if (uid === '') c.errors.push(invalidValue(at, uid, 'must not be empty'));
      else if (seen.has(uid)) c.errors.push(duplicate(at, uid));
      else seen.add(uid);
    });
}

/** Completed and failed indexes are read with what the job asks for, and only when they are written. */
function indexes(spec: JsonObject, status: JsonObject, changed: (name: string) => boolean, c: Check): void {
  const completed = str(status, 'completedIndexes');
  const failed = status.failedIndexes;
  const completions = spec.completions === undefined ? undefined : num(spec, 'completions');
  const atCompleted = STATUS.child('completedIndexes');
  const atFailed = STATUS.child('failedIndexes');
  const readable = (text: string, at: Path, name: string) => {
    const found = completions === undefined ? 0 : countIndexes(text, completions);
    if (typeof found === 'string') c.errors.push(invalidValue(at, text, `error parsing ${name}: ${found}`));
  };
  if (changed('completedIndexes')) readable(completed, atCompleted, 'completedIndexes');
  if (changed('failedIndexes') && spec.backoffLimitPerIndex !== undefined && failed !== undefined)
    readable(str(status, 'failedIndexes'), atFailed, 'failedIndexes');
  if (changed('completedIndexes') && completed !== '' && !isIndexed(spec))
    c.errors.push(
      invalidValue(atCompleted, completed, 'cannot set non-empty completedIndexes when non-indexed completion mode'),
    );
  if (changed('failedIndexes') && spec.backoffLimitPerIndex === undefined && failed !== undefined)
    c.errors.push(
      invalidValue(atFailed, failed, 'cannot set non-null failedIndexes when backoffLimitPerIndex is null'),
    );
  if ((changed('failedIndexes') || changed('completedIndexes')) && completions !== undefined && failed !== undefined) {
    const common = commonIndex(completed, str(status, 'failedIndexes'), completions);
    if (common !== undefined)
      c.errors.push(invalidValue(atFailed, failed, `failedIndexes and completedIndexes overlap at index: ${common}`));
  }
}

/** Writes to the status of a job. What did not change is left alone, wrong as it may be. */
export function jobStatus(o: KubeObject, old: KubeObject, c: Check): void {
  const spec = obj(o, 'spec');
  const status = obj(o, 'status');
  const before = obj(old, 'status');
  const [is, was] = [stateOf(status), stateOf(before)];
  const changed = (name: string) => !equalJson(status[name], before[name]);
  const turned = (...names: (keyof State)[]) => names.some((n) => is[n] !== was[n]);
  const wrong = (at: Path, text: string) => invalidWhole(c, at, text);
  const { startTime, completionTime } = status;
  const atCompletion = STATUS.child('completionTime');

  counts(status, STATUS, c);
  uncountedPods(status, c);
  if (turned('complete', 'failed') && is.complete && is.failed)
    wrong(CONDITIONS, 'cannot set Complete=True and Failed=true conditions');
  if (turned('complete', 'failureTarget') && is.complete && is.failureTarget)
    wrong(CONDITIONS, 'cannot set Complete=True and FailureTarget=true conditions');
  if (turned('complete') || changed('completionTime')) {
    if (completionTime !== undefined && !is.complete)
      c.errors.push(
        invalidValue(
          atCompletion,
          completionTime,
          'cannot set completionTime when there is no Complete=True condition',
        ),
      );
    if (completionTime === undefined && is.complete)
      c.errors.push(required(atCompletion, 'completionTime is required for Complete jobs'));
  }
  if ((changed('startTime') || changed('completionTime')) && startTime !== undefined && completionTime !== undefined)
    if (Date.parse(str(status, 'completionTime')) < Date.parse(str(status, 'startTime')))
      c.errors.push(invalidValue(atCompletion, completionTime, 'completionTime cannot be set before startTime'));
  if (turned('failed', 'failureTarget') && is.failed && !is.failureTarget)
    wrong(CONDITIONS, 'cannot set Failed=True condition without the FailureTarget=true condition');
  if (turned('complete', 'success') && is.complete && !is.success)
    wrong(CONDITIONS, 'cannot set Complete=True condition without the SuccessCriteriaMet=true condition');
  if ((turned('finished') || changed('active')) && is.finished && num(status, 'active') > 0)
    c.errors.push(invalidValue(STATUS.child('active'), status.active, 'active>0 is invalid for finished job'));
  if ((turned('finished') || changed('startTime')) && is.finished && startTime === undefined)
    c.errors.push(required(STATUS.child('startTime'), 'startTime is required for finished job'));
  const waiting = ptr(status, 'uncountedTerminatedPods');
  if ((turned('finished') || changed('uncountedTerminatedPods')) && is.finished && waiting)
    if (uncounted(status).some(([, uids]) => uids.length > 0))
      c.errors.push(
        invalidValue(
          STATUS.child('uncountedTerminatedPods'),
          goForm('batch.v1.UncountedTerminatedPods', waiting),
          'uncountedTerminatedPods needs to be empty for finished job',
        ),
      );
  indexes(spec, status, changed, c);
  if ((turned('finished') || changed('terminating')) && is.finished && num(status, 'terminating') > 0)
    c.errors.push(
      invalidValue(STATUS.child('terminating'), status.terminating, 'terminating>0 is invalid for finished job'),
    );
  if ((changed('ready') || changed('active')) && num(status, 'ready') > num(status, 'active'))
    c.errors.push(invalidValue(STATUS.child('ready'), status.ready, 'cannot set more ready pods than active'));
  if (is.success && is.failed) wrong(CONDITIONS, 'cannot set SuccessCriteriaMet=True and Failed=true conditions');
  if (is.success && is.failureTarget)
    wrong(CONDITIONS, 'cannot set SuccessCriteriaMet=True and FailureTarget=true conditions');
  if (spec.successPolicy !== undefined && !is.success && is.complete)
    wrong(CONDITIONS, 'cannot set Complete=True for Job with SuccessPolicy unless SuccessCriteriaMet=True');
  progress(o, old, c);
}

/** A job that is over stays so, and what was counted stays counted. */
function progress(o: KubeObject, old: KubeObject, c: Check): void {
  const spec = obj(o, 'spec');
  const [status, before] = [obj(o, 'status'), obj(old, 'status')];
  const [is, was] = [stateOf(status), stateOf(before)];
  for (const type of ['Failed', 'Complete', 'FailureTarget'])
    if (holds(before, type) && !holds(status, type))
      invalidWhole(c, CONDITIONS, `cannot disable the terminal ${type}=True condition`);
  if (num(status, 'failed') < num(before, 'failed'))
    c.errors.push(invalidValue(STATUS.child('failed'), num(status, 'failed'), 'cannot decrease the failed counter'));
  // An indexed job that is scaled down may lose pods that succeeded.
  const elastic = isIndexed(spec) && equalJson(spec.completions, spec.parallelism);
  if (!elastic && num(status, 'succeeded') < num(before, 'succeeded'))
    c.errors.push(
      invalidValue(STATUS.child('succeeded'), num(status, 'succeeded'), 'cannot decrease the succeeded counter'),
    );
  const { completionTime, startTime } = status;
  if (completionTime !== undefined && before.completionTime !== undefined && completionTime !== before.completionTime)
    c.errors.push(invalidValue(STATUS.child('completionTime'), completionTime, 'completionTime cannot be mutated'));
  if (before.startTime !== undefined && before.startTime !== startTime && !bool(spec, 'suspend'))
    c.errors.push(required(STATUS.child('startTime'), 'startTime cannot be removed for unsuspended job'));
  if (was.success && !is.success) invalidWhole(c, CONDITIONS, 'cannot disable the SuccessCriteriaMet=True condition');
  if (was.complete && !was.success && is.success)
    invalidWhole(c, CONDITIONS, 'cannot set SuccessCriteriaMet=True for Job already has Complete=true conditions');
}
