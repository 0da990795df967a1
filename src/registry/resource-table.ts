import type { Endpoint } from './endpoint.js';
import type { Kind } from './kind.js';

/** One resource at one group and version with everything that answers below it. */
export interface ServedEntry {
  readonly group: string;
  readonly version: string;
  readonly resource: string;
  readonly singular: string;
  readonly kind: string;
  readonly namespaced: boolean;
  readonly verbs: readonly string[];
  readonly shortNames?: readonly string[];
  readonly categories?: readonly string[];
  readonly storageVersionHash?: string;
  readonly subresources: readonly ServedSub[];
  readonly endpoint: Endpoint;
  /** The stored kind; absent for virtual resources. */
  readonly stored?: Kind;
}

export interface ServedSub {
  readonly name: string;
  readonly kind: string;
  readonly group?: string;
  readonly version?: string;
  readonly verbs: readonly string[];
  /** Absent for streams (exec, log, proxy): those are connected, not answered. */
  readonly endpoint?: Endpoint;
}

export interface GroupEntry {
  readonly group: string;
  /** Not compiled in. */
  readonly dynamic?: boolean;
  readonly versions: readonly { readonly version: string; readonly resources: readonly ServedEntry[] }[];
}

/**
 * Every resource that is served right now. Built-in ones are there from the start; custom resources come and go. A
 * change replaces whole groups, so readers never see half of one.
 */
export class ResourceTable {
  #compiledIn: readonly GroupEntry[] = [];
  readonly #dynamic = new Map<string, GroupEntry>();
  #groups: readonly GroupEntry[] | undefined;
  #index = new Map<string, ServedEntry>();
  readonly #listeners = new Set<() => void>();

  groups(): readonly GroupEntry[] {
    this.#groups ??= this.#merged();
    return this.#groups;
  }

  find(group: string, version: string, resource: string): ServedEntry | undefined {
    return this.#index.get(`${group}/${version}/${resource}`);
  }

  hasVersion(group: string, version: string): boolean {
    return this.groups().some((g) => g.group === group && g.versions.some((v) => v.version === version));
  }

  /** The entry of a kind at a version: for references by kind, as owners and admission rules make them. */
  byKind(group: string, version: string, kind: string): ServedEntry | undefined {
    for (const e of this.#index.values()) {
      if (e.kind === kind && e.group === group && e.version === version && e.stored) return e;
    }
    return undefined;
  }

  /** Any served version of a resource, the preferred one first. */
  preferred(group: string, resource: string): ServedEntry | undefined {
    for (const g of this.groups()) {
      if (g.group !== group) continue;
      for (const v of g.versions) {
        const e = v.resources.find((r) => r.resource === resource);
        if (e) return e;
      }
    }
    return undefined;
  }

  /** All stored kinds once, whatever versions they are served at. */
  *kinds(): Iterable<Kind> {
    const seen = new Set<Kind>();
    for (const e of this.#index.values()) {
      if (e.stored && !seen.has(e.stored)) {
        seen.add(e.stored);
        yield e.stored;
      }
    }
  }

  /** The groups that are compiled in. */
  set(groups: readonly GroupEntry[]): void {
    const index = new Map<string, ServedEntry>();
    for (const g of groups) for (const r of resourcesOf(g)) index.set(keyOf(r), r);
    this.#index = index;
    this.#compiledIn = groups;
    this.#changed();
  }

  /** A group made of custom resources, in place of what was known under its name; without versions it is gone. */
  replace(group: GroupEntry): void {
    const old = new Set(resourcesOf(this.#dynamic.get(group.group)));
    const now = new Set(resourcesOf(group));
    // Most of a large group stays as it is.
    for (const r of old) if (!now.has(r) && this.#index.get(keyOf(r)) === r) this.#index.delete(keyOf(r));
    for (const r of now) if (!old.has(r) && !this.#index.has(keyOf(r))) this.#index.set(keyOf(r), r);
    if (group.versions.length > 0) this.#dynamic.set(group.group, { ...group, dynamic: true });
    else this.#dynamic.delete(group.group);
    this.#changed();
  }

  #changed(): void {
    this.#groups = undefined;
    for (const listener of this.#listeners) listener();
  }

  /** Compiled-in groups come first; versions that custom resources add to one of them stand behind its own. */
  #merged(): GroupEntry[] {
    const known = new Set(this.#compiledIn.map((g) => g.group));
    const first = this.#compiledIn.map((g) => {
      const more = this.#dynamic.get(g.group)?.versions.filter((v) => !g.versions.some((w) => w.version === v.version));
      return more && more.length > 0 ? { ...g, versions: [...g.versions, ...more] } : g;
    });
    const rest = [...this.#dynamic.values()].filter((g) => !known.has(g.group));
    return [...first, ...rest.sort((a, b) => (a.group < b.group ? -1 : 1))];
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}

function* resourcesOf(group: GroupEntry | undefined): Iterable<ServedEntry> {
  for (const v of group?.versions ?? []) yield* v.resources;
}

function keyOf({ group, version, resource }: ServedEntry): string {
  return `${group}/${version}/${resource}`;
}
