import { codePointLength } from '../syntax/source.js';
import { CelMap, isPlainObject, mapEntries, mapSize, OpaqueValue, Optional } from '../values/containers.js';

/** Cost of things that expressions do, in cel-go's units (about 50 ns each). */
export const COST = {
  select: 1,
  list: 10,
  map: 30,
  struct: 40,
  /** Going through one character of a string. */
  character: 0.1,
  /** One character of a regular expression. */
  regex: 0.25,
} as const;

/** What a call costs; `result` is undefined where the cost is charged before the function runs. */
export type CallCost = (args: readonly unknown[], result: unknown) => number;

/** Size of a value as costs count it: characters, elements, entries, bytes, or 1. */
export function actualSize(value: unknown): number {
  if (typeof value === 'string') return codePointLength(value);
  if (Array.isArray(value)) return value.length;
  if (value instanceof Uint8Array) return value.length;
  if (value instanceof CelMap || isPlainObject(value)) return mapSize(value);
  if (value instanceof Optional) return value.present ? actualSize(value.value) : 1;
  return 1;
}

function traverse(size: number, factor: number = COST.character): number {
  return Math.ceil(size * factor);
}

const traverseFirst: CallCost = ([a]) => traverse(actualSize(a));
const traverseTwice: CallCost = ([a]) => traverse(actualSize(a), 2 * COST.character);
const smaller: CallCost = ([a, b]) => traverse(Math.min(actualSize(a), actualSize(b)));
const regex: CallCost = ([text, pattern]) =>
  Math.ceil((1 + actualSize(text)) * COST.character) * Math.ceil(actualSize(pattern) * COST.regex);

/** Cost of looking at everything in a value. */
function traversal(value: unknown): number {
  if (typeof value === 'string') return Math.trunc(Buffer.byteLength(value) * COST.character);
  if (value instanceof Uint8Array) return Math.trunc(value.length * COST.character);
  if (Array.isArray(value)) return value.reduce<number>((sum, element) => sum + traversal(element), 0);
  if (value instanceof CelMap || isPlainObject(value)) {
    let sum = 0;
    for (const [key, inner] of mapEntries(value)) sum += traversal(key) + traversal(inner);
    return sum;
  }
  return 1;
}

function selfCompare(list: unknown): number {
  const size = actualSize(list);
  const first = Array.isArray(list) ? list[0] : undefined;
  const factor = typeof first === 'string' || first instanceof Uint8Array ? 2 + COST.character : 2;
  return Math.trunc(size * size * factor) + 1 + COST.list;
}

const sets =
  (factor: number): CallCost =>
  ([a, b]) =>
    1 + actualSize(a) * actualSize(b) * factor;

const allocates: CallCost = (_, result) => Math.trunc(actualSize(result)) + 1 + COST.list;

/** Costs that belong to an overload and come before those of functions. */
const BY_OVERLOAD: Record<string, CallCost> = {
  list_sets_contains_list: sets(1),
  list_sets_intersects_list: sets(1),
  list_sets_equivalent_list: sets(2),
  list_slice: allocates,
  lists_range: allocates,
  list_reverse: allocates,
  list_flatten: ([list]) => Math.trunc(actualSize(list)) + 1 + COST.list,
  list_flatten_int: ([list, depth]) => Math.trunc(actualSize(list) * Number(depth)) + 1 + COST.list,
  list_distinct: ([list]) => selfCompare(list),
};

const CONSTANT_1: CallCost = () => 1;

