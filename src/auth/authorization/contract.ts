import type { UserInfo } from '../contract.js';

/** Part of a rights overview: status.resourceRules of a SelfSubjectRulesReview. */
export interface ResourceRule {
  readonly verbs: readonly string[];
  readonly apiGroups?: readonly string[];
  readonly resources?: readonly string[];
  readonly resourceNames?: readonly string[];
}

/** Part of a rights overview: status.nonResourceRules of a SelfSubjectRulesReview. */
export interface NonResourceRule {
  readonly verbs: readonly string[];
  readonly nonResourceURLs?: readonly string[];
}

export interface UserRules {
  readonly resourceRules: readonly ResourceRule[];
  readonly nonResourceRules: readonly NonResourceRule[];
  /** True when there may be more rights than the ones listed. */
  readonly incomplete: boolean;
  /** Why the list is not complete, or what went wrong on the way. */
  readonly errors: readonly string[];
}

/** An authorizer that can tell what somebody may do in a namespace. Not all can, and some only in part. */
export interface RuleResolver {
  rulesFor(user: UserInfo, namespace: string): UserRules;
}

export const NO_RULES: UserRules = { resourceRules: [], nonResourceRules: [], incomplete: false, errors: [] };
