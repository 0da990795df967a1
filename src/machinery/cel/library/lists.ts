import type { Macro } from '../syntax/macros.js';
import { STANDARD_MACROS } from '../syntax/macros.js';
import { member, type Overload, overload } from '../types/declarations.js';
import {
  BOOL,
  BYTES,
  DOUBLE,
  DURATION,
  DYN,
  INT,
  listType,
  paramType,
  STRING,
  TIMESTAMP,
  type Type,
  UINT,
} from '../types/type.js';
import { compare, equals } from '../values/compare.js';
import { mapKey } from '../values/containers.js';
import { CelError, EvaluationStopped, NO_SUCH_OVERLOAD } from '../values/error.js';
import { type Int, isInt, isNumber, toDouble, Uint } from '../values/numbers.js';
import { runtimeType } from '../values/runtime-type.js';
import { Duration } from '../values/time.js';
import { OPERATORS } from './arithmetic.js';

const T = paramType('T');
const LIST = listType(T);

const COMPARABLE: Record<string, Type> = {
  int: INT,
  uint: UINT,
  double: DOUBLE,
  bool: BOOL,
  duration: DURATION,
  timestamp: TIMESTAMP,
  string: STRING,
  bytes: BYTES,
};

function isSorted(list: unknown[]): boolean {
  for (let i = 1; i < list.length; i++) if (compare(list[i - 1], list[i]) > 0) return false;
  return true;
}

const ZERO: Record<string, unknown> = { int: 0, uint: new Uint(0n), double: toDouble(0), duration: new Duration(0n) };

function sum(name: string): Overload {
  const type = COMPARABLE[name]!;
  const add = OPERATORS['_+_']!.find((o) => o.params[0] === type && o.params[1] === type)!.implementation as (
    a: unknown,
    b: unknown,
  ) => unknown;
  return member(`list_${name}_sum_${name}`, [listType(type)], type, (list: unknown[]) => list.reduce(add, ZERO[name]));
}

function best(name: string, preferred: (c: number) => boolean) {
  return (list: unknown[]): unknown => {
    if (list.length === 0) throw new CelError(`${name} called on empty list`);
    return list.reduce((found, next) => (preferred(compare(next, found)) ? next : found));
  };
}

function eachComparable(make: (name: string, type: Type) => Overload): Overload[] {
  return Object.entries(COMPARABLE).map(([name, type]) => make(name, type));
}

/** Kubernetes' list library. */
export const KUBERNETES_LISTS: Record<string, Overload[]> = {
  isSorted: eachComparable((name, type) => member(`list_${name}_is_sorted_bool`, [listType(type)], BOOL, isSorted)),
  sum: Object.keys(ZERO).map(sum),
  min: eachComparable((name, type) =>
    member(
      `list_${name}_min_${name}`,
      [listType(type)],
      type,
      best('min', (c) => c < 0),
    ),
  ),
  max: eachComparable((name, type) =>
    member(
      `list_${name}_max_${name}`,
      [listType(type)],
      type,
      best('max', (c) => c > 0),
    ),
  ),
  indexOf: [
    member('list_a_index_of_int', [LIST, T], INT, (list: unknown[], value: unknown) =>
      list.findIndex((element) => equals(element, value)),
    ),
  ],
  lastIndexOf: [
    member('list_a_last_index_of_int', [LIST, T], INT, (list: unknown[], value: unknown) =>
      list.findLastIndex((element) => equals(element, value)),
    ),
  ],
};

function slice(list: unknown[], start: Int, end: Int): unknown[] {
  const call = `cannot slice(${start}, ${end})`;
  if (start < 0 || end < 0) throw new CelError(`${call}, negative indexes not supported`);
  if (start > end) throw new CelError(`${call}, start index must be less than or equal to end index`);
  if (list.length < end) throw new CelError(`${call}, list is length ${list.length}`);
  return list.slice(Number(start), Number(end));
}

function flatten(list: unknown, depth: unknown): unknown[] {
  if (!Array.isArray(list) || !isInt(depth)) throw NO_SUCH_OVERLOAD;
  if (depth < 0) throw new CelError('level must be non-negative');
  return list.flat(Number(depth));
}

