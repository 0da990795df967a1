import { ACCUMULATOR, type ComprehensionExpr, type Expr } from '../syntax/ast.js';
import { CelMap, isPlainObject } from '../values/containers.js';
import { CelError } from '../values/error.js';
import { runtimeType } from '../values/runtime-type.js';
import { COST } from './cost.js';
import type { Evaluate, Frame } from './frame.js';
import { attempt } from './logic.js';

/** The parts of a comprehension that are compiled already, and places of its variables in the frame. */
export interface FoldParts {
  range: Evaluate;
  init: Evaluate;
  accu: number;
  /** The element or key; with two variables the index or key. */
  first: number;
  /** With two variables the element or value. */
  second: number | undefined;
  compile(e: Expr): { run: Evaluate; constant?: { value: unknown } };
}

/** Does the next step; false ends the loop. */
type Step = (f: Frame) => boolean;

/**
 * Compiles the loop of a comprehension, which leaves its outcome (a value or a CelError) in the slot of the
 * accumulator. Those of the usual macros get shorter loops that cost the same.
 */
export function compileFold(e: ComprehensionExpr, parts: FoldParts): (f: Frame) => void {
  const { range, init, accu } = parts;
  const list = collectedElement(e);
  const step = quantifierStep(e, parts) ?? (list ? collectStep(list, parts) : generalStep(e, parts));
  return (f) => {
    const container = range(f);
    f.slots[accu] = list ? [] : attempt(init, f);
    iterate(f, container, parts, step);
  };
}

function iterate(f: Frame, container: unknown, parts: FoldParts, step: Step): void {
  const { slots } = f;
  const { first, second } = parts;
  if (Array.isArray(container)) {
    for (let i = 0; i < container.length; i++) {
      f.step();
      if (second === undefined) slots[first] = container[i];
      else {
        slots[first] = i;
        slots[second] = container[i];
      }
      if (!step(f)) return;
    }
    return;
  }
  if (container instanceof CelMap) {
    for (const { key, value } of container.entries.values()) {
      f.step();
      slots[first] = key;
      if (second !== undefined) slots[second] = value;
      if (!step(f)) return;
    }
    return;
  }
  if (!isPlainObject(container)) {
    throw new CelError(`got '${runtimeType(container).name}', expected iterable type`);
  }
  for (const key of Object.keys(container)) {
    f.step();
    slots[first] = key;
    if (second !== undefined) slots[second] = container[key];
    if (!step(f)) return;
  }
}

function generalStep(e: ComprehensionExpr, { accu, compile }: FoldParts): Step {
  const condition = compile(e.condition);
  const step = compile(e.step).run;
  const always = condition.constant?.value === true;
  return (f) => {
    if (!always && attempt(condition.run, f) === false) return false;
    f.slots[accu] = attempt(step, f);
    return true;
  };
}

/** all() and exists(): the loop ends before the next element once the outcome is certain. */
function quantifierStep(e: ComprehensionExpr, { accu, compile }: FoldParts): Step | undefined {
  const { step, condition } = e;
  if (step.kind !== 'call' || step.args.length !== 2 || !isAccumulator(step.args[0]!, e)) return undefined;
  if (condition.kind !== 'call' || condition.fn !== '@not_strictly_false') return undefined;
  const decisive = step.fn === '_||_';
  if (!decisive && step.fn !== '_&&_') return undefined;
  const predicate = compile(step.args[1]!).run;
  // The condition reads the accumulator (negated for exists), the step reads it again.
  const cost = decisive ? 4 : 3;
  return (f) => {
    const { slots } = f;
    if (slots[accu] === decisive) {
      f.charge(cost - 1);
      return false;
    }
    f.charge(cost);
    const value = attempt(predicate, f);
    if (value === decisive) slots[accu] = value;
    else if (!(slots[accu] instanceof CelError) && value !== !decisive) {
      slots[accu] = value instanceof CelError ? value : new CelError('no such overload');
    }
    return true;
  };
}

interface Collected {
  element: Expr;
  condition: Expr | undefined;
}

/** For map(), filter() and transformList(): what is put into the list, and when. */
function collectedElement(e: ComprehensionExpr): Collected | undefined {
  const { init, step } = e;
  if (init.kind !== 'list' || init.elements.length > 0 || e.accuVar !== ACCUMULATOR) return undefined;
  if (e.condition.kind !== 'const' || e.condition.value !== true) return undefined;
  if (step.kind === 'call' && step.fn === '_?_:_' && isAccumulator(step.args[2]!, e)) {
    const element = appended(step.args[1]!, e);
    return element && { element, condition: step.args[0] };
  }
  const element = appended(step, e);
  return element && { element, condition: undefined };
}

function appended(step: Expr, e: ComprehensionExpr): Expr | undefined {
  if (step.kind !== 'call' || step.fn !== '_+_' || !isAccumulator(step.args[0]!, e)) return undefined;
  const list = step.args[1]!;
  return list.kind === 'list' && list.elements.length === 1 && list.optionals.size === 0 ? list.elements[0] : undefined;
}

function isAccumulator(e: Expr, { accuVar }: ComprehensionExpr): boolean {
  return e.kind === 'ident' && e.name === accuVar;
}

/** Appends to one list instead of making a new one for each element. */
function collectStep({ element, condition }: Collected, { accu, compile }: FoldParts): Step {
  const test = condition && compile(condition).run;
  const compiled = compile(element);
  // Reads the accumulator, makes a list of one element (unless it is constant) and adds it.
  const cost = compiled.constant ? 2 : 2 + COST.list;
  return (f) => {
    const { slots } = f;
    if (test) {
      const chosen = attempt(test, f);
      if (chosen === false) return true;
      if (chosen !== true) {
        slots[accu] = chosen instanceof CelError ? chosen : new CelError('no such overload');
        return true;
      }
    }
    f.charge(cost);
    const value = attempt(compiled.run, f);
    const list = slots[accu];
    if (!Array.isArray(list)) return true;
    if (value instanceof CelError) slots[accu] = value;
    else list.push(value);
    return true;
  };
}
