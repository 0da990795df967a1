import type { ObjectFeed } from '../../auth/authorization/feed.js';
import type { Clock } from '../../storage/clock.js';
import type { FlowControl, FlowControlState, FlowMetrics } from './contract.js';
import { MaxInFlight } from './max-in-flight.js';
import { PriorityAndFairness } from './priority-and-fairness.js';
import type { ResourceStats } from './work-estimate.js';

export interface FlowControlOptions {
  /** `--enable-priority-and-fairness` */
  readonly enablePriorityAndFairness: boolean;
  /** `--max-requests-inflight` */
  readonly maxRequestsInflight: number;
  /** `--max-mutating-requests-inflight` */
  readonly maxMutatingRequestsInflight: number;
  /** `--request-timeout` */
  readonly requestTimeoutMs: number;
}

export const DEFAULT_FLOW_CONTROL_OPTIONS: FlowControlOptions = {
  enablePriorityAndFairness: true,
  maxRequestsInflight: 400,
  maxMutatingRequestsInflight: 200,
  requestTimeoutMs: 60_000,
};

export interface FlowControlParts {
  readonly feed: ObjectFeed;
  readonly clock: Clock;
  /** What is known of the objects of a resource; undefined: not one of this server. */
  readonly stats?: (group: string, resource: string) => ResourceStats | undefined;
  readonly metrics?: FlowMetrics;
}

/** Wrong values of the flags, in the words of kube-apiserver. */
export function validateFlowControlOptions(options: FlowControlOptions): string[] {
  const { maxRequestsInflight, maxMutatingRequestsInflight, enablePriorityAndFairness } = options;
  const errors: string[] = [];
  if (maxRequestsInflight < 0) errors.push('--max-requests-inflight can not be negative value');
  if (maxMutatingRequestsInflight < 0) errors.push('--max-mutating-requests-inflight can not be negative value');
  if (enablePriorityAndFairness && maxRequestsInflight + maxMutatingRequestsInflight <= 0) {
    errors.push(
      `invalid configuration: MaxRequestsInFlight=${maxRequestsInflight} and MaxMutatingRequestsInFlight=${maxMutatingRequestsInflight}; they must add up to something positive`,
    );
  }
  return errors;
}

export async function buildFlowControl(
  options: FlowControlOptions,
  { feed, clock, stats, metrics }: FlowControlParts,
): Promise<FlowControl & { state(): FlowControlState }> {
  const { enablePriorityAndFairness, maxRequestsInflight: readOnly, maxMutatingRequestsInflight: mutating } = options;
  if (!enablePriorityAndFairness) return new MaxInFlight({ readOnly, mutating });
  const flowControl = new PriorityAndFairness({
    serverSeats: readOnly + mutating,
    waitMs: options.requestTimeoutMs / 4,
    clock,
    stats,
    metrics,
  });
  await flowControl.follow(feed);
  return flowControl;
}
