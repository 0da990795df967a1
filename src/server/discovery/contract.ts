import type { JsonObject } from '../../machinery/json.js';

/** A subresource as discovery shows it. Group and version are those of the kind, when they differ from the resource's. */
export interface ServedSubresource {
  readonly name: string;
  readonly kind: string;
  readonly group?: string;
  readonly version?: string;
  readonly verbs: readonly string[];
}

/** One resource of one group and version, built-in or from a CustomResourceDefinition. */
export interface ServedResource {
  readonly group: string;
  readonly version: string;
  /** Plural, lower case. */
  readonly resource: string;
  readonly singular: string;
  readonly kind: string;
  readonly namespaced: boolean;
  readonly verbs: readonly string[];
  readonly shortNames?: readonly string[];
  readonly categories?: readonly string[];
  readonly storageVersionHash?: string;
  readonly subresources?: readonly ServedSubresource[];
}

export interface ServedVersion {
  readonly version: string;
  /** In the order in which the documents list them. */
  readonly resources: readonly ServedResource[];
  /** Stale: an aggregated server did not answer when last asked. */
  readonly freshness?: 'Current' | 'Stale';
  /** Another server answers below this version, or nobody; only the documents above it are ours. */
  readonly aggregated?: boolean;
  /** With `aggregated`: the resources as the other server tells them in the aggregated form; undefined before it did. */
  readonly document?: readonly JsonObject[];
}

/** A group with its versions, the preferred one first. The core group has the name ''. */
export interface ServedGroup {
  readonly group: string;
  readonly versions: readonly ServedVersion[];
  /** Not compiled in: from CustomResourceDefinitions or aggregated servers. */
  readonly dynamic?: boolean;
}

/** Where discovery documents come from. */
export interface DiscoverySource {
  /** All groups in the order of `/apis`. The same array until something changes, and a new one after. */
  groups(): readonly ServedGroup[];
  /** All groups of the aggregated form, where they differ; changes when `groups()` does. */
  aggregated?(): readonly ServedGroup[];
}
