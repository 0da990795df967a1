import type { GroupResource } from '../../machinery/errors.js';
import type { KubeObject } from '../../machinery/json.js';

/** One change of one object, at its stored version. */
export interface ObjectChange {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  /** After the change; the last state for DELETED. Never changed by the observer. */
  readonly object: KubeObject;
  /** Before the change; undefined for ADDED. */
  readonly old?: KubeObject;
}

/**
 * The objects of a resource and everything that happens to them. An observer first gets every object there is as ADDED,
 * then each change in the order of the writes, called synchronously before the writer is told of its success: what a
 * client saw acknowledged is in force for its next request.
 */
export interface ObjectFeed {
  /** Settles when the objects there are have been delivered. The function it gives ends the subscription. */
  subscribe(resource: GroupResource, observer: (change: ObjectChange) => void): Promise<() => void>;
}

/** Looks up one object by name; `namespace` is '' for cluster-scoped resources. */
export interface ObjectLookup {
  get(
    resource: GroupResource,
    namespace: string,
    name: string,
  ): Promise<KubeObject | undefined> | KubeObject | undefined;
}
