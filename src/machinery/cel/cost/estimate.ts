import { COST } from '../program/cost.js';
import { ACCUMULATOR, type CallExpr, type ComprehensionExpr, type Expr } from '../syntax/ast.js';
import { codePointLength } from '../syntax/source.js';
import type { DeclType } from '../types/decl-type.js';
import type { Type } from '../types/type.js';
import { type Argument, type CallEstimate, libraryEstimate, regexCost } from './calls.js';
import { add, fixed, MAX_COST, multiply, type Range, scale, UNKNOWN, union } from './size.js';

/**
 * Bounds of what evaluating an expression can cost, before any data is seen. `root` says how large the data of the
 * variables can be: paths from every variable are looked up in it, as Kubernetes does for `self` and `oldSelf`.
 */
export function estimateCost(expr: Expr, root: DeclType | undefined): Range {
  return new Estimator(root).cost(expr);
}

/** Sizes of the elements (or keys and values) of a list or map that is made in the expression. */
interface EntrySizes {
  kind: 'list' | 'map';
  key: Range;
  value: Range;
}

interface Local {
  path: readonly string[];
  size: Range | undefined;
  entries: EntrySizes | undefined;
}

class Estimator {
  readonly #root: DeclType | undefined;
  readonly #paths = new Map<Expr, readonly string[]>();
  readonly #sizes = new Map<Expr, Range>();
  readonly #entries = new Map<Expr, EntrySizes>();
  readonly #locals = new Map<string, Local[]>();

  constructor(root: DeclType | undefined) {
    this.#root = root;
  }

  cost(e: Expr): Range {
    switch (e.kind) {
      case 'ident':
        this.#paths.set(e, this.#local(e.name)?.path ?? [e.ref?.name ?? e.name]);
        return fixed(COST.select);
      case 'select': {
        if (e.ref) {
          this.#paths.set(e, [e.ref.name]);
          return fixed(COST.select);
        }
        const operand = this.cost(e.operand);
        if (e.testOnly) return operand;
        this.#paths.set(e, [...this.#path(e.operand), e.field]);
        const charged = ['map', 'struct', 'param'].includes(e.operand.type!.kind);
        return charged ? add(operand, fixed(COST.select)) : operand;
      }
      case 'call':
        return this.#call(e);
      case 'list': {
        const costs = e.elements.map((element) => this.cost(element));
        const value = this.#unionOfSizes(e.elements);
        this.#entries.set(e, { kind: 'list', key: fixed(1), value });
        return add(fixed(COST.list), ...costs);
      }
      case 'map': {
        const keys = e.entries.map((entry) => entry.key);
        const values = e.entries.map((entry) => entry.value);
        const costs = [...keys, ...values].map((part) => this.cost(part));
        this.#entries.set(e, { kind: 'map', key: this.#unionOfSizes(keys), value: this.#unionOfSizes(values) });
        return add(fixed(COST.map), ...costs);
      }
      case 'struct':
        return add(fixed(COST.struct), ...e.fields.map((field) => this.cost(field.value)));
      case 'comprehension':
        return isBinding(e) ? this.#binding(e) : this.#comprehension(e);
      default:
        return fixed(0);
    }
  }

  #unionOfSizes(parts: Expr[]): Range {
    if (parts.length === 0) return fixed(0);
    return parts.map((part) => this.#sizeOrUnknown(part)).reduce(union);
  }

  #call(e: CallExpr): Range {
    if (e.fn === 'dyn') {
      const [arg] = e.args as [Expr];
      const cost = add(fixed(1), this.cost(arg));
      this.#copySizes(e, arg);
      return cost;
    }
    const argCosts = e.args.map((arg) => this.cost(arg));
    const args = e.args.map((arg) => this.#argument(arg));
    if (!e.overloads?.length) return fixed(0);
    const targetCost = e.target ? this.cost(e.target) : fixed(0);
    const target = e.target && this.#argument(e.target);
    let cost: Range = { min: MAX_COST, max: 0 };
    let size: Range | undefined;
    for (const overload of e.overloads) {
      const estimate = this.#callEstimate(e, overload, target, args, argCosts);
      cost = union(cost, estimate.cost);
      if (estimate.size) size = size ? union(size, estimate.size) : estimate.size;
      if (overload === 'index_list' || overload === 'index_map') {
        const [container] = e.args as [Expr];
        size = this.#entrySizes(container)?.value;
        this.#paths.set(e, [...this.#path(container), overload === 'index_list' ? '@items' : '@values']);
      }
      size ??= this.#size(e);
    }
    if (size) this.#sizes.set(e, size);
    return add(targetCost, cost);
  }

