import type { Attributes, Authorizer, UserInfo } from '../../auth/contract.js';
import { MASTERS_GROUP } from '../../auth/contract.js';
import { invalid } from '../../machinery/errors.js';
import { forbiddenField } from '../../machinery/field.js';
import {
  equalJson,
  type GroupVersionKind,
  type JsonObject,
  type KubeObject,
  parseApiVersion,
} from '../../machinery/json.js';
import type { ParamKind, ParamRef } from './params.js';

export interface ParamAccessDeps {
  readonly authorizer: Authorizer;
  /** The plural of a served kind. */
  resourceOf(kind: GroupVersionKind): string | undefined;
  /** A policy of the same sort as the binding. */
  policyOf(mutating: boolean, name: string): Promise<KubeObject | undefined>;
}

/**
 * Whoever has a policy read parameters must be able to read them: what expressions say of them shows in messages.
 * Checked when the rest of the object is valid; members of system:masters may do anything.
 */
export class ParamAccess {
  readonly #deps: ParamAccessDeps;

  constructor(deps: ParamAccessDeps) {
    this.#deps = deps;
  }

  /** @throws 422 */
  async checkPolicy(user: UserInfo, policy: KubeObject, old: KubeObject | undefined): Promise<void> {
    const paramKind = specOf(policy).paramKind as ParamKind | undefined;
    if (!paramKind || isMaster(user) || (old && equalJson(specOf(old).paramKind, specOf(policy).paramKind))) return;
    const { group, version, resource } = this.#target(paramKind);
    if (await this.#may({ user, verb: 'get', group, version, resource, namespace: '*', name: '*' })) return;
    throw refusal(
      policy,
      'spec.paramKind',
      `user ${shown(user)} must have "get" permission on all objects of the referenced paramKind (kind=${paramKind.kind}, apiVersion=${paramKind.apiVersion})`,
    );
  }

  /** @throws 422 */
  async checkBinding(user: UserInfo, binding: KubeObject, mutating: boolean): Promise<void> {
    const { paramRef, policyName } = specOf(binding) as { paramRef?: ParamRef; policyName?: string };
    if (!paramRef || isMaster(user)) return;
    const policy = await this.#deps.policyOf(mutating, policyName ?? '');
    const paramKind = policy && (specOf(policy).paramKind as ParamKind | undefined);
    const target = paramKind ? this.#target(paramKind) : ANY;
    const { group, version, resource } = target;
    const verb = paramRef.name ? 'get' : 'list';
    const { namespace = '', name = '' } = paramRef;
    if (await this.#may({ user, verb, group, version, resource, namespace, name })) return;
    const needed = `to determine minimum required permissions and user ${shown(user)} does not have "${verb}" permission for all groups, versions and resources`;
    let why = `user ${shown(user)} does not have "${verb}" permission on the object referenced by paramRef`;
    if (!policy) why = `unable to get policy ${policyName} ${needed}`;
    else if (paramKind && !target.found) why = `unable to resolve paramKind ${shownKind(paramKind)} ${needed}`;
    // Upstream mixes up the two in this message.
    else if (mutating)
      why = `user ${verb} does not have "${shown(user)}" permission on the object referenced by paramRef`;
    throw refusal(binding, 'spec.paramRef', why);
  }

  #target(paramKind: ParamKind): typeof ANY {
    const { group, version } = parseApiVersion(paramKind.apiVersion ?? '');
    const found = this.#deps.resourceOf({ group, version, kind: paramKind.kind ?? '' });
    return { group, version, resource: found ?? '*', found: found !== undefined };
  }

  async #may(asked: Pick<Attributes, 'user' | 'verb' | 'group' | 'version' | 'resource' | 'namespace' | 'name'>) {
    const decision = await this.#deps.authorizer.authorize({
      ...asked,
      isResourceRequest: true,
      subresource: '',
      path: '',
    });
    return decision.verdict === 'Allow';
  }
}

const ANY = { group: '*', version: '*', resource: '*', found: false };

function specOf(object: KubeObject): JsonObject {
  return (object.spec ?? {}) as JsonObject;
}

function isMaster({ groups }: UserInfo): boolean {
  return groups.includes(MASTERS_GROUP);
}

function refusal({ apiVersion = '', kind = '', metadata }: KubeObject, field: string, why: string): Error {
  const { group } = parseApiVersion(apiVersion);
  return invalid({ group, kind }, metadata.name ?? '', [forbiddenField(field, why)]);
}

/** As Go prints the struct. */
function shown({ name, uid = '', groups, extra = {} }: UserInfo): string {
  const more = Object.entries(extra)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, values]) => `${key}:[${values.join(' ')}]`);
  return `&{${name} ${uid} [${groups.join(' ')}] map[${more.join(' ')}]}`;
}

function shownKind({ apiVersion = '', kind = '' }: ParamKind): string {
  return `&ParamKind{APIVersion:${apiVersion},Kind:${kind},}`;
}
