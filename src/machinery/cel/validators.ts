import { CONVERSIONS } from './library/conversions.js';
import { compilePattern } from './library/regular-expressions.js';
import { parseFormat, type Verb, WANTED } from './library/string-format.js';
import { dispatch } from './program/calls.js';
import { type CallExpr, children, type Expr, type ListExpr, type MapExpr } from './syntax/ast.js';
import type { Issues } from './syntax/issues.js';
import { formatType, isExact, type Type, unwrapOptional } from './types/type.js';
import { CelError } from './values/error.js';

/**
 * Checks that come after the type check: constant arguments of duration(), timestamp(), matches() and format() must
 * make sense, and the elements of list and map literals must have the same type.
 */
export function validateLiterals(expr: Expr, issues: Issues, homogeneous: boolean): void {
  const calls: CallExpr[] = [];
  const literals: (ListExpr | MapExpr)[] = [];
  collect(expr, false, calls, literals);
  for (const fn of ['duration', 'timestamp', 'matches']) {
    for (const call of calls) if (call.fn === fn) checkArgument(call, fn, issues);
  }
  if (homogeneous) {
    for (const literal of literals) if (literal.kind === 'list') checkList(literal, issues);
    for (const literal of literals) if (literal.kind === 'map') checkMap(literal, issues);
  }
  for (const call of calls) checkFormat(call, issues);
}

/** Literals within calls of format() may mix types. */
function collect(e: Expr, exempt: boolean, calls: CallExpr[], literals: (ListExpr | MapExpr)[]): void {
  if (e.kind === 'call') calls.push(e);
  if ((e.kind === 'list' || e.kind === 'map') && !exempt) literals.push(e);
  const inner = exempt || (e.kind === 'call' && e.fn === 'format');
  for (const child of children(e)) collect(child, inner, calls, literals);
}

function checkArgument(call: CallExpr, fn: string, issues: Issues): void {
  const arg = call.args[0];
  if (arg?.kind !== 'const') return;
  try {
    if (fn !== 'matches') dispatch(CONVERSIONS[fn]!, [arg.value]);
    else if (typeof arg.value === 'string') compilePattern(arg.value);
  } catch (e) {
    if (!(e instanceof CelError)) throw e;
    issues.report(arg.pos, `invalid ${fn} argument`);
  }
}

function mismatch(at: number, expected: Type, actual: Type, issues: Issues): void {
  issues.report(at, `expected type '${formatType(expected)}' but found '${formatType(actual)}'`);
}

function checkList(list: ListExpr, issues: Issues): void {
  let first: Type | undefined;
  for (const [i, element] of list.elements.entries()) {
    const type = list.optionals.has(i) ? unwrapOptional(element.type!) : element.type!;
    first ??= type;
    if (!isExact(first, type, true)) {
      mismatch(element.pos, first, type, issues);
      return;
    }
  }
}

function checkMap(map: MapExpr, issues: Issues): void {
  let keyType: Type | undefined;
  let valueType: Type | undefined;
  for (const { key, value, optional } of map.entries) {
    const type = optional ? unwrapOptional(value.type!) : value.type!;
    keyType ??= key.type!;
    valueType ??= type;
    if (!isExact(keyType, key.type!, true)) mismatch(key.pos, keyType, key.type!, issues);
    if (!isExact(valueType, type, true)) mismatch(value.pos, valueType, type, issues);
  }
}

/** Kinds of types that a clause takes. */
const TAKES: Record<Verb, readonly string[]> = {
  s: ['list', 'map', 'int', 'uint', 'double', 'bool', 'string', 'timestamp', 'bytes', 'duration', 'type', 'null'],
  d: ['int', 'uint'],
  f: ['double', 'string'],
  e: ['double', 'string'],
  b: ['int', 'uint', 'bool'],
  x: ['int', 'uint', 'string', 'bytes'],
  X: ['int', 'uint', 'string', 'bytes'],
  o: ['int', 'uint'],
};

/** `'…'.format([…])` with both written out. */
function checkFormat(call: CallExpr, issues: Issues): void {
  const [args] = call.args;
  if (call.fn !== 'format' || call.target?.kind !== 'const' || args?.kind !== 'list') return;
  if (typeof call.target.value !== 'string') return;
  try {
    const clauses = parseFormat(call.target.value, args.elements.length).filter((part) => typeof part !== 'string');
    for (const { verb, arg } of clauses) {
      const unfit = findUnfit(args.elements[arg]!, verb);
      if (!unfit) continue;
      const name = unfit.type!.name;
      issues.report(unfit.pos, `error during formatting: ${WANTED[verb]}, was given ${name}`);
      return;
    }
    if (args.elements.length > clauses.length) {
      issues.report(
        call.pos,
        `too many arguments supplied to string.format (expected ${clauses.length}, got ${args.elements.length})`,
      );
    }
  } catch (e) {
    if (!(e instanceof CelError)) throw e;
    issues.report(call.pos, e.message);
  }
}

function findUnfit(e: Expr, verb: Verb): Expr | undefined {
  const kind = e.type!.kind;
  if (kind !== 'dyn' && !TAKES[verb].includes(kind)) return e;
  if (verb !== 's') return undefined;
  if (e.kind === 'list') return firstUnfit(e.elements);
  return e.kind === 'map' ? firstUnfit(e.entries.flatMap(({ key, value }) => [key, value])) : undefined;
}

function firstUnfit(values: Expr[]): Expr | undefined {
  for (const value of values) {
    const unfit = findUnfit(value, 's');
    if (unfit) return unfit;
  }
  return undefined;
}
