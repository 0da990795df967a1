import { invalidValue, Path, required } from '../../machinery/field.js';
import { cloneJson, equalJson, type JsonObject, type KubeObject } from '../../machinery/json.js';
import { bool, edit, list, num, obj, ptr, str, stringMap } from '../access.js';
import { isUsableSelector, LABEL_SELECTOR, mustMatchTemplate, selectorMatches } from '../apps/selector.js';
import { templateWarnings } from '../core/pod-template.js';
import { hostnameWarning } from '../core/replication-controller.js';
import { kind } from '../kind.js';
import type { Strategy } from '../strategy.js';
import { type Check, formats, goForm, immutable, validateLabelSelector } from '../validation/index.js';
import { isIndexed, jobSpec, jobSpecWarnings } from './job-spec.js';
import { jobStatus } from './job-status.js';

const SPEC = new Path('spec');
const PODS_STAY =
  'child pods are preserved by default when jobs are deleted; set propagationPolicy=Background to remove them or set propagationPolicy=Orphan to suppress this warning';
const UID = 'batch.kubernetes.io/controller-uid';
const NAME = 'batch.kubernetes.io/job-name';

/** The labels by which a job finds its pods: under names of today and of old. */
const ownLabels = (job: KubeObject): Record<string, string> => {
  const { name = '', uid = '' } = job.metadata;
  return { 'controller-uid': uid, 'job-name': name, [UID]: uid, [NAME]: name };
};

/** Makes selector and labels of the template, but does not overwrite what is there; validation will tell. */
function generateSelector(job: KubeObject): void {
  if (bool(obj(job, 'spec'), 'manualSelector')) return;
  const labels = { ...ownLabels(job), ...stringMap(obj(obj(obj(job, 'spec'), 'template'), 'metadata'), 'labels') };
  // A job without labels has those of its template by default, which is what it reads back with.
  job.metadata.labels ??= { ...labels };
  edit(job, 'spec', (spec) => {
    edit(spec, 'template', (template) => {
      edit(template, 'metadata', (meta) => {
        meta.labels = labels;
      });
    });
    edit(spec, 'selector', (selector) => {
      selector.matchLabels = { [UID]: job.metadata.uid ?? '', ...obj(selector, 'matchLabels') };
    });
  });
}

function generatedSelector(job: KubeObject, c: Check): void {
  const spec = obj(job, 'spec');
  const selector = ptr(spec, 'selector');
  if (bool(spec, 'manualSelector') || !selector) return;
  if (!job.metadata.uid) c.errors.push(required(new Path('metadata').child('uid')));
  const has = stringMap(obj(obj(spec, 'template'), 'metadata'), 'labels');
  const labels = ownLabels(job);
  // Jobs from before the prefixed labels are fine without them.
  const stored = c.old && obj(obj(obj(obj(c.old, 'spec'), 'template'), 'metadata'), 'labels');
  if (stored && !(NAME in stored && UID in stored)) for (const key of [NAME, UID]) delete labels[key];
  for (const [key, value] of Object.entries(labels)) {
    const at = SPEC.child('template', 'metadata', 'labels').key(key);
    if (has[key] === undefined) c.errors.push(required(at, `must be '${value}'`));
    else if (has[key] !== value) c.errors.push(invalidValue(at, has[key], `must be '${value}'`));
  }
  const at = SPEC.child('selector');
  if (isUsableSelector(selector, at) && !selectorMatches(selector, labels))
    c.errors.push(invalidValue(at, goForm(LABEL_SELECTOR, selector), '`selector` not auto-generated'));
}

function specRules(job: KubeObject, c: Check): void {
  const spec = obj(job, 'spec');
  const old = c.old && obj(c.old, 'spec');
  jobSpec(spec, old, SPEC, c);
  const at = SPEC.child('selector');
  const selector = ptr(spec, 'selector');
  const lenient = old !== undefined && !isUsableSelector(obj(old, 'selector'), at);
  if (selector) validateLabelSelector(selector, at, c, lenient);
  else c.errors.push(required(at));
  if (!selector || isUsableSelector(selector, at))
    mustMatchTemplate(selector, obj(spec, 'template'), SPEC.child('template'), c);
}

