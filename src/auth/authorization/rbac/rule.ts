import { goQuoteList } from '../../../machinery/go-format.js';
import type { JsonObject, KubeObject } from '../../../machinery/json.js';
import type { Attributes } from '../../contract.js';

export const RBAC_GROUP = 'rbac.authorization.k8s.io';

/** rbac.authorization.k8s.io/v1 PolicyRule as stored. */
export interface PolicyRule extends JsonObject {
  verbs?: string[];
  apiGroups?: string[];
  resources?: string[];
  resourceNames?: string[];
  nonResourceURLs?: string[];
}

export interface Subject extends JsonObject {
  kind?: string;
  apiGroup?: string;
  name?: string;
  namespace?: string;
}

export interface RoleRef extends JsonObject {
  apiGroup?: string;
  kind?: string;
  name?: string;
}

export interface AggregationRule extends JsonObject {
  clusterRoleSelectors?: JsonObject[];
}

/** Role or ClusterRole. */
export interface RoleObject extends KubeObject {
  rules?: PolicyRule[] | null;
  aggregationRule?: AggregationRule;
}

/** RoleBinding or ClusterRoleBinding. */
export interface BindingObject extends KubeObject {
  subjects?: Subject[];
  roleRef?: RoleRef;
}

export function serviceAccountUser(namespace: string, name: string): string {
  return `system:serviceaccount:${namespace}:${name}`;
}

/** Whether one rule allows a request. For a rule read once; decisions over many rules go through `CompiledRole`. */
export function ruleAllows(rule: PolicyRule, attributes: Attributes): boolean {
  if (!listed(rule.verbs, attributes.verb)) return false;
  if (!attributes.isResourceRequest)
    return (rule.nonResourceURLs ?? []).some((url) => urlMatches(url, attributes.path));
  return (
    listed(rule.apiGroups, attributes.group) &&
    (rule.resources ?? []).some((r) => resourceMatches(r, attributes.resource, attributes.subresource)) &&
    (!rule.resourceNames?.length || rule.resourceNames.includes(attributes.name))
  );
}

function listed(list: readonly string[] | undefined, value: string): boolean {
  return list !== undefined && (list.includes(value) || list.includes('*'));
}

/** `pods`, `pods/log`, `*` (everything, subresources too) or `* /log` (that subresource of everything). */
function resourceMatches(pattern: string, resource: string, subresource: string): boolean {
  if (pattern === '*') return true;
  if (!subresource) return pattern === resource;
  return pattern === `${resource}/${subresource}` || pattern === `*/${subresource}`;
}

/** A path, or a prefix when it ends in `*`. */
export function urlMatches(pattern: string, path: string): boolean {
  return pattern === path || (pattern.endsWith('*') && path.startsWith(trimStars(pattern)));
}

function trimStars(pattern: string): string {
  let end = pattern.length;
  while (end > 0 && pattern[end - 1] === '*') end--;
  return pattern.slice(0, end);
}

/** A rule as escalation errors show it: `{APIGroups:[""], Resources:["pods"], Verbs:["get"]}`. */
export function compactString(rule: PolicyRule): string {
  const parts: string[] = [];
  const part = (name: string, values: readonly string[] | undefined) => {
    if (values?.length) parts.push(`${name}:${goQuoteList(values)}`);
  };
  part('APIGroups', rule.apiGroups);
  part('Resources', rule.resources);
  part('NonResourceURLs', rule.nonResourceURLs);
  part('ResourceNames', rule.resourceNames);
  part('Verbs', rule.verbs);
  return `{${parts.join(', ')}}`;
}
