import type { Authorizer } from '../../auth/contract.js';
import { notFound } from '../../machinery/errors.js';
import type { JsonObject } from '../../machinery/json.js';
import { authorizerBinding, namespaceBinding, requestBindings } from '../cel/bindings.js';
import type { Bindings } from '../cel/evaluation.js';
import type { AdmissionAttributes } from '../contract.js';
import { requestNamespace } from '../matching/rules.js';
import type { NamespaceReader } from '../matching/selectors.js';
import { type AdmittedVersion, VersionedObjects, type VersionSource } from '../matching/versions.js';
import type { Binding, Policy, PolicyHook, PolicySpec } from './hooks.js';
import { collectParams, type ParamResource, type ParamSource, paramResource } from './params.js';

export interface InvocationDeps {
  readonly versions: VersionSource;
  readonly namespaceOf: NamespaceReader;
  readonly authorizer: Authorizer;
  readonly params: ParamSource;
}

/** A policy that is to be evaluated for a request, with a binding and one of its parameters. */
export interface Invocation<S extends PolicySpec, E> {
  readonly policy: Policy<S, E>;
  readonly binding: Binding;
  /** At which the policy sees the objects. */
  readonly version: AdmittedVersion;
  readonly param: JsonObject | undefined;
}

/** A policy, or one of its bindings, is not set up so that it could be evaluated. */
export interface ConfigurationFault<S extends PolicySpec, E> {
  readonly policy: Policy<S, E>;
  readonly binding: Binding | undefined;
  readonly message: string;
}

export type Found<S extends PolicySpec, E> =
  | { readonly invocation: Invocation<S, E>; readonly fault?: undefined }
  | { readonly invocation?: undefined; readonly fault: ConfigurationFault<S, E> };

/** One request as policies see it. */
export class PolicyRequest {
  readonly objects: VersionedObjects;
  readonly #deps: InvocationDeps;
  readonly #versions: readonly [AdmittedVersion, ...AdmittedVersion[]];
  #authorizer: Bindings['authorizer'];
  #namespace: Promise<JsonObject | undefined> | undefined;

  constructor(attributes: AdmissionAttributes, deps: InvocationDeps) {
    this.objects = new VersionedObjects(attributes);
    this.#versions = deps.versions.of(attributes);
    this.#deps = deps;
  }

  /** What is to be evaluated for the request, and what can't be, in the order of policies and bindings. */
  async invocations<S extends PolicySpec, E>(hooks: readonly PolicyHook<S, E>[]): Promise<Found<S, E>[]> {
    const found: Found<S, E>[] = [];
    for (const hook of hooks) await this.#ofPolicy(hook, found);
    return found;
  }

  async #ofPolicy<S extends PolicySpec, E>(
    { policy, bindings }: PolicyHook<S, E>,
    found: Found<S, E>[],
  ): Promise<void> {
    const { attributes } = this.objects;
    const { namespaceOf, params } = this.#deps;
    let version: AdmittedVersion | undefined;
    let resource: ParamResource | undefined;
    try {
      if (!policy.constraints) throw new Error('policy contained no match constraints, a required field');
      version = await policy.constraints.match(attributes, this.#versions, namespaceOf);
      if (!version) return;
      const { paramKind } = policy.spec;
      resource = paramKind && paramResource(paramKind, params);
    } catch (e) {
      found.push({ fault: { policy, binding: undefined, message: `failed to configure policy: ${message(e)}` } });
      return;
    }
    for (const binding of bindings) {
      try {
        if (binding.resources && !(await binding.resources.match(attributes, this.#versions, namespaceOf))) continue;
        const namespace = requestNamespace(attributes);
        for (const param of await collectParams(resource, binding.spec.paramRef, namespace)) {
          found.push({ invocation: { policy, binding, version, param } });
        }
      } catch (e) {
        found.push({ fault: { policy, binding, message: `failed to configure binding: ${message(e)}` } });
      }
    }
  }

  /** Variables of match conditions, which do not see the namespace. */
  async bindings(version: AdmittedVersion, params: JsonObject | undefined): Promise<Bindings> {
    const { objects } = this;
    this.#authorizer ??= authorizerBinding(this.#deps.authorizer, objects.attributes);
    const requested = this.#versions[0];
    return { ...(await requestBindings({ objects, version, requested, authorizer: this.#authorizer })), params };
  }

  /** `namespaceObject`; undefined for cluster-scoped objects, and for namespaces. */
  namespaceObject(): Promise<JsonObject | undefined> {
    this.#namespace ??= this.#readNamespace();
    return this.#namespace;
  }

  async #readNamespace(): Promise<JsonObject | undefined> {
    const { kind, namespace: name } = this.objects.attributes;
    if (name === '' || (kind.group === '' && kind.kind === 'Namespace')) return undefined;
    const namespace = await this.#deps.namespaceOf(name);
    if (!namespace) throw notFound({ group: '', resource: 'namespaces' }, name);
    return namespaceBinding(namespace);
  }
}

function message(e: unknown): string {
  return e instanceof Error ? e.message : String(e);
}

const CONFIGURATION = new Set([
  'validatingadmissionpolicies',
  'validatingadmissionpolicybindings',
  'mutatingadmissionpolicies',
  'mutatingadmissionpolicybindings',
]);
const REVIEWS = new Set([
  'authentication.k8s.io/selfsubjectreviews',
  'authentication.k8s.io/tokenreviews',
  'authorization.k8s.io/localsubjectaccessreviews',
  'authorization.k8s.io/selfsubjectaccessreviews',
  'authorization.k8s.io/selfsubjectrulesreviews',
  'authorization.k8s.io/subjectaccessreviews',
]);

/** Policies never see policies, so that a wrong one can be removed, nor the reviews that components live by. */
export function isBeyondPolicies({ resource: { group, resource } }: AdmissionAttributes): boolean {
  if (group === 'admissionregistration.k8s.io') return CONFIGURATION.has(resource);
  return REVIEWS.has(`${group}/${resource}`);
}
