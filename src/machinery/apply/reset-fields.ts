import type { JsonObject } from '../json.js';
import type { ResourceFacts } from '../scheme/resources.js';
import type { FieldFilter } from './contract.js';
import { descend, EMPTY, elements, type FieldSet, isEmptySet, recursiveDifference, setOfPaths } from './field-set.js';

/** Takes away the named fields and everything in them; a field is written `metadata.labels`. */
export function excludeFields(fields: readonly string[]): FieldFilter {
  const set = setOfPaths(fields.map((f) => f.split('.').map((name) => `f:${name}`)));
  return (owned) => recursiveDifference(owned, set);
}

/** Leaves only the named fields, what is in them and what they are in; `*` stands for any item or member. */
export function includeFields(fields: readonly string[]): FieldFilter {
  const patterns = fields.map((f) => f.split('.').map((name) => (name === '*' ? name : `f:${name}`)));
  return (owned) => included(owned, patterns) ?? EMPTY;
}

function included(set: FieldSet, patterns: readonly (readonly string[])[]): FieldSet | undefined {
  if (patterns.some((p) => p.length === 0)) return set;
  const out: JsonObject = {};
  for (const element of elements(set)) {
    const below = patterns.filter((p) => p[0] === '*' || p[0] === element).map((p) => p.slice(1));
    if (below.length === 0) continue;
    const { member, below: inner } = descend(set, element)!;
    const kept = isEmptySet(inner) ? undefined : included(inner, below);
    if (kept) out[element] = member ? { '.': EMPTY, ...kept } : kept;
    else if (member) out[element] = EMPTY;
  }
  return Object.keys(out).length > 0 ? out : undefined;
}

/** Subresources of pods whose strategies say what they keep rather than what they reset. */
const POD_SUBRESOURCES: Readonly<Record<string, readonly string[]>> = {
  ephemeralcontainers: ['spec.ephemeralContainers'],
  resize: [
    'spec.containers.*.resources',
    'spec.containers.*.resizePolicy',
    'spec.initContainers.*.resources',
    'spec.initContainers.*.resizePolicy',
    'spec.resources',
  ],
};

/** What the strategy of a built-in resource or of one of its subresources resets, by apiVersion. */
export function resetFilters(resource: ResourceFacts, subresource = ''): Record<string, FieldFilter> {
  const kept = resource.group === '' && resource.plural === 'pods' ? POD_SUBRESOURCES[subresource] : undefined;
  if (kept) return { [resource.version]: includeFields(kept) };
  const filters: Record<string, FieldFilter> = {};
  for (const [apiVersion, strategies] of Object.entries(resource.resetFields ?? {})) {
    for (const [strategy, fields] of Object.entries(strategies)) {
      const of = /(status|approval|finalize)?strategy$/i.exec(strategy)?.[1]?.toLowerCase() ?? '';
      if (of === subresource) filters[apiVersion] = excludeFields(fields);
    }
  }
  return filters;
}
