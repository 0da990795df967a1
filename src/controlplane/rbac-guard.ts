import { EscalationGuard, type EscalationRequest, type RbacResource } from '../auth/authorization/rbac/escalation.js';
import { type BindingObject, RBAC_GROUP, type RoleObject } from '../auth/authorization/rbac/rule.js';
import type { Endpoint } from '../registry/endpoint.js';
import { guardedEndpoint } from '../registry/guarded-endpoint.js';
import type { Access } from './access.js';

const RESOURCES: readonly RbacResource[] = ['roles', 'clusterroles', 'rolebindings', 'clusterrolebindings'];

/** Nobody grants by a role or binding what they do not hold themselves. `access` is asked when a request comes. */
export function rbacGuards(access: () => Access): Record<string, (endpoint: Endpoint) => Endpoint> {
  let guard: EscalationGuard | undefined;
  const current = (): EscalationGuard => {
    guard ??= new EscalationGuard(access().rbacIndex, access().authorization.authorizer);
    return guard;
  };
  return Object.fromEntries(
    RESOURCES.map((resource) => [
      `${RBAC_GROUP}/${resource}`,
      (endpoint: Endpoint) =>
        guardedEndpoint(endpoint, (ctx, object, old, name) => {
          const request: EscalationRequest = { user: ctx.user, resource, namespace: ctx.namespace, name };
          return resource.endsWith('bindings')
            ? current().confirmBinding(request, object as BindingObject, old as BindingObject | undefined)
            : current().confirmRole(request, object as RoleObject, old as RoleObject | undefined);
        }),
    ]),
  );
}
