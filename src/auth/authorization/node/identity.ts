import type { UserInfo } from '../../contract.js';

const USER_PREFIX = 'system:node:';
const NODES_GROUP = 'system:nodes';

/**
 * The node behind a user: somebody called `system:node:<name>` who is in the group system:nodes. Undefined for everybody
 * else; '' for such a user without a name, who is to be treated as a node that nobody knows.
 */
export function nodeIdentity({ name, groups }: UserInfo): string | undefined {
  return name.startsWith(USER_PREFIX) && groups.includes(NODES_GROUP) ? name.slice(USER_PREFIX.length) : undefined;
}
