import { COST } from '../program/cost.js';
import type { Expr } from '../syntax/ast.js';
import type { Type } from '../types/type.js';
import { isInt } from '../values/numbers.js';
import { add, fixed, MAX_COST, multiply, type Range, scale, UNKNOWN } from './size.js';

/** An argument of a call as estimates look at it. */
export interface Argument {
  expr: Expr;
  type: Type;
  /** Size as far as it is known. */
  size: Range | undefined;
  /** Size of the elements of a list: from the schema if the list is in the data. */
  elementSize: Range;
}

/** What a call costs without its arguments, and the size of its result where that is known. */
export interface CallEstimate {
  cost: Range;
  size?: Range;
}

export type EstimateCall = (target: Argument | undefined, args: readonly Argument[]) => CallEstimate | undefined;

const CHARACTER = COST.character;
const one: CallEstimate = { cost: fixed(1) };

function sizeOf(arg: Argument): Range {
  return arg.size ?? UNKNOWN;
}

const constantOne: EstimateCall = () => one;

/** A list function that looks at each element once, or the same on a string. */
const eachElement: EstimateCall = (target) => {
  if (!target) return undefined;
  const element = target.type.params[0];
  if (!element) return { cost: scale(sizeOf(target), CHARACTER) };
  const long = element.kind === 'string' || element.kind === 'bytes';
  const perElement = long ? add(fixed(1), scale(target.elementSize, CHARACTER)) : fixed(1);
  return { cost: multiply(sizeOf(target), perElement) };
};

const traverseArgument: EstimateCall = (_, [arg]) => arg && { cost: scale(sizeOf(arg), CHARACTER) };
const convertArgument: EstimateCall = (_, [arg]) => arg && { cost: scale(sizeOf(arg), CHARACTER), size: sizeOf(arg) };
const convertTarget: EstimateCall = (target) =>
  target && { cost: scale(sizeOf(target), CHARACTER), size: sizeOf(target) };

/** Size of `text.replace(old, by)`: how often, at least and at most, each of them can occur. */
function replacedSize(text: Range, old: Range, by: Range): Range {
  let maxCount = 0;
  let maxKept = 0;
  if (old.min === 0) {
    maxCount = Math.min(MAX_COST, text.max + 1);
    maxKept = text.max;
  } else if (by.max <= old.min) maxKept = text.max;
  else maxCount = Math.ceil(text.max / old.min);
  let minCount = 0;
  let minKept = 0;
  if (old.max === 0) {
    minCount = text.min + 1;
    minKept = text.min;
  } else if (old.max <= by.min) minKept = text.min;
  else minCount = Math.ceil(text.min / old.max);
  return add(multiply({ min: minCount, max: maxCount }, by), { min: minKept, max: maxKept });
}

const replace: EstimateCall = (target, [old, by]) => {
  if (!target || !old || !by) return undefined;
  const text = sizeOf(target);
  return { cost: scale(text, 2 * CHARACTER), size: replacedSize(text, sizeOf(old), sizeOf(by)) };
};

const split: EstimateCall = (target, args) => {
  if (!target) return undefined;
  const size = sizeOf(target);
  const limit = args[1]?.expr;
  const max = limit?.kind === 'const' && isInt(limit.value) ? unsigned(limit.value) : size.max;
  return { cost: scale(size, 2 * CHARACTER), size: { min: 0, max } };
};

/** An int as an unsigned number of 64 bits. */
function unsigned(value: number | bigint): number {
  return value < 0 ? MAX_COST : Number(value);
}

const join: EstimateCall = (target, [separator]) => {
  if (!target) return undefined;
  const list = sizeOf(target);
  let size = target.type.params.length > 0 ? multiply(list, target.elementSize) : fixed(0);
  if (separator) {
    const gaps = { min: Math.max(0, list.min - 1), max: Math.max(0, list.max - 1) };
    size = add(size, multiply(sizeOf(separator), gaps));
  }
  return { cost: scale(size, CHARACTER), size };
};

export function regexCost(text: Range, pattern: Range): Range {
  return multiply(scale(add(text, fixed(1)), CHARACTER), scale(pattern, COST.regex));
}

const find: EstimateCall = (target, [pattern]) =>
  target &&
  pattern && {
    cost: regexCost(sizeOf(target), sizeOf(pattern)),
    size: { min: 0, max: sizeOf(target).max },
  };

const ADDRESS: Range = { min: 4, max: 16 };

function contains(id: string, extra: Range): EstimateCall {
  return (_, [arg]) => {
    if (!arg) return undefined;
    const compare = add(scale(add(ADDRESS, ADDRESS), CHARACTER), extra);
    const parse = arg.type.kind === 'string' && id !== '' ? scale(sizeOf(arg), CHARACTER) : fixed(0);
    return { cost: add(compare, parse) };
  };
}

const selector: EstimateCall = (_, [arg]) => {
  if (!arg) return undefined;
  const size = sizeOf(arg);
  const requirements = scale(scale(size, 0.5), COST.list + COST.struct);
  return { cost: add(fixed(COST.list), scale(size, CHARACTER), requirements) };
};

