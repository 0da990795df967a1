import type { Match } from '../library/regular-expressions.js';
import type { DeclType } from '../types/decl-type.js';
import { type Implementation, type Overload, overload } from '../types/declarations.js';
import { BOOL, DYN, listType, mapType, type Type } from '../types/type.js';
import { contains } from '../values/compare.js';
import { NO_SUCH_OVERLOAD } from '../values/error.js';
import { isInstance } from '../values/runtime-type.js';
import { actualSize, type CallCost, COST, callCost } from './cost.js';
import type { Evaluate } from './frame.js';
import { equalsAs, merge } from './lists.js';

type Guard = (value: unknown) => boolean;

/** A test whether a value can be passed as an argument of a type. */
function guard(type: Type): Guard {
  switch (type.nullable ? 'dyn' : type.kind) {
    case 'string':
      return (v) => typeof v === 'string';
    case 'int':
      return (v) => Number.isSafeInteger(v) || typeof v === 'bigint';
    case 'bool':
      return (v) => typeof v === 'boolean';
    case 'list':
      return Array.isArray;
    default:
      return (v) => isInstance(v, type);
  }
}

type Call = (...args: unknown[]) => unknown;

/** A call of the overload that fits its arguments, charged with what it costs. */
export function strictCall(fn: string, overloads: readonly Overload[], args: Evaluate[]): Evaluate {
  const charged = callCost(
    fn,
    overloads.map((o) => o.id),
  );
  const [only] = overloads;
  const implementation = only?.implementation as Call | undefined;
  if (overloads.length === 1 && implementation && !charged && args.length > 0 && args.length <= 2) {
    return cheapCall(implementation, only!.params.map(guard), args);
  }
  return generalCall(overloads, args, charged);
}

/** The usual case: one overload, one or two arguments, cost 1. */
function cheapCall(implementation: Call, guards: Guard[], args: Evaluate[]): Evaluate {
  const [first, second] = args as [Evaluate, Evaluate | undefined];
  const [fits, fitsToo] = guards as [Guard, Guard];
  if (!second) {
    return (f) => {
      const a = first(f);
      f.charge(1);
      if (fits(a)) return implementation(a);
      throw NO_SUCH_OVERLOAD;
    };
  }
  return (f) => {
    const a = first(f);
    const b = second(f);
    f.charge(1);
    if (fits(a) && fitsToo(b)) return implementation(a, b);
    throw NO_SUCH_OVERLOAD;
  };
}

function generalCall(
  overloads: readonly Overload[],
  args: Evaluate[],
  charged: { cost: CallCost; after: boolean } | undefined,
): Evaluate {
  const cost = charged?.cost;
  const after = charged?.after === true;
  return (f) => {
    const values = args.map((arg) => arg(f));
    if (!after) f.charge(cost ? cost(values, undefined) : 1);
    const result = dispatch(overloads, values);
    if (cost && after) f.charge(cost(values, result));
    return result;
  };
}

/** Calls the first overload that fits the arguments. */
export function dispatch(overloads: readonly Overload[], args: unknown[]): unknown {
  for (const { params, implementation, unguarded } of overloads) {
    if (implementation && (unguarded || params.every((type, i) => isInstance(args[i], type)))) {
      return (implementation as Call)(...args);
    }
  }
  throw NO_SUCH_OVERLOAD;
}

/** `text.matches(pattern)` with a constant pattern. */
export function patternCall(text: Evaluate, pattern: string, test: Match): Evaluate {
  const patternCost = Math.ceil(actualSize(pattern) * COST.regex);
  return (f) => {
    const value = text(f);
    if (typeof value !== 'string') throw NO_SUCH_OVERLOAD;
    f.charge(Math.ceil((1 + actualSize(value)) * COST.character) * patternCost);
    return test(value);
  };
}

/** `a + b` of lists that are sets or maps of a schema. */
export function mergeOverload(decl: DeclType): Overload {
  const list = listType(DYN);
  const implementation: Implementation = (a: unknown[], b: unknown[]) => merge(decl, a, b);
  return overload('add_list', [list, list], list, implementation);
}

/** `value in container`, with elements compared as a schema wants it. */
export function containment(ids: readonly string[], element: DeclType | undefined): Overload {
  const container = ids.length !== 1 ? DYN : ids[0] === 'in_list' ? listType(DYN) : mapType(DYN, DYN);
  const implementation = (value: unknown, where: unknown) =>
    element && Array.isArray(where) ? where.some((e) => equalsAs(element, e, value)) : contains(where, value);
  return overload(ids.length === 1 ? ids[0]! : 'in', [DYN, container], BOOL, implementation);
}
