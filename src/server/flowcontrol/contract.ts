import type { Attributes } from '../../auth/contract.js';

/** What flow control looks at. */
export interface FlowRequest {
  readonly attributes: Attributes;
  /** Watches, and streams such as exec, log and proxy: they hold a seat only while they start, or none at all. */
  readonly longRunning: boolean;
  /** Query parameters that tell the work of a list, or of the initial events of a watch. */
  readonly limit?: number;
  readonly resourceVersion?: string;
  readonly resourceVersionMatch?: string;
  readonly continue?: string;
  readonly sendInitialEvents?: boolean;
  /** What the request may take in all, if it asked for less (or more) than usual. A fourth of it may pass in a queue. */
  readonly timeoutMs?: number;
  /** Aborted when the client goes away: a waiting request leaves its queue. */
  readonly signal?: AbortSignal;
}

/** The right to be worked on. */
export interface Seat {
  /** For the headers X-Kubernetes-PF-FlowSchema-UID and -PriorityLevel-UID; undefined: no such headers. */
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

export type RejectReason = 'queue-full' | 'concurrency-limit' | 'time-out' | 'cancelled';

/**
 * Where counters and histograms come from; what is a gauge is in `FlowControlState`. Durations are milliseconds.
 */
export interface FlowMeters {
  /** A request was given its seats. `waitedMs` is undefined when it needn't stand in a queue. */
  dispatched(waitedMs: number | undefined): void;
  rejected(reason: RejectReason, waitedMs: number | undefined): void;
  /** A request gave its seats back, or a watch has started. */
  executed(ms: number, type: 'regular' | 'watch'): void;
  /** How many seats a request was estimated to need. */
  estimated(seats: number): void;
  /** Length of the queue that a request was just put into, itself included. */
  enqueued(queueLength: number): void;
  /** The next request of the level, one of this flow, needs more seats than are free. */
  notAccommodated(): void;
  /** How many watches will hear of a write. */
  watchesInterested(count: number): void;
}

export interface FlowMetrics {
  /** Called once per pair, and kept. */
  of(flowSchema: string, priorityLevel: string): FlowMeters;
}

/** How things stand right now, for gauges. */
export interface FlowControlState {
  readonly levels: readonly LevelState[];
  readonly flows: readonly FlowState[];
  /** What part of its target every priority level got that is not at one of its bounds; 0 when the bounds decided. */
  readonly fairFraction: number;
  readonly executing: RequestCounts;
  readonly waiting: RequestCounts;
}

export interface RequestCounts {
  readonly readOnly: number;
  readonly mutating: number;
}

export interface LevelState {
  readonly priorityLevel: string;
  readonly nominalSeats: number;
  readonly lowerSeats: number;
  readonly upperSeats: number;
  readonly currentSeats: number;
  readonly targetSeats: number;
  readonly demand: {
    readonly highWatermark: number;
    readonly average: number;
    readonly deviation: number;
    readonly smoothed: number;
  };
  readonly seatsInUse: number;
  readonly executing: number;
  readonly waiting: number;
}

export interface FlowState {
  readonly flowSchema: string;
  readonly priorityLevel: string;
  readonly executing: number;
  readonly executingSeats: number;
  readonly waiting: number;
  readonly waitingSeats: number;
}
