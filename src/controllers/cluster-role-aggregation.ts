import { aggregatedRules } from '../auth/authorization/rbac/aggregation.js';
import { RBAC_GROUP, type RoleObject } from '../auth/authorization/rbac/rule.js';
import { equalJson } from '../machinery/json.js';
import type { Controller, ControllerParts } from './contract.js';
import { WorkQueue } from './work-queue.js';

const ROLES = { group: RBAC_GROUP, resource: 'clusterroles' };

/** Fills cluster roles that have an aggregationRule with the rules of the roles it selects. */
export function clusterRoleAggregation({ client, log }: ControllerParts): Controller {
  let stopWatching: (() => void) | undefined;
  const aggregates = new Set<string>();
  const queue = new WorkQueue({
    workers: 1,
    async work(name) {
      const role = (await client.get(ROLES, '', name)) as RoleObject | undefined;
      if (!role) return undefined;
      const rules = aggregatedRules(role, (await client.list(ROLES)) as RoleObject[]);
      if (!rules || equalJson(rules, role.rules ?? [])) return undefined;
      await client.update(ROLES, '', name, (o) => ({ ...o, rules }), { manager: 'clusterrole-aggregation-controller' });
      return undefined;
    },
    failed: (name, e) => log('warning', `cluster role ${name}: ${String(e)}`),
  });
  return {
    name: 'clusterrole-aggregation-controller',
    async start() {
      stopWatching = await client.subscribe(ROLES, ({ type, object }) => {
        const { name = '' } = object.metadata;
        if (type === 'DELETED' || !(object as RoleObject).aggregationRule) aggregates.delete(name);
        else aggregates.add(name);
        for (const aggregate of aggregates) queue.add(aggregate);
      });
    },
    async stop() {
      stopWatching?.();
      await queue.close();
    },
  };
}
