import { invalidValue, Path, required } from '../../machinery/field.js';
import { cloneJson, equalJson, type JsonObject, type KubeObject } from '../../machinery/json.js';
import { bool, list, num, obj, ptr, str, stringMap } from '../access.js';
import { isUsableSelector, LABEL_SELECTOR, mustMatchTemplate, selectorMatches } from '../apps/selector.js';
import { templateWarnings } from '../core/pod-template.js';
import { hostnameWarning } from '../core/replication-controller.js';
import { kind } from '../kind.js';
import type { Strategy } from '../strategy.js';
import { type Check, formats, goForm, immutable, validateLabelSelector } from '../validation/index.js';
import { isIndexed, jobSpec, jobSpecWarnings } from './job-spec.js';
import { jobStatus } from './job-status.js';

const SPEC = new Path('spec');
const UID = 'batch.kubernetes.io/controller-uid';
const NAME = 'batch.kubernetes.io/job-name';

/** The labels by which a job finds its pods: under names of today and of old. */
const ownLabels = (job: KubeObject): Record<string, string> => {
  const { name = '', uid = '' } = job.metadata;
  return { 'controller-uid': uid, 'job-name': name, [UID]: uid, [NAME]: name };
};

/** Makes selector and labels of the template, but does not overwrite what is there; validation will tell. */
function generateSelector(job: KubeObject): void {
  const spec = (job.spec ??= {}) as JsonObject;
  if (bool(spec, 'manualSelector')) return;
  const template = (spec.template ??= {}) as JsonObject;
  const meta = (template.metadata ??= {}) as JsonObject;
  meta.labels = { ...ownLabels(job), ...obj(meta, 'labels') };
  const selector = (spec.selector ??= {}) as JsonObject;
  selector.matchLabels = { [UID]: job.metadata.uid ?? '', ...obj(selector, 'matchLabels') };
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

/** The template that is stored, with what may be changed while a job waits. */
function expectedTemplate(spec: JsonObject, old: KubeObject, gate: (name: string) => boolean): JsonObject {
  const before = obj(old, 'spec');
  const status = obj(old, 'status');
  const stored = obj(before, 'template');
  const neverStarted = status.startTime === undefined;
  const stopped =
    num(status, 'active') === 0 &&
    list(status, 'conditions').some((o) => str(o, 'type') === 'Suspended' && str(o, 'status') === 'True');
  if (!bool(before, 'suspend') || !(neverStarted || stopped)) return stored;

  const template = obj(spec, 'template');
  const pod = obj(template, 'spec');
  const out = cloneJson(stored);
  const take = (to: JsonObject, from: JsonObject, ...fields: string[]) => {
    for (const field of fields) {
      if (from[field] === undefined) delete to[field];
      else to[field] = from[field];
    }
  };
  const outPod = (out.spec ??= {}) as JsonObject;
  const outMeta = (out.metadata ??= {}) as JsonObject;
  if (neverStarted || gate('MutableSchedulingDirectivesForSuspendedJobs')) {
    take(outPod, pod, 'nodeSelector', 'tolerations', 'schedulingGates');
    take(outMeta, obj(template, 'metadata'), 'annotations', 'labels');
    const affinity = { ...obj(outPod, 'affinity') };
    take(affinity, obj(pod, 'affinity'), 'nodeAffinity');
    const none = Object.keys(affinity).length === 0;
    if (pod.affinity === undefined && none) delete outPod.affinity;
    else if (pod.affinity !== undefined || outPod.affinity !== undefined) outPod.affinity = affinity;
  }
  if (gate('MutablePodResourcesForSuspendedJobs'))
    for (const field of ['containers', 'initContainers'])
      list(outPod, field).forEach((container, i) => {
        const now = list(pod, field)[i];
        if (now) take(container, now, 'resources');
      });
  if (Object.keys(outMeta).length === 0) delete out.metadata;
  return out;
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
  immutable(spec.template, expectedTemplate(spec, old, c.gate), SPEC.child('template'), c, 'core.v1.PodTemplateSpec');
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
    selectableFields: (o) => ({ 'status.successful': `${num(obj(o, 'status'), 'succeeded')}` }),
    defaultGarbageCollection: (ctx) => (ctx.requestVersion === 'batch/v1' ? 'Orphan' : 'Background'),
  },
});
