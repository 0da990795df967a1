import type { UserInfo } from '../auth/contract.js';
import type { GroupVersionKind, GroupVersionResource, JsonObject, KubeObject } from '../machinery/json.js';

export type Operation = 'CREATE' | 'UPDATE' | 'DELETE' | 'CONNECT';

/** One write on its way through the admission chain. Objects are at `kind`'s version; `object` may be changed in place by mutating plugins. */
export interface AdmissionAttributes {
  readonly operation: Operation;
  /** Kind of `object`. For a subresource of its own kind (Scale, Binding) that kind. */
  readonly kind: GroupVersionKind;
  readonly resource: GroupVersionResource;
  readonly subresource: string;
  readonly namespace: string;
  readonly name: string;
  /** The new object; undefined on DELETE. On CONNECT the options object. Mutating plugins assign or change it. */
  object: KubeObject | undefined;
  /** The stored object; undefined on CREATE and CONNECT. Never changed. */
  readonly oldObject: KubeObject | undefined;
  /** CreateOptions, UpdateOptions, PatchOptions or DeleteOptions with their TypeMeta. */
  readonly options: JsonObject | undefined;
  readonly dryRun: boolean;
  readonly user: UserInfo;
  /** True when the resource is namespaced and the request names a namespace. */
  readonly namespaced: boolean;
  /** Adds a Warning header to the answer (deduplicated, bounded). */
  warn(text: string): void;
  /** Adds an audit annotation; with `level`, only to records that hold what was requested. */
  annotate(key: string, value: string, level?: 'Request'): void;
  /** Aborted when nobody waits for the answer any more. Made when it is asked for. */
  signal(): AbortSignal;
  /** When the request must be answered, on the scale of performance.now(); undefined: nobody waits. */
  readonly deadline?: number;
}

/** What the one or two rounds of a mutating phase share. */
export interface Reinvocation {
  /** True in the second round. */
  readonly again: boolean;
  /** Asks for a second round: the plugin changed what others have seen already. Nothing happens in the second one. */
  request(): void;
  /** What a plugin keeps from round to round; made at first use. */
  memory<T>(plugin: string, make: () => T): T;
}

/**
 * One admission plugin. Rejecting is throwing a StatusError. `admit` may change `attributes.object`, `validate` may not.
 * Plugins run in the order of `admission-order.json`; all `admit` of the chain before any `validate`. When a plugin asks
 * for it, all `admit` run once more.
 */
export interface AdmissionPlugin {
  readonly name: string;
  handles(operation: Operation): boolean;
  admit?(attributes: AdmissionAttributes, reinvocation: Reinvocation): Promise<void> | void;
  validate?(attributes: AdmissionAttributes): Promise<void> | void;
  /** Releases connections and subscriptions. */
  close?(): Promise<void> | void;
}
