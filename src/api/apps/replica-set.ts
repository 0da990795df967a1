import { invalidValue, Path } from '../../machinery/field.js';
import type { JsonObject, KubeObject } from '../../machinery/json.js';
import { bool, list, num, obj, ptr } from '../access.js';
import { templateRules, templateWarnings } from '../core/pod-template.js';
import { alwaysRunning, hostnameWarning, replicaStatusRules } from '../core/replication-controller.js';
import { kind } from '../kind.js';
import type { Strategy } from '../strategy.js';
import { type Check, nonNegative } from '../validation/index.js';
import { isEmptySelector, mustMatchTemplate, selectorIsImmutable, workloadSelector } from './selector.js';

const SPEC = new Path('spec');

/** A disk that several pods mount must be mounted for reading. Volumes that are stored already are left alone. */
export function readOnlyDisks(template: JsonObject, old: JsonObject | undefined, at: Path, c: Check): void {
  const writable = (v: JsonObject) =>
    v.gcePersistentDisk !== undefined && !bool(ptr(v, 'gcePersistentDisk'), 'readOnly');
  const volumes = (t: JsonObject | undefined) => list(obj(t, 'spec'), 'volumes');
  if (volumes(old).some(writable)) return;
  volumes(template).forEach((volume, i) => {
    if (writable(volume))
      c.errors.push(
        invalidValue(
          at.child('spec', 'volumes').index(i).child('gcePersistentDisk', 'readOnly'),
          false,
          'must be true for replicated pods > 1; GCE PD can only be mounted on multiple machines if it is read-only',
        ),
      );
  });
}

/** The template of ReplicaSets, and of Deployments, which make them. */
export function replicaTemplate(spec: JsonObject, c: Check): void {
  const at = SPEC.child('template');
  const template = obj(spec, 'template');
  const selector = ptr(spec, 'selector');
  const old = c.old && obj(obj(c.old, 'spec'), 'template');
  if (!selector || !isEmptySelector(selector)) mustMatchTemplate(selector, template, at, c);
  templateRules(template, old, at, c);
  if (num(spec, 'replicas') > 1) readOnlyDisks(template, old, at, c);
  alwaysRunning(template, at, 'ReplicaSet', c);
}

export const replicaSet: Strategy = kind({
  group: 'apps',
  kind: 'ReplicaSet',
  rules(v, _, c) {
    const spec = obj(v as KubeObject, 'spec');
    nonNegative(spec.replicas ?? 0, SPEC.child('replicas'), c);
    nonNegative(spec.minReadySeconds ?? 0, SPEC.child('minReadySeconds'), c);
    const texts = { empty: 'empty selector is invalid for deployment', broken: 'invalid label selector' };
    if (workloadSelector(spec.selector, SPEC.child('selector'), texts, c)) replicaTemplate(spec, c);
  },
  updateRules: (o, old, c) => selectorIsImmutable(obj(o, 'spec'), obj(old, 'spec'), SPEC.child('selector'), c),
  warnings: (_, o, old) => [
    ...(old ? [] : hostnameWarning(o.metadata.name ?? '')),
    ...templateWarnings(o, old, 'spec', 'template'),
  ],
  subresources: { status: { rules: (o, _, c) => replicaStatusRules(obj(o, 'status'), c, true) } },
});
