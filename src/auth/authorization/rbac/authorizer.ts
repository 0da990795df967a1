import type { Attributes, Authorizer, Decision, UserInfo } from '../../contract.js';
import type { NonResourceRule, ResourceRule, RuleResolver, UserRules } from '../contract.js';
import { aggregate } from '../union.js';
import { resourceKeys } from './compiled-role.js';
import type { BindingRecord, Grant, RbacIndex } from './rbac-index.js';
import { describeGrant, grantEvidence, unresolvedRole } from './rbac-index.js';
import type { PolicyRule } from './rule.js';

/** Role based access control over an index of roles and bindings. Never denies: what no rule allows, it has no opinion on. */
export class RbacAuthorizer implements Authorizer, RuleResolver {
  readonly name = 'RBAC';
  readonly #index: RbacIndex;

  constructor(index: RbacIndex) {
    this.#index = index;
  }

  authorize(attributes: Attributes): Decision {
    const keys = resourceKeys(attributes);
    const { user, namespace } = attributes;
    const found = this.#find('', attributes, keys) ?? (namespace ? this.#find(namespace, attributes, keys) : undefined);
    if (found) {
      const grant = firstApplicable(found.grant, user);
      return {
        verdict: 'Allow',
        reason: `RBAC: allowed by ${describeGrant(grant)}`,
        by: this.name,
        evidence: grantEvidence(grant, found.rule),
      };
    }
    const errors = this.#errors(user, namespace);
    return { verdict: 'NoOpinion', reason: errors.length > 0 ? `RBAC: ${aggregate(errors)}` : '', by: this.name };
  }

  rulesFor(user: UserInfo, namespace: string): UserRules {
    const { rules, errors } = rulesOf(this.#index, user, namespace);
    const resourceRules: ResourceRule[] = [];
    const nonResourceRules: NonResourceRule[] = [];
    for (const { verbs = [], apiGroups, resources, resourceNames, nonResourceURLs } of rules) {
      if (resources?.length) resourceRules.push({ verbs, apiGroups, resources, resourceNames });
      if (nonResourceURLs?.length) nonResourceRules.push({ verbs, nonResourceURLs });
    }
    return { resourceRules, nonResourceRules, incomplete: false, errors };
  }

  #find(
    scope: string,
    attributes: Attributes,
    keys: readonly string[],
  ): { grant: Grant; rule: PolicyRule } | undefined {
    for (const grants of this.#index.grantsOf(attributes.user, scope)) {
      const found = grants.find(attributes, keys);
      if (found) return found;
    }
    return undefined;
  }

  #errors(user: UserInfo, namespace: string): string[] {
    const errors: string[] = [];
    for (const scope of namespace ? ['', namespace] : ['']) {
      for (const { grants } of this.#index.grantsOf(user, scope)) {
        for (const { role, roleRef } of grants.keys()) if (!role.compiled) errors.push(unresolvedRole(roleRef));
      }
    }
    return errors;
  }
}

/**
 * Every rule that applies to a user in a namespace ('' for the cluster alone), ClusterRoleBindings first, and the roles
 * that could not be found. Rules only add up, so the list is good as far as it goes.
 */
export function rulesOf(
  index: RbacIndex,
  user: UserInfo,
  namespace: string,
): { rules: PolicyRule[]; errors: string[]; missing: BindingRecord[] } {
  const rules: PolicyRule[] = [];
  const errors: string[] = [];
  const missing: BindingRecord[] = [];
  for (const scope of namespace ? ['', namespace] : ['']) {
    for (const binding of index.bindingsOf(user, scope)) {
      if (binding.role.compiled) rules.push(...binding.role.compiled.rules);
      else {
        errors.push(unresolvedRole(binding.roleRef));
        missing.push(binding);
      }
    }
  }
  return { rules, errors, missing };
}

/** A user may be named by several subjects of the binding; the first of them is the one to name. */
function firstApplicable(grant: Grant, user: UserInfo): Grant {
  const { subjectKeys } = grant.binding;
  for (let i = 0; i < grant.subjectIndex; i++) {
    const key = subjectKeys[i];
    if (key === undefined) continue;
    const name = key.slice(2);
    if (key.startsWith('u:') ? name === user.name : user.groups.includes(name)) return { ...grant, subjectIndex: i };
  }
  return grant;
}
