import type { JsonObject } from '../../machinery/json.js';
import { type LabelSelector, labelSelectorOf } from '../../machinery/selectors/label-selector.js';
import type { AdmissionAttributes } from '../contract.js';
import { matchRules, type Rule } from '../matching/rules.js';
import { matchesNamespace, matchesObject, type NamespaceReader } from '../matching/selectors.js';
import type { AdmittedVersion } from '../matching/versions.js';

/** admissionregistration.k8s.io MatchResources. */
export interface MatchResourcesSpec {
  readonly namespaceSelector?: JsonObject;
  readonly objectSelector?: JsonObject;
  readonly resourceRules?: readonly Rule[];
  readonly excludeResourceRules?: readonly Rule[];
  readonly matchPolicy?: string;
}

/** Which requests a policy or a binding is about. */
export class MatchResources {
  readonly #spec: MatchResourcesSpec;
  #selectors: { namespace: LabelSelector; object: LabelSelector } | undefined;

  constructor(spec: MatchResourcesSpec) {
    this.#spec = spec;
  }

  /**
   * The version at which the request matches; undefined: it does not.
   *
   * @throws Error when that can't be told
   */
  async match(
    attributes: AdmissionAttributes,
    versions: readonly [AdmittedVersion, ...AdmittedVersion[]],
    namespaceOf: NamespaceReader,
  ): Promise<AdmittedVersion | undefined> {
    const { resourceRules = [], excludeResourceRules = [], matchPolicy } = this.#spec;
    if (matchRules(excludeResourceRules, matchPolicy, attributes, versions)) return undefined;
    const version =
      resourceRules.length === 0 ? versions[0] : matchRules(resourceRules, matchPolicy, attributes, versions);
    if (!version) return undefined;
    const { namespace, object } = this.#parsed();
    if (!matchesObject(object, attributes)) return undefined;
    return (await matchesNamespace(namespace, attributes, namespaceOf)) ? version : undefined;
  }

  #parsed(): { namespace: LabelSelector; object: LabelSelector } {
    const { namespaceSelector, objectSelector } = this.#spec;
    if (!namespaceSelector) throw unset('namespace');
    if (!objectSelector) throw unset('object');
    this.#selectors ??= { namespace: labelSelectorOf(namespaceSelector), object: labelSelectorOf(objectSelector) };
    return this.#selectors;
  }
}

function unset(which: string): Error {
  return new Error(`a nil ${which} selector was passed, please ensure selectors are initialized properly`);
}
