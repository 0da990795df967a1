import { compareBytes } from '../../machinery/go-format.js';
import type { JsonObject, JsonValue, KubeObject } from '../../machinery/json.js';
import { labelSelectorOf } from '../../machinery/selectors/label-selector.js';
import { list, obj, ptr, str, stringMap, strings } from '../access.js';

// The small forms that cells are made of.

export const nameOf = (object: KubeObject): string => str(object.metadata, 'name');
export const annotations = (object: KubeObject): Record<string, string> => stringMap(object.metadata, 'annotations');
export const isDeleted = (object: KubeObject): boolean => str(object.metadata, 'deletionTimestamp') !== '';

export const orNone = (text: string): string => text || '<none>';

/** A pointer to a string: what it points to, else what stands for nil. */
export function strOr(o: JsonObject | undefined, name: string, absent: string): string {
  const v = o?.[name];
  return typeof v === 'string' ? v : absent;
}

/** A quantity that is zero when it is not set. */
export const quantity = (o: JsonObject, name: string): string => strOr(o, name, '0');

/** `a=1,b=2` in the order of the pairs. */
export function labelsText(labels: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(labels).map(([key, value]) => `${key}=${value}`);
  return orNone(pairs.sort(compareBytes).join(','));
}

/** A meta.v1.LabelSelector as a query; `absent` stands for one that selects all or nothing. */
export function selectorText(
  selector: JsonObject | undefined,
  words: { empty: string; wrong: string } = { empty: '<none>', wrong: '<error>' },
): string {
  try {
    return labelSelectorOf(selector).toString() || words.empty;
  } catch {
    return words.wrong;
  }
}

/** The columns Containers and Images, of the containers of a pod spec. */
export function containerCells(podSpec: JsonObject): [names: string, images: string] {
  const containers = list(podSpec, 'containers');
  return [containers.map((c) => str(c, 'name')).join(','), containers.map((c) => str(c, 'image')).join(',')];
}

/** The pod spec in a workload's template. */
export const templateSpec = (workloadSpec: JsonObject): JsonObject => obj(obj(workloadSpec, 'template'), 'spec');

/** The first few of a list, and how many more there are. */
export function firstOf(items: readonly string[], max: number, separator = ','): string {
  const shown = items.slice(0, max).join(separator);
  return items.length > max ? `${shown} + ${items.length - max} more...` : shown;
}

/** `name.group`, or the name alone in the core group. */
export const qualified = (name: string, group: string): string => (group === '' ? name : `${name}.${group}`);

/** The addresses of `status.loadBalancer`, sorted and each once. */
export function loadBalancerAddresses(object: KubeObject): string {
  const ingress = list(obj(obj(object, 'status'), 'loadBalancer'), 'ingress');
  const addresses = new Set(ingress.map((point) => str(point, 'ip') || str(point, 'hostname')));
  addresses.delete('');
  return [...addresses].sort(compareBytes).join(',');
}

/** The status of the first condition of a type; '' when there is none. */
export function conditionStatus(status: JsonObject, type: string): string {
  return str(
    list(status, 'conditions').find((c) => str(c, 'type') === type),
    'status',
  );
}

/** How many things a list or map holds. */
export function count(value: JsonValue | undefined): number {
  return typeof value === 'object' && value !== null ? Object.keys(value).length : 0;
}

/** meta.v1.LabelSelector as the `%v` of Go prints it. */
export function goLabelSelector(selector: JsonObject): string {
  const labels = Object.entries(stringMap(selector, 'matchLabels')).sort(([a], [b]) => compareBytes(a, b));
  const pairs = labels.map(([key, value]) => `${key}: ${value},`).join('');
  const expressions = list(selector, 'matchExpressions')
    .map(
      (e) =>
        `LabelSelectorRequirement{Key:${str(e, 'key')},Operator:${str(e, 'operator')},Values:[${strings(e, 'values').join(' ')}],},`,
    )
    .join('');
  return `&LabelSelector{MatchLabels:map[string]string{${pairs}},MatchExpressions:[]LabelSelectorRequirement{${expressions}},}`;
}

/** `spec.paramRef` of a policy binding. A name without namespace may be of either scope, so it gets `*`. */
export function paramRefText(spec: JsonObject): string {
  const ref = ptr(spec, 'paramRef');
  const selector = ptr(ref, 'selector');
  const name = str(ref, 'name');
  if (name) return `${str(ref, 'namespace') || '*'}/${name}`;
  return selector ? goLabelSelector(selector) : '<unset>';
}