const MAX_RANGE = 10_000_000;

function range(n: Int): number[] {
  if (n > MAX_RANGE) throw new EvaluationStopped('cost', 'operation cancelled: actual cost limit exceeded');
  return Array.from({ length: Math.max(0, Number(n)) }, (_, i) => i);
}

/** The elements in the order of their keys, which must be of one type. */
function sortByKeys(list: unknown[], keys: unknown[]): unknown[] {
  if (list.length !== keys.length) {
    throw new CelError(
      `@sortByAssociatedKeys() expected a list of the same size as the associated keys list, but got ${list.length} and ${keys.length} elements respectively`,
    );
  }
  const type = keys.length > 0 ? runtimeType(keys[0]) : undefined;
  if (type && !Object.values(COMPARABLE).includes(type)) throw new CelError('list elements must be comparable');
  if (keys.some((key) => runtimeType(key) !== type)) throw new CelError('list elements must have the same type');
  return list
    .map((value, i) => ({ value, key: keys[i] }))
    .sort((a, b) => compare(a.key, b.key))
    .map(({ value }) => value);
}

function distinct(list: unknown[]): unknown[] {
  const simple = new Set<unknown>();
  const others: unknown[] = [];
  return list.filter((value) => {
    if (typeof value === 'string' || typeof value === 'boolean' || (isNumber(value) && equals(value, value))) {
      const key = mapKey(value);
      if (simple.has(key)) return false;
      simple.add(key);
      return true;
    }
    if (others.some((other) => equals(value, other))) return false;
    others.push(value);
    return true;
  });
}

/** cel-go's lists extension in version 3. */
export const LISTS: Record<string, Overload[]> = {
  slice: [member('list_slice', [LIST, INT, INT], LIST, slice)],
  flatten: [
    // Lists that are flat already stay as they are.
    { ...member('list_flatten', [listType(LIST)], LIST, (list: unknown) => flatten(list, 1)), unguarded: true },
    { ...member('list_flatten_int', [listType(DYN), INT], listType(DYN), flatten), unguarded: true },
  ],
  sort: eachComparable((_, type) =>
    member(`list_${type.name}_sort`, [listType(type)], listType(type), (list: unknown[]) => sortByKeys(list, list)),
  ),
  '@sortByAssociatedKeys': eachComparable((_, type) =>
    member(`list_${type.name}_sortByAssociatedKeys`, [LIST, listType(type)], LIST, sortByKeys),
  ),
  'lists.range': [overload('lists_range', [INT], listType(INT), range)],
  reverse: [member('list_reverse', [LIST], LIST, (list: unknown[]) => list.toReversed())],
  distinct: [member('list_distinct', [LIST], LIST, distinct)],
};

const INPUT = '@__sortBy_input__';
const map = new Map(STANDARD_MACROS).get('.map/2')!;

/** l.sortBy(x, key) is l sorted by what the key is for each element; l is computed once. */
const sortBy: Macro = (pos, target, args, copy) => {
  if (target && !['list', 'select', 'ident', 'comprehension', 'call'].includes(target.kind)) {
    return {
      at: target.pos,
      error: 'sortBy can only be applied to a list, identifier, comprehension, call or select expression',
    };
  }
  const input = () => ({ kind: 'ident', pos, name: INPUT }) as const;
  const keys = map(pos, input(), args, copy)!;
  if ('error' in keys) return keys;
  return {
    kind: 'comprehension',
    pos,
    range: { kind: 'list', pos, elements: [], optionals: new Set() },
    iterVar: '#unused',
    iterVar2: '',
    accuVar: INPUT,
    init: target!,
    condition: { kind: 'const', pos, value: false },
    step: input(),
    result: { kind: 'call', pos, fn: '@sortByAssociatedKeys', target: input(), args: [keys] },
  };
};

export const LIST_MACROS: ReadonlyArray<[string, Macro]> = [['.sortBy/2', sortBy]];
