import { Path } from '../../../machinery/field.js';
import type { JsonObject, KubeObject } from '../../../machinery/json.js';
import { edit, list, obj, ptr, str, stringMap, strings } from '../../access.js';
import type { StrategyContext } from '../../strategy.js';
import { APPARMOR } from './annotations.js';
import { computeQos } from './qos.js';
import { visitContainers } from './security.js';

/** Adds an expression per key to a selector, with the value that the pod itself has. */
function mergeKeys(
  holder: JsonObject,
  field: string,
  operator: string,
  labels: Readonly<Record<string, string>>,
): void {
  const selector = ptr(holder, 'labelSelector');
  if (!selector) return;
  const added = strings(holder, field).flatMap((key) =>
    labels[key] === undefined ? [] : [{ key, operator, values: [labels[key]] }],
  );
  if (added.length > 0) selector.matchExpressions = [...list(selector, 'matchExpressions'), ...added];
}

/** Makes label keys of affinity and spread rules part of their selectors (KEP-3633, KEP-3243). */
function applyLabelKeys(pod: KubeObject, gate: (name: string) => boolean): void {
  const labels = stringMap(pod.metadata, 'labels');
  const spec = obj(pod, 'spec');
  for (const kind of ['podAffinity', 'podAntiAffinity']) {
    const terms = obj(obj(spec, 'affinity'), kind);
    const all = [
      ...list(terms, 'preferredDuringSchedulingIgnoredDuringExecution').map((t) => obj(t, 'podAffinityTerm')),
      ...list(terms, 'requiredDuringSchedulingIgnoredDuringExecution'),
    ];
    for (const term of all) {
      mergeKeys(term, 'matchLabelKeys', 'In', labels);
      mergeKeys(term, 'mismatchLabelKeys', 'NotIn', labels);
    }
  }
  if (!gate('MatchLabelKeysInPodTopologySpread') || !gate('MatchLabelKeysInPodTopologySpreadSelectorMerge')) return;
  for (const constraint of list(spec, 'topologySpreadConstraints'))
    mergeKeys(constraint, 'matchLabelKeys', 'In', labels);
}

/** The profile that a deprecated annotation means; undefined when it means none. */
function profileOf(annotation: string): JsonObject | undefined {
  if (annotation === 'unconfined') return { type: 'Unconfined' };
  if (annotation === 'runtime/default') return { type: 'RuntimeDefault' };
  const local = annotation.startsWith('localhost/') ? annotation.slice('localhost/'.length) : '';
  return local && local.trim() === local ? { type: 'Localhost', localhostProfile: local } : undefined;
}

/**
 * Turns AppArmor annotations into fields (KEP-24). Returns the annotations that earn a warning: those that had to be
 * copied, and those that mean nothing.
 */
export function applyAppArmor(pod: KubeObject, change: boolean): string[] {
  const annotations = pod.metadata.annotations;
  const spec = obj(pod, 'spec');
  if (!annotations || str(obj(spec, 'os'), 'name') === 'windows') return [];
  const ofPod = ptr(obj(spec, 'securityContext'), 'appArmorProfile');
  const warned: string[] = [];
  visitContainers(spec, new Path('spec'), (container) => {
    const key = APPARMOR + str(container, 'name');
    const annotation = annotations[key];
    if (annotation === undefined || obj(container, 'securityContext').appArmorProfile !== undefined) return;
    const profile = profileOf(annotation);
    const same = profile && ofPod && profile.type === ofPod.type && profile.localhostProfile === ofPod.localhostProfile;
    if (same) return;
    warned.push(key);
    if (profile && change)
      edit(container, 'securityContext', (context) => {
        context.appArmorProfile = profile;
      });
  });
  return warned;
}

/** A pod starts Pending, in the class its resources put it in, and held back when it has gates. */
export function prepareNewPod(ctx: StrategyContext, pod: KubeObject): void {
  const status: JsonObject = { phase: 'Pending', qosClass: computeQos(pod, ctx.gate('PodLevelResources')) };
  if (list(obj(pod, 'spec'), 'schedulingGates').length > 0)
    status.conditions = [
      {
        type: 'PodScheduled',
        status: 'False',
        lastTransitionTime: ctx.now(),
        reason: 'SchedulingGated',
        message: 'Scheduling is blocked due to non-empty scheduling gates',
      },
    ];
  pod.status = status;
  applyLabelKeys(pod, ctx.gate);
  applyAppArmor(pod, true);
}
