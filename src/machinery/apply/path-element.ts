import { compareBytes, goJson, goQuote } from '../go-format.js';
import { isJsonObject, type JsonObject, type JsonValue } from '../json.js';

/**
 * One step of a field path, in the form of a key of `fieldsV1`: `f:<name>` a member, `k:<JSON object>` the list element
 * with these keys, `v:<JSON value>` the list element with this value, `i:<index>` the element at this place.
 */
export type PathElement = string;

export const valueElement = (value: JsonValue): PathElement => `v:${goJson(value)}`;
/** `keys` in any order; the element has them sorted. */
export const keyElement = (keys: JsonObject): PathElement => `k:${goJson(keys)}`;

/**
 * The canonical form of a key of fieldsV1; undefined for kinds of elements that are not known (yet), which are dropped.
 * @throws Error for what no version of the format allows
 */
export function parseElement(key: string): PathElement | undefined {
  if (key.length < 2) throw new Error('key must be 2 characters long:');
  if (key[1] !== ':') throw new Error(`missing colon: ${key}`);
  const rest = key.slice(2);
  switch (key[0]) {
    case 'f':
      return key;
    case 'v':
      return valueElement(JSON.parse(rest) as JsonValue);
    case 'k': {
      const keys = JSON.parse(rest) as JsonValue;
      if (keys !== null && !isJsonObject(keys)) throw new Error(`expected an object: ${rest}`);
      return keyElement(keys ?? {});
    }
    case 'i':
      if (!/^[+-]?\d+$/.test(rest)) throw new Error(`not an index: ${rest}`);
      return `i:${Number(rest)}`;
    default:
      return undefined;
  }
}

const KIND_ORDER = 'fkvi';

/** The order of elements in fieldsV1: members by name, then elements by key, value, index. */
export function compareElements(a: PathElement, b: PathElement): number {
  if (a === b) return 0;
  if (a[0] !== b[0]) return KIND_ORDER.indexOf(a[0]!) - KIND_ORDER.indexOf(b[0]!);
  return a[0] === 'f' ? compareBytes(a, b) : compareValues(partOf(a), partOf(b));
}

/** Elements in their order. */
export function sortElements(list: readonly PathElement[]): PathElement[] {
  const values = new Map(list.map((e) => [e, e[0] === 'f' ? null : partOf(e)]));
  return [...list].sort((a, b) => {
    if (a[0] === 'f' || a[0] !== b[0]) return compareElements(a, b);
    return compareValues(values.get(a)!, values.get(b)!);
  });
}

/** The keys, value or index that the element of a list has. */
function partOf(element: PathElement): JsonValue {
  return JSON.parse(element.slice(2)) as JsonValue;
}

/** By name and value, one after the other; names are sorted in canonical elements. */
function compareKeys(a: JsonObject, b: JsonObject): number {
  const x = Object.entries(a).sort((p, q) => compareBytes(p[0], q[0]));
  const y = Object.entries(b).sort((p, q) => compareBytes(p[0], q[0]));
  for (let i = 0; i < x.length && i < y.length; i++) {
    const order = compareBytes(x[i]![0], y[i]![0]) || compareValues(x[i]![1] ?? null, y[i]![1] ?? null);
    if (order !== 0) return order;
  }
  return x.length - y.length;
}

const TYPE_ORDER = ['number', 'string', 'boolean', 'list', 'object', 'null'];
function typeOf(v: JsonValue): string {
  if (v === null) return 'null';
  if (Array.isArray(v)) return 'list';
  return typeof v === 'bigint' ? 'number' : typeof v;
}

/** A total order of JSON values: numbers, texts, booleans, lists, objects, null. */
function compareValues(a: JsonValue, b: JsonValue): number {
  const type = typeOf(a);
  if (type !== typeOf(b)) return TYPE_ORDER.indexOf(type) - TYPE_ORDER.indexOf(typeOf(b));
  if (type === 'string') return compareBytes(a as string, b as string);
  if (type === 'number' || type === 'boolean') return a! < b! ? -1 : a! > b! ? 1 : 0;
  if (type === 'object') return compareKeys(a as JsonObject, b as JsonObject);
  if (type === 'null') return 0;
  const x = a as JsonValue[];
  const y = b as JsonValue[];
  for (let i = 0; i < x.length && i < y.length; i++) {
    const order = compareValues(x[i]!, y[i]!);
    if (order !== 0) return order;
  }
  return x.length - y.length;
}

/** The element as messages show it: `.name`, `[name="x"]`, `[="x"]`, `[0]`. */
export function elementText(element: PathElement): string {
  const rest = element.slice(2);
  switch (element[0]) {
    case 'f':
      return `.${rest}`;
    case 'k':
      return `[${Object.entries(JSON.parse(rest) as JsonObject)
        .sort((p, q) => compareBytes(p[0], q[0]))
        .map(([k, v]) => `${k}=${valueText(v)}`)
        .join(',')}]`;
    case 'v':
      return `[=${valueText(JSON.parse(rest) as JsonValue)}]`;
    default:
      return `[${rest}]`;
  }
}

function valueText(value: JsonValue | undefined): string {
  if (value === null || value === undefined) return 'null';
  if (typeof value === 'string') return goQuote(value);
  if (Array.isArray(value)) return `[${value.map(valueText).join(',')}]`;
  if (isJsonObject(value)) {
    return Object.entries(value)
      .map(([k, v]) => `${k}=${valueText(v)}`)
      .join('');
  }
  return `${value}`;
}
