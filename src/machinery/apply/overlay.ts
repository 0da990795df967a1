import { isJsonObject, type JsonObject, type JsonValue } from '../json.js';
import { mergeTyped } from './merge.js';
import { elementText } from './path-element.js';
import type { Atom } from './schema.js';
import { validateConfig } from './validate.js';

/**
 * Lays a configuration over an object as server-side apply does, but asks and tells nobody about owners: what mutating
 * admission policies do. A configuration that would replace an atomic list, map or struct is refused, since it would
 * remove what it does not name. Both are as JSON holds them.
 *
 * @throws Error with the text of kube-apiserver
 */
export function overlay(live: JsonObject, config: JsonObject, atom: Atom): JsonObject {
  try {
    validateConfig(config, atom);
  } catch (e) {
    throw new Error(`failed to convert patch object to typed object: ${(e as Error).message}`);
  }
  const atomics: string[] = [];
  findAtomics(config, atom, '', atomics);
  if (atomics.length > 0) {
    const places = atomics.join(', ');
    throw new Error(`invalid ApplyConfiguration: may not mutate atomic arrays, maps or structs: ${places}`);
  }
  try {
    const written = { atom, form: 'written' } as const;
    return mergeTyped({ value: live, ...written }, { value: config, ...written }) as JsonObject;
  } catch (e) {
    throw new Error(`failed to merge patch: ${(e as Error).message}`);
  }
}

/** Values of maps without declared members are not looked into, as upstream does not. */
function findAtomics(value: JsonValue | undefined, atom: Atom, path: string, found: string[]): void {
  if (isJsonObject(value) && atom.map) {
    if (atom.map.atomic) found.push(path);
    for (const [name, member] of Object.entries(value)) {
      const field = atom.map.fields.get(name);
      if (field) findAtomics(member, field.atom, path + elementText(`f:${name}`), found);
    }
  } else if (Array.isArray(value) && atom.list) {
    if (atom.list.atomic) found.push(path);
    for (const [i, item] of value.entries()) findAtomics(item, atom.list.element, `${path}[${i}]`, found);
  }
}
