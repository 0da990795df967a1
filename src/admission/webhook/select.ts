import type { Authorizer } from '../../auth/contract.js';
import { forbidden } from '../../machinery/errors.js';
import { authorizerBinding, requestBindings } from '../cel/bindings.js';
import type { Bindings } from '../cel/evaluation.js';
import { MatchConditionError } from '../cel/match-conditions.js';
import type { AdmissionAttributes } from '../contract.js';
import { matchRules } from '../matching/rules.js';
import { matchesNamespace, matchesObject, type NamespaceReader } from '../matching/selectors.js';
import { type AdmittedVersion, VersionedObjects, type VersionSource } from '../matching/versions.js';
import type { Hook } from './hook.js';

export interface SelectorDeps {
  readonly versions: VersionSource;
  readonly namespaceOf: NamespaceReader;
  readonly authorizer: Authorizer;
}

/** Decides which webhooks want to hear of one request, and at which version. */
export class HookSelector {
  readonly objects: VersionedObjects;
  readonly requested: AdmittedVersion;
  readonly #versions: readonly [AdmittedVersion, ...AdmittedVersion[]];
  readonly #deps: SelectorDeps;
  #authorizer: Bindings['authorizer'];

  constructor(attributes: AdmissionAttributes, deps: SelectorDeps) {
    this.objects = new VersionedObjects(attributes);
    this.#versions = deps.versions.of(attributes);
    this.requested = this.#versions[0];
    this.#deps = deps;
  }

  /**
   * The version at which the webhook is to be asked; undefined: it has nothing to do with the request.
   *
   * @throws StatusError 404 when the namespace is gone, 403 when match conditions fail and failures are not ignored
   */
  async select(hook: Hook): Promise<AdmittedVersion | undefined> {
    const { attributes } = this.objects;
    const version = matchRules(hook.rules, hook.matchPolicy, attributes, this.#versions);
    if (!version || !matchesObject(hook.objectSelector, attributes)) return undefined;
    if (!(await matchesNamespace(hook.namespaceSelector, attributes, this.#deps.namespaceOf))) return undefined;
    return (await this.#conditionsHold(hook, version)) ? version : undefined;
  }

  async #conditionsHold(hook: Hook, version: AdmittedVersion): Promise<boolean> {
    const { conditions } = hook;
    if (!conditions) return true;
    const { attributes } = this.objects;
    this.#authorizer ??= authorizerBinding(this.#deps.authorizer, attributes);
    const { objects, requested } = this;
    const bindings = await requestBindings({ objects, version, requested, authorizer: this.#authorizer });
    try {
      return await conditions.match(bindings);
    } catch (e) {
      if (!(e instanceof MatchConditionError)) throw e;
      if (hook.ignoresFailures) return false;
      const { group, resource } = attributes.resource;
      throw forbidden({ group, resource }, attributes.name, e.message);
    }
  }
}

const CONFIGURATION_KINDS = new Set([
  'ValidatingWebhookConfiguration',
  'MutatingWebhookConfiguration',
  'ValidatingAdmissionPolicy',
  'ValidatingAdmissionPolicyBinding',
  'MutatingAdmissionPolicy',
  'MutatingAdmissionPolicyBinding',
]);

/** What configures admission is never sent to webhooks, so that a broken one can always be removed. */
export function isAdmissionConfiguration({ kind }: AdmissionAttributes): boolean {
  return kind.group === 'admissionregistration.k8s.io' && CONFIGURATION_KINDS.has(kind.kind);
}