/** Length of the longest pattern that a named format stands for. */
const MAX_FORMAT_PATTERN = 128;
const validate: EstimateCall = (_, [arg]) =>
  arg && { cost: scale(scale(sizeOf(arg), CHARACTER), MAX_FORMAT_PATTERN * COST.regex) };

const same = (names: string, estimate: EstimateCall): Record<string, EstimateCall> =>
  Object.fromEntries(names.split(' ').map((name) => [name, estimate]));

/** Costs of functions of Kubernetes' libraries (and of some of cel-go's whose costs Kubernetes overrides). */
const BY_FUNCTION: Record<string, EstimateCall> = {
  check: () => ({ cost: fixed(350_000) }),
  ...same(
    'serviceAccount path group resource subresource namespace name allowed reason error errored masked prefixLength ' +
      'family isUnspecified isLoopback isLinkLocalMulticast isLinkLocalUnicast isGlobalUnicast format.named sign ' +
      'asInteger isInteger asApproximateFloat isGreaterThan isLessThan compareTo add sub major minor patch getScheme ' +
      'getHostname getHost getPort getEscapedPath getQuery',
    constantOne,
  ),
  ...same('fieldSelector labelSelector', selector),
  ...same('isSorted sum max min indexOf lastIndexOf', eachElement),
  ...same('url jsonpatch.escapeKey', convertArgument),
  ...same('lowerAscii upperAscii substring trim', convertTarget),
  replace,
  split,
  join,
  ...same('find findAll', find),
  ...same('cidr isIP isCIDR quantity isQuantity semver isSemver', traverseArgument),
  ip: (target, args) => (target ? one : traverseArgument(target, args)),
  'ip.isCanonical': (_, [arg]) => arg && { cost: scale(sizeOf(arg), 2 * CHARACTER) },
  containsIP: contains('cidr_contains_ip', fixed(0)),
  containsCIDR: contains('cidr_contains_cidr', add(scale(ADDRESS, CHARACTER), fixed(1))),
  validate,
};

function allocating(factor: number, size: Range): CallEstimate {
  return { cost: add(scale(size, factor), fixed(1), fixed(COST.list)), size };
}

function constantInt(arg: Argument | undefined, otherwise: number): number {
  if (arg?.expr.kind !== 'const' || !isInt(arg.expr.value)) return otherwise;
  return Math.max(0, Number(arg.expr.value));
}

const sets =
  (factor: number): EstimateCall =>
  (_, [a, b]) =>
    a && b && { cost: add(scale(multiply(sizeOf(a), sizeOf(b)), factor), fixed(1)) };

function sortCost(list: Argument, elementKind: string | undefined): CallEstimate {
  const size = sizeOf(list);
  const factor = elementKind === 'string' || elementKind === 'bytes' ? 2 + CHARACTER : 2;
  return allocating(factor, multiply(size, size));
}

/** Costs that belong to an overload and come before those of functions. */
const BY_OVERLOAD: Record<string, EstimateCall> = {
  list_sets_contains_list: sets(1),
  list_sets_intersects_list: sets(1),
  list_sets_equivalent_list: sets(2),
  list_slice: (target, [from, to]) =>
    target && allocating(1, fixed(Math.max(0, constantInt(to, sizeOf(target).max) - constantInt(from, 0)))),
  list_flatten: (target) => target && allocating(1, sizeOf(target)),
  list_flatten_int: (target, [depth]) => target && allocating(constantInt(depth, MAX_COST), sizeOf(target)),
  lists_range: (_, [n]) => allocating(1, fixed(constantInt(n, MAX_COST))),
  list_reverse: (target) => target && allocating(1, sizeOf(target)),
  list_distinct: (target) => target && allocating(2, multiply(sizeOf(target), sizeOf(target))),
};

/** `==`: values of Kubernetes' types are compared at a fixed cost. */
function equality(args: readonly Argument[]): CallEstimate | undefined {
  const [a, b] = args;
  if (!a || !b || a.type.name !== b.type.name) return undefined;
  switch (a.type.name) {
    case 'kubernetes.NamedFormat':
      return { cost: scale({ min: 1, max: 64 }, CHARACTER) };
    case 'kubernetes.URL':
      return { cost: scale({ min: 1, max: b.size ? b.size.max : 1 }, CHARACTER) };
  }
  const cheap = /^(?:net\.(?:IP|CIDR)|kubernetes\.(?:Quantity|Semver|authorization\..*))$/;
  return cheap.test(a.type.name) ? one : undefined;
}

/** The part of the estimate that depends on which library a function comes from; undefined leaves it to the caller. */
export function libraryEstimate(
  fn: string,
  overload: string,
  target: Argument | undefined,
  args: readonly Argument[],
): CallEstimate | undefined {
  const sorting = /^list_(\w+?)_sort(ByAssociatedKeys)?$/.exec(overload);
  if (sorting) {
    const list = sorting[2] ? args[0] : target;
    return list && sortCost(list, sorting[1]);
  }
  return (
    BY_OVERLOAD[overload]?.(target, args) ??
    (fn === '_==_' ? equality(args) : undefined) ??
    BY_FUNCTION[fn]?.(target, args)
  );
}
