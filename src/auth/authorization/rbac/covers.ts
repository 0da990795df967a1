import type { PolicyRule } from './rule.js';
import { urlMatches } from './rule.js';

/** A rule of a few kilobytes can stand for billions of atoms; past so many comparisons it is judged as a whole. */
const MAX_COMPARISONS = 2_000_000;

/**
 * Which part of `wanted` the rules in `held` do not grant, as rules of one verb on one resource (or URL) each, in the
 * order of `wanted`. Empty: everything is covered. Such an atomic rule counts as covered only when a single held rule
 * covers it whole, so two name-restricted rules never add up to an unrestricted one. A rule of absurd size is covered
 * only when one held rule covers all of it.
 */
export function uncoveredRules(held: readonly PolicyRule[], wanted: readonly PolicyRule[]): PolicyRule[] {
  const holders = held.map(toHolder);
  const missing: PolicyRule[] = [];
  let budget = MAX_COMPARISONS;
  for (const rule of wanted) {
    if (atomCount(rule) === 0 || holders.some((h) => h.covers(rule))) continue;
    budget -= atomCount(rule) * Math.max(1, holders.length);
    if (budget < 0) missing.push(rule);
    else for (const atom of atoms(rule)) if (!holders.some((h) => h.covers(atom))) missing.push(atom);
  }
  return missing;
}

/** Joins rules on the same single resource into one with all their verbs; what is not that simple stays as it is, in front. */
export function compactRules(rules: readonly PolicyRule[]): PolicyRule[] {
  const others: PolicyRule[] = [];
  const byResource = new Map<string, PolicyRule & { verbs: string[] }>();
  for (const rule of rules) {
    const simple =
      rule.apiGroups?.length === 1 &&
      rule.resources?.length === 1 &&
      !rule.resourceNames?.length &&
      !rule.nonResourceURLs?.length;
    if (!simple) {
      others.push(rule);
      continue;
    }
    const key = `${rule.apiGroups![0]}\0${rule.resources![0]}`;
    const known = byResource.get(key);
    if (known) known.verbs.push(...(rule.verbs ?? []));
    else byResource.set(key, { ...rule, verbs: [...(rule.verbs ?? [])] });
  }
  return [...others, ...byResource.values()];
}

function atomCount(rule: PolicyRule): number {
  const verbs = rule.verbs?.length ?? 0;
  const names = Math.max(1, rule.resourceNames?.length ?? 0);
  const onResources = (rule.apiGroups?.length ?? 0) * (rule.resources?.length ?? 0) * verbs * names;
  return onResources + (rule.nonResourceURLs?.length ?? 0) * verbs;
}

function* atoms(rule: PolicyRule): Generator<PolicyRule> {
  for (const group of rule.apiGroups ?? []) {
    for (const resource of rule.resources ?? []) {
      for (const verb of rule.verbs ?? []) {
        const atom: PolicyRule = { verbs: [verb], apiGroups: [group], resources: [resource] };
        if (!rule.resourceNames?.length) yield atom;
        else for (const name of rule.resourceNames) yield { ...atom, resourceNames: [name] };
      }
    }
  }
  for (const url of rule.nonResourceURLs ?? []) {
    for (const verb of rule.verbs ?? []) yield { verbs: [verb], nonResourceURLs: [url] };
  }
}

interface Holder {
  /** Whether this one rule grants all that the other says. */
  covers(rule: PolicyRule): boolean;
}

function toHolder(held: PolicyRule): Holder {
  const verbs = new Set(held.verbs);
  const groups = new Set(held.apiGroups);
  const resources = new Set(held.resources);
  const names = new Set(held.resourceNames);
  const urls = held.nonResourceURLs ?? [];
  const has = (set: Set<string>, values: readonly string[] = []) => set.has('*') || values.every((v) => set.has(v));
  const coversResource = (resource: string) => {
    if (resources.has(resource)) return true;
    const slash = resource.indexOf('/');
    return slash >= 0 && resources.has(`*/${resource.slice(slash + 1)}`);
  };
  return {
    covers: (rule) =>
      has(verbs, rule.verbs) &&
      has(groups, rule.apiGroups) &&
      (resources.has('*') || (rule.resources ?? []).every(coversResource)) &&
      (names.size === 0 || (!!rule.resourceNames?.length && rule.resourceNames.every((n) => names.has(n)))) &&
      (rule.nonResourceURLs ?? []).every((url) => urls.some((u) => urlMatches(u, url))),
  };
}
