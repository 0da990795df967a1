import type { UserInfo } from '../auth/contract.js';
import type { FieldError } from '../machinery/field.js';
import type { KubeObject } from '../machinery/json.js';

/** Asked like a feature gate, as it decides what is valid: containers may not be privileged (`--allow-privileged=false`). */
export const FORBID_PRIVILEGED = 'ForbidPrivileged';

/** What a strategy may know about the request it serves, and the side effects it may use. */
export interface StrategyContext {
  readonly user: UserInfo;
  readonly namespace: string;
  readonly subresource: string;
  readonly dryRun: boolean;
  /** apiVersion the client speaks; rules that differ by version (Job's garbage collection default) look here. */
  readonly requestVersion: string;
  /** A uid that nothing has had. */
  newUid(): string;
  /** UTC now, whole seconds, RFC 3339. */
  now(): string;
  /** A feature gate's state. */
  gate(name: string): boolean;
}

/** `Unsupported`: dependents are never looked at (events, CSRs' like). */
export type GarbageCollection = 'Background' | 'Orphan' | 'Unsupported';

/** Undoes or keeps what a write reserved outside the object (cluster IPs, node ports). Neither may reject. */
export interface Reservation {
  commit(): Promise<void> | void;
  rollback(): Promise<void> | void;
}

/**
 * What makes a kind different from the others on its way in. Every hook is optional: a kind without any still has the
 * metadata rules, defaulting by catalog and the generic path. Objects are at the hub (storage) version, in minimal form
 * (fields with their Go zero value are absent), and hooks change `obj` in place; `old` is never changed.
 *
 * Order on create: decode, default, convert → mutating admission → reserve → prepareForCreate → validate → canonicalize →
 * validating admission → write. On update: the same with prepareForUpdate and validateUpdate, on the object read in the
 * same compare-and-swap round.
 */
export interface Strategy {
  /** Clears what a client may not set (status), fills what the server owns. */
  prepareForCreate?(ctx: StrategyContext, obj: KubeObject): void;
  /** All faults of a new object, metadata included, in the order of the real server. */
  validate?(ctx: StrategyContext, obj: KubeObject): FieldError[];
  warningsOnCreate?(ctx: StrategyContext, obj: KubeObject): string[];
  prepareForUpdate?(ctx: StrategyContext, obj: KubeObject, old: KubeObject): void;
  /** All faults of the change, those of the object itself included. */
  validateUpdate?(ctx: StrategyContext, obj: KubeObject, old: KubeObject): FieldError[];
  warningsOnUpdate?(ctx: StrategyContext, obj: KubeObject, old: KubeObject): string[];
  /** Same hooks for subresources that share the object: status, ephemeralcontainers, resize, approval, finalize, … */
  readonly subresources?: Readonly<
    Record<string, Pick<Strategy, 'prepareForUpdate' | 'validateUpdate' | 'warningsOnUpdate'>>
  >;
  /** Values for the field selectors of this kind beyond metadata.name and metadata.namespace. "" when unset. */
  selectableFields?(obj: KubeObject): Record<string, string>;
  /** The field that upstream keeps an index by: of a page selected by it, only what the index has counts as more. */
  readonly indexedField?: string;
  /** Brings a valid object, new or changed, into the one form in which it is stored. */
  canonicalize?(obj: KubeObject): void;
  /**
   * Takes what the object needs from shared ranges, and writes it into the object, before anything of it is checked.
   * Throws a StatusError when it can't have it. On a dry run nothing may be taken.
   */
  reserve?(
    ctx: StrategyContext,
    obj: KubeObject,
    old: KubeObject | undefined,
  ): Promise<Reservation | undefined> | Reservation | undefined;
  /** Gives back what a removed object held. May not reject. */
  released?(obj: KubeObject): Promise<void> | void;
  /** Seconds of grace that deleting this object takes; undefined: this kind is deleted at once. */
  gracePeriod?(obj: KubeObject, requested: number | undefined): number | undefined;
  /** What happens to dependents when the client does not say. Default: background. */
  readonly defaultGarbageCollection?: GarbageCollection | ((ctx: StrategyContext) => GarbageCollection);
  /** Told to who deletes objects of this kind and does not say what becomes of their dependents. */
  readonly deletionWarning?: string;
  /** Something beside metadata.finalizers still holds a deletion (a namespace's spec.finalizers). */
  holdsDeletion?(obj: KubeObject): boolean;
  /** The object was just marked as being deleted (a namespace goes to phase Terminating). */
  beginDeletion?(obj: KubeObject): void;
}
