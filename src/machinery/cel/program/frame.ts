import { EvaluationStopped } from '../values/error.js';

/** How often (in steps of loops) it is asked whether to give up. */
const CHECK_FREQUENCY = 100;

/** The state of one evaluation. */
export class Frame {
  /** Values of the variables of the environment. */
  readonly variables: Readonly<Record<string, unknown>>;
  /** Values of the variables of comprehensions. */
  readonly slots: unknown[];
  readonly limit: number;
  cost = 0;
  readonly #interrupted: (() => boolean) | undefined;
  #steps = 0;

  constructor(
    variables: Readonly<Record<string, unknown>>,
    slots: number,
    limit: number,
    interrupted: (() => boolean) | undefined,
  ) {
    this.variables = variables;
    this.slots = slots === 0 ? NO_SLOTS : new Array(slots);
    this.limit = limit;
    this.#interrupted = interrupted;
  }

  /** Adds to the cost and stops the evaluation when the limit is exceeded. */
  charge(cost: number): void {
    this.cost += cost;
    if (this.cost > this.limit) {
      throw new EvaluationStopped('cost', 'operation cancelled: actual cost limit exceeded');
    }
  }

  /** To be called once for each step of a loop. */
  step(): void {
    if (++this.#steps % CHECK_FREQUENCY === 0 && this.#interrupted?.()) {
      throw new EvaluationStopped('deadline', 'operation interrupted');
    }
  }
}

const NO_SLOTS: unknown[] = [];

/** A part of an expression, ready to be evaluated. Errors of the expression are thrown as CelError. */
export type Evaluate = (frame: Frame) => unknown;
