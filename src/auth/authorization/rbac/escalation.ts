import { forbidden, notFound, StatusError } from '../../../machinery/errors.js';
import { compareBytes, goQuote, goQuoteList } from '../../../machinery/go-format.js';
import { equalJson } from '../../../machinery/json.js';
import { type Attributes, type Authorizer, MASTERS_GROUP, type UserInfo } from '../../contract.js';
import { rulesOf } from './authorizer.js';
import { compactRules, uncoveredRules } from './covers.js';
import type { RbacIndex } from './rbac-index.js';
import type { BindingObject, PolicyRule, RoleObject, RoleRef } from './rule.js';
import { compactString, RBAC_GROUP } from './rule.js';

export type RbacResource = 'roles' | 'clusterroles' | 'rolebindings' | 'clusterrolebindings';

/** Who writes which object. */
export interface EscalationRequest {
  readonly user: UserInfo;
  readonly resource: RbacResource;
  /** '' for cluster-scoped resources. */
  readonly namespace: string;
  /** Name in the URL: '' for a create, so that a right to `escalate` named roles does not help to create them. */
  readonly name: string;
}

/** What somebody needs who writes an aggregationRule: it can gather anything. */
const FULL_AUTHORITY: PolicyRule[] = [
  { verbs: ['*'], apiGroups: ['*'], resources: ['*'] },
  { verbs: ['*'], nonResourceURLs: ['*'] },
];

/**
 * Keeps people from granting by RBAC what they do not hold themselves, unless they may `escalate` the role or `bind` it,
 * or belong to system:masters. To be asked after mutating admission and before validation, on create, and on update
 * with the stored object. Throws the StatusError that the client gets.
 */
export class EscalationGuard {
  readonly #index: RbacIndex;
  readonly #authorizer: Authorizer;

  /** The index is asked for rules even when RBAC is not among the authorization modes. */
  constructor(index: RbacIndex, authorizer: Authorizer) {
    this.#index = index;
    this.#authorizer = authorizer;
  }

  async confirmRole(request: EscalationRequest, role: RoleObject, old?: RoleObject): Promise<void> {
    if (request.user.groups.includes(MASTERS_GROUP)) return;
    if (old && onlyForCollection(role, old)) return;
    if (await this.#allowed(request, 'escalate', request.resource, request.name)) return;
    const missing = this.#missing(request, role.rules ?? []);
    if (missing) throw refusal(request, role, missing);
    const aggregates = request.resource === 'clusterroles' && (role.aggregationRule || old?.aggregationRule);
    if (aggregates && this.#missing(request, FULL_AUTHORITY)) {
      throw refusal(request, role, 'must have cluster-admin privileges to use the aggregationRule');
    }
  }

  async confirmBinding(request: EscalationRequest, binding: BindingObject, old?: BindingObject): Promise<void> {
    if (request.user.groups.includes(MASTERS_GROUP)) return;
    if (old && onlyForCollection(binding, old)) return;
    const roleRef: RoleRef = binding.roleRef ?? {};
    const kinds: Record<string, string> = { ClusterRole: 'clusterroles', Role: 'roles' };
    const resource = kinds[roleRef.kind ?? ''];
    if (resource && (await this.#allowed(request, 'bind', resource, roleRef.name ?? '', roleRef.apiGroup))) return;
    const rules = this.#index.rulesOfRef(roleRef, request.namespace);
    // The error names the request's resource, not the role's: so does kube-apiserver.
    if (!rules) {
      if (!resource) throw unsupportedKind(roleRef);
      throw notFound({ group: RBAC_GROUP, resource: request.resource }, roleRef.name ?? '');
    }
    const missing = this.#missing(request, rules);
    if (missing) throw refusal(request, binding, missing);
  }

  async #allowed(
    { user, namespace }: EscalationRequest,
    verb: string,
    resource: string,
    name: string,
    group = RBAC_GROUP,
  ): Promise<boolean> {
    const attributes: Attributes = {
      user,
      verb,
      isResourceRequest: true,
      group,
      version: '*',
      resource,
      subresource: '',
      namespace,
      name,
      path: '',
    };
    return (await this.#authorizer.authorize(attributes)).verdict === 'Allow';
  }

  /** The complaint when the user does not hold all of these rules. */
  #missing({ user, namespace, resource }: EscalationRequest, wanted: readonly PolicyRule[]): string | undefined {
    const held = rulesOf(this.#index, user, namespace);
    const missing = uncoveredRules(held.rules, wanted);
    if (missing.length === 0) return undefined;
    const lines = [...new Set(compactRules(missing).map(compactString))].sort(compareBytes);
    const unresolved = held.missing.map((b) => `${resource}.${RBAC_GROUP} ${goQuote(b.roleRef.name ?? '')} not found`);
    const errors = unresolved.length > 0 ? `; resolution errors: [${unresolved.join(' ')}]` : '';
    const who = `user ${goQuote(user.name)} (groups=${goQuoteList(user.groups)})`;
    return `${who} is attempting to grant RBAC permissions not currently held:\n${lines.join('\n')}${errors}`;
  }
}

function refusal({ resource }: EscalationRequest, object: RoleObject | BindingObject, message: string): StatusError {
  return forbidden({ group: RBAC_GROUP, resource }, object.metadata.name ?? '', message);
}

/** Asked before validation, so the kind may be anything; kube-apiserver answers with a bare 500 as well. */
function unsupportedKind(roleRef: RoleRef): StatusError {
  return new StatusError(500, '', `unsupported role reference kind: ${goQuote(roleRef.kind ?? '')}`);
}

/** Nothing but finalizers and owner references differs: what garbage collection and deletion need grants nobody anything. */
function onlyForCollection(object: RoleObject | BindingObject, old: RoleObject | BindingObject): boolean {
  const bare = ({ metadata, ...rest }: RoleObject | BindingObject) => {
    const { ownerReferences: _, finalizers: __, managedFields: ___, ...others } = metadata;
    return { ...rest, metadata: others };
  };
  return equalJson(bare(object), bare(old));
}
