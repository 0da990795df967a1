import type { Condition, Definition, Names } from './definition.js';

/** The names that the definitions of each group hold, so that a new one is checked without looking at all of them. */
export class NameIndex {
  readonly #held = new Map<string, Map<string, number>>();

  add(definition: Definition): void {
    this.#count(definition, 1);
  }
  remove(definition: Definition): void {
    this.#count(definition, -1);
  }

  #count({ group, acceptedNames }: Definition, by: number): void {
    let held = this.#held.get(group);
    if (!held) {
      held = new Map();
      this.#held.set(group, held);
    }
    for (const key of keysOf(acceptedNames)) {
      const left = (held.get(key) ?? 0) + by;
      if (left > 0) held.set(key, left);
      else held.delete(key);
    }
    if (held.size === 0) this.#held.delete(group);
  }

  has(group: string, key: string): boolean {
    return this.#held.get(group)?.has(key) ?? false;
  }
}

const resourceKey = (name: string): string => `resource ${name}`;
const kindKey = (name: string): string => `kind ${name}`;

function keysOf(names: Names): string[] {
  const resources = [names.plural, names.singular, ...(names.shortNames ?? [])];
  const kinds = [names.kind, names.listKind];
  const keys = [...resources.map((n) => n && resourceKey(n)), ...kinds.map((n) => n && kindKey(n))];
  return [...new Set(keys.filter((k): k is string => Boolean(k)))];
}

export interface NamingOutcome {
  readonly acceptedNames: Names;
  readonly condition: Condition;
}

/**
 * Which of the names that a definition asks for it gets: each one that nobody else in the group holds. The condition
 * NamesAccepted says whether these are all; the last conflict found is the one it tells of.
 */
export function acceptNames(definition: Definition, index: NameIndex): NamingOutcome {
  const { names: asked, acceptedNames: held, group } = definition;
  const accepted: Names = { ...held };
  let condition: Condition = {
    type: 'NamesAccepted',
    status: 'True',
    reason: 'NoConflicts',
    message: 'no conflicts found',
  };
  const refuse = (reason: string, message: string) => {
    condition = { type: 'NamesAccepted', status: 'False', reason, message };
  };
  const inUse = (name: string, own: string, key: string): string | undefined =>
    name !== own && index.has(group, key) ? `${JSON.stringify(name)} is already in use` : undefined;
  const one = (field: 'plural' | 'singular' | 'kind' | 'listKind', key: (n: string) => string, reason: string) => {
    const name = asked[field] ?? '';
    const fault = inUse(name, held[field] ?? '', key(name));
    if (fault) refuse(reason, fault);
    else if (name) accepted[field] = name;
    else delete accepted[field];
  };
  one('plural', resourceKey, 'PluralConflict');
  one('singular', resourceKey, 'SingularConflict');
  const short = asked.shortNames ?? [];
  if (short.join() !== (held.shortNames ?? []).join()) {
    const others = short.filter((n) => !held.shortNames?.includes(n));
    const faults = [...new Set(others.flatMap((n) => inUse(n, '', resourceKey(n)) ?? []))];
    if (faults.length > 0) refuse('ShortNamesConflict', faults.length === 1 ? faults[0]! : `[${faults.join(', ')}]`);
    else if (short.length > 0) accepted.shortNames = short;
    else delete accepted.shortNames;
  }
  one('kind', kindKey, 'KindConflict');
  one('listKind', kindKey, 'ListKindConflict');
  if (asked.categories) accepted.categories = asked.categories;
  else delete accepted.categories;
  return { acceptedNames: accepted, condition };
}