/** Costs of functions of Kubernetes' libraries (and of some of cel-go's whose costs Kubernetes overrides). */
const BY_FUNCTION: Record<string, CallCost> = {
  check: () => 350_000,
  ...same(
    'serviceAccount path group resource subresource namespace name allowed reason error errored masked prefixLength ' +
      'family isUnspecified isLoopback isLinkLocalMulticast isLinkLocalUnicast isGlobalUnicast format.named sign ' +
      'asInteger isInteger asApproximateFloat isGreaterThan isLessThan compareTo add sub major minor patch getScheme ' +
      'getHostname getHost getPort getEscapedPath getQuery',
    CONSTANT_1,
  ),
  ...same('fieldSelector labelSelector', ([, selector]) => {
    const size = actualSize(selector);
    return COST.list + traverse(size) + Math.ceil(Math.ceil(size * 0.5) * (COST.list + COST.struct));
  }),
  ...same('isSorted sum max min indexOf lastIndexOf', ([list]) => traversal(list)),
  ...same(
    'url lowerAscii upperAscii substring trim jsonpatch.escapeKey cidr isIP isCIDR quantity isQuantity semver isSemver ip',
    traverseFirst,
  ),
  ...same('replace split ip.isCanonical', traverseTwice),
  join: (_, result) => traverse(actualSize(result), 2 * COST.character),
  ...same('find findAll', regex),
  containsIP: ([cidr]) => traverse(2 * opaqueSize(cidr)),
  containsCIDR: ([cidr]) => traverse(2 * opaqueSize(cidr)) + traverse(opaqueSize(cidr)) + 1,
  validate: ([format, text]) =>
    Math.ceil((1 + actualSize(text)) * COST.character) * Math.ceil(opaqueSize(format) * COST.regex),
};

function same(names: string, cost: CallCost): Record<string, CallCost> {
  return Object.fromEntries(names.split(' ').map((name) => [name, cost]));
}

function opaqueSize(value: unknown): number {
  return value instanceof OpaqueValue ? value.costSize : 1;
}

const CIDR_STRING: Record<string, CallCost> = {
  cidr_contains_ip_string: (args) => BY_FUNCTION.containsIP!(args, undefined) + traverse(actualSize(args[1])),
  cidr_contains_cidr_string: (args) => BY_FUNCTION.containsCIDR!(args, undefined) + traverse(actualSize(args[1])),
  cidr_ip: CONSTANT_1,
};

const STANDARD: Record<string, CallCost> = {
  ...same(
    'starts_with_string ends_with_string string_to_bytes bytes_to_string strings_quote string_format',
    traverseFirst,
  ),
  in_list: ([, list]) => actualSize(list),
  ...same(
    'less_string greater_string less_equals_string greater_equals_string less_bytes greater_bytes less_equals_bytes ' +
      'greater_equals_bytes',
    smaller,
  ),
  ...same('add_string add_bytes', ([a, b]) => traverse(actualSize(a) + actualSize(b))),
  matches_string: regex,
  contains_string: ([text, part]) => traverse(actualSize(text)) * traverse(actualSize(part)),
};

/** Cost of `==` and `!=`; of values of Kubernetes' types it is 1. */
export const EQUALITY: CallCost = (args, result) => (args[0] instanceof OpaqueValue ? 1 : smaller(args, result));

/** Functions whose cost is only known when they have run. */
const AFTERWARDS = new Set(['join', 'slice', 'lists.range', 'reverse']);

/**
 * What a call costs, or undefined for the usual 1. When several overloads are possible only the name counts, as in
 * cel-go. Costs are charged before the function runs, so that nobody gets work done that he cannot pay; `after` marks
 * those that depend on the result.
 */
export function callCost(fn: string, overloads: readonly string[]): { cost: CallCost; after: boolean } | undefined {
  const id = overloads.length === 1 ? overloads[0]! : '';
  const sorting = /^list_\w+_(sort|sortByAssociatedKeys)$/.exec(id);
  const cost = sorting
    ? (args: readonly unknown[]) => selfCompare(args[sorting[1] === 'sort' ? 0 : 1])
    : (BY_OVERLOAD[id] ?? CIDR_STRING[id] ?? BY_FUNCTION[fn] ?? STANDARD[id]);
  return cost && cost !== CONSTANT_1 ? { cost, after: AFTERWARDS.has(fn) } : undefined;
}
