import { ParamAccess } from '../admission/policy/param-access.js';
import type { Authorizer, UserInfo } from '../auth/contract.js';
import type { KubeObject } from '../machinery/json.js';
import type { Endpoint } from '../registry/endpoint.js';
import type { LocalClient } from '../registry/local-client.js';
import type { ResourceTable } from '../registry/resource-table.js';

export interface ParamGuardParts {
  readonly authorizer: Authorizer;
  readonly client: LocalClient;
  readonly table: ResourceTable;
}

const GROUP = 'admissionregistration.k8s.io';

type Check = (user: UserInfo, object: KubeObject, old: KubeObject | undefined) => Promise<void>;

/** Nobody has a policy read what they may not read themselves. */
export function paramGuards({ authorizer, client, table }: ParamGuardParts): Record<string, (e: Endpoint) => Endpoint> {
  const access = new ParamAccess({
    authorizer,
    resourceOf: ({ group, version, kind }) => table.byKind(group, version, kind)?.resource,
    policyOf: (mutating, name) =>
      client.get({ group: GROUP, resource: `${mutating ? 'mutating' : 'validating'}admissionpolicies` }, '', name),
  });
  const guards: Record<string, Check> = {
    validatingadmissionpolicies: (user, object, old) => access.checkPolicy(user, object, old),
    mutatingadmissionpolicies: (user, object, old) => access.checkPolicy(user, object, old),
    validatingadmissionpolicybindings: (user, object) => access.checkBinding(user, object, false),
    mutatingadmissionpolicybindings: (user, object) => access.checkBinding(user, object, true),
  };
  return Object.fromEntries(
    Object.entries(guards).map(([resource, check]) => [`${GROUP}/${resource}`, (e: Endpoint) => checked(e, check)]),
  );
}

/** Checks objects that are valid, before validating admission sees them. */
function checked(endpoint: Endpoint, check: Check): Endpoint {
  const { create, update } = endpoint;
  return {
    ...endpoint,
    create:
      create &&
      ((ctx, request) =>
        create(ctx, {
          ...request,
          async admit(object) {
            await check(ctx.user, object, undefined);
            await request.admit(object);
          },
        })),
    update:
      update &&
      ((ctx, request) =>
        update(ctx, {
          ...request,
          async admitCreate(object) {
            await check(ctx.user, object, undefined);
            await request.admitCreate(object);
          },
          async admitUpdate(object, old) {
            await check(ctx.user, object, old);
            await request.admitUpdate(object, old);
          },
        })),
  };
}
