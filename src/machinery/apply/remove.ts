import { isJsonObject, type JsonObject, type JsonValue, setOwn } from '../json.js';
import { descend, EMPTY, type FieldSet, isEmptySet } from './field-set.js';
import { type Atom, kindsOf, type ListAtom, type MapAtom, treatAs } from './schema.js';
import { itemElement, type Typed } from './values.js';

/**
 * The value without the members and items in `set`. What is removed from inside a map or list leaves it there, empty if
 * need be. Shares what does not change.
 */
export function removeItems(typed: Typed, set: FieldSet): JsonValue | undefined {
  return typed.value === undefined ? undefined : (remove(typed.value, set, typed) ?? {});
}

/** undefined when nothing is left of a map or list of which nothing was looked into. */
function remove(value: JsonValue, set: FieldSet, { atom, form }: Typed): JsonValue | undefined {
  if (isEmptySet(set)) return value;
  const typed = { value, atom, form };
  switch (treatAs(kindsOf(atom, value))) {
    case 'map':
      if (!isJsonObject(value)) return undefined;
      return atom.map!.atomic ? undefined : fromMap(value, set, atom.map!, typed);
    case 'list':
      if (!Array.isArray(value)) return undefined;
      return atom.list!.atomic ? undefined : fromList(value, set, atom.list!, typed);
    case 'scalar':
      return value;
  }
}

/** Removes from inside a member or item: a map or list stays one. */
function removeWithin(value: JsonValue, below: FieldSet, atom: Atom, typed: Typed): JsonValue {
  const rest = remove(value, below, { ...typed, atom });
  if (rest !== undefined) return rest;
  return Array.isArray(value) ? [] : isJsonObject(value) ? {} : null;
}

function fromMap(value: JsonObject, set: FieldSet, map: MapAtom, typed: Typed): JsonValue | undefined {
  const out: JsonObject = {};
  let any = false;
  for (const name of Object.keys(value)) {
    const member = value[name];
    if (member === undefined) continue;
    const found = descend(set, `f:${name}`);
    if (found?.member) continue;
    any = true;
    const atom = map.fields.get(name)?.atom ?? map.element;
    setOwn(out, name, found && atom ? removeWithin(member, found.below, atom, typed) : member);
  }
  return any ? out : undefined;
}

function fromList(value: JsonValue[], set: FieldSet, list: ListAtom, typed: Typed): JsonValue | undefined {
  const out: JsonValue[] = [];
  for (const item of value) {
    const found = descend(set, itemElement(item, list, typed.form));
    if (found?.member) continue;
    out.push(found ? removeWithin(item, found.below, list.element, typed) : item);
  }
  return out.length > 0 ? out : undefined;
}

/** The set with every declared member that has something below it as a member of its own. */
export function withNamedFields(set: FieldSet, atom: Atom | undefined): FieldSet {
  const out: JsonObject = {};
  for (const key of Object.keys(set)) {
    const found = key === '.' ? undefined : descend(set, key);
    if (!found) {
      out[key] = set[key];
      continue;
    }
    let inner: Atom | undefined;
    let declared = false;
    if (key.startsWith('f:')) {
      const field = atom?.map?.fields.get(key.slice(2));
      declared = field !== undefined;
      inner = field?.atom ?? atom?.map?.element;
    } else if (key.startsWith('k:')) inner = atom?.list?.element;
    if (isEmptySet(found.below)) out[key] = EMPTY;
    else {
      const below = withNamedFields(found.below, inner);
      out[key] = found.member || declared ? { '.': EMPTY, ...below } : below;
    }
  }
  return out;
}
