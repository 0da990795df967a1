import type { Attributes } from '../../auth/contract.js';

/** What flow control looks at. */
export interface FlowRequest {
  readonly attributes: Attributes;
  /** Watches, and streams such as exec, log and proxy: they hold a seat only while they start, or none at all. */
  readonly longRunning: boolean;
  /** Query parameters that bound the work of a list. */
  readonly limit?: number;
  readonly resourceVersion?: string;
  readonly continue?: string;
  /** Aborted when the client goes away: a waiting request leaves its queue. */
  readonly signal?: AbortSignal;
}

/** The right to be worked on. */
export interface Seat {
  /** For the headers X-Kubernetes-PF-FlowSchema-UID and -PriorityLevel-UID; undefined when the simple limiter is used. */
  readonly flowSchemaUID: string | undefined;
  readonly priorityLevelUID: string | undefined;
  /** A watch has sent its initial events: its seat is free again, the watch goes on. */
  initialized(): void;
  /** The request is done. Idempotent. */
  release(): void;
}

/**
 * Decides when a request is worked on. A seat comes at once when there is room, else with a promise; a request that
 * can't be served in time is refused with a 429 StatusError, thrown or rejected.
 */
export interface FlowControl {
  enter(request: FlowRequest): Seat | Promise<Seat>;
  close(): void;
}
