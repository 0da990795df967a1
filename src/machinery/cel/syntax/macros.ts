import { ACCUMULATOR, type CallExpr, type ComprehensionExpr, type Expr } from './ast.js';

/** Refused use of a macro; `at` is the offset of the argument that is wrong. */
export interface MacroError {
  at: number;
  error: string;
}

/**
 * Rewrites a call into other nodes. All of them carry the place of the call's opening parenthesis, where messages
 * about the rewritten code point to. Undefined leaves the call as it is. An
 * argument that is used twice has to be copied, which counts towards a limit.
 */
export type Macro = (
  pos: number,
  target: Expr | undefined,
  args: Expr[],
  copy: (e: Expr) => Expr,
) => Expr | MacroError | undefined;

/** Macros by `name/argument count`, those of methods with a leading dot. */
export type Macros = ReadonlyMap<string, Macro>;

/** The old name of the accumulator stays reserved. */
const OLD_ACCUMULATOR = '__result__';

class Nodes {
  readonly pos: number;
  constructor(pos: number) {
    this.pos = pos;
  }
  value(value: unknown): Expr {
    return { kind: 'const', pos: this.pos, value };
  }
  ident(name: string): Expr {
    return { kind: 'ident', pos: this.pos, name };
  }
  accu(): Expr {
    return this.ident(ACCUMULATOR);
  }
  call(fn: string, ...args: Expr[]): CallExpr {
    return { kind: 'call', pos: this.pos, fn, target: undefined, args };
  }
  method(target: Expr, fn: string, ...args: Expr[]): CallExpr {
    return { kind: 'call', pos: this.pos, fn, target, args };
  }
  list(...elements: Expr[]): Expr {
    return { kind: 'list', pos: this.pos, elements, optionals: new Set() };
  }
  map(): Expr {
    return { kind: 'map', pos: this.pos, entries: [] };
  }
  /** Keeps the accumulator as it is unless the condition holds. */
  when(condition: Expr | undefined, step: Expr): Expr {
    return condition ? this.call('_?_:_', condition, step, this.accu()) : step;
  }
  fold(
    range: Expr,
    vars: [string, string],
    parts: Pick<ComprehensionExpr, 'init' | 'condition' | 'step'> & { result?: Expr },
  ): Expr {
    return {
      kind: 'comprehension',
      pos: this.pos,
      range,
      iterVar: vars[0],
      iterVar2: vars[1],
      accuVar: ACCUMULATOR,
      init: parts.init,
      condition: parts.condition,
      step: parts.step,
      result: parts.result ?? this.accu(),
    };
  }
  /** Evaluates `body` with `name` bound to a value; the value is computed on first use. */
  bind(name: string, value: Expr, body: Expr): Expr {
    return {
      kind: 'comprehension',
      pos: this.pos,
      range: this.list(),
      iterVar: '#unused',
      iterVar2: '',
      accuVar: name,
      init: value,
      condition: this.value(false),
      step: this.ident(name),
      result: body,
    };
  }
}

/** has(a.b): whether the field is there. */
const has: Macro = (pos, _target, args) => {
  const arg = args[0]!;
  if (arg.kind !== 'select') return { at: arg.pos, error: 'invalid argument to has() macro' };
  return { kind: 'select', pos, operand: arg.operand, field: arg.field, testOnly: true };
};

const NOT_SIMPLE = 'argument must be a simple name';
const NOT_IDENTIFIER = 'argument is not an identifier';

/** The names of one or two iteration variables, or what is wrong with them. */
function iterVars(args: Expr[], count: 1 | 2, notName: string): [string, string] | MacroError {
  const names: string[] = [];
  for (const arg of args.slice(0, count)) {
    if (arg.kind !== 'ident') return { at: arg.pos, error: notName };
    names.push(arg.name);
  }
  if (count === 2 && names[0] === names[1]) {
    return { at: args[1]!.pos, error: `duplicate variable name: ${names[0]}` };
  }
  for (const [i, name] of names.entries()) {
    if (name === ACCUMULATOR || name === OLD_ACCUMULATOR) {
      return { at: args[i]!.pos, error: 'iteration variable overwrites accumulator variable' };
    }
  }
  return [names[0]!, names[1] ?? ''];
}

function isError(vars: [string, string] | MacroError): vars is MacroError {
  return !Array.isArray(vars);
}

type Quantifier = (n: Nodes, predicate: Expr) => Parameters<Nodes['fold']>[2];

const all: Quantifier = (n, predicate) => ({
  init: n.value(true),
  condition: n.call('@not_strictly_false', n.accu()),
  step: n.call('_&&_', n.accu(), predicate),
});
const exists: Quantifier = (n, predicate) => ({
  init: n.value(false),
  condition: n.call('@not_strictly_false', n.call('!_', n.accu())),
  step: n.call('_||_', n.accu(), predicate),
});
const existsOne: Quantifier = (n, predicate) => ({
  init: n.value(0),
  condition: n.value(true),
  step: n.when(predicate, n.call('_+_', n.accu(), n.value(1))),
  result: n.call('_==_', n.accu(), n.value(1)),
});

