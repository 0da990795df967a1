import { equalJson, isJsonObject, type JsonObject, type JsonValue } from '../../../../machinery/json.js';
import { additionalSchema, type Structural } from '../structural.js';

/**
 * A value of an updated object together with the value that it was before, as far as the schema tells which it was:
 * members of maps by name, items of `map` lists by their keys, nothing else. What did not change is not held against
 * the client (ratcheting, KEP-4008).
 */
export class Correlation {
  readonly value: JsonValue;
  readonly old: JsonValue;
  readonly schema: Structural;
  readonly #members = new Map<string | number, Correlation | undefined>();
  #unchanged: boolean | undefined;
  #oldItems: ReadonlyMap<string, JsonObject> | undefined;

  constructor(value: JsonValue, old: JsonValue, schema: Structural) {
    this.value = value;
    this.old = old;
    this.schema = schema;
  }

  /** Items of `map` lists may have changed places; members that the schema does not know count as changed. */
  get unchanged(): boolean {
    this.#unchanged ??= this.#compare();
    return this.#unchanged;
  }

  #compare(): boolean {
    const { value, old, schema } = this;
    if (Array.isArray(value) && Array.isArray(old)) {
      if (value.length !== old.length) return false;
      if (schema.listType !== 'map') return equalJson(value, old);
      return value.every((_, i) => this.index(i)?.unchanged === true);
    }
    if (isJsonObject(value) && isJsonObject(old)) {
      const names = Object.keys(value);
      return names.length === Object.keys(old).length && names.every((n) => this.key(n)?.unchanged === true);
    }
    return equalJson(value, old);
  }

  key(name: string): Correlation | undefined {
    if (!this.#members.has(name)) this.#members.set(name, this.#member(name));
    return this.#members.get(name);
  }

  #member(name: string): Correlation | undefined {
    const { value, old, schema } = this;
    if (!isJsonObject(value) || !isJsonObject(old)) return undefined;
    if (!Object.hasOwn(value, name) || !Object.hasOwn(old, name)) return undefined;
    const inner = schema.properties.get(name) ?? additionalSchema(schema);
    return inner && new Correlation(value[name]!, old[name]!, inner);
  }

  index(i: number): Correlation | undefined {
    if (!this.#members.has(i)) this.#members.set(i, this.#item(i));
    return this.#members.get(i);
  }

  #item(i: number): Correlation | undefined {
    const { value, schema } = this;
    if (!Array.isArray(value) || !schema.items || value[i] === undefined) return undefined;
    const old = this.oldItem(value[i]!);
    return old && new Correlation(value[i]!, old, schema.items);
  }

  /** The item of the old list with the same keys; undefined for lists that are no maps. */
  oldItem(item: JsonValue): JsonObject | undefined {
    if (this.schema.listType !== 'map' || !Array.isArray(this.old)) return undefined;
    this.#oldItems ??= itemsByKey(this.schema, this.old);
    return itemOf(this.schema, this.#oldItems, item);
  }
}

/** Items of a `map` list by their keys; of items with equal keys the first one counts. */
export function itemsByKey(schema: Structural, list: readonly JsonValue[]): Map<string, JsonObject> {
  const found = new Map<string, JsonObject>();
  for (const item of list) {
    const key = isJsonObject(item) ? keyOf(schema, item) : undefined;
    if (key !== undefined && !found.has(key)) found.set(key, item as JsonObject);
  }
  return found;
}

export function itemOf(
  schema: Structural,
  items: ReadonlyMap<string, JsonObject>,
  item: JsonValue,
): JsonObject | undefined {
  const key = isJsonObject(item) ? keyOf(schema, item) : undefined;
  return key === undefined ? undefined : items.get(key);
}

/** Undefined unless every key is there and a scalar. */
function keyOf(schema: Structural, item: JsonObject): string | undefined {
  const parts: string[] = [];
  for (const key of schema.listMapKeys) {
    const part = Object.hasOwn(item, key) ? item[key] : undefined;
    if (part === undefined || part === null || typeof part === 'object') return undefined;
    parts.push(typeof part === 'string' ? JSON.stringify(part) : `${typeof part === 'boolean' ? '' : 'n'}${part}`);
  }
  return parts.length === 0 ? undefined : parts.join('\0');
}
