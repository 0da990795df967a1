import { duplicate, type Path, tooMany } from '../../machinery/field.js';
import { isJsonObject, type JsonObject, type JsonValue } from '../../machinery/json.js';
import { str } from '../access.js';
import { type Check, each, type Rule } from '../validation/index.js';

/** Looks into a list unless it is too long. */
export function slice<C extends Check>(max: number, rule: Rule<C>): Rule<C> {
  return (v, at, c) => {
    if (Array.isArray(v) && v.length > max) c.errors.push(tooMany(at, v.length, max));
    else each(rule)(v, at, c);
  };
}

/** As `slice`; what has the same key as an earlier element is reported after all elements were looked at. */
export function set<C extends Check>(
  max: number,
  rule: Rule<C>,
  key: (element: JsonValue) => JsonValue = (e) => e,
): Rule<C> {
  return (v, at, c) => {
    slice(max, rule)(v, at, c);
    if (!Array.isArray(v) || v.length > max) return;
    const seen = new Set<string>();
    v.forEach((e, i) => {
      const k = key(e);
      const text = JSON.stringify(k);
      if (seen.has(text)) c.errors.push(duplicate(at.index(i), k));
      seen.add(text);
    });
  };
}
export const named = (field: string) => (e: JsonValue) => str(isJsonObject(e) ? e : {}, field);

/** The path of a map's entry shows no more than so many characters of the key. */
function shortened(key: string, max: number): string {
  const length = Math.max(16, max);
  if (key.length <= length) return key;
  const rest = length - 3;
  return `${key.slice(0, Math.floor((rest + 1) / 2))}...${key.slice(key.length - Math.floor(rest / 2))}`;
}

/** Keys are reported at the map, values at their entry. */
export function entriesOf<C extends Check>(
  limits: { max?: number; keyLength: number },
  key: (key: string, at: Path, c: C) => void,
  value: Rule<C> = () => {},
): Rule<C> {
  return (v, at, c) => {
    const map: JsonObject = isJsonObject(v) ? v : {};
    const keys = Object.keys(map).sort();
    if (limits.max !== undefined && keys.length > limits.max) {
      c.errors.push(tooMany(at, keys.length, limits.max));
      return;
    }
    for (const k of keys) {
      key(k, at, c);
      value(map[k], at.key(shortened(k, limits.keyLength)), c);
    }
  };
}
