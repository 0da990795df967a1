import { isJsonObject, type JsonValue } from '../json.js';
import { type FieldSet, FieldSetBuilder } from './field-set.js';
import { type Atom, kindsOf, type ListAtom, type MapAtom, treatAs } from './schema.js';
import { eachMember, type Form, itemElement, type Typed } from './values.js';

/**
 * The set of all fields and items that a value mentions: what an applier of it owns. Of a `merged` value that is what is
 * written.
 */
export function fieldSetOf({ value, atom, form }: Typed): FieldSet {
  const walk = new Walk(form);
  if (value !== undefined) walk.visit(value, atom, 0);
  return walk.set.done();
}

class Walk {
  readonly set = new FieldSetBuilder();
  readonly #form: Form;
  readonly #path: string[] = [];

  constructor(form: Form) {
    this.#form = form;
  }

  visit(value: JsonValue, atom: Atom, depth: number): void {
    switch (treatAs(kindsOf(atom, value))) {
      case 'map':
        if (atom.map!.atomic) this.set.add(this.#path, depth);
        else if (isJsonObject(value)) this.#members(value, atom.map!, depth);
        break;
      case 'list':
        if (atom.list!.atomic) this.set.add(this.#path, depth);
        else if (Array.isArray(value)) this.#items(value, atom.list!, depth);
        break;
      case 'scalar':
        this.set.add(this.#path, depth);
    }
  }

  #members(value: Record<string, JsonValue | undefined>, map: MapAtom, depth: number): void {
    eachMember(value, map, this.#form === 'merged' ? 'written' : this.#form, (element, _, member, atom, declared) => {
      this.#path[depth] = element;
      if (atom) this.visit(member, atom, depth + 1);
      // Declared members are owned through what is in them; others, and what has nothing in it, by themselves.
      if (!declared || member === null || (isJsonObject(member) && Object.keys(member).length === 0)) {
        this.#path[depth] = element;
        this.set.add(this.#path, depth + 1);
      }
    });
  }

  /** An item that is there more than once is owned as a whole. */
  #items(value: JsonValue[], list: ListAtom, depth: number): void {
    const count = new Map<string, number>();
    const elements = value.map((item) => itemElement(item, list, this.#form));
    for (const e of elements) count.set(e, (count.get(e) ?? 0) + 1);
    for (const [i, element] of elements.entries()) {
      this.#path[depth] = element;
      if (count.get(element) === 1) this.visit(value[i]!, list.element, depth + 1);
      this.#path[depth] = element;
      this.set.add(this.#path, depth + 1);
    }
  }
}
