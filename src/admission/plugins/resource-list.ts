import type { JsonObject } from '../../machinery/json.js';
import { Quantity } from '../../machinery/quantity.js';

/** Amounts by resource name. */
export type ResourceList = Map<string, Quantity>;

/** Reads a ResourceList; what is no quantity, which stored data could hold, counts as zero. */
export function resourceList(amounts: JsonObject): ResourceList {
  const out: ResourceList = new Map();
  for (const [name, value] of Object.entries(amounts)) if (value !== undefined) out.set(name, quantity(value));
  return out;
}

function quantity(value: unknown): Quantity {
  try {
    return Quantity.parse(String(value));
  } catch {
    return Quantity.of(0);
  }
}

/** As the API writes it. */
export function toJson(amounts: ResourceList): JsonObject {
  return Object.fromEntries([...amounts].map(([name, q]) => [name, q.toString()]));
}

/** Adds `more` into `sum`. */
export function addInto(sum: ResourceList, more: ResourceList): void {
  for (const [name, q] of more) sum.set(name, sum.get(name)?.add(q) ?? q);
}

/** Raises `max` to what is higher in `other`. */
export function raiseInto(max: ResourceList, other: ResourceList): void {
  for (const [name, q] of other) {
    const known = max.get(name);
    if (!known || q.compare(known) > 0) max.set(name, q);
  }
}

/** The same names with equal amounts, however they are written. */
export function equalLists(a: ResourceList, b: ResourceList): boolean {
  return a.size === b.size && [...a].every(([name, q]) => b.get(name)?.compare(q) === 0);
}
