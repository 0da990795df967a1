import { type Overload, overload } from '../types/declarations.js';
import { mapType, paramType } from '../types/type.js';
import { CelMap, isPlainObject, makeMap, mapEntries, mapHas, type PlainObject } from '../values/containers.js';
import { CelError } from '../values/error.js';

const K = paramType('K');
const V = paramType('V');
const MAP = mapType(K, V);
type AnyMap = PlainObject | CelMap;

/** Maps that were made by insert() and that nobody else can see, so that they may be changed. */
const own = new WeakSet<object>();

/**
 * The map with one more entry. What the macros build up is only changed by them, so a map made here is extended in
 * place: a transformation would take quadratic time otherwise.
 */
function insert(map: AnyMap, key: unknown, value: unknown): AnyMap {
  if (mapHas(map, key)) throw new CelError(`insert failed: key ${String(key)} already exists`);
  let target = map;
  if (!own.has(map) || (isPlainObject(map) && typeof key !== 'string')) {
    target = isPlainObject(map) && typeof key === 'string' ? makeMap(mapEntries(map)) : toCelMap(map);
    own.add(target);
  }
  if (target instanceof CelMap) target.set(key, value);
  else target[key as string] = value;
  return target;
}

function toCelMap(map: AnyMap): CelMap {
  const copy = new CelMap();
  for (const [key, value] of mapEntries(map)) copy.set(key, value);
  return copy;
}

/** What the macros of cel-go's two-variable comprehensions need. */
export const COMPREHENSIONS: Record<string, Overload[]> = {
  'cel.@mapInsert': [
    overload('@mapInsert_map_key_value', [MAP, K, V], MAP, insert),
    overload('@mapInsert_map_map', [MAP, MAP], MAP, (map: AnyMap, more: AnyMap) => {
      let result = map;
      for (const [key, value] of mapEntries(more)) result = insert(result, key, value);
      return result;
    }),
  ],
};
