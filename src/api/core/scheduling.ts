import {
  duplicate,
  forbiddenField,
  invalidValue,
  notSupported,
  type Path,
  required as requiredError,
} from '../../machinery/field.js';
import type { JsonObject } from '../../machinery/json.js';
import { list, num, ptr, str, strings } from '../access.js';
import {
  type Check,
  dnsLabel,
  each,
  formats,
  ifPresent,
  ifSet,
  invalidEach,
  oneOf,
  oneOfInOrder,
  type Rule,
  requiredWith,
  satisfies,
  struct,
  validateLabelName,
  validateLabelSelector,
  whole,
} from '../validation/index.js';

const labelName: Rule = (v, at, c) => validateLabelName(typeof v === 'string' ? v : '', at, c);

function selectorRequirement(o: JsonObject, at: Path, c: Check, lenientValues: boolean): void {
  const values = strings(o, 'values');
  const here = at.child('values');
  const operator = str(o, 'operator');
  if (operator === 'In' || operator === 'NotIn') {
    if (values.length === 0) c.errors.push(requiredError(here, "must be specified when `operator` is 'In' or 'NotIn'"));
  } else if (operator === 'Exists' || operator === 'DoesNotExist') {
    if (values.length > 0)
      c.errors.push(forbiddenField(here, "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"));
  } else if (operator === 'Gt' || operator === 'Lt') {
    if (values.length !== 1)
      c.errors.push(requiredError(here, "must be specified single value when `operator` is 'Lt' or 'Gt'"));
  } else c.errors.push(invalidValue(at.child('operator'), operator, 'not a valid selector operator'));
  labelName(str(o, 'key'), at.child('key'), c);
  if (!lenientValues)
    values.forEach((v, i) => {
      invalidEach(c, here.index(i), v, formats.labelValue(v));
    });
}

/** Nodes are selected by one field only, their name. */
function fieldRequirement(o: JsonObject, at: Path, c: Check): void {
  const values = strings(o, 'values');
  const operator = str(o, 'operator');
  if (operator !== 'In' && operator !== 'NotIn')
    c.errors.push(invalidValue(at.child('operator'), operator, 'not a valid selector operator'));
  else if (values.length !== 1)
    c.errors.push(
      requiredError(
        at.child('values'),
        "must be only one value when `operator` is 'In' or 'NotIn' for node field selector",
      ),
    );
  if (str(o, 'key') !== 'metadata.name')
    c.errors.push(invalidValue(at.child('key'), str(o, 'key'), 'not a valid field selector key'));
  else
    values.forEach((v, i) => {
      invalidEach(c, at.child('values').index(i), v, formats.dns1123Subdomain(v));
    });
}

function nodeSelectorTerm(term: JsonObject, at: Path, c: Check, lenientValues: boolean): void {
  list(term, 'matchExpressions').forEach((r, i) => {
    selectorRequirement(r, at.child('matchExpressions').index(i), c, lenientValues);
  });
  list(term, 'matchFields').forEach((r, i) => {
    fieldRequirement(r, at.child('matchFields').index(i), c);
  });
}

/** core.v1.NodeSelector. */
export function validateNodeSelector(selector: JsonObject, at: Path, c: Check, lenientValues = false): void {
  const terms = list(selector, 'nodeSelectorTerms');
  const here = at.child('nodeSelectorTerms');
  if (terms.length === 0) c.errors.push(requiredError(here, 'must have at least one node selector term'));
  terms.forEach((term, i) => {
    nodeSelectorTerm(term, here.index(i), c, lenientValues);
  });
}

/** Facts about the stored object that affinity rules ask for. */
export interface SchedulingCheck extends Check {
  readonly lenient: {
    readonly selectorValues: boolean;
    readonly nodeAffinityValues: boolean;
    readonly spreadSelectors: boolean;
  };
}

const weight = satisfies((n) => n > 0 && n <= 100, 'must be in the range 1-100');

