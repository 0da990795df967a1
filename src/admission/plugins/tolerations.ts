import { num, str } from '../../api/access.js';
import { equalJson, type JsonObject } from '../../machinery/json.js';

/** Whether all that `t` tolerates is tolerated by `wider`, too. */
export function covers(wider: JsonObject, t: JsonObject): boolean {
  if (equalJson(wider, t)) return true;
  const operator = str(wider, 'operator');
  if (str(t, 'key') !== str(wider, 'key') && !(str(wider, 'key') === '' && operator === 'Exists')) return false;
  if (str(wider, 'effect') !== '' && str(wider, 'effect') !== str(t, 'effect')) return false;
  if (str(wider, 'effect') === 'NoExecute' && wider.tolerationSeconds !== undefined) {
    if (t.tolerationSeconds === undefined) return false;
    if (num(t, 'tolerationSeconds') > num(wider, 'tolerationSeconds')) return false;
  }
  if (operator === 'Exists') return true;
  if (operator !== '' && operator !== 'Equal') return false;
  return str(t, 'operator') === 'Equal' && str(t, 'value') === str(wider, 'value');
}

/** Both lists in one, without what another one covers. */
export function mergeTolerations(first: readonly JsonObject[], second: readonly JsonObject[]): JsonObject[] {
  const all = [...first, ...second];
  const merged: JsonObject[] = [];
  all.forEach((t, i) => {
    const covered =
      merged.some((other) => covers(other, t)) ||
      all.slice(i + 1).some((other) => !equalJson(other, t) && covers(other, t));
    if (!covered) merged.push(t);
  });
  return merged;
}

/** Every toleration is covered by one that is allowed; an empty list of those allows all. */
export function allAllowed(tolerations: readonly JsonObject[], allowed: readonly JsonObject[]): boolean {
  return allowed.length === 0 || tolerations.every((t) => allowed.some((wider) => covers(wider, t)));
}
