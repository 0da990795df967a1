import { isJsonObject, type JsonValue } from '../json.js';
import { badType, noMergeKey, plainError } from './smp-errors.js';

// Order of merged lists: what the patch names comes in the patch's order, the rest in the order of the live list.
// Source: design proposal "preserve order in strategic merge patch".

/** What tells an element from others: the value of its merge key, or itself. */
export function elementKey(element: JsonValue, mergeKey: string): JsonValue {
  if (mergeKey === '') return element;
  if (!isJsonObject(element)) throw badType(element, 'map[string]interface {}');
  const value = element[mergeKey];
  if (value === undefined) throw noMergeKey(element, mergeKey);
  return value;
}

/** Splits a list into the elements that `by` has as well and the others. */
export function partition(
  list: readonly JsonValue[],
  by: readonly JsonValue[],
  mergeKey: string,
): { chosen: JsonValue[]; rest: JsonValue[] } {
  const keys = new Set<JsonValue>();
  for (const [i, element] of by.entries()) {
    if (mergeKey === '') keys.add(element);
    else if (!isJsonObject(element)) throw plainError(`value for key ${i} is not a map`);
    else if (element[mergeKey] !== undefined) keys.add(element[mergeKey]);
  }
  const chosen: JsonValue[] = [];
  const rest: JsonValue[] = [];
  for (const element of list) (keys.has(elementKey(element, mergeKey)) ? chosen : rest).push(element);
  return { chosen, rest };
}

/** Merges the two parts of a list so that each keeps its order and, where nothing speaks against it, the live order holds. */
export function enforceOrder(
  chosen: readonly JsonValue[],
  rest: readonly JsonValue[],
  order: readonly JsonValue[],
  liveOrder: readonly JsonValue[],
  mergeKey: string,
): JsonValue[] {
  const live = places(liveOrder, mergeKey);
  const right = sorted(chosen, places(order, mergeKey), mergeKey);
  const left = sorted(rest, live, mergeKey);
  const out: JsonValue[] = [];
  let i = 0;
  let j = 0;
  while (i < left.length && j < right.length) {
    const l = live.get(elementKey(left[i]!, mergeKey));
    const r = live.get(elementKey(right[j]!, mergeKey));
    out.push(l !== undefined && r !== undefined && l < r ? left[i++]! : right[j++]!);
  }
  return [...out, ...left.slice(i), ...right.slice(j)];
}

/** First place of every element. */
function places(list: readonly JsonValue[], mergeKey: string): Map<JsonValue, number> {
  const out = new Map<JsonValue, number>();
  for (const [i, element] of list.entries()) {
    const key = elementKey(element, mergeKey);
    if (!out.has(key)) out.set(key, i);
  }
  return out;
}

/** Elements by place. Upstream puts one without a place before all that came earlier in the list. */
function sorted(list: readonly JsonValue[], place: Map<JsonValue, number>, mergeKey: string): JsonValue[] {
  const known: JsonValue[] = [];
  const unknown: JsonValue[] = [];
  for (const element of list) (place.has(elementKey(element, mergeKey)) ? known : unknown).push(element);
  known.sort((a, b) => place.get(elementKey(a, mergeKey))! - place.get(elementKey(b, mergeKey))!);
  return [...unknown.reverse(), ...known];
}
