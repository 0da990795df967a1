import { invalidValue, type Path, required } from '../../machinery/field.js';
import { equalJson, type JsonObject, type JsonValue } from '../../machinery/json.js';
import { list, obj, str, stringMap, strings } from '../access.js';
import { type Check, goForm, newCheck, sortedMap, validateLabelSelector } from '../validation/index.js';

export const LABEL_SELECTOR = 'io.k8s.apimachinery.pkg.apis.meta.v1.LabelSelector';
const MISMATCH = '`selector` does not match template `labels`';

export const isEmptySelector = (selector: JsonObject): boolean =>
  Object.keys(obj(selector, 'matchLabels')).length + list(selector, 'matchExpressions').length === 0;

/** Whether a selector can be evaluated at all: a parser of its own refuses what validation may have reported already. */
export function isUsableSelector(selector: JsonObject, at: Path): boolean {
  const c = newCheck(() => true);
  validateLabelSelector(selector, at, c);
  return c.errors.length === 0;
}

/** Whether a (usable) label selector matches. An empty one matches everything. */
export function selectorMatches(selector: JsonObject, labels: Readonly<Record<string, string>>): boolean {
  const wanted = stringMap(selector, 'matchLabels');
  if (Object.keys(wanted).some((key) => labels[key] !== wanted[key])) return false;
  return list(selector, 'matchExpressions').every((r) => {
    const key = str(r, 'key');
    const has = Object.hasOwn(labels, key);
    const among = has && strings(r, 'values').includes(labels[key]!);
    switch (str(r, 'operator')) {
      case 'In':
        return among;
      case 'NotIn':
        return !among;
      case 'Exists':
        return has;
      default:
        return !has;
    }
  });
}

/** The pods of a template must be found by the selector beside it. No selector finds nothing. */
export function mustMatchTemplate(selector: JsonObject | undefined, template: JsonObject, at: Path, c: Check): void {
  const labels = obj(template, 'metadata').labels;
  if (!selector || !selectorMatches(selector, (labels ?? {}) as Record<string, string>))
    c.errors.push(invalidValue(at.child('metadata', 'labels'), sortedMap(labels), MISMATCH));
}

export interface SelectorTexts {
  /** When it selects everything. */
  readonly empty: string;
  /** When it can't be evaluated. */
  readonly broken: string;
}

/** The selector of a workload. Tells whether it can be used. */
export function workloadSelector(v: JsonValue | undefined, at: Path, texts: SelectorTexts, c: Check): boolean {
  if (v === undefined) {
    c.errors.push(required(at));
    return true;
  }
  const selector = v as JsonObject;
  validateLabelSelector(selector, at, c);
  const shown = () => goForm(LABEL_SELECTOR, selector);
  if (isEmptySelector(selector)) c.errors.push(invalidValue(at, shown(), texts.empty));
  if (isUsableSelector(selector, at)) return true;
  c.errors.push(invalidValue(at, shown(), texts.broken));
  return false;
}

/** A selector never changes: the pods of the old one would be left behind. */
export function selectorIsImmutable(spec: JsonObject, old: JsonObject, at: Path, c: Check): void {
  if (!equalJson(spec.selector, old.selector))
    c.errors.push(invalidValue(at, goForm(LABEL_SELECTOR, spec.selector), 'field is immutable'));
}
