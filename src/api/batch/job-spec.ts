import { duplicate, invalidValue, notSupported, type Path, required } from '../../machinery/field.js';
import type { JsonObject } from '../../machinery/json.js';
import { list, num, obj, ptr, str, strings } from '../access.js';
import { templateRules } from '../core/pod-template.js';
import {
  type Check,
  domainPrefixedPath,
  each,
  goForm,
  ifPresent,
  invalidWhole,
  maxBytes,
  maxItems,
  nonNegative,
  oneOf,
  oneOfInOrder,
  qualifiedName,
  type Rule,
  required as requiredRule,
  struct,
  whole,
} from '../validation/index.js';
import { countIndexes } from './indexes.js';

const MAX_PARALLELISM = 100_000;
const MAX_FAILED = 100_000;
/** Beyond so many completions other numbers are held lower. */
const MANY_COMPLETIONS = 100_000;
const LOW_LIMIT = 10_000;
const MAX_RULES = 20;
const MAX_EXIT_CODES = 255;
const MAX_INDEXES_TEXT = 64 * 1024;

const ACTIONS = ['Count', 'FailIndex', 'FailJob', 'Ignore'];
const OPERATORS = ['In', 'NotIn'];
const goList = (values: readonly string[]) => `[${values.map((v) => JSON.stringify(v)).join(' ')}]`;
const requiredOneOf =
  (values: readonly string[]): Rule =>
  (v, at, c) => {
    if (v === undefined || v === '') c.errors.push(required(at, `valid values: ${goList(values)}`));
    else if (!values.includes(v as string)) c.errors.push(notSupported(at, v, values));
  };

export const isIndexed = (spec: JsonObject): boolean => str(spec, 'completionMode') === 'Indexed';

const numbers = struct('batch.v1.JobSpec', {
  parallelism: ifPresent(nonNegative),
  completions: ifPresent(nonNegative),
  activeDeadlineSeconds: ifPresent(nonNegative),
  backoffLimit: ifPresent(nonNegative),
  ttlSecondsAfterFinished: ifPresent(nonNegative),
  backoffLimitPerIndex: ifPresent(nonNegative),
  maxFailedIndexes: ifPresent(nonNegative),
  $perIndex: whole((o, at, c) => {
    if (o.maxFailedIndexes !== undefined && o.backoffLimitPerIndex === undefined)
      c.errors.push(required(at.child('backoffLimitPerIndex'), 'when maxFailedIndexes is specified'));
  }),
  managedBy: ifPresent(requiredRule(domainPrefixedPath, maxBytes(63))),
  completionMode: ifPresent(oneOfInOrder('NonIndexed', 'Indexed')),
  $mode: whole(completionMode),
});

function completionMode(spec: JsonObject, at: Path, c: Check): void {
  const mode = spec.completionMode ?? 'NonIndexed';
  const { maxFailedIndexes: failed, backoffLimitPerIndex: perIndex } = spec;
  const atMost = (field: string, max: number, text: string) => {
    if (spec[field] !== undefined && num(spec, field) > max)
      c.errors.push(invalidValue(at.child(field), spec[field], `must be less than or equal to ${text}`));
  };
  if (mode === 'NonIndexed') {
    for (const field of ['backoffLimitPerIndex', 'maxFailedIndexes'])
      if (spec[field] !== undefined)
        c.errors.push(invalidValue(at.child(field), spec[field], 'requires indexed completion mode'));
    return;
  }
  if (mode !== 'Indexed') return;
  if (spec.completions === undefined)
    c.errors.push(required(at.child('completions'), 'when completion mode is Indexed'));
  atMost('parallelism', MAX_PARALLELISM, `${MAX_PARALLELISM} when completion mode is Indexed`);
  if (spec.completions !== undefined) atMost('maxFailedIndexes', num(spec, 'completions'), 'completions');
  atMost('maxFailedIndexes', MAX_FAILED, `${MAX_FAILED}`);
  if (num(spec, 'completions') <= MANY_COMPLETIONS || perIndex === undefined) return;
  const above = `completions are above ${MANY_COMPLETIONS} and used with backoff limit per index`;
  if (failed === undefined)
    c.errors.push(
      required(at.child('maxFailedIndexes'), `must be specified when completions is above ${MANY_COMPLETIONS}`),
    );
  atMost('parallelism', LOW_LIMIT, `${LOW_LIMIT} when ${above}`);
  atMost('maxFailedIndexes', LOW_LIMIT, `${LOW_LIMIT} when ${above}`);
}

