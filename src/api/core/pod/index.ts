import { FieldError, forbiddenField, Path } from '../../../machinery/field.js';
import { equalJson, type JsonObject, type KubeObject } from '../../../machinery/json.js';
import { bool, list, num, obj, str } from '../../access.js';
import { keepForStatus, kind } from '../../kind.js';
import type { Strategy } from '../../strategy.js';
import { type Check, formats, goDiff, ipWarnings, type Rule } from '../../validation/index.js';
import { MIRROR, validatePodAnnotations, validateProfilesMatch } from './annotations.js';
import type { PodCheck } from './check.js';
import { imageSpace } from './containers.js';
import { applyAppArmor, prepareNewPod } from './create.js';
import { leniencyOf } from './leniency.js';
import { prepareResize, resizeRules, unresizable } from './resize.js';
import { validatePodSpec } from './spec.js';
import { podStatusRules } from './status.js';
import { annotationUpdates, podUpdateRules } from './update.js';
import { podWarnings } from './warnings.js';

const SPEC = new Path('spec');
const ANNOTATIONS = new Path('metadata.annotations');

/** Everything that holds for a pod whenever it is written. */
function podRules(pod: KubeObject, c: Check): void {
  const spec = obj(pod, 'spec');
  const lenient = leniencyOf(c.old && obj(c.old, 'spec'), c.old?.metadata);
  validatePodAnnotations(pod.metadata, spec, ANNOTATIONS, c, lenient);
  validatePodSpec(spec, SPEC, c, { pod: pod.metadata, lenient });
  if (str(spec, 'serviceAccountName') === '')
    list(spec, 'volumes').forEach((volume, i) => {
      list(obj(volume, 'projected'), 'sources').forEach((source, j) => {
        if (source.serviceAccountToken !== undefined)
          c.errors.push(
            forbiddenField(
              SPEC.child('volumes').index(i).child('projected', 'sources').index(j).child('serviceAccountToken'),
              'must not be specified when serviceAccountName is not set',
            ),
          );
      });
    });
  for (const field of ['containers', 'initContainers'])
    list(spec, field).forEach((container, i) => {
      imageSpace(container, SPEC.child(field).index(i), c as PodCheck);
    });
}

const rules: Rule = (v, _, c) => {
  const pod = v as KubeObject;
  const spec = obj(pod, 'spec');
  podRules(pod, c);
  if (c.old) return;
  if (list(spec, 'ephemeralContainers').length > 0)
    c.errors.push(forbiddenField(SPEC.child('ephemeralContainers'), 'cannot be set on create'));
  if (str(spec, 'nodeName') !== '' && list(spec, 'schedulingGates').length > 0)
    c.errors.push(forbiddenField(SPEC.child('nodeName'), 'cannot be set until all schedulingGates have been cleared'));
  validateProfilesMatch(pod.metadata, spec, SPEC, c);
};

const WHOLE = (text: string) => new FieldError('FieldValueForbidden', '', `Forbidden: ${text}`);

function ephemeralRules(pod: KubeObject, old: KubeObject, c: Check): void {
  podRules(pod, c);
  annotationUpdates(pod, old, c);
  if (Object.hasOwn(old.metadata.annotations ?? {}, MIRROR)) {
    c.errors.splice(0, c.errors.length, WHOLE('static pods do not support ephemeral containers'));
    return;
  }
  const at = SPEC.child('ephemeralContainers');
  const now = new Map(list(obj(pod, 'spec'), 'ephemeralContainers').map((o) => [str(o, 'name'), o]));
  for (const was of list(obj(old, 'spec'), 'ephemeralContainers')) {
    const name = JSON.stringify(str(was, 'name'));
    const is = now.get(str(was, 'name'));
    if (!is) c.errors.push(forbiddenField(at, `existing ephemeral containers ${name} may not be removed\n`));
    else if (!equalJson(was, is))
      c.errors.push(
        forbiddenField(
          at,
          `existing ephemeral containers ${name} may not be changed\n${goDiff('core.v1.EphemeralContainer', was, is)}`,
        ),
      );
  }
}

/** Clears nothing that the kubelet observed: an older one does not know the field. */
function keepObservedGenerations(pod: KubeObject, old: KubeObject): void {
  const status = obj(pod, 'status');
  const before = obj(old, 'status');
  if (num(status, 'observedGeneration') === 0 && num(before, 'observedGeneration') !== 0)
    status.observedGeneration = before.observedGeneration;
  const known = new Map<string, JsonObject[]>();
  for (const condition of list(before, 'conditions'))
    known.set(str(condition, 'type'), [...(known.get(str(condition, 'type')) ?? []), condition]);
  for (const condition of list(status, 'conditions')) {
    const was = known.get(str(condition, 'type'))?.shift();
    if (was && num(was, 'observedGeneration') !== 0 && num(condition, 'observedGeneration') === 0)
      condition.observedGeneration = was.observedGeneration;
  }
}

