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

/** A group with its versions, the preferred one first. */
export interface ServedGroup {
  readonly group: string;
  readonly versions: readonly ServedVersion[];
}

export interface ServedVersion {
  readonly version: string;
  /** Stale: an aggregated server did not answer when last asked. */
  readonly freshness?: 'Current' | 'Stale';
  /** In the order in which the documents list them. */
  readonly resources: readonly ServedResource[];
}

/** Where discovery documents come from. The core group has the name ''. */
export interface DiscoverySource {
  /** All groups in the order of `/apis`. The same array until something changes. */
  groups(): readonly ServedGroup[];
  /** Calls `changed` after each change; returns how to stop. */
  onChange(changed: () => void): () => void;
}
