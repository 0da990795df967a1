import { randomBytes } from 'node:crypto';
import type { Authorizer } from '../auth/contract.js';
import type { Authority } from '../auth/pki/issue.js';
import { approvingController, cleaningController, signingController } from '../controllers/certificates/loops.js';
import { clusterRoleAggregation } from '../controllers/cluster-role-aggregation.js';
import type { Controller, ControllerParts } from '../controllers/contract.js';
import { flowControlDefaults } from '../controllers/flow-control-defaults.js';
import { flowSchemaStatus } from '../controllers/flow-schema-status.js';
import { garbageCollector } from '../controllers/garbage-collector/garbage-collector.js';
import { namespaceController } from '../controllers/namespace.js';
import { resourceQuotaController } from '../controllers/resource-quota.js';
import { rootCaPublisher, serviceAccountController } from '../controllers/service-account.js';
import { serviceAddresses } from '../controllers/service-addresses.js';
import { serviceCidrController } from '../controllers/service-cidrs.js';
import { storageProtection } from '../controllers/storage-protection.js';
import { validatingAdmissionPolicyStatus } from '../controllers/validating-admission-policy-status.js';
import type { QuotaParts } from './admission.js';

export interface ControllerOptions extends ControllerParts {
  /** Signs certificates of nodes and clients. */
  readonly authority: () => Authority;
  readonly authorizer: Authorizer;
  readonly quota: QuotaParts;
  /** PEM that clients inside the cluster trust this server by. */
  readonly caPem: string;
}

const CONTROLLERS: readonly ((options: ControllerOptions) => Controller | Controller[])[] = [
  namespaceController,
  garbageCollector,
  serviceAccountController,
  (options) => rootCaPublisher(options, options.caPem),
  clusterRoleAggregation,
  (options) => signingController(options, options.authority, randomBytes),
  (options) => approvingController(options, options.authorizer),
  cleaningController,
  storageProtection,
  resourceQuotaController,
  serviceCidrController,
  validatingAdmissionPolicyStatus,
];

/** Loops that are part of the server itself, whatever others run. */
export function serverLoops(parts: ControllerParts): Controller[] {
  return [flowControlDefaults(parts), flowSchemaStatus(parts), serviceAddresses(parts)];
}

/**
 * The loops that `wanted` names: `*` for all, `name` for one, `-name` to leave one out.
 *
 * @throws Error for a name that is none
 */
export function selectControllers(wanted: readonly string[], options: ControllerOptions): Controller[] {
  const all = CONTROLLERS.flatMap((make) => make(options));
  for (const name of wanted) {
    const bare = name.replace(/^-/, '');
    if (name !== '*' && !all.some((c) => c.name === bare)) {
      throw new Error(`controller ${JSON.stringify(bare)} is unknown: ${all.map((c) => c.name).join(', ')}`);
    }
  }
  const everything = wanted.includes('*');
  return all.filter((c) => !wanted.includes(`-${c.name}`) && (everything || wanted.includes(c.name)));
}