function quantifier(make: Quantifier, vars: 1 | 2): Macro {
  return (pos, target, args) => {
    const names = iterVars(args, vars, NOT_SIMPLE);
    if (isError(names)) return names;
    const n = new Nodes(pos);
    return n.fold(target!, names, make(n, args[vars]!));
  };
}

/** l.map(x, f), l.map(x, p, f), l.transformList(i, x, f), l.transformList(i, x, p, f). */
function toList(vars: 1 | 2): Macro {
  return (pos, target, args) => {
    const names = iterVars(args, vars, vars === 1 ? NOT_IDENTIFIER : NOT_SIMPLE);
    if (isError(names)) return names;
    const n = new Nodes(pos);
    const rest = args.slice(vars);
    const filter = rest.length === 2 ? rest[0] : undefined;
    return n.fold(target!, names, {
      init: n.list(),
      condition: n.value(true),
      step: n.when(filter, n.call('_+_', n.accu(), n.list(rest.at(-1)!))),
    });
  };
}

const filter: Macro = (pos, target, args) => {
  const names = iterVars(args, 1, NOT_IDENTIFIER);
  if (isError(names)) return names;
  const n = new Nodes(pos);
  return n.fold(target!, names, {
    init: n.list(),
    condition: n.value(true),
    step: n.when(args[1]!, n.call('_+_', n.accu(), n.list(args[0]!))),
  });
};

/** m.transformMap(k, v, f) keeps the keys; m.transformMapEntry(k, v, {…}) merges the entries of maps. */
function toMap(entries: boolean): Macro {
  return (pos, target, args) => {
    const names = iterVars(args, 2, NOT_SIMPLE);
    if (isError(names)) return names;
    const n = new Nodes(pos);
    const rest = args.slice(2);
    const condition = rest.length === 2 ? rest[0] : undefined;
    const value = rest.at(-1)!;
    const insert = entries
      ? n.call('cel.@mapInsert', n.accu(), value)
      : n.call('cel.@mapInsert', n.accu(), n.ident(names[0]), value);
    return n.fold(target!, names, { init: n.map(), condition: n.value(true), step: n.when(condition, insert) });
  };
}

/** o.optMap(x, f) and o.optFlatMap(x, f): work on the value of an optional, if it has one. */
function optional(name: string, wrap: boolean): Macro {
  return (pos, target, args, copy) => {
    const variable = args[0]!;
    if (variable.kind !== 'ident') {
      return { at: variable.pos, error: `${name}() variable name must be a simple identifier` };
    }
    const n = new Nodes(pos);
    const body = n.bind(variable.name, n.method(copy(target!), 'value'), args[1]!);
    return n.call(
      '_?_:_',
      n.method(target!, 'hasValue'),
      wrap ? n.call('optional.of', body) : body,
      n.call('optional.none'),
    );
  };
}

/** cel.bind(name, value, body): `body` with a name for a value. */
const bind: Macro = (pos, target, args) => {
  if (target?.kind !== 'ident' || target.name !== 'cel') return undefined;
  const [name, value, body] = args as [Expr, Expr, Expr];
  if (name.kind !== 'ident') return { at: name.pos, error: 'cel.bind() variable names must be simple identifiers' };
  return new Nodes(pos).bind(name.name, value, body);
};

export const BIND_MACROS: ReadonlyArray<[string, Macro]> = [['.bind/3', bind]];

export const STANDARD_MACROS: ReadonlyArray<[string, Macro]> = [
  ['has/1', has],
  ['.all/2', quantifier(all, 1)],
  ['.exists/2', quantifier(exists, 1)],
  ['.exists_one/2', quantifier(existsOne, 1)],
  ['.existsOne/2', quantifier(existsOne, 1)],
  ['.map/2', toList(1)],
  ['.map/3', toList(1)],
  ['.filter/2', filter],
];

export const OPTIONAL_MACROS: ReadonlyArray<[string, Macro]> = [
  ['.optMap/2', optional('optMap', true)],
  ['.optFlatMap/2', optional('optFlatMap', false)],
];

export const TWO_VARIABLE_MACROS: ReadonlyArray<[string, Macro]> = [
  ['.all/3', quantifier(all, 2)],
  ['.exists/3', quantifier(exists, 2)],
  ['.exists_one/3', quantifier(existsOne, 2)],
  ['.existsOne/3', quantifier(existsOne, 2)],
  ['.transformList/3', toList(2)],
  ['.transformList/4', toList(2)],
  ['.transformMap/3', toMap(false)],
  ['.transformMap/4', toMap(false)],
  ['.transformMapEntry/3', toMap(true)],
  ['.transformMapEntry/4', toMap(true)],
];
