import { CelError, NO_SUCH_OVERLOAD } from '../values/error.js';
import type { Evaluate, Frame } from './frame.js';

/** The value of a part, with an error of the expression as a value; anything else that is thrown stays thrown. */
export function attempt(run: Evaluate, f: Frame): unknown {
  try {
    return run(f);
  } catch (e) {
    if (e instanceof CelError) return e;
    throw e;
  }
}

/** Neither true nor false: the error that it is or causes. */
function problem(value: unknown): CelError {
  return value instanceof CelError ? value : NO_SUCH_OVERLOAD;
}

/** `a && b`: false when one side is false, whatever becomes of the other. */
export function and(left: Evaluate, right: Evaluate): Evaluate {
  return (f) => {
    const a = attempt(left, f);
    if (a === false) return false;
    const b = a === true ? right(f) : attempt(right, f);
    if (b === false) return false;
    if (a !== true) throw problem(a);
    if (b !== true) throw problem(b);
    return true;
  };
}

/** `a || b`: true when one side is true, whatever becomes of the other. */
export function or(left: Evaluate, right: Evaluate): Evaluate {
  return (f) => {
    const a = attempt(left, f);
    if (a === true) return true;
    const b = a === false ? right(f) : attempt(right, f);
    if (b === true) return true;
    if (a !== false) throw problem(a);
    if (b !== false) throw problem(b);
    return false;
  };
}

export function conditional(condition: Evaluate, whenTrue: Evaluate, whenFalse: Evaluate): Evaluate {
  return (f) => {
    const value = condition(f);
    if (value === true) return whenTrue(f);
    if (value === false) return whenFalse(f);
    throw NO_SUCH_OVERLOAD;
  };
}

/** Whether the loop of a quantifier goes on: its accumulator is true or not known because of an error. */
export function notStrictlyFalse(operand: Evaluate): Evaluate {
  return (f) => {
    const value = attempt(operand, f);
    f.charge(1);
    return value !== false;
  };
}
