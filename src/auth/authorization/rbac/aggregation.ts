import { compareBytes } from '../../../machinery/go-format.js';
import { equalJson } from '../../../machinery/json.js';
import { labelSelectorOf } from '../../../machinery/selectors/label-selector.js';
import type { PolicyRule, RoleObject } from './rule.js';

/**
 * The rules of an aggregated ClusterRole: those of every other role that one of its selectors matches, selectors in
 * their order, roles by name, each rule once. Undefined when the role does not aggregate, or already has these rules.
 */
export function aggregatedRules(role: RoleObject, all: Iterable<RoleObject>): PolicyRule[] | undefined {
  if (!role.aggregationRule) return undefined;
  const others = [...all]
    .filter((r) => r.metadata.name !== role.metadata.name)
    .sort((a, b) => compareBytes(a.metadata.name!, b.metadata.name!));
  const rules: PolicyRule[] = [];
  const seen = new Set<string>();
  for (const selector of role.aggregationRule.clusterRoleSelectors ?? []) {
    const { matches } = labelSelectorOf(selector);
    for (const other of others) {
      if (!matches(other.metadata.labels ?? {})) continue;
      for (const rule of other.rules ?? []) {
        const key = ruleKey(rule);
        if (seen.has(key)) continue;
        seen.add(key);
        rules.push(rule);
      }
    }
  }
  return equalJson(rules, role.rules ?? []) ? undefined : rules;
}

function ruleKey(rule: PolicyRule): string {
  const { verbs = [], apiGroups = [], resources = [], resourceNames = [], nonResourceURLs = [] } = rule;
  return JSON.stringify([verbs, apiGroups, resources, resourceNames, nonResourceURLs]);
}
