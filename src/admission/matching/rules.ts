import type { GroupVersionResource } from '../../machinery/json.js';
import type { AdmissionAttributes } from '../contract.js';
import type { AdmittedVersion } from './versions.js';

/** admissionregistration.k8s.io RuleWithOperations, and NamedRuleWithOperations of policies. */
export interface Rule {
  readonly operations?: readonly string[];
  readonly apiGroups?: readonly string[];
  readonly apiVersions?: readonly string[];
  readonly resources?: readonly string[];
  readonly scope?: string;
  readonly resourceNames?: readonly string[];
}

/** A namespace itself is in the namespace of its name. */
export function requestNamespace(a: AdmissionAttributes): string {
  return isNamespaceResource(a.resource) ? a.name || (a.object?.metadata?.name ?? '') : a.namespace;
}

function isNamespaceResource({ group, resource }: GroupVersionResource): boolean {
  return group === '' && resource === 'namespaces';
}

/**
 * The version at which the rules want to see a request: that of the request if any rule names it, else with matchPolicy
 * Equivalent the first other one that a rule names. Undefined: no rule matches.
 */
export function matchRules(
  rules: readonly Rule[],
  matchPolicy: string | undefined,
  attributes: AdmissionAttributes,
  versions: readonly [AdmittedVersion, ...AdmittedVersion[]],
): AdmittedVersion | undefined {
  const namespace = requestNamespace(attributes);
  const [requested, ...others] = versions;
  for (const rule of rules) if (matches(rule, attributes, requested.resource, namespace)) return requested;
  if (matchPolicy !== 'Equivalent') return undefined;
  for (const rule of rules) {
    for (const other of others) if (matches(rule, attributes, other.resource, namespace)) return other;
  }
  return undefined;
}

function matches(rule: Rule, a: AdmissionAttributes, resource: GroupVersionResource, namespace: string): boolean {
  return (
    inScope(rule.scope, resource, namespace) &&
    hasOrAny(rule.operations, a.operation) &&
    hasOrAny(rule.apiGroups, resource.group) &&
    hasOrAny(rule.apiVersions, resource.version) &&
    (rule.resources ?? []).some((r) => namesResource(r, resource.resource, a.subresource)) &&
    (!rule.resourceNames?.length || rule.resourceNames.includes(a.name))
  );
}

function hasOrAny(items: readonly string[] | undefined, wanted: string): boolean {
  return items?.some((item) => item === '*' || item === wanted) ?? false;
}

function inScope(scope: string | undefined, resource: GroupVersionResource, namespace: string): boolean {
  if (scope === undefined || scope === '*') return true;
  const cluster = isNamespaceResource(resource) || namespace === '';
  return scope === 'Cluster' ? cluster : scope === 'Namespaced' && !cluster;
}

/** `pods`, `pods/status`, `pods/*`, `*`, `*\/scale`, `*\/*`. */
function namesResource(text: string, resource: string, subresource: string): boolean {
  const slash = text.indexOf('/');
  const name = slash < 0 ? text : text.slice(0, slash);
  const sub = slash < 0 ? '' : text.slice(slash + 1);
  return (name === '*' || name === resource) && (sub === '*' || sub === subresource);
}
