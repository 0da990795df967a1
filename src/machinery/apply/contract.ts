import type { GroupVersionKind, KubeObject } from '../json.js';
import type { SchemaNode } from '../scheme/type.js';
import type { FieldSet } from './field-set.js';

export type MaybePromise<T> = T | Promise<T>;

/** What a field manager must know about its kind. Everything is passed in; it has no side effects. */
export interface FieldManagerOptions {
  /** Group, version and kind of the requests it serves: objects and applied configurations are at this version. */
  readonly kind: GroupVersionKind;
  /** '' or absent for the resource itself. */
  readonly subresource?: string;
  /**
   * Go types (built-in kinds): a field by value counts as set even when the JSON leaves it out, and an empty one that
   * Go would leave out counts as unset. False for custom resources, where only what is written counts.
   */
  readonly structured: boolean;
  /** The shape of the kind at an apiVersion; undefined when it is not served: managedFields entries at it are dropped. */
  schema(apiVersion: string): SchemaNode | undefined;
  /**
   * The object at another version. Must leave `object` as it is. Called only when managers of several versions meet;
   * absent when there is but one version.
   */
  convert?(object: KubeObject, from: string, to: string): MaybePromise<KubeObject>;
  /** What a writer never owns because the strategy resets it, by apiVersion: see `resetFilters`. */
  readonly resetFields?: Readonly<Record<string, FieldFilter>>;
  /** Why no object can be made of what an apply changed, where none can: such applies are a 500. */
  readonly unconvertible?: string;
}

/** Takes away what may not be owned. */
export type FieldFilter = (set: FieldSet) => FieldSet;

export interface Writer {
  /** See `managerName`. '' is written as `unknown`. */
  readonly manager: string;
  /** RFC 3339 in whole seconds. */
  readonly now: string;
}

export interface Applier extends Writer {
  /** Takes over conflicting fields. */
  readonly force?: boolean;
}