/** Pods of indexed jobs have the index in their hostname. */
function hostnames(job: KubeObject, c: Check): void {
  const spec = obj(job, 'spec');
  const { name = '' } = job.metadata;
  if (!isIndexed(spec) || num(spec, 'completions') <= 0) return;
  const last = `${name}-${num(spec, 'completions') - 1}`;
  if (formats.dns1123Label(last).length > 0)
    c.errors.push(
      invalidValue(
        new Path('metadata').child('name'),
        name,
        `will not able to create pod with invalid DNS label: ${last}`,
      ),
    );
}

/** While a job waits, what decides where its pods go and what they get may change. */
function templateChange(spec: JsonObject, old: KubeObject, c: Check): void {
  const [before, status] = [obj(old, 'spec'), obj(old, 'status')];
  const at = SPEC.child('template');
  const neverStarted = status.startTime === undefined;
  const stopped = list(status, 'conditions').some((o) => str(o, 'type') === 'Suspended' && str(o, 'status') === 'True');
  const waits = bool(before, 'suspend') && num(status, 'active') === 0 && (neverStarted || stopped);
  if (!waits) {
    immutable(spec.template, before.template, at, c, 'core.v1.PodTemplateSpec');
    return;
  }
  const pod = obj(obj(spec, 'template'), 'spec');
  const expected = cloneJson(obj(obj(before, 'template'), 'spec'));
  const take = (to: JsonObject, from: JsonObject, ...fields: string[]) => {
    for (const field of fields) {
      if (from[field] === undefined) delete to[field];
      else to[field] = from[field];
    }
  };
  if (neverStarted || c.gate('MutableSchedulingDirectivesForSuspendedJobs')) {
    take(expected, pod, 'nodeSelector', 'tolerations', 'schedulingGates');
    const affinity = { ...obj(expected, 'affinity') };
    take(affinity, obj(pod, 'affinity'), 'nodeAffinity');
    if (pod.affinity === undefined && Object.keys(affinity).length === 0) delete expected.affinity;
    else if (pod.affinity !== undefined || expected.affinity !== undefined) expected.affinity = affinity;
  }
  if (c.gate('MutablePodResourcesForSuspendedJobs'))
    for (const field of ['containers', 'initContainers'])
      list(expected, field).forEach((container, i) => {
        take(container, list(pod, field)[i] ?? {}, 'resources');
      });
  immutable(pod, expected, at.child('spec'), c, 'core.v1.PodSpec');
}

function change(job: KubeObject, old: KubeObject, c: Check): void {
  const [spec, before] = [obj(job, 'spec'), obj(old, 'spec')];
  const fixed = (field: string, typeName?: string) =>
    immutable(spec[field], before[field], SPEC.child(field), c, typeName);
  if (!isIndexed(spec)) fixed('completions');
  else if (spec.completions !== undefined && !equalJson(spec.completions, before.completions))
    if (num(spec, 'completions') !== num(spec, 'parallelism'))
      c.errors.push(
        invalidValue(
          SPEC.child('completions'),
          spec.completions,
          'can only be modified in tandem with spec.parallelism',
        ),
      );
  fixed('selector', LABEL_SELECTOR);
  templateChange(spec, old, c);
  fixed('completionMode');
  fixed('podFailurePolicy', 'batch.v1.PodFailurePolicy');
  fixed('backoffLimitPerIndex');
  fixed('managedBy');
  fixed('successPolicy', 'batch.v1.SuccessPolicy');
}

export const job: Strategy = kind({
  group: 'batch',
  kind: 'Job',
  rules(v, _, c) {
    const o = v as KubeObject;
    generatedSelector(o, c);
    specRules(o, c);
    hostnames(o, c);
  },
  updateRules(o, old, c) {
    // The real server checks the spec once more as a part of the change.
    specRules(o, c);
    change(o, old, c);
  },
  onUpdate: ['meta', 'rules', 'change', 'updateRules'],
  prepareForCreate: (_, o) => generateSelector(o),
  warnings: (_, o, old) => [
    ...(old ? [] : hostnameWarning(o.metadata.name ?? '')),
    ...(old && old.metadata.generation === o.metadata.generation ? [] : jobSpecWarnings(obj(o, 'spec'))),
    ...templateWarnings(o, old, 'spec', 'template'),
  ],
  subresources: { status: { rules: (o, old, c) => jobStatus(o, old, c) } },
  strategy: {
    deletionWarning: PODS_STAY,
    selectableFields: (o) => ({ 'status.successful': `${num(obj(o, 'status'), 'succeeded')}` }),
  },
});
