/**
 * An error of an expression. It is thrown, and `&&`, `||` and the quantifiers may swallow it. It is no Error: errors
 * are ordinary while rules run, and recording a stack trace would make them dear.
 */
export class CelError {
  readonly message: string;
  constructor(message: string) {
    this.message = message;
  }
}

/** Ends an evaluation for good: no part of the expression can swallow it. */
export class EvaluationStopped {
  readonly reason: 'cost' | 'deadline';
  readonly message: string;
  constructor(reason: 'cost' | 'deadline', message: string) {
    this.reason = reason;
    this.message = message;
  }
}

/**
 * Thrown when a decision has to be waited for. Evaluation is synchronous: whoever runs the program waits and runs it
 * again when the decision is known.
 */
export class DecisionPending {
  readonly decision: Promise<void>;
  constructor(decision: Promise<void>) {
    this.decision = decision;
  }
}

export const NO_SUCH_OVERLOAD = new CelError('no such overload');
export const INT_OVERFLOW = new CelError('integer overflow');
export const UINT_OVERFLOW = new CelError('unsigned integer overflow');
export const DURATION_OVERFLOW = new CelError('duration overflow');
export const TIMESTAMP_OVERFLOW = new CelError('timestamp overflow');
export const DIVISION_BY_ZERO = new CelError('division by zero');
export const MODULUS_BY_ZERO = new CelError('modulus by zero');
export const NAN_ORDER = new CelError('NaN values cannot be ordered');
