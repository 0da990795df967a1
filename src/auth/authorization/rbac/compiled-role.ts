import type { Attributes } from '../../contract.js';
import type { PolicyRule } from './rule.js';
import { urlMatches } from './rule.js';

/** Rules whose groups × resources are more than this are looked through one by one instead of being indexed. */
const MAX_INDEXED = 256;

/** The rules of one role, made so that a decision costs a few lookups whatever the number of rules. Immutable. */
export class CompiledRole {
  readonly rules: readonly PolicyRule[];
  /** `group/resource` → rules that name just this pair; either may be `*`, a resource may be `* /subresource`. */
  readonly #byResource = new Map<string, Entry[]>();
  /** Rules too wide to index, and those on URLs. */
  readonly #wide: WideEntry[] = [];
  readonly #urls: Entry[] = [];

  constructor(rules: readonly PolicyRule[]) {
    this.rules = rules;
    for (const rule of rules) {
      const entry = toEntry(rule);
      if (rule.nonResourceURLs?.length) this.#urls.push(entry);
      const groups = new Set(rule.apiGroups);
      const resources = new Set(rule.resources);
      if (groups.size * resources.size > MAX_INDEXED) {
        this.#wide.push({ ...entry, groups, resources });
        continue;
      }
      for (const group of groups) {
        for (const resource of resources) {
          const key = `${group}/${resource}`;
          const entries = this.#byResource.get(key);
          if (entries) entries.push(entry);
          else this.#byResource.set(key, [entry]);
        }
      }
    }
  }

  /** The rule that allows this, if any. `keys` are `resourceKeys(attributes)`, made once for all roles. */
  find(attributes: Attributes, keys: readonly string[]): PolicyRule | undefined {
    if (!attributes.isResourceRequest) {
      for (const entry of this.#urls) {
        if (!verbMatches(entry, attributes.verb)) continue;
        if (entry.rule.nonResourceURLs!.some((url) => urlMatches(url, attributes.path))) return entry.rule;
      }
      return undefined;
    }
    for (const key of keys) {
      const entries = this.#byResource.get(key);
      if (entries) {
        for (const e of entries) {
          if (verbMatches(e, attributes.verb) && nameMatches(e, attributes.name)) return e.rule;
        }
      }
    }
    for (const e of this.#wide) {
      if (!verbMatches(e, attributes.verb) || !nameMatches(e, attributes.name)) continue;
      if (!e.groups.has('*') && !e.groups.has(attributes.group)) continue;
      if (resourcePatterns(attributes).some((p) => e.resources.has(p))) return e.rule;
    }
    return undefined;
  }

  /** Keys that `find` could answer for; undefined: can't be told by key alone. */
  indexKeys(): Iterable<string> | undefined {
    return this.#wide.length > 0 || this.#urls.length > 0 ? undefined : this.#byResource.keys();
  }
}

/** What a rule may be filed under so that it speaks about this request: at most six keys. */
export function resourceKeys(attributes: Attributes): string[] {
  const keys: string[] = [];
  if (!attributes.isResourceRequest) return keys;
  for (const pattern of resourcePatterns(attributes)) keys.push(`${attributes.group}/${pattern}`, `*/${pattern}`);
  return keys;
}

function resourcePatterns({ resource, subresource }: Attributes): string[] {
  return subresource ? [`${resource}/${subresource}`, `*/${subresource}`, '*'] : [resource, '*'];
}

interface Entry {
  readonly rule: PolicyRule;
  /** Undefined: every verb. */
  readonly verbs: ReadonlySet<string> | undefined;
  /** Undefined: every name. */
  readonly names: ReadonlySet<string> | undefined;
}
interface WideEntry extends Entry {
  readonly groups: ReadonlySet<string>;
  readonly resources: ReadonlySet<string>;
}

function toEntry(rule: PolicyRule): Entry {
  const verbs = new Set(rule.verbs);
  return {
    rule,
    verbs: verbs.has('*') ? undefined : verbs,
    names: rule.resourceNames?.length ? new Set(rule.resourceNames) : undefined,
  };
}
function verbMatches(entry: Entry, verb: string): boolean {
  return entry.verbs === undefined || entry.verbs.has(verb);
}
function nameMatches(entry: Entry, name: string): boolean {
  return entry.names === undefined || entry.names.has(name);
}
