import { CelError, DecisionPending, EvaluationStopped } from '../values/error.js';
import { type Evaluate, Frame } from './frame.js';

export interface EvalOptions {
  /** Most that the evaluation may cost; unlimited when missing. */
  limit?: number;
  /** Asked every now and then in loops; true stops the evaluation. */
  interrupted?: () => boolean;
}

/** Why an evaluation has no value: an error of the expression, a limit on cost, or an interruption. */
export interface EvalError {
  kind: 'error' | 'cost' | 'interrupted';
  message: string;
}

/** The outcome of an evaluation and what it cost, in cel-go's units. */
export type EvalResult = { value: unknown; error?: undefined; cost: number } | { error: EvalError; cost: number };

/** An expression that can be evaluated any number of times. */
export class Program {
  readonly #run: Evaluate;
  readonly #slots: number;

  constructor(run: Evaluate, slots: number) {
    this.#run = run;
    this.#slots = slots;
  }

  /**
   * Evaluates with values for the variables, which are plain JSON values or values of ./values.
   * @throws DecisionPending when the expression asks an authorizer that has to think; see evalAsync().
   */
  eval(variables: Readonly<Record<string, unknown>>, { limit = Infinity, interrupted }: EvalOptions = {}): EvalResult {
    const frame = new Frame(variables, this.#slots, limit, interrupted);
    try {
      const value = this.#run(frame);
      return { value, cost: frame.cost };
    } catch (e) {
      if (e instanceof DecisionPending) throw e;
      return { error: evalError(e), cost: frame.cost };
    }
  }
}

/** Like eval(), but waits for the decisions of authorizers. */
export async function evalAsync(
  program: Program,
  variables: Readonly<Record<string, unknown>>,
  options: EvalOptions = {},
): Promise<EvalResult> {
  for (;;) {
    try {
      return program.eval(variables, options);
    } catch (e) {
      if (!(e instanceof DecisionPending)) throw e;
      await e.decision;
    }
  }
}

function evalError(e: unknown): EvalError {
  if (e instanceof CelError) return { kind: 'error', message: e.message };
  if (e instanceof EvaluationStopped) {
    return { kind: e.reason === 'cost' ? 'cost' : 'interrupted', message: e.message };
  }
  // Deeply nested data can exhaust the stack; anything else is a fault of ours that must not take the server down.
  return { kind: 'error', message: e instanceof RangeError ? 'value is nested too deeply' : `internal error: ${e}` };
}
