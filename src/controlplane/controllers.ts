import { clusterRoleAggregation } from '../controllers/cluster-role-aggregation.js';
import type { Controller, ControllerParts } from '../controllers/contract.js';
import { garbageCollector } from '../controllers/garbage-collector/garbage-collector.js';
import { namespaceController } from '../controllers/namespace.js';
import { rootCaPublisher, serviceAccountController } from '../controllers/service-account.js';

export interface ControllerOptions extends ControllerParts {
  /** PEM that clients inside the cluster trust this server by. */
  readonly caPem: string;
}

const CONTROLLERS: readonly ((options: ControllerOptions) => Controller)[] = [
  namespaceController,
  garbageCollector,
  serviceAccountController,
  (options) => rootCaPublisher(options, options.caPem),
  clusterRoleAggregation,
];

/**
 * The loops that `wanted` names: `*` for all, `name` for one, `-name` to leave one out.
 *
 * @throws Error for a name that is none
 */
export function selectControllers(wanted: readonly string[], options: ControllerOptions): Controller[] {
  const all = CONTROLLERS.map((make) => make(options));
  for (const name of wanted) {
    const bare = name.replace(/^-/, '');
    if (name !== '*' && !all.some((c) => c.name === bare)) {
      throw new Error(`controller ${JSON.stringify(bare)} is unknown: ${all.map((c) => c.name).join(', ')}`);
    }
  }
  const everything = wanted.includes('*');
  return all.filter((c) => !wanted.includes(`-${c.name}`) && (everything || wanted.includes(c.name)));
}
