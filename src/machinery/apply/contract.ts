import type { GroupVersionKind, KubeObject } from '../json.js';
import type { SchemaNode } from '../scheme/type.js';
import type { FieldSet } from './field-set.js';

export type MaybePromise<T> = T | Promise<T>;

/** What a field manager must know about its kind. Everything is passed in; the field manager has no side effects. */
export interface FieldManagerOptions {
  /** Group, version and kind of the requests it serves: objects and applied configurations are at this version. */
  readonly kind: GroupVersionKind;
  /** '' for the resource itself. */
  readonly subresource?: string;
  /**
   * Go types (built-in kinds): a field by value counts as set even when the JSON leaves it out, and an empty one that
   * Go would leave out counts as unset. False for custom resources, where only what is written counts.
   */
  readonly structured: boolean;
  /** The shape of the kind at an apiVersion; undefined when it is not served: managedFields entries at it are dropped. */
  schema(apiVersion: string): SchemaNode | undefined;
  /** The object at another version. Must leave `object` as it is. Needed only when entries at several versions meet. */
  convert(object: KubeObject, from: string, to: string): MaybePromise<KubeObject>;
  /** Fields that the strategy resets and a writer therefore never owns, by apiVersion. */
  readonly resetFields?: Readonly<Record<string, FieldFilter>>;
}

/** Takes away what may not be owned. */
export type FieldFilter = (set: FieldSet) => FieldSet;

export interface Writer {
  /** Query parameter `fieldManager`, else the first token of User-Agent: see `managerName`. */
  readonly manager: string;
  /** RFC 3339 in whole seconds. */
  readonly now: string;
}

export interface Applier extends Writer {
  /** Takes over conflicting fields. */
  readonly force?: boolean;
}

/**
 * Keeps `metadata.managedFields` (KEP-555). One per resource version and subresource. All objects are at the version in
 * the options and in minimal form. Settles at once unless a conversion takes a Promise.
 */
export interface FieldManager {
  /**
   * For create, update and every patch but apply: sets `object.metadata.managedFields` from what differs between `live`
   * and `object`. `live` is undefined on create and is never changed. Never throws: like upstream, an object whose
   * fields can't be told is stored without managedFields.
   */
  onUpdate(live: KubeObject | undefined, object: KubeObject, writer: Writer): MaybePromise<KubeObject>;

  /**
   * Server-side apply: merges `config` into `live` and removes what this manager no longer applies. The result is a new
   * object before defaulting and may hold nulls and values of wrong types that the caller's decoder must refuse or drop;
   * `live` and `config` stay as they are.
   *
   * @throws StatusError 400 (wrong kind, managedFields set), 409 Conflict with FieldManagerConflict causes, 500 with the
   * list of schema violations ("failed to create typed patch object …")
   */
  apply(live: KubeObject | undefined, config: KubeObject, applier: Applier): MaybePromise<KubeObject>;
}
