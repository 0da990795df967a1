import {
  descend,
  EMPTY,
  elements,
  type FieldSet,
  FieldSetBuilder,
  isEmptySet,
  recursiveDifference,
  union,
} from './field-set.js';
import { type Atom, kindsOf, treatAs } from './schema.js';

/** Sets of warm objects come again and again. */
const upToDate = new WeakMap<FieldSet, Atom>();

/**
 * Brings a set that was written under an older schema in line with the one of today: where a part has become atomic, who
 * owned anything in it owns the whole. The set itself when there is nothing to do.
 */
export function reconcile(set: FieldSet, atom: Atom): FieldSet {
  if (upToDate.get(set) === atom) return set;
  const walk = new Walk();
  walk.visit(set, atom, false, 0);
  if (walk.atomic.empty) {
    upToDate.set(set, atom);
    return set;
  }
  const whole = walk.atomic.done();
  return union(recursiveDifference(set, whole), whole);
}

class Walk {
  /** Parts that are atomic now. */
  readonly atomic = new FieldSetBuilder();
  readonly #path: string[] = [];

  /** `whole`: the part is owned by itself and nothing in it is. */
  visit(below: FieldSet, atom: Atom, whole: boolean, depth: number): void {
    switch (treatAs(kindsOf(atom, undefined))) {
      case 'map': {
        const map = atom.map!;
        if (map.deduced) return;
        if (map.atomic) {
          if (!whole && !isEmptySet(below)) this.atomic.add(this.#path, depth);
          return;
        }
        for (const element of elements(below)) {
          const inner = element.startsWith('f:')
            ? (map.fields.get(element.slice(2))?.atom ?? map.element)
            : map.element;
          if (inner) this.#step(below, element, inner, depth);
        }
        return;
      }
      case 'list': {
        const list = atom.list!;
        if (list.atomic) {
          if (!whole) this.atomic.add(this.#path, depth);
          return;
        }
        for (const element of elements(below)) this.#step(below, element, list.element, depth);
        return;
      }
      case 'scalar':
    }
  }

  #step(set: FieldSet, element: string, atom: Atom, depth: number): void {
    const found = descend(set, element) ?? { member: true, below: EMPTY };
    this.#path[depth] = element;
    this.visit(found.below, atom, found.member && isEmptySet(found.below), depth + 1);
  }
}