/** Warnings of the AppArmor annotations that creating a pod turned into fields, until they are asked for. */
const appArmorWarnings = new WeakMap<KubeObject, string[]>();

export const pod: Strategy = kind({
  group: '',
  kind: 'Pod',
  rules,
  updateRules: podUpdateRules,
  onUpdate: ['change', 'meta', 'rules', 'updateRules'],
  prepareForCreate(ctx, obj) {
    appArmorWarnings.set(
      obj,
      applyAppArmor(obj, false).map(
        (key) => `${ANNOTATIONS.key(key)}: deprecated since v1.30; use the "appArmorProfile" field instead`,
      ),
    );
    prepareNewPod(ctx, obj);
  },
  warnings(_, pod, old) {
    if (old) return [];
    const faults = formats.dns1123Label(pod.metadata.name ?? '');
    const name =
      faults.length > 0
        ? [
            `metadata.name: this is used in the Pod's hostname, which can result in surprising behavior; a DNS label is recommended: [${faults.join(' ')}]`,
          ]
        : [];
    return [...(appArmorWarnings.get(pod) ?? []), ...name, ...podWarnings(pod.metadata, obj(pod, 'spec'))];
  },
  subresources: {
    status: {
      prepare(_, pod, old) {
        const qos = str(obj(old, 'status'), 'qosClass');
        if (qos && str(obj(pod, 'status'), 'qosClass') === '') pod.status = { ...obj(pod, 'status'), qosClass: qos };
        keepObservedGenerations(pod, old);
      },
      rules: podStatusRules,
      warnings: (_, pod) =>
        ['podIPs', 'hostIPs'].flatMap((field) =>
          list(obj(pod, 'status'), field).flatMap((o, i) =>
            ipWarnings(new Path('status').child(field).index(i).child('ip'), str(o, 'ip')),
          ),
        ),
    },
    ephemeralcontainers: {
      prepare(_, pod, old) {
        const containers = obj(pod, 'spec').ephemeralContainers;
        const spec: JsonObject = { ...obj(old, 'spec') };
        if (containers === undefined) delete spec.ephemeralContainers;
        else spec.ephemeralContainers = containers;
        pod.spec = spec;
        pod.status = old.status;
        keepForStatus(pod, old);
        if (!equalJson(spec, old.spec)) pod.metadata.generation = (old.metadata.generation ?? 0) + 1;
      },
      meta: true,
      rules: ephemeralRules,
    },
    resize: {
      prepare(ctx, pod, old) {
        prepareResize(pod, old, ctx.gate);
        keepForStatus(pod, old);
        if (!equalJson(pod.spec, old.spec)) pod.metadata.generation = (old.metadata.generation ?? 0) + 1;
      },
      meta: true,
      rules(pod, old, c) {
        podRules(pod, c);
        const never = unresizable(pod, old, c.gate);
        if (never) c.errors.splice(0, c.errors.length, never);
        else resizeRules(pod, old, c);
      },
    },
  },
  strategy: {
    indexedField: 'spec.nodeName',
    selectableFields: (pod) => ({
      'spec.nodeName': str(obj(pod, 'spec'), 'nodeName'),
      'spec.restartPolicy': str(obj(pod, 'spec'), 'restartPolicy'),
      'spec.schedulerName': str(obj(pod, 'spec'), 'schedulerName'),
      'spec.serviceAccountName': str(obj(pod, 'spec'), 'serviceAccountName'),
      'spec.hostNetwork': String(bool(obj(pod, 'spec'), 'hostNetwork')),
      'status.phase': str(obj(pod, 'status'), 'phase'),
      'status.podIP': str(list(obj(pod, 'status'), 'podIPs')[0], 'ip'),
      'status.nominatedNodeName': str(obj(pod, 'status'), 'nominatedNodeName'),
    }),
    /** A pod on no node, or one that has ended, has nobody to be graceful with. */
    gracePeriod(pod, requested) {
      const spec = obj(pod, 'spec');
      const phase = str(obj(pod, 'status'), 'phase');
      if (str(spec, 'nodeName') === '' || phase === 'Failed' || phase === 'Succeeded') return 0;
      const period = requested ?? num(spec, 'terminationGracePeriodSeconds');
      return period < 0 ? 1 : period;
    },
  },
});
