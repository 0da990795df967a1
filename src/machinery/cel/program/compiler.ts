import { CONVERSION_NAMES } from '../library/conversions.js';
import { compilePattern, matcher, PATTERN_FUNCTIONS } from '../library/regular-expressions.js';
import type {
  CallExpr,
  ComprehensionExpr,
  Expr,
  IdentExpr,
  ListExpr,
  MapExpr,
  SelectExpr,
  StructExpr,
} from '../syntax/ast.js';
import type { DeclType } from '../types/decl-type.js';
import type { Overload } from '../types/declarations.js';
import { equals } from '../values/compare.js';
import { makeMap, mapKey, Optional } from '../values/containers.js';
import { CelError } from '../values/error.js';
import { runtimeType } from '../values/runtime-type.js';
import { containment, dispatch, mergeOverload, patternCall, strictCall } from './calls.js';
import { COST, EQUALITY } from './cost.js';
import { compileFold, type FoldParts } from './folds.js';
import type { Evaluate } from './frame.js';
import { equalsAs, hasOwnEquality } from './lists.js';
import { and, conditional, notStrictlyFalse, or } from './logic.js';
import { type Access, has, select, selectOptional } from './select.js';

/** What the compiler must know about the world of an expression. */
export interface CompileEnvironment {
  functions: ReadonlyMap<string, readonly Overload[]>;
  /** What a schema says about a variable. */
  declOf(variable: string): DeclType | undefined;
  /** Makes a value of an object type; undefined when expressions cannot make such values. */
  construct?(typeName: string, fields: ReadonlyMap<string, unknown>): unknown;
}

/** A compiled node: how to evaluate it, and its value where that is known already. */
interface Compiled {
  run: Evaluate;
  /** Set for constants. */
  constant?: { value: unknown };
  /**
   * For variables, selections and conditionals: evaluation without the cost of reading the variable, which is not
   * charged where they are an index or a branch.
   */
  bare?: Evaluate;
}

/** A local variable: its place in the frame and what is known about it. */
interface Local {
  slot: number;
  decl: DeclType | undefined;
  /** Holds the error when its step failed. */
  accumulator: boolean;
  /** Computed when it is first read. */
  lazy?: Evaluate;
}

const UNSET = Symbol('not computed');

/**
 * Turns a checked expression into closures. Constants are computed here, which can fail with CelError
 * (`duration('x')`, a bad regular expression).
 */
export function compile(expr: Expr, env: CompileEnvironment): { run: Evaluate; slots: number } {
  const compiler = new Compiler(env);
  const { run } = compiler.node(expr);
  return { run, slots: compiler.slots };
}

class Compiler {
  slots = 0;
  readonly #env: CompileEnvironment;
  #locals = new Map<string, Local>();

  constructor(env: CompileEnvironment) {
    this.#env = env;
  }

  node(e: Expr): Compiled {
    switch (e.kind) {
      case 'const':
        return constant(e.value);
      case 'ident':
        return this.#ident(e);
      case 'select':
        return this.#select(e);
      case 'call':
        return this.#call(e);
      case 'list':
        return this.#list(e);
      case 'map':
        return this.#map(e);
      case 'struct':
        return this.#struct(e);
      case 'comprehension':
        return this.#comprehension(e);
      case 'unspecified':
        throw new CelError('unspecified expression');
    }
  }

