import { invalidValue, Path, required as requiredError } from '../../machinery/field.js';
import type { KubeObject } from '../../machinery/json.js';
import { list, num, obj, str } from '../access.js';
import { dropCarriedFields } from '../conversion/autoscaling.js';
import { nonNegativeQuantity } from '../core/pod/resources.js';
import { kind } from '../kind.js';
import type { Strategy } from '../strategy.js';
import {
  type Check,
  each,
  ifPresent,
  nonNegative,
  oneOf,
  type Rule,
  requiredWith,
  satisfies,
  struct,
  whole,
} from '../validation/index.js';
import { describesOddly, type ReferenceOptions, validateMetrics, validateReference } from './metrics.js';

const SPEC = new Path('spec');
const MAX_WINDOW = 3600;
const MAX_PERIOD = 1800;

const overZero = satisfies((n) => n > 0, 'must be greater than zero');
const policy = struct('autoscaling.v2.HPAScalingPolicy', {
  type: oneOf('Percent', 'Pods'),
  value: overZero,
  periodSeconds: [overZero, satisfies((n) => n <= MAX_PERIOD, `must be less than or equal to ${MAX_PERIOD}`)],
});
const scalingRules = ifPresent(
  struct('autoscaling.v2.HPAScalingRules', {
    stabilizationWindowSeconds: ifPresent(
      satisfies((n) => n >= 0, 'must be greater than or equal to zero'),
      satisfies((n) => n <= MAX_WINDOW, `must be less than or equal to ${MAX_WINDOW}`),
    ),
    selectPolicy: ifPresent(oneOf('Disabled', 'Max', 'Min')),
    policies: [requiredWith('must specify at least one Policy'), each(policy)],
    tolerance: ifPresent(nonNegativeQuantity),
  }),
);
const behavior = ifPresent(
  struct('autoscaling.v2.HorizontalPodAutoscalerBehavior', { scaleUp: scalingRules, scaleDown: scalingRules }),
);

/** What a stored autoscaler got away with it may keep. */
function targetOptions(autoscaler: KubeObject, old: KubeObject | undefined): ReferenceOptions {
  const ref = obj(obj(autoscaler, 'spec'), 'scaleTargetRef');
  const was = obj(obj(old, 'spec'), 'scaleTargetRef');
  const same = str(ref, 'apiVersion') === str(was, 'apiVersion') && str(ref, 'kind') === str(was, 'kind');
  // The one thing in the core group that scales.
  return { anyVersion: old !== undefined && same, coreGroup: str(ref, 'kind') === 'ReplicationController' };
}
function describedOptions(old: KubeObject | undefined): ReferenceOptions {
  const options = { anyVersion: false, coreGroup: true };
  return { ...options, anyVersion: describesOddly(list(obj(old, 'spec'), 'metrics'), options) };
}

function minimum(autoscaler: KubeObject, c: Check): void {
  const spec = obj(autoscaler, 'spec');
  const old = obj(c.old, 'spec');
  const lowest = c.gate('HPAScaleToZero') || (old.minReplicas !== undefined && num(old, 'minReplicas') === 0) ? 0 : 1;
  const min = spec.minReplicas === undefined ? undefined : num(spec, 'minReplicas');
  if (min !== undefined && min < lowest)
    c.errors.push(invalidValue(SPEC.child('minReplicas'), min, `must be greater than or equal to ${lowest}`));
  const max = num(spec, 'maxReplicas');
  const at = SPEC.child('maxReplicas');
  if (max === 0) c.errors.push(requiredError(at, 'must be set and greater than 0'));
  else if (max < 0) c.errors.push(invalidValue(at, max, 'must be greater than or equal to 1'));
  if (min !== undefined && max < min)
    c.errors.push(invalidValue(at, max, 'must be greater than or equal to `minReplicas`'));
}

const rules: Rule = whole((v, _, c) => {
  const autoscaler = v as KubeObject;
  const spec = obj(autoscaler, 'spec');
  minimum(autoscaler, c);
  validateReference(obj(spec, 'scaleTargetRef'), targetOptions(autoscaler, c.old), SPEC.child('scaleTargetRef'), c);
  validateMetrics(spec, describedOptions(c.old), SPEC.child('metrics'), c);
  behavior(spec.behavior, SPEC.child('behavior'), c);
});

const counts = struct('autoscaling.v2.HorizontalPodAutoscalerStatus', {
  currentReplicas: nonNegative,
  desiredReplicas: nonNegative,
});

export const horizontalPodAutoscaler: Strategy = kind({
  group: 'autoscaling',
  kind: 'HorizontalPodAutoscaler',
  rules,
  prepareForCreate: (_, o) => dropCarriedFields(o),
  prepareForUpdate: (_, o) => dropCarriedFields(o),
  subresources: {
    status: {
      prepare: (_, o) => dropCarriedFields(o),
      rules: (o, _, c) => counts(o.status, new Path('status'), c),
    },
  },
});
