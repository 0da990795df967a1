import type { JsonObject, KubeObject } from '../../machinery/json.js';
import type { Converter } from './index.js';

/** Fields of one version → their names in another. */
export type Names = readonly (readonly [from: string, to: string])[];

/** Gives fields their names of the other version, and the other way round. */
export function renaming(names: Names): { there: Converter; back: Converter } {
  const move = (object: KubeObject, pairs: Names): void => {
    const values = pairs.map(([from]) => {
      const value = object[from];
      delete object[from];
      return value;
    });
    pairs.forEach(([, to], i) => {
      if (values[i] !== undefined) object[to] = values[i];
    });
  };
  const reversed = names.map(([from, to]) => [to, from] as const);
  return { there: (object) => move(object, names), back: (object) => move(object, reversed) };
}

/** Moves fields of one struct into another. */
export function moveFields(from: JsonObject, to: JsonObject, names: readonly string[]): void {
  for (const name of names) {
    if (from[name] === undefined) continue;
    to[name] = from[name];
    delete from[name];
  }
}