interface JobCheck extends Check {
  readonly job: JsonObject;
}

const exitCodes = struct<JobCheck>('batch.v1.PodFailurePolicyOnExitCodesRequirement', {
  operator: requiredOneOf(OPERATORS),
  containerName: ifPresent((v, at, c: JobCheck) => {
    const pod = obj(obj(c.job, 'template'), 'spec');
    const names = [...list(pod, 'containers'), ...list(pod, 'initContainers')].map((o) => str(o, 'name'));
    if (!names.includes(v as string))
      c.errors.push(invalidValue(at, v, 'must be one of the container or initContainer names in the pod template'));
  }),
  $values: whole((o, at, c) => {
    const here = at.child('values');
    const values = (o.values ?? []) as number[];
    if (values.length === 0) c.errors.push(invalidValue(here, o.values, 'at least one value is required'));
    else maxItems(MAX_EXIT_CODES)(values, here, c);
    values.forEach((v, i) => {
      if (o.operator === 'In' && v === 0)
        c.errors.push(invalidValue(here.index(i), v, 'must not be 0 for the In operator'));
      if (values.indexOf(v) < i) c.errors.push(duplicate(here.index(i), v));
    });
    if (values.some((v, i) => i > 0 && values[i - 1]! > v))
      c.errors.push(invalidValue(here, values, 'must be ordered'));
  }),
});

const conditions: Rule<JobCheck> = (v, at, c) => {
  maxItems(MAX_RULES)(v, at, c);
  each(
    struct<JobCheck>('batch.v1.PodFailurePolicyOnPodConditionsPattern', {
      type: qualifiedName,
      status: requiredOneOf(['False', 'True', 'Unknown']),
    }),
  )(v, at, c);
};

const failureRule = struct<JobCheck>('batch.v1.PodFailurePolicyRule', {
  action: (v, at, c) => {
    requiredOneOf(ACTIONS)(v, at, c);
    if (v === 'FailIndex' && c.job.backoffLimitPerIndex === undefined)
      c.errors.push(invalidValue(at, v, 'requires the backoffLimitPerIndex to be set'));
  },
  onExitCodes: ifPresent(exitCodes),
  onPodConditions: conditions,
  $one: whole((o, at, c) => {
    const codes = o.onExitCodes !== undefined;
    const some = list(o, 'onPodConditions').length > 0;
    if (codes && some) invalidWhole(c, at, 'specifying both OnExitCodes and OnPodConditions is not supported');
    if (!codes && !some) invalidWhole(c, at, 'specifying one of OnExitCodes and OnPodConditions is required');
  }),
});
const failurePolicy = struct<JobCheck>('batch.v1.PodFailurePolicy', {
  rules: (v, at, c) => {
    maxItems(MAX_RULES)(v, at, c);
    each(failureRule)(v, at, c);
  },
});

