import type { Type } from '../types/type.js';

/** A constant of an expression: the runtime value (see ../values). */
export type Literal = unknown;

/** What the type checker found out about a node. */
interface Checked {
  /** Offset of the token that stands for the node (operator, opening bracket, name). */
  pos: number;
  type?: Type;
}

/** A name that was resolved to a variable, type or constant. */
export interface IdentReference {
  name: string;
  /** The value of a constant (a type name). */
  value?: unknown;
}

export interface ConstExpr extends Checked {
  kind: 'const';
  value: Literal;
}
export interface IdentExpr extends Checked {
  kind: 'ident';
  name: string;
  ref?: IdentReference;
}
export interface SelectExpr extends Checked {
  kind: 'select';
  operand: Expr;
  field: string;
  testOnly: boolean;
  /** Set when the whole selection is a qualified name. */
  ref?: IdentReference;
}
export interface CallExpr extends Checked {
  kind: 'call';
  fn: string;
  target: Expr | undefined;
  args: Expr[];
  /** Ids of the overloads the checker found possible. */
  overloads?: string[];
}
export interface ListExpr extends Checked {
  kind: 'list';
  elements: Expr[];
  /** Indexes of elements written as `?x`. */
  optionals: Set<number>;
}
export interface MapEntry {
  pos: number;
  key: Expr;
  value: Expr;
  optional: boolean;
}
export interface MapExpr extends Checked {
  kind: 'map';
  entries: MapEntry[];
}
export interface StructField {
  pos: number;
  name: string;
  value: Expr;
  optional: boolean;
}
export interface StructExpr extends Checked {
  kind: 'struct';
  typeName: string;
  fields: StructField[];
}
/** What macros turn into: folds a range into an accumulator. */
export interface ComprehensionExpr extends Checked {
  kind: 'comprehension';
  range: Expr;
  iterVar: string;
  /** Name of the second variable of `l.all(i, v, …)`, or empty. */
  iterVar2: string;
  accuVar: string;
  init: Expr;
  condition: Expr;
  step: Expr;
  result: Expr;
}
/** Stands for what could not be parsed. */
export interface UnspecifiedExpr extends Checked {
  kind: 'unspecified';
}

export type Expr =
  | ConstExpr
  | IdentExpr
  | SelectExpr
  | CallExpr
  | ListExpr
  | MapExpr
  | StructExpr
  | ComprehensionExpr
  | UnspecifiedExpr;

/** Name of the accumulator of macros; it cannot be written in an expression. */
export const ACCUMULATOR = '@result';

export function children(e: Expr): Expr[] {
  switch (e.kind) {
    case 'select':
      return [e.operand];
    case 'call':
      return e.target ? [e.target, ...e.args] : e.args;
    case 'list':
      return e.elements;
    case 'map':
      return e.entries.flatMap((entry) => [entry.key, entry.value]);
    case 'struct':
      return e.fields.map((field) => field.value);
    case 'comprehension':
      return [e.range, e.init, e.condition, e.step, e.result];
    default:
      return [];
  }
}

/** A deep copy, for macros that use an argument twice; `count` is called for each node. */
export function copyExpr(e: Expr, count: () => void): Expr {
  count();
  const copy = (child: Expr) => copyExpr(child, count);
  switch (e.kind) {
    case 'select':
      return { ...e, operand: copy(e.operand) };
    case 'call':
      return { ...e, target: e.target && copy(e.target), args: e.args.map(copy) };
    case 'list':
      return { ...e, elements: e.elements.map(copy) };
    case 'map':
      return { ...e, entries: e.entries.map((n) => ({ ...n, key: copy(n.key), value: copy(n.value) })) };
    case 'struct':
      return { ...e, fields: e.fields.map((f) => ({ ...f, value: copy(f.value) })) };
    case 'comprehension':
      return {
        ...e,
        range: copy(e.range),
        init: copy(e.init),
        condition: copy(e.condition),
        step: copy(e.step),
        result: copy(e.result),
      };
    default:
      return { ...e };
  }
}