const nodeAffinity = struct<SchedulingCheck>('core.v1.NodeAffinity', {
  requiredDuringSchedulingIgnoredDuringExecution: ifPresent((v, at, c) =>
    validateNodeSelector(v as JsonObject, at, c, c.lenient.nodeAffinityValues),
  ),
  preferredDuringSchedulingIgnoredDuringExecution: each(
    struct<SchedulingCheck>('core.v1.PreferredSchedulingTerm', {
      weight,
      // Values that are no label values match nothing, which a mere preference survives.
      preference: (v, at, c) => nodeSelectorTerm((v ?? {}) as JsonObject, at, c, true),
    }),
  ),
});

/** Keys that are compared with the pod's own labels; they need a selector to add to. */
function labelKeys(o: JsonObject, field: string, at: Path, c: Check): void {
  const keys = strings(o, field);
  const here = at.child(field);
  if (keys.length === 0) return;
  if (!ptr(o, 'labelSelector')) {
    c.errors.push(forbiddenField(here, 'must not be specified when labelSelector is not set'));
    return;
  }
  keys.forEach((key, i) => {
    labelName(key, here.index(i), c);
  });
}

const podAffinityTerm = struct<SchedulingCheck>('core.v1.PodAffinityTerm', {
  labelSelector: ifPresent((v, at, c) => validateLabelSelector(v as JsonObject, at, c, c.lenient.selectorValues)),
  namespaceSelector: ifPresent((v, at, c) => validateLabelSelector(v as JsonObject, at, c, c.lenient.selectorValues)),
  $namespaces: whole((o, at, c) => {
    for (const name of strings(o, 'namespaces')) dnsLabel(name, at.child('namespace'), c);
  }),
  $labelKeys: whole((o, at, c) => {
    labelKeys(o, 'matchLabelKeys', at, c);
    labelKeys(o, 'mismatchLabelKeys', at, c);
    const match = strings(o, 'matchLabelKeys');
    const selector = ptr(o, 'labelSelector');
    if (selector) {
      const known = new Set(Object.keys(ptr(selector, 'matchLabels') ?? {}));
      for (const r of list(selector, 'matchExpressions')) {
        const key = str(r, 'key');
        // The server itself adds one expression per key; a second one is the client's.
        if (match.includes(key) && known.has(key))
          c.errors.push(
            invalidValue(at.index(match.lastIndexOf(key)), key, 'exists in both matchLabelKeys and labelSelector'),
          );
        known.add(key);
      }
    }
    const mismatch = strings(o, 'mismatchLabelKeys');
    match.forEach((key, i) => {
      if (mismatch.includes(key))
        c.errors.push(
          invalidValue(at.child('matchLabelKeys').index(i), key, 'exists in both matchLabelKeys and mismatchLabelKeys'),
        );
    });
  }),
  topologyKey: [requiredWith('can not be empty'), labelName],
});

const podAffinity = (type: string): Rule<SchedulingCheck> =>
  struct<SchedulingCheck>(type, {
    requiredDuringSchedulingIgnoredDuringExecution: each(podAffinityTerm),
    preferredDuringSchedulingIgnoredDuringExecution: each(
      struct<SchedulingCheck>('core.v1.WeightedPodAffinityTerm', { weight, podAffinityTerm }),
    ),
  });

/** core.v1.Affinity. */
export const affinity = struct<SchedulingCheck>('core.v1.Affinity', {
  nodeAffinity: ifPresent(nodeAffinity),
  podAffinity: ifPresent(podAffinity('core.v1.PodAffinity')),
  podAntiAffinity: ifPresent(podAffinity('core.v1.PodAntiAffinity')),
});

const EFFECTS = oneOfInOrder('NoSchedule', 'PreferNoSchedule', 'NoExecute');