const successRule: Rule<JobCheck> = (v, at, c) => {
  const rule = v as JsonObject;
  const completions = num(c.job, 'completions');
  const { succeededIndexes, succeededCount } = rule;
  if (succeededIndexes === undefined && succeededCount === undefined)
    c.errors.push(required(at, 'at least one of succeededCount or succeededIndexes must be specified'));
  let total = 0;
  if (succeededIndexes !== undefined) {
    const here = at.child('succeededIndexes');
    maxBytes(MAX_INDEXES_TEXT)(succeededIndexes, here, c);
    const found = countIndexes(str(rule, 'succeededIndexes'), completions);
    if (typeof found === 'number') total = found;
    else c.errors.push(invalidValue(here, succeededIndexes, `error parsing succeededIndexes: ${found}`));
  }
  if (succeededCount === undefined) return;
  const here = at.child('succeededCount');
  const count = num(rule, 'succeededCount');
  nonNegative(succeededCount, here, c);
  if (count > completions)
    c.errors.push(
      invalidValue(here, count, `must be less than or equal to ${completions} (the number of specified completions)`),
    );
  if (succeededIndexes !== undefined && count > total)
    c.errors.push(
      invalidValue(
        here,
        count,
        `must be less than or equal to ${total} (the number of indexes in the specified succeededIndexes field)`,
      ),
    );
};

function successPolicy(spec: JsonObject, at: Path, c: JobCheck): void {
  const policy = ptr(spec, 'successPolicy');
  if (!policy) return;
  if (!isIndexed(spec)) {
    c.errors.push(invalidValue(at, goForm('batch.v1.SuccessPolicy', policy), 'requires indexed completion mode'));
    return;
  }
  const rules = list(policy, 'rules');
  if (rules.length === 0)
    c.errors.push(
      required(at.child('rules'), 'at least one rules must be specified when the successPolicy is specified'),
    );
  maxItems(MAX_RULES)(rules, at.child('rules'), c);
  each(successRule)(rules, at.child('rules'), c);
}

function restartPolicy(spec: JsonObject, at: Path, c: Check): void {
  const policy = str(obj(obj(spec, 'template'), 'spec'), 'restartPolicy');
  if (policy === 'Always' || policy === '') c.errors.push(required(at, 'valid values: "OnFailure", "Never"'));
  else if (policy !== 'OnFailure' && policy !== 'Never')
    c.errors.push(notSupported(at, policy, ['OnFailure', 'Never']));
  else if (spec.podFailurePolicy !== undefined && policy !== 'Never')
    c.errors.push(invalidValue(at, policy, 'only "Never" is supported when podFailurePolicy is specified'));
}

/** batch.v1.JobSpec but its selector, which cron jobs do not have. `old` is the spec that is stored. */
export function jobSpec(spec: JsonObject, old: JsonObject | undefined, at: Path, check: Check): void {
  const c: JobCheck = { ...check, job: spec };
  numbers(spec, at, c);
  if (spec.podFailurePolicy !== undefined) failurePolicy(spec.podFailurePolicy, at.child('podFailurePolicy'), c);
  successPolicy(spec, at.child('successPolicy'), c);
  const replacements = spec.podFailurePolicy === undefined ? ['Failed', 'TerminatingOrFailed'] : ['Failed'];
  ifPresent(oneOf(...replacements))(spec.podReplacementPolicy, at.child('podReplacementPolicy'), c);
  templateRules(obj(spec, 'template'), old && obj(old, 'template'), at.child('template'), c);
  restartPolicy(spec, at.child('template', 'spec', 'restartPolicy'), c);
}

const HARD_TO_TRACK =
  'In Indexed Jobs with a number of completions higher than 10^5 and a parallelism higher than 10^4, Kubernetes might not be able to track completedIndexes when a big number of indexes fail';

export function jobSpecWarnings(spec: JsonObject): string[] {
  const many = isIndexed(spec) && num(spec, 'completions') > MANY_COMPLETIONS && num(spec, 'parallelism') > LOW_LIMIT;
  return many ? [HARD_TO_TRACK] : [];
}

/** Names of pods that were counted, or are yet to be. */
export const uncounted = (status: JsonObject): readonly [string, string[]][] => {
  const pods = obj(status, 'uncountedTerminatedPods');
  return [
    ['succeeded', strings(pods, 'succeeded')],
    ['failed', strings(pods, 'failed')],
  ];
};
