import { forbiddenField, invalidValue, notSupported, Path, required } from '../../machinery/field.js';
import type { JsonObject, KubeObject } from '../../machinery/json.js';
import { num, obj, ptr, str } from '../access.js';
import { templateWarnings } from '../core/pod-template.js';
import { hostnameWarning } from '../core/replication-controller.js';
import { kind } from '../kind.js';
import type { Strategy } from '../strategy.js';
import { type Check, goForm, ifPresent, nonNegative, type Rule, struct, whole } from '../validation/index.js';
import { amountOf, atMost100Percent, intOrPercent } from './int-or-percent.js';
import { replicaTemplate } from './replica-set.js';
import { selectorIsImmutable, workloadSelector } from './selector.js';

const SPEC = new Path('spec');
const STATUS = new Path('status');

const rollingUpdate = struct('apps.v1.RollingUpdateDeployment', {
  maxUnavailable: ifPresent(intOrPercent),
  maxSurge: ifPresent(intOrPercent),
  $both: whole((o, at, c) => {
    if (amountOf(o.maxUnavailable) === 0 && amountOf(o.maxSurge) === 0)
      c.errors.push(invalidValue(at.child('maxUnavailable'), o.maxUnavailable, 'may not be 0 when `maxSurge` is 0'));
  }),
  $limit: whole((o, at, c) => atMost100Percent(o.maxUnavailable, at.child('maxUnavailable'), c)),
});

const strategy: Rule = (v, at, c) => {
  const s = (v ?? {}) as JsonObject;
  const type = str(s, 'type');
  const update = ptr(s, 'rollingUpdate');
  const here = at.child('rollingUpdate');
  if (type === 'Recreate') {
    if (update) c.errors.push(forbiddenField(here, "may not be specified when strategy `type` is 'Recreate'"));
  } else if (type === 'RollingUpdate') {
    if (update) rollingUpdate(update, here, c);
    else c.errors.push(required(here, 'this should be defaulted and never be nil'));
  } else c.errors.push(notSupported(at, goForm('apps.v1.DeploymentStrategy', s), ['Recreate', 'RollingUpdate']));
};

const tail = struct('apps.v1.DeploymentSpec', {
  strategy,
  minReadySeconds: nonNegative,
  revisionHistoryLimit: ifPresent(nonNegative),
  progressDeadlineSeconds: ifPresent(nonNegative),
  $deadline: whole((o, at, c) => {
    const deadline = o.progressDeadlineSeconds;
    if (deadline !== undefined && Number(deadline) <= num(o, 'minReadySeconds'))
      c.errors.push(
        invalidValue(at.child('progressDeadlineSeconds'), deadline, 'must be greater than minReadySeconds'),
      );
  }),
});

const counts = struct('apps.v1.DeploymentStatus', {
  observedGeneration: nonNegative,
  replicas: nonNegative,
  updatedReplicas: nonNegative,
  readyReplicas: nonNegative,
  availableReplicas: nonNegative,
  unavailableReplicas: nonNegative,
  terminatingReplicas: ifPresent(nonNegative),
  collisionCount: ifPresent(nonNegative),
});

/** A count of hash collisions only grows: names were made of it. */
export function collisionCountGrows(o: KubeObject, old: KubeObject, c: Check): void {
  const [now, was] = [obj(o, 'status').collisionCount, obj(old, 'status').collisionCount];
  if (was !== undefined && (now === undefined || Number(now) < Number(was)))
    c.errors.push(invalidValue(STATUS.child('collisionCount'), now ?? 0, 'cannot be decremented'));
}

/** Counts that are part of another one. */
export function notMoreThan(status: JsonObject, pairs: readonly (readonly [string, string])[], c: Check): void {
  for (const [part, all] of pairs)
    if (num(status, part) > num(status, all)) {
      const text = all === 'replicas' ? 'cannot be greater than status.replicas' : `cannot be greater than ${all}`;
      c.errors.push(invalidValue(STATUS.child(part), num(status, part), text));
    }
}

export const deployment: Strategy = kind({
  group: 'apps',
  kind: 'Deployment',
  rules(v, _, c) {
    const spec = obj(v as KubeObject, 'spec');
    nonNegative(spec.replicas ?? 0, SPEC.child('replicas'), c);
    const texts = { empty: 'empty selector is invalid for deployment', broken: 'invalid label selector' };
    if (workloadSelector(spec.selector, SPEC.child('selector'), texts, c)) replicaTemplate(spec, c);
    tail(spec, SPEC, c);
  },
  updateRules: (o, old, c) => selectorIsImmutable(obj(o, 'spec'), obj(old, 'spec'), SPEC.child('selector'), c),
  warnings: (_, o, old) => [
    ...(old ? [] : hostnameWarning(o.metadata.name ?? '')),
    ...templateWarnings(o, old, 'spec', 'template'),
  ],
  subresources: {
    status: {
      rules(o, old, c) {
        const status = obj(o, 'status');
        counts(status, STATUS, c);
        notMoreThan(
          status,
          [
            ['updatedReplicas', 'replicas'],
            ['readyReplicas', 'replicas'],
            ['availableReplicas', 'replicas'],
            ['availableReplicas', 'readyReplicas'],
          ],
          c,
        );
        collisionCountGrows(o, old, c);
      },
    },
  },
});
