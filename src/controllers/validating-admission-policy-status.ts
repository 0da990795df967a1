import { catalogSchema } from '../admission/policy/catalog-schema.js';
import { checkTypes, type TypeCheckingDeps } from '../admission/policy/type-checking.js';
import type { ValidatingPolicySpec } from '../admission/policy/validating-policy.js';
import type { CelSchema } from '../machinery/cel/index.js';
import { isStatusError } from '../machinery/errors.js';
import { isJsonObject, type JsonObject } from '../machinery/json.js';
import type { ResourceTable } from '../registry/resource-table.js';
import type { Controller, ControllerParts } from './contract.js';
import { WorkQueue } from './work-queue.js';

const POLICIES = { group: 'admissionregistration.k8s.io', resource: 'validatingadmissionpolicies' };

/** Tells in the status of ValidatingAdmissionPolicies what does not fit the kinds that they are about. */
export function validatingAdmissionPolicyStatus({ client, table, log }: ControllerParts): Controller {
  let stopWatching: (() => void) | undefined;
  const deps = schemasOf(table);
  const queue = new WorkQueue({
    workers: 1,
    async work(name) {
      const policy = await client.get(POLICIES, '', name);
      if (!policy) return undefined;
      const { generation = 0 } = policy.metadata;
      const status: JsonObject = isJsonObject(policy.status) ? policy.status : {};
      if (generation <= Number(status.observedGeneration ?? 0)) return undefined;
      const warnings = checkTypes((policy.spec ?? {}) as ValidatingPolicySpec, deps);
      const typeChecking: JsonObject =
        warnings.length > 0 ? { expressionWarnings: warnings.map((w) => ({ ...w })) } : {};
      try {
        await client.update(
          POLICIES,
          '',
          name,
          // Another generation will be looked at by itself.
          (o) =>
            o.metadata.generation === generation
              ? { ...o, status: { ...(o.status as JsonObject), observedGeneration: generation, typeChecking } }
              : undefined,
          { manager: 'validatingadmissionpolicy-status', subresource: 'status' },
        );
      } catch (e) {
        if (!isStatusError(e, 'NotFound')) throw e;
      }
      return undefined;
    },
    failed: (name, e) => log('warning', `type check of policy ${name}: ${String(e)}`),
  });
  return {
    name: 'validatingadmissionpolicy-status-controller',
    async start() {
      stopWatching = await client.subscribe(POLICIES, ({ type, object }) => {
        if (type !== 'DELETED') queue.add(object.metadata.name ?? '');
      });
    },
    async stop() {
      stopWatching?.();
      await queue.close();
    },
  };
}

function schemasOf(table: ResourceTable): TypeCheckingDeps {
  let count = 0;
  return {
    kindOf({ group, version, resource }) {
      const entry = table.find(group, version, resource);
      return entry && { group, version, kind: entry.kind };
    },
    schemaOf({ group, version, kind }) {
      const found = table.byKind(group, version, kind)?.endpoint.version;
      if (!found) return undefined;
      return found.typed ? catalogSchema(found.type) : (found.openAPI as CelSchema | undefined);
    },
    unique: () => ++count,
  };
}