  #ident(e: IdentExpr | SelectExpr): Compiled {
    const { name, value } = e.ref!;
    if (value !== undefined) return constant(value);
    const local = this.#locals.get(name);
    if (local) return attribute(readLocal(local));
    const convert = this.#env.declOf(name)?.convert;
    return attribute((f) => {
      const found = f.variables[name];
      if (found === undefined) throw new CelError(`no such attribute(s): ${name}`);
      return convert ? convert(found) : found;
    });
  }

  #select(e: SelectExpr): Compiled {
    if (e.ref) return this.#ident(e);
    const operand = this.#operand(e.operand);
    const { key, decl } = this.#field(e.operand, e.field);
    const access = this.#access(e.operand, decl);
    if (e.testOnly) {
      const run: Evaluate = (f) => {
        f.charge(COST.select);
        return has(operand(f), key, access);
      };
      return { run, bare: run };
    }
    return attribute((f) => {
      f.charge(COST.select);
      return select(operand(f), key, access);
    }, isChain(e.operand));
  }

  /** The operand of a selection: the chain so far, or the value of something else that begins a chain. */
  #operand(e: Expr): Evaluate {
    const compiled = this.node(e);
    return compiled.bare ?? compiled.run;
  }

  #access(operand: Expr, decl: DeclType | undefined): Access {
    return { convert: decl?.convert, nullIsAbsent: this.#declOf(operand)?.fields !== undefined };
  }

  /** Name of a field in the data, and what the schema says about it. */
  #field(operand: Expr, field: string): { key: string; decl: DeclType | undefined } {
    const decl = this.#declOf(operand);
    const found = decl?.fields?.get(field) ?? decl?.fields?.get(`__${field}__`);
    return found ? { key: found.name, decl: found.decl } : { key: field, decl: decl?.element };
  }

  #call(e: CallExpr): Compiled {
    switch (e.fn) {
      case '_&&_':
      case '_||_': {
        const [left, right] = e.args.map((arg) => this.node(arg).run) as [Evaluate, Evaluate];
        return { run: e.fn === '_&&_' ? and(left, right) : or(left, right) };
      }
      case '_?_:_': {
        const [condition, whenTrue, whenFalse] = e.args.map((arg) => this.node(arg)) as [Compiled, Compiled, Compiled];
        const run = conditional(condition.run, whenTrue.bare ?? whenTrue.run, whenFalse.bare ?? whenFalse.run);
        return { run, bare: run };
      }
      case '@not_strictly_false':
        return { run: notStrictlyFalse(this.node(e.args[0]!).run) };
      case '_==_':
      case '_!=_':
        return this.#equality(e);
      case '_[_]':
        return this.#index(e, false);
      case '_[?_]':
      case '_?._':
        return this.#index(e, true);
      case '@in':
        return this.#in(e);
      case 'or':
      case 'orValue':
        if (e.overloads?.length === 1 && e.target) return this.#optionalOr(e, e.target);
        break;
      case '_+_': {
        const decl = this.#declOf(e.args[0]!);
        if (decl?.listType) return this.#strict(e, [mergeOverload(decl)]);
      }
    }
    const known = this.#env.functions.get(e.fn) ?? [];
    return this.#strict(
      e,
      known.filter((o) => e.overloads?.includes(o.id)),
    );
  }

  #equality(e: CallExpr): Compiled {
    const [left, right] = e.args.map((arg) => this.node(arg).run) as [Evaluate, Evaluate];
    const wanted = e.fn === '_==_';
    const decl = this.#declOf(e.args[0]!);
    const same = decl && hasOwnEquality(decl) ? (a: unknown, b: unknown) => equalsAs(decl, a, b) : equals;
    return {
      run: (f) => {
        const a = left(f);
        const b = right(f);
        if (isCheap(a)) f.charge(1);
        else f.charge(EQUALITY([a, b], undefined));
        return same(a, b) === wanted;
      },
    };
  }

  #index(e: CallExpr, optional: boolean): Compiled {
    const [container, index] = e.args as [Expr, Expr];
    const operand = this.#operand(container);
    const compiled = this.node(index);
    if (compiled.constant) {
      const { value } = compiled.constant;
      const { key, decl } =
        typeof value === 'string'
          ? this.#field(container, value)
          : { key: value, decl: this.#declOf(container)?.element };
      return indexed(operand, () => key, optional, this.#access(container, decl), isChain(container));
    }
    const access = this.#access(container, this.#declOf(container)?.element);
    return indexed(operand, compiled.bare ?? compiled.run, optional, access, isChain(container));
  }

  #in(e: CallExpr): Compiled {
    const [needle, haystack] = e.args.map((arg) => this.node(arg)) as [Compiled, Compiled];
    if (e.overloads?.length === 1 && e.overloads[0] === 'in_list' && haystack.constant) {
      const list = haystack.constant.value as unknown[];
      if (list.length === 0) return constant(false);
      if (list.every(isPrimitive)) {
        const members = new Set(list.map(mapKey));
        const { run } = needle;
        return { run: (f) => members.has(mapKey(run(f))) };
      }
    }
    const decl = this.#declOf(e.args[1]!);
    const element = decl?.element && hasOwnEquality(decl.element) ? decl.element : undefined;
    return this.#strict(e, [containment(e.overloads ?? [], element)]);
  }

  #optionalOr(e: CallExpr, target: Expr): Compiled {
    const left = this.node(target).run;
    const right = this.node(e.args[0]!).run;
    const unwrap = e.fn === 'orValue';
    return {
      run: (f) => {
        const value = left(f);
        if (!(value instanceof Optional)) return value;
        if (value.present) return unwrap ? value.value : value;
        return right(f);
      },
    };
  }

  /** A call whose arguments are all evaluated before it. */
  #strict(e: CallExpr, overloads: readonly Overload[]): Compiled {
    const args = (e.target ? [e.target, ...e.args] : e.args).map((arg) => this.node(arg));
    if (CONVERSION_NAMES.has(e.fn) && args.length === 1 && args[0]!.constant) {
      return constant(dispatch(overloads, [args[0]!.constant.value]));
    }
    const pattern = PATTERN_FUNCTIONS.has(e.fn) ? args[1]?.constant?.value : undefined;
    const runs = args.map((arg) => arg.run);
    if (typeof pattern === 'string') {
      if (e.fn === 'matches') return { run: patternCall(runs[0]!, pattern, matcher(pattern)) };
      compilePattern(pattern);
    }
    return { run: strictCall(e.fn, overloads, runs) };
  }

  #list(e: ListExpr): Compiled {
    const elements = e.elements.map((element) => this.node(element));
    if (elements.every((element) => element.constant)) return constant(elements.map((x) => x.constant!.value));
    const runs = elements.map((element) => element.run);
    const { optionals } = e;
    if (optionals.size === 0) {
      return {
        run: (f) => {
          f.charge(COST.list);
          return runs.map((run) => run(f));
        },
      };
    }
    return {
      run: (f) => {
        const list: unknown[] = [];
        for (const [i, run] of runs.entries()) {
          const value = run(f);
          if (!optionals.has(i)) list.push(value);
          else if (!(value instanceof Optional)) {
            throw new CelError('cannot initialize optional list element from non-optional value');
          } else if (value.present) list.push(value.value);
        }
        f.charge(COST.list);
        return list;
      },
    };
  }

  #map(e: MapExpr): Compiled {
    const entries = e.entries.map(({ key, value, optional }) => ({
      key: this.node(key),
      value: this.node(value),
      optional,
    }));
    if (entries.every(({ key, value }) => key.constant && value.constant)) {
      return constant(makeMap(entries.map(({ key, value }) => [checkKey(key.constant!.value), value.constant!.value])));
    }
    return {
      run: (f) => {
        const found: [unknown, unknown][] = [];
        for (const { key, value, optional } of entries) {
          const k = checkKey(key.run(f));
          const v = unwrapEntry(value.run(f), optional);
          if (v !== ABSENT) found.push([k, v]);
        }
        f.charge(COST.map);
        return makeMap(found);
      },
    };
  }

  #struct(e: StructExpr): Compiled {
    const fields = e.fields.map(({ name, value, optional }) => ({ name, run: this.node(value).run, optional }));
    const env = this.#env;
    if (!env.construct) throw new CelError(`unknown type: ${e.typeName}`);
    return {
      run: (f) => {
        const found = new Map<string, unknown>();
        for (const { name, run, optional } of fields) {
          const value = unwrapEntry(run(f), optional);
          if (value !== ABSENT) found.set(name, value);
        }
        f.charge(COST.struct);
        return env.construct!(e.typeName, found);
      },
    };
  }

  #comprehension(e: ComprehensionExpr): Compiled {
    const outer = this.#locals;
    const range = this.node(e.range);
    const init = this.node(e.init).run;
    const accu: Local = { slot: this.slots++, decl: this.#declOf(e.init), accumulator: true };
    if (isBinding(e)) {
      accu.lazy = init;
      this.#locals = new Map(outer).set(e.accuVar, accu);
      const body = this.node(e.result).run;
      this.#locals = outer;
      return {
        run: (f) => {
          f.slots[accu.slot] = UNSET;
          return body(f);
        },
      };
    }
    const rangeDecl = this.#declOf(e.range);
    const isList = e.range.type?.kind === 'list';
    const first: Local = {
      slot: this.slots++,
      decl: isList && e.iterVar2 === '' ? rangeDecl?.element : undefined,
      accumulator: false,
    };
    const second: Local = { slot: this.slots++, decl: rangeDecl?.element, accumulator: false };
    const withAccu = new Map(outer).set(e.accuVar, accu);
    this.#locals = new Map(withAccu).set(e.iterVar, first);
    if (e.iterVar2) this.#locals.set(e.iterVar2, second);
    const parts: FoldParts = {
      range: range.run,
      init,
      accu: accu.slot,
      first: first.slot,
      second: e.iterVar2 ? second.slot : undefined,
      compile: (node) => this.node(node),
    };
    const loop = compileFold(e, parts);
    this.#locals = withAccu;
    const result = this.node(e.result).run;
    this.#locals = outer;
    return {
      run: (f) => {
        loop(f);
        return result(f);
      },
    };
  }

  /** What a schema says about the value of an expression. */
  #declOf(e: Expr): DeclType | undefined {
    switch (e.kind) {
      case 'ident': {
        const local = this.#locals.get(e.name);
        return local ? local.decl : this.#env.declOf(e.ref?.name ?? e.name);
      }
      case 'select':
        if (e.ref) return this.#env.declOf(e.ref.name);
        return this.#field(e.operand, e.field).decl;
      case 'call':
        switch (e.fn) {
          case '_?._':
          case '_[?_]':
          case '_[_]': {
            const [container, index] = e.args as [Expr, Expr];
            return index.kind === 'const' && typeof index.value === 'string'
              ? this.#field(container, index.value).decl
              : this.#declOf(container)?.element;
          }
          case '_+_':
            return this.#declOf(e.args[0]!);
          case '_?_:_':
            return this.#declOf(e.args[1]!) ?? this.#declOf(e.args[2]!);
          case 'or':
          case 'orValue':
          case 'value':
            return e.target && this.#declOf(e.target);
        }
        return undefined;
      default:
        return undefined;
    }
  }
}