/** core.v1.Toleration. */
export const toleration = struct('core.v1.Toleration', {
  key: ifSet(labelName),
  $match: whole((o, at, c) => {
    const operator = str(o, 'operator');
    const value = str(o, 'value');
    const here = at.child('operator');
    if (str(o, 'key') === '' && operator !== 'Exists')
      c.errors.push(
        invalidValue(
          here,
          operator,
          'operator must be Exists when `key` is empty, which means "match all values and all keys"',
        ),
      );
    if (o.tolerationSeconds !== undefined && str(o, 'effect') !== 'NoExecute')
      c.errors.push(
        invalidValue(
          at.child('effect'),
          str(o, 'effect'),
          "effect must be 'NoExecute' when `tolerationSeconds` is set",
        ),
      );
    const numeric = c.gate('TaintTolerationComparisonOperators');
    if (operator === '' || operator === 'Equal') {
      const faults = formats.labelValue(value);
      if (faults.length > 0) c.errors.push(invalidValue(here, value, faults.join(';')));
    } else if (operator === 'Exists') {
      if (value !== '') c.errors.push(invalidValue(here, value, "value must be empty when `operator` is 'Exists'"));
    } else if (numeric && (operator === 'Lt' || operator === 'Gt')) {
      if (!/^(0|-?[1-9][0-9]{0,18})$/.test(value))
        c.errors.push(
          invalidValue(at.child('value'), value, 'must be a valid integer for numeric comparison operators'),
        );
    } else c.errors.push(notSupported(here, operator, numeric ? ['Equal', 'Exists', 'Lt', 'Gt'] : ['Equal', 'Exists']));
  }),
  effect: ifSet(EFFECTS),
});

/** Effect of a taint, which unlike that of a toleration must be given. */
export const taintEffect: Rule = (v, at, c) => {
  if (v === '' || v === undefined) c.errors.push(requiredError(at));
  else EFFECTS(v, at, c);
};

const nodePolicy = ifPresent(oneOf('Honor', 'Ignore'));

/** A list of core.v1.TopologySpreadConstraint. */
export const topologySpread: Rule<SchedulingCheck> = (v, at, c) => {
  if (!Array.isArray(v)) return;
  const all = v as JsonObject[];
  const pair = (o: JsonObject) => `{${str(o, 'topologyKey')}, ${str(o, 'whenUnsatisfiable')}}`;
  const last = new Map(all.map((o, i) => [pair(o), i]));
  all.forEach((o, i) => {
    const here = at.index(i);
    spreadHead(o, here, c);
    if (last.get(pair(o)) !== i) c.errors.push(duplicate(here.child('{topologyKey, whenUnsatisfiable}'), pair(o)));
    spreadTail(o, here, c);
  });
};

const spreadHead = struct<SchedulingCheck>('core.v1.TopologySpreadConstraint', {
  maxSkew: satisfies((n) => n > 0, 'must be greater than zero'),
  topologyKey: requiredWith('can not be empty'),
  whenUnsatisfiable: oneOf('DoNotSchedule', 'ScheduleAnyway'),
});
const spreadTail = struct<SchedulingCheck>('core.v1.TopologySpreadConstraint', {
  minDomains: ifPresent(satisfies((n) => n > 0, 'must be greater than zero')),
  $minDomains: whole((o, at, c) => {
    const action = str(o, 'whenUnsatisfiable');
    if (o.minDomains !== undefined && action !== 'DoNotSchedule')
      c.errors.push(
        invalidValue(
          at.child('minDomains'),
          num(o, 'minDomains'),
          `can only use minDomains if whenUnsatisfiable=DoNotSchedule, not ${action}`,
        ),
      );
  }),
  nodeAffinityPolicy: nodePolicy,
  nodeTaintsPolicy: nodePolicy,
  $labelKeys: whole((o, at, c) => {
    const keys = strings(o, 'matchLabelKeys');
    const here = at.child('matchLabelKeys');
    if (keys.length === 0) return;
    const selector = ptr(o, 'labelSelector');
    if (!selector) c.errors.push(forbiddenField(here, 'must not be specified when labelSelector is not set'));
    const known = new Set([
      ...Object.keys(ptr(selector, 'matchLabels') ?? {}),
      ...list(selector, 'matchExpressions').map((r) => str(r, 'key')),
    ]);
    keys.forEach((key, i) => {
      labelName(key, here.index(i), c);
      if (known.has(key))
        c.errors.push(invalidValue(here.index(i), key, 'exists in both matchLabelKeys and labelSelector'));
    });
  }),
  labelSelector: ifPresent((v, at, c) => {
    if (!c.lenient.spreadSelectors) validateLabelSelector(v as JsonObject, at, c);
  }),
});
