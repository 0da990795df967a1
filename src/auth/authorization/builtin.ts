import { type Attributes, type Authorizer, MASTERS_GROUP } from '../contract.js';
import { NO_RULES, type RuleResolver } from './contract.js';

/** `--authorization-mode=AlwaysAllow`. */
export const alwaysAllow: Authorizer & RuleResolver = {
  name: 'AlwaysAllow',
  authorize: () => ({ verdict: 'Allow', reason: '', by: 'AlwaysAllow' }),
  rulesFor: () => ({
    resourceRules: [{ verbs: ['*'], apiGroups: ['*'], resources: ['*'] }],
    nonResourceRules: [{ verbs: ['*'], nonResourceURLs: ['*'] }],
    incomplete: false,
    errors: [],
  }),
};

/** `--authorization-mode=AlwaysDeny`. It has no opinion rather than denying, so that modes after it still count. */
export const alwaysDeny: Authorizer & RuleResolver = {
  name: 'AlwaysDeny',
  authorize: () => ({ verdict: 'NoOpinion', reason: 'Everything is forbidden.', by: 'AlwaysDeny' }),
  rulesFor: () => NO_RULES,
};

/** Members of system:masters may do everything, whatever the modes: the server's own clients rely on it. */
export const privilegedGroup: Authorizer = {
  name: 'PrivilegedGroup',
  authorize: ({ user }: Attributes) =>
    user.groups.includes(MASTERS_GROUP)
      ? { verdict: 'Allow', reason: '', by: 'PrivilegedGroup', evidence: { group: MASTERS_GROUP } }
      : { verdict: 'NoOpinion', reason: '' },
};
