import { invalidValue, Path } from '../../machinery/field.js';
import { isJsonObject, type KubeObject } from '../../machinery/json.js';
import { list, obj, ptr, str } from '../access.js';
import { atMost100Percent, intOrPercent } from '../apps/int-or-percent.js';
import type { GroupStrategies } from '../index.js';
import { kind } from '../kind.js';
import {
  type Check,
  conditions,
  goForm,
  ifPresent,
  newCheck,
  nonNegative,
  oneOf,
  struct,
  validateLabelSelector,
  whole,
} from '../validation/index.js';

const SPEC = new Path('spec');

const amount = ifPresent(intOrPercent, atMost100Percent);

function hasOddSelector(budget: KubeObject | undefined): boolean {
  const c = newCheck(() => true);
  const selector = ptr(obj(budget, 'spec'), 'selector');
  if (selector) validateLabelSelector(selector, SPEC, c);
  return c.errors.length > 0;
}

const spec = struct('policy.v1.PodDisruptionBudgetSpec', {
  $one: whole((o, at, c) => {
    if (o.minAvailable !== undefined && o.maxUnavailable !== undefined)
      c.errors.push(
        invalidValue(
          at,
          goForm('policy.v1.PodDisruptionBudgetSpec', o),
          'minAvailable and maxUnavailable cannot be both set',
        ),
      );
  }),
  minAvailable: amount,
  maxUnavailable: amount,
  selector: (v, at, c) => {
    if (isJsonObject(v)) validateLabelSelector(v, at, c, hasOddSelector(c.old));
  },
  unhealthyPodEvictionPolicy: ifPresent(oneOf('AlwaysAllow', 'IfHealthyBudget')),
});

const status = struct('policy.v1.PodDisruptionBudgetStatus', {
  conditions,
  disruptionsAllowed: nonNegative,
  currentHealthy: nonNegative,
  desiredHealthy: nonNegative,
  expectedPods: nonNegative,
});

/**
 * Stands in selectors that v1beta1 meant to match nothing. Alone it is kept; it never mixes with what a user asks for.
 */
const V1BETA1_LABEL = 'pdb.kubernetes.io/deprecated-v1beta1-empty-selector-match';

function dropOldLabel(budget: KubeObject): void {
  const selector = ptr(obj(budget, 'spec'), 'selector');
  const expressions = list(selector, 'matchExpressions');
  if (!selector || !expressions.some((e) => str(e, 'key') === V1BETA1_LABEL)) return;
  const [only] = expressions;
  const alone = expressions.length === 1 && selector.matchLabels === undefined && only?.values === undefined;
  if (alone && str(only, 'operator') === 'Exists') return;
  const left = expressions.filter((e) => str(e, 'key') !== V1BETA1_LABEL);
  if (left.length > 0) selector.matchExpressions = left;
  else delete selector.matchExpressions;
}

const podDisruptionBudget = kind({
  group: 'policy',
  kind: 'PodDisruptionBudget',
  ownMetadata: true,
  rules: (v, _, c: Check) => spec(obj(v as KubeObject, 'spec'), SPEC, c),
  onUpdate: ['rules'],
  prepareForCreate: (_, o) => dropOldLabel(o),
  prepareForUpdate: (_, o) => dropOldLabel(o),
  subresources: { status: { rules: (o, _, c) => status(o.status, new Path('status'), c) } },
});

export const strategies: GroupStrategies = { PodDisruptionBudget: podDisruptionBudget };
