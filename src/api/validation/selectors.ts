import { forbiddenField, invalidValue, type Path, required } from '../../machinery/field.js';
import type { JsonObject } from '../../machinery/json.js';
import { list, str, stringMap, strings } from '../access.js';
import { type Check, invalidEach, type Rule } from './check.js';
import { labelValue, qualifiedName } from './formats.js';

/** Label keys are qualified names; both faults are reported at the map itself. */
export function validateLabels(labels: Readonly<Record<string, string>>, at: Path, c: Check): void {
  for (const key of Object.keys(labels).sort()) {
    validateLabelName(key, at, c);
    invalidEach(c, at, labels[key], labelValue(labels[key]!));
  }
}

export function validateLabelName(name: string, at: Path, c: Check): void {
  invalidEach(c, at, name, qualifiedName(name));
}

/** A map of labels. */
export const labels: Rule = (v, at, c) => validateLabels((v ?? {}) as Record<string, string>, at, c);

function requirement(r: JsonObject, at: Path, c: Check, lenientValues: boolean): void {
  const values = strings(r, 'values');
  switch (str(r, 'operator')) {
    case 'In':
    case 'NotIn':
      if (values.length === 0)
        c.errors.push(required(at.child('values'), "must be specified when `operator` is 'In' or 'NotIn'"));
      break;
    case 'Exists':
    case 'DoesNotExist':
      if (values.length > 0)
        c.errors.push(
          forbiddenField(at.child('values'), "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"),
        );
      break;
    default:
      c.errors.push(invalidValue(at.child('operator'), str(r, 'operator'), 'not a valid selector operator'));
  }
  validateLabelName(str(r, 'key'), at.child('key'), c);
  if (lenientValues) return;
  values.forEach((v, i) => {
    invalidEach(c, at.child('values').index(i), v, labelValue(v));
  });
}

/** meta.v1.LabelSelector. `lenientValues`: for selectors stored before label values were checked in them. */
export function validateLabelSelector(selector: JsonObject, at: Path, c: Check, lenientValues = false): void {
  validateLabels(stringMap(selector, 'matchLabels'), at.child('matchLabels'), c);
  list(selector, 'matchExpressions').forEach((r, i) => {
    requirement(r, at.child('matchExpressions').index(i), c, lenientValues);
  });
}

/** A label selector, when there is one. */
export const labelSelector: Rule = (v, at, c) => {
  if (v !== undefined) validateLabelSelector(v as JsonObject, at, c);
};