  #callEstimate(
    e: CallExpr,
    overload: string,
    target: Argument | undefined,
    args: Argument[],
    argCosts: Range[],
  ): CallEstimate {
    const forArgs = add(...argCosts);
    const library = libraryEstimate(e.fn, overload, target, args);
    if (library) return { ...library, cost: add(library.cost, forArgs) };
    switch (overload) {
      case 'logical_or':
      case 'logical_and': {
        // The right side may not be needed.
        const [left, right] = argCosts as [Range, Range];
        return { cost: { min: left.min, max: add(left, right).max } };
      }
      case 'conditional':
        return this.#conditional(e, args, argCosts);
      case 'add_string':
      case 'add_bytes':
      case 'add_list':
        return this.#concatenation(e, overload, args, forArgs);
    }
    const own = this.#standard(overload, target, args);
    return { ...own, cost: add(own.cost, forArgs) };
  }

  #conditional(e: CallExpr, args: Argument[], [condition, whenTrue, whenFalse]: Range[]): CallEstimate {
    const [, a, b] = args as [Argument, Argument, Argument];
    const entries = unionEntries(this.#entrySizes(a.expr), this.#entrySizes(b.expr));
    if (entries) this.#entries.set(e, entries);
    return {
      cost: add(condition!, union(whenTrue!, whenFalse!)),
      size: union(a.size ?? UNKNOWN, b.size ?? UNKNOWN),
    };
  }

  #concatenation(e: CallExpr, overload: string, args: Argument[], forArgs: Range): CallEstimate {
    const [a, b] = args as [Argument, Argument];
    const size = add(a.size ?? UNKNOWN, b.size ?? UNKNOWN);
    const entries = unionEntries(this.#entrySizes(a.expr), this.#entrySizes(b.expr));
    if (entries) this.#entries.set(e, entries);
    return { cost: add(overload === 'add_list' ? fixed(1) : scale(size, COST.character), forArgs), size };
  }

  /** Calls of the standard library. */
  #standard(overload: string, target: Argument | undefined, args: Argument[]): CallEstimate {
    const size = (arg: Argument | undefined) => arg?.size ?? UNKNOWN;
    const first = size(args[0]);
    switch (overload) {
      case 'string_format':
        return { cost: scale(size(target), COST.character) };
      case 'string_to_bytes':
        return { cost: scale(first, COST.character), size: { min: first.min, max: Math.min(MAX_COST, first.max * 4) } };
      case 'bytes_to_string':
        return { cost: scale(first, COST.character), size: { min: Math.floor(first.min / 4), max: first.max } };
      case 'strings_quote':
        return {
          cost: scale(first, COST.character),
          size: { min: first.min + 2, max: Math.min(MAX_COST, first.max * 2 + 2) },
        };
      case 'starts_with_string':
      case 'ends_with_string':
        return { cost: scale(first, COST.character) };
      case 'in_list':
        return { cost: size(args[1]) };
      case 'matches_string':
        return { cost: regexCost(size(target), first) };
      case 'contains_string':
        return { cost: multiply(scale(size(target), COST.character), scale(first, COST.character)) };
    }
    if (/^(?:less|greater)(?:_equals)?_(?:string|bytes)$|^(?:not_)?equals$/.test(overload)) {
      const max = Math.min(first.max, size(args[1]).max);
      return { cost: scale({ min: max > 0 ? 1 : 0, max }, COST.character) };
    }
    return { cost: fixed(1) };
  }

  #comprehension(e: ComprehensionExpr): Range {
    const range = this.cost(e.range);
    const init = this.cost(e.init);
    this.#push(e.accuVar, { path: this.#path(e.init), size: this.#size(e.init), entries: this.#entrySizes(e.init) });
    const entries = this.#entrySizes(e.range);
    const kind = entries?.kind ?? e.range.type!.kind;
    const isList = kind === 'list';
    const path = this.#path(e.range);
    const element: Local = {
      path: [...path, isList ? '@items' : '@values'],
      size: entries?.value,
      entries: undefined,
    };
    const key: Local = { path: [...path, isList ? '@indices' : '@keys'], size: entries?.key, entries: undefined };
    if (e.iterVar2) {
      this.#push(e.iterVar, key);
      this.#push(e.iterVar2, element);
    } else this.#push(e.iterVar, isList ? element : key);
    const eachTime = add(this.cost(e.condition), this.cost(e.step));
    this.#pop(e.iterVar);
    if (e.iterVar2) this.#pop(e.iterVar2);
    const result = this.cost(e.result);
    this.#pop(e.accuVar);
    const count = this.#sizeOrUnknown(e.range);
    if (e.init.kind === 'const') {
      const size = this.#size(e.init);
      if (size) this.#sizes.set(e, size);
    } else if (e.init.kind === 'list' || e.init.kind === 'map') {
      this.#sizes.set(e, count);
      const stepEntries = this.#entrySizes(e.step);
      if (stepEntries) this.#entries.set(e, stepEntries);
    }
    return add(range, init, result, multiply(count, eachTime));
  }

  #binding(e: ComprehensionExpr): Range {
    const cost = add(this.cost(e.range), this.cost(e.init));
    this.#push(e.accuVar, { path: this.#path(e.init), size: this.#size(e.init), entries: this.#entrySizes(e.init) });
    const body = this.cost(e.result);
    this.#pop(e.accuVar);
    this.#copySizes(e, e.result);
    return add(cost, body);
  }

  #push(name: string, local: Local): void {
    this.#locals.set(name, [...(this.#locals.get(name) ?? []), local]);
  }

  #pop(name: string): void {
    this.#locals.get(name)?.pop();
  }

  #local(name: string): Local | undefined {
    return this.#locals.get(name)?.at(-1);
  }

  #path(e: Expr): readonly string[] {
    if (e.kind === 'ident') {
      const local = this.#local(e.name);
      if (local) return local.path;
    }
    return this.#paths.get(e) ?? [];
  }

  #argument(e: Expr): Argument {
    const path = this.#path(e);
    const known = path[0] === ACCUMULATOR ? [] : path;
    const type = e.type as Type;
    return {
      expr: e,
      type,
      size: this.#size(e),
      elementSize: (known.length > 0 ? this.#dataSize([...known, '@items']) : undefined) ?? UNKNOWN,
    };
  }

  #sizeOrUnknown(e: Expr): Range {
    return this.#size(e) ?? UNKNOWN;
  }

  #copySizes(to: Expr, from: Expr): void {
    const size = this.#size(from);
    if (size) this.#sizes.set(to, size);
    const entries = this.#entrySizes(from);
    if (entries) this.#entries.set(to, entries);
  }

  #size(e: Expr): Range | undefined {
    const known = this.#sizes.get(e) ?? literalSize(e);
    if (known) return known;
    const data = this.#dataSize(this.#path(e));
    if (data) {
      this.#sizes.set(e, data);
      return data;
    }
    if (isScalar(e.type!)) return fixed(1);
    return e.kind === 'ident' ? this.#local(e.name)?.size : undefined;
  }

  /** Size of the data at a path. Scalars of a schema count as nothing, as in Kubernetes. */
  #dataSize(path: readonly string[]): Range | undefined {
    if (path.length === 0 || !this.#root) return undefined;
    let decl: DeclType | undefined = this.#root;
    for (const name of path.slice(1)) {
      if (name === '@items' || name === '@values') decl = decl.element;
      else if (name === '@keys') {
        if (decl.type.kind !== 'map') return undefined;
        decl = KEY;
      } else decl = decl.fields?.get(name)?.decl;
      if (!decl) return undefined;
    }
    return { min: 0, max: decl.maxElements };
  }

  #entrySizes(e: Expr): EntrySizes | undefined {
    return this.#entries.get(e) ?? (e.kind === 'ident' ? this.#local(e.name)?.entries : undefined);
  }
}

/** Keys of maps have no declared size. */
const KEY: DeclType = {
  type: { kind: 'string', name: 'string', params: [], nullable: false },
  minSize: 2,
  maxElements: 0,
};

function unionEntries(a: EntrySizes | undefined, b: EntrySizes | undefined): EntrySizes | undefined {
  return a && b && { kind: a.kind, key: union(a.key, b.key), value: union(a.value, b.value) };
}

function isBinding(e: ComprehensionExpr): boolean {
  const { range, condition } = e;
  return (
    range.kind === 'list' && range.elements.length === 0 && condition.kind === 'const' && condition.value === false
  );
}

function literalSize(e: Expr): Range | undefined {
  switch (e.kind) {
    case 'const':
      if (typeof e.value === 'string') return fixed(codePointLength(e.value));
      return fixed(e.value instanceof Uint8Array ? e.value.length : 1);
    case 'list':
      return fixed(e.elements.length);
    case 'map':
      return fixed(e.entries.length);
    default:
      return undefined;
  }
}

function isScalar(t: Type): boolean {
  if (t.kind === 'opaque') return t.name === 'optional_type' && isScalar(t.params[0]!);
  return ['bool', 'double', 'duration', 'int', 'timestamp', 'uint'].includes(t.kind);
}
