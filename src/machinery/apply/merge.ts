import { isJsonObject, type JsonObject, type JsonValue, setOwn } from '../json.js';
import { type Atom, kindsOf, type ListAtom, type MapAtom, treatAs } from './schema.js';
import { type Form, itemElement, type Typed } from './values.js';

type Value = JsonValue | undefined;

/**
 * Lays an applied configuration over the live object: what is in `config` wins, nothing is removed. Items of lists come
 * in the live order, or in that of the configuration where it changes the list.
 *
 * @returns a new value that shares what did not change
 * @throws TypedError when a list element has no key, or the configuration has one twice
 */
export function mergeTyped(live: Typed, config: Typed): Value {
  return merge(live.value, config.value, config.atom, live.form);
}

function merge(l: Value, r: Value, atom: Atom, lForm: Form): Value {
  if (r === undefined || l === r) return l;
  switch (treatAs(kindsOf(atom, r))) {
    case 'map': {
      const left = isJsonObject(l) ? l : undefined;
      const right = isJsonObject(r) ? r : undefined;
      // An empty map over an empty map is kept as it is written: {} differs from null.
      if (atom.map!.atomic || (isBare(left) && isBare(right))) return r;
      return mergeMaps(left ?? {}, right ?? {}, atom.map!, lForm);
    }
    case 'list': {
      const left = Array.isArray(l) ? l : [];
      const right = Array.isArray(r) ? r : [];
      if (atom.list!.atomic || (left.length === 0 && right.length === 0)) return r;
      return mergeLists(left, right, atom.list!, lForm);
    }
    case 'scalar':
      return r;
  }
}

function isBare(value: JsonObject | undefined): boolean {
  return value === undefined || Object.keys(value).length === 0;
}

function mergeMaps(l: JsonObject, r: JsonObject, map: MapAtom, lForm: Form): JsonObject {
  const out: JsonObject = {};
  for (const key of Object.keys(l)) setOwn(out, key, l[key]);
  for (const key of Object.keys(r)) {
    const atom = map.fields.get(key)?.atom ?? map.element;
    if (atom) setOwn(out, key, merge(Object.hasOwn(l, key) ? l[key] : undefined, r[key], atom, lForm));
  }
  return out;
}

/**
 * Merges two lists of items with keys. The configuration's order holds among its items, the live order among the
 * others; an item that only the live list has stays where it is relative to the shared items around it.
 */
function mergeLists(l: JsonValue[], r: JsonValue[], list: ListAtom, lForm: Form): JsonValue[] {
  const left = index(l, list, lForm);
  const right = index(r, list, 'written');
  const shared = right.elements.filter((e) => left.items.has(e));
  let nextShared = 0; // place in `shared` of the first one that is not in `out` yet
  const done = new Set<string>();
  const out: JsonValue[] = [];
  let i = 0;
  let j = 0;
  const takeRight = (): void => {
    const element = right.elements[j++]!;
    done.add(element);
    const merged = merge(left.items.get(element), right.items.get(element), list.element, lForm);
    if (merged !== undefined) out.push(merged);
    if (shared[nextShared] === element) nextShared++;
  };
  while (i < l.length || j < r.length) {
    const here = left.elements[i];
    if (here !== undefined && !right.items.has(here)) {
      out.push(l[i++]!); // only the live list has it
    } else if (here !== undefined && here === right.elements[j]) {
      i++;
      takeRight();
    } else if (here !== undefined && j < r.length && nextShared < shared.length && here !== shared[nextShared]) {
      i++; // a shared item that has another place in the configuration's order
    } else {
      if (here !== undefined && (done.has(here) || j === r.length)) i++; // came already
      if (j < r.length) takeRight();
    }
  }
  return out;
}

interface Indexed {
  readonly elements: string[];
  readonly items: Map<string, JsonValue | undefined>;
}

/** Items by element. Of live items that are there more than once none is merged with. */
function index(items: JsonValue[], list: ListAtom, form: Form): Indexed {
  const elements = items.map((item) => itemElement(item, list, form));
  const map = new Map<string, JsonValue | undefined>();
  for (const [i, element] of elements.entries()) map.set(element, map.has(element) ? undefined : items[i]);
  return { elements, items: map };
}
