import { MASTERS_GROUP } from '../../auth/contract.js';
import type { FlowControl, FlowControlState, FlowRequest, RequestCounts, Seat } from './contract.js';
import { tooManyRequests } from './too-many-requests.js';

export interface MaxInFlightOptions {
  /** `--max-requests-inflight`; 0: as many as come. */
  readonly readOnly: number;
  /** `--max-mutating-requests-inflight`; 0: as many as come. */
  readonly mutating: number;
}

const READ_ONLY = new Set(['get', 'list', 'watch']);
const UNCOUNTED: Seat = { flowSchemaUID: undefined, priorityLevelUID: undefined, initialized() {}, release() {} };

/** The limits without priority and fairness: first come, first served, and the rest is refused. */
export class MaxInFlight implements FlowControl {
  readonly #limits: RequestCounts;
  readonly #executing = { readOnly: 0, mutating: 0 };

  constructor(limits: MaxInFlightOptions) {
    this.#limits = limits;
  }

  enter({ attributes, longRunning }: FlowRequest): Seat {
    if (longRunning) return UNCOUNTED;
    const kind = READ_ONLY.has(attributes.verb) ? 'readOnly' : 'mutating';
    const limit = this.#limits[kind];
    if (limit === 0) return UNCOUNTED;
    if (this.#executing[kind] >= limit) {
      // Whoever may repair the cluster is always let in.
      if (attributes.user.groups.includes(MASTERS_GROUP)) return UNCOUNTED;
      throw tooManyRequests(1);
    }
    this.#executing[kind]++;
    let held = true;
    return {
      flowSchemaUID: undefined,
      priorityLevelUID: undefined,
      initialized() {},
      release: () => {
        if (held) this.#executing[kind]--;
        held = false;
      },
    };
  }

  state(): FlowControlState {
    const waiting = { readOnly: 0, mutating: 0 };
    return { levels: [], flows: [], fairFraction: 0, executing: { ...this.#executing }, waiting };
  }

  close(): void {}
}