function constant(value: unknown): Compiled {
  return { run: () => value, constant: { value } };
}

/** Something whose reading costs, unless it only continues a conditional. */
function attribute(bare: Evaluate, charged = true): Compiled {
  if (!charged) return { run: bare, bare };
  return {
    run: (f) => {
      f.charge(COST.select);
      return bare(f);
    },
    bare,
  };
}

/** Whether a selection from this costs something of its own: not when it goes on from a conditional. */
function isChain(e: Expr): boolean {
  if (e.kind === 'call') {
    if (e.fn === '_?_:_') return false;
    if (e.fn === '_[_]' || e.fn === '_[?_]' || e.fn === '_?._') return isChain(e.args[0]!);
  }
  if (e.kind === 'select' && !e.ref) return isChain(e.operand);
  return true;
}

function readLocal({ slot, accumulator, lazy }: Local): Evaluate {
  if (!accumulator) return (f) => f.slots[slot];
  return (f) => {
    let value = f.slots[slot];
    if (value === UNSET && lazy) {
      try {
        value = lazy(f);
      } catch (e) {
        if (!(e instanceof CelError)) throw e;
        value = e;
      }
      f.slots[slot] = value;
    }
    if (value instanceof CelError) throw value;
    return value;
  };
}

function indexed(operand: Evaluate, index: Evaluate, optional: boolean, access: Access, charged: boolean): Compiled {
  if (!optional) {
    return attribute((f) => {
      f.charge(COST.select);
      const container = operand(f);
      return select(container, index(f), access);
    }, charged);
  }
  return attribute((f) => {
    const container = operand(f);
    const found = selectOptional(container, index(f), access);
    if (found.present) f.charge(COST.select);
    return found;
  }, charged);
}

function isBinding(e: ComprehensionExpr): boolean {
  return (
    e.range.kind === 'list' &&
    e.range.elements.length === 0 &&
    e.condition.kind === 'const' &&
    e.condition.value === false
  );
}

/** Values whose comparison costs 1 whatever they are compared with. */
function isCheap(value: unknown): boolean {
  return typeof value === 'number' || typeof value === 'boolean' || value === null;
}

const PRIMITIVES = new Set(['bool', 'int', 'uint', 'double', 'string']);

function isPrimitive(value: unknown): boolean {
  return PRIMITIVES.has(runtimeType(value).kind);
}

/** Lists, maps and the like cannot be keys. */
function checkKey(key: unknown): unknown {
  if (key !== null && !isPrimitive(key)) throw new CelError('unsupported key type');
  return key;
}

const ABSENT = Symbol('left out');

/** The value of an entry written with a question mark, or ABSENT. */
function unwrapEntry(value: unknown, optional: boolean): unknown {
  if (!optional) return value;
  if (!(value instanceof Optional)) throw new CelError('cannot initialize optional entry from non-optional value');
  return value.present ? value.value : ABSENT;
}
