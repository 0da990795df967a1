import { isJsonObject, type JsonObject, type JsonValue } from '../json.js';
import { EMPTY, type FieldSet, FieldSetBuilder } from './field-set.js';
import { type Atom, kindsOf, type ListAtom, type MapAtom, treatAs } from './schema.js';
import { type Form, fieldValue, itemElement, sameValue, type Typed } from './values.js';

/** What became of an object. No path is in more than one of the sets. */
export interface Comparison {
  readonly added: FieldSet;
  readonly modified: FieldSet;
  readonly removed: FieldSet;
}

export const NO_CHANGE: Comparison = { added: EMPTY, modified: EMPTY, removed: EMPTY };

/**
 * Compares two versions of an object, both at the same schema.
 * @throws TypedError when a list element has no key
 */
export function compare(before: Typed, after: Typed): Comparison {
  const walk = new Walk(before.form, after.form);
  walk.visit(before.value, after.value, after.atom, 0);
  return { added: walk.added.done(), modified: walk.modified.done(), removed: walk.removed.done() };
}

type Value = JsonValue | undefined;

class Walk {
  readonly added = new FieldSetBuilder();
  readonly modified = new FieldSetBuilder();
  readonly removed = new FieldSetBuilder();
  readonly #path: string[] = [];
  readonly #lForm: Form;
  #rForm: Form;

  constructor(lForm: Form, rForm: Form) {
    this.#lForm = lForm;
    this.#rForm = rForm;
  }

  /** `l` or `r` is undefined when the value is only on the other side. */
  visit(l: Value, r: Value, atom: Atom, depth: number): void {
    if (l === r && (this.#lForm === this.#rForm || typeof l !== 'object' || this.#rForm === 'merged')) return;
    const rForm = this.#rForm;
    if (l === undefined && rForm === 'merged') this.#rForm = 'written'; // nothing of it comes from the live object
    this.#visit(l, r, atom, depth);
    this.#rForm = rForm;
  }

  #visit(l: Value, r: Value, atom: Atom, depth: number): void {
    const lKinds = kindsOf(atom, l);
    const rKinds = kindsOf(atom, r);
    let leaf: boolean;
    if (r === undefined) leaf = this.#as(lKinds, l, r, atom, depth);
    else {
      // A value that changed from one kind to another is compared as both.
      if (l !== undefined && lKinds !== rKinds) this.#as(lKinds, l, r, atom, depth);
      leaf = this.#as(rKinds, l, r, atom, depth);
    }
    if (leaf) return;
    if (l === undefined) this.added.add(this.#path, depth);
    else if (r === undefined) this.removed.add(this.#path, depth);
  }

  /** Returns whether the value was compared as a whole. */
  #as(kinds: number, l: Value, r: Value, atom: Atom, depth: number): boolean {
    switch (treatAs(kinds)) {
      case 'map': {
        const map = atom.map!;
        const lMap = isJsonObject(l) ? l : undefined;
        const rMap = isJsonObject(r) ? r : undefined;
        if (map.atomic || (this.#empty(lMap, map, this.#lForm) && this.#empty(rMap, map, this.#rForm))) break;
        this.#maps(lMap, rMap, map, depth);
        return false;
      }
      case 'list': {
        const lList = Array.isArray(l) ? l : [];
        const rList = Array.isArray(r) ? r : [];
        if (atom.list!.atomic || (lList.length === 0 && rList.length === 0)) break;
        this.#lists(lList, rList, atom.list!, depth);
        return false;
      }
    }
    this.#whole(l, r, atom, depth);
    return true;
  }

  #empty(value: JsonObject | undefined, map: MapAtom, form: Form): boolean {
    if (value === undefined) return true;
    if (form === 'written') return Object.keys(value).every((k) => value[k] === undefined);
    for (const field of map.sorted) if (fieldValue(value, field, form) !== undefined) return false;
    return Object.keys(value).every((k) => value[k] === undefined || map.fields.has(k));
  }

  #whole(l: Value, r: Value, atom: Atom, depth: number): void {
    if (l === undefined) this.added.add(this.#path, depth);
    else if (r === undefined) this.removed.add(this.#path, depth);
    else if (!sameValue(l, this.#lForm, r, this.#rForm, atom)) this.modified.add(this.#path, depth);
  }

  #maps(l: JsonObject | undefined, r: JsonObject | undefined, map: MapAtom, depth: number): void {
    for (const field of map.sorted) {
      if (depth === 1 && field.name === 'managedFields' && this.#path[0] === 'f:metadata') continue; // nobody owns these
      const x = l && fieldValue(l, field, this.#lForm);
      const y = r && fieldValue(r, field, this.#rForm);
      if (x === undefined && y === undefined) continue;
      this.#path[depth] = field.element;
      this.visit(x, y, field.atom, depth + 1);
    }
    const element = map.element;
    if (!element) return;
    for (const name in l) {
      if (l[name] === undefined || map.fields.has(name)) continue;
      this.#path[depth] = `f:${name}`;
      this.visit(l[name], r && Object.hasOwn(r, name) ? r[name] : undefined, element, depth + 1);
    }
    for (const name in r) {
      if (r[name] === undefined || map.fields.has(name)) continue;
      if (l && Object.hasOwn(l, name) && l[name] !== undefined) continue;
      this.#path[depth] = `f:${name}`;
      this.visit(undefined, r[name], element, depth + 1);
    }
  }

  #lists(l: JsonValue[], r: JsonValue[], list: ListAtom, depth: number): void {
    const left = byElement(l, list, this.#lForm);
    const right = byElement(r, list, this.#rForm);
    for (const [element, x] of left) this.#items(x, right.get(element) ?? [], element, list, depth);
    for (const [element, y] of right) if (!left.has(element)) this.#items([], y, element, list, depth);
  }

  /** Items with the same keys; more than one on a side are treated as one thing. */
  #items(l: JsonValue[], r: JsonValue[], element: string, list: ListAtom, depth: number): void {
    this.#path[depth] = element;
    if (l.length <= 1 && r.length <= 1) {
      this.visit(l[0], r[0], list.element, depth + 1);
      return;
    }
    if (l.length > 1 && r.length > 1) {
      const same =
        l.length === r.length && l.every((v, i) => sameValue(v, this.#lForm, r[i], this.#rForm, list.element));
      if (!same) this.modified.add(this.#path, depth + 1);
      return;
    }
    const repeated = l.length > 1 ? this.removed : this.added;
    if (l.length > 1 && r.length > 0) this.visit(undefined, r[0], list.element, depth + 1);
    if (r.length > 1 && l.length > 0) this.visit(l[0], undefined, list.element, depth + 1);
    this.#path[depth] = element;
    repeated.add(this.#path, depth + 1);
  }
}

function byElement(items: JsonValue[], list: ListAtom, form: Form): Map<string, JsonValue[]> {
  const out = new Map<string, JsonValue[]>();
  for (const item of items) {
    const element = itemElement(item, list, form);
    const known = out.get(element);
    if (known) known.push(item);
    else out.set(element, [item]);
  }
  return out;
}
