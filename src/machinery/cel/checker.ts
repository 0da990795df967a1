import type {
  CallExpr,
  ComprehensionExpr,
  Expr,
  IdentReference,
  ListExpr,
  MapExpr,
  SelectExpr,
  StructExpr,
} from './syntax/ast.js';
import { children } from './syntax/ast.js';
import type { Issues } from './syntax/issues.js';
import { type Overload, renameParams, typeParams } from './types/declarations.js';
import type { CheckEnvironment } from './types/environment.js';
import { assign, assignAll, mostGeneral, type Substitution, substitute } from './types/substitution.js';
import {
  BOOL,
  BYTES,
  DOUBLE,
  DYN,
  declaredName,
  ERROR,
  formatSignature,
  formatType,
  INT,
  isDyn,
  isDynOrError,
  isExact,
  isOptional,
  listType,
  mapType,
  NULL,
  optionalType,
  paramType,
  STRING,
  type Type,
  typeOf,
  UINT,
  unwrapOptional,
} from './types/type.js';
import { isDouble, isInt, Uint } from './values/numbers.js';

/**
 * Finds the type of every node of an expression and what its names refer to, and writes both into the nodes. Selections
 * that are qualified names get a reference, calls the ids of the overloads that fit. Problems go to `issues`, worded
 * as cel-go words them; the expression can only be used when there are none.
 */
export function check(expr: Expr, env: CheckEnvironment, issues: Issues): Type {
  const checker = new Checker(env, issues);
  checker.check(expr);
  checker.finish(expr);
  return expr.type!;
}

/** Variables of comprehensions. */
interface Scope {
  names: Map<string, Type>;
  parent: Scope | undefined;
}

class Checker {
  readonly #env: CheckEnvironment;
  readonly #issues: Issues;
  #substitution: Substitution = new Map();
  #scope: Scope | undefined;
  #typeVariables = 0;

  constructor(env: CheckEnvironment, issues: Issues) {
    this.#env = env;
    this.#issues = issues;
  }

  check(e: Expr): Type {
    e.type = this.#typeOf(e);
    return e.type;
  }

  /** Replaces what was not known yet by what it turned out to be. */
  finish(e: Expr): void {
    if (e.type) e.type = substitute(this.#substitution, e.type, true);
    for (const child of children(e)) this.finish(child);
  }

  #typeOf(e: Expr): Type {
    switch (e.kind) {
      case 'const':
        return literalType(e.value);
      case 'ident': {
        const found = this.#lookup(e.name);
        if (!found) return this.#undeclared(e.pos, e.name);
        e.ref = found.ref;
        return found.type;
      }
      case 'select':
        return this.#select(e);
      case 'call':
        return e.fn === '_?._' ? this.#optionalSelect(e) : this.#call(e);
      case 'list':
        return this.#list(e);
      case 'map':
        return this.#map(e);
      case 'struct':
        return this.#struct(e);
      case 'comprehension':
        return this.#comprehension(e);
      case 'unspecified':
        return ERROR;
    }
  }

  #error(at: number, message: string): Type {
    this.#issues.report(at, message);
    return ERROR;
  }

  #undeclared(at: number, name: string): Type {
    return this.#error(at, `undeclared reference to '${name}' (in container '')`);
  }

  #mismatch(at: number, expected: Type, actual: Type): Type {
    return this.#error(at, `expected type '${formatType(expected)}' but found '${formatType(actual)}'`);
  }

  #lookup(qualified: string): { type: Type; ref: IdentReference } | undefined {
    const name = qualified.startsWith('.') ? qualified.slice(1) : qualified;
    for (let scope = this.#scope; scope; scope = scope.parent) {
      const type = scope.names.get(name);
      if (type) return { type, ref: { name } };
    }
    const variable = this.#env.variables.get(name);
    if (variable) return { type: variable, ref: { name } };
    const type = this.#env.types.findType(name) ?? this.#env.types.findStruct(name);
    if (type) return { type: typeOf(type), ref: { name, value: type } };
    const number = this.#env.types.findEnumValue(name);
    return number === undefined ? undefined : { type: INT, ref: { name, value: number } };
  }

  #function(qualified: string): { name: string; overloads: readonly Overload[] } | undefined {
    const name = qualified.startsWith('.') ? qualified.slice(1) : qualified;
    const overloads = this.#env.functions.get(name);
    return overloads && { name, overloads };
  }

  #assignable(from: Type, to: Type): boolean {
    const attempt = new Map(this.#substitution);
    if (!assign(attempt, from, to)) return false;
    this.#substitution = attempt;
    return true;
  }

  #known(t: Type): Type {
    return substitute(this.#substitution, t, false);
  }

  #newTypeVariable(): Type {
    return paramType(`_var${this.#typeVariables++}`);
  }

  #select(e: SelectExpr): Type {
    const name = qualifiedName(e);
    const found = name === undefined ? undefined : this.#lookup(name);
    if (found) {
      e.ref = found.ref;
      return found.type;
    }
    const type = this.#field(e.pos, e.operand, e.field, false);
    return this.#known(e.testOnly ? BOOL : type);
  }

  #optionalSelect(e: CallExpr): Type {
    const [operand, field] = e.args;
    if (e.target || !operand || !field || field.kind !== 'const' || typeof field.value !== 'string') {
      return this.#error(e.pos, `unsupported optional field selection: ${e.args.length}`);
    }
    field.type = STRING;
    e.overloads = ['select_optional_field'];
    return this.#known(this.#field(e.pos, operand, field.value, true));
  }

  #field(at: number, operand: Expr, field: string, optional: boolean): Type {
    const operandType = this.#known(this.check(operand));
    const target = unwrapOptional(operandType);
    const type = this.#fieldOf(at, target, field);
    return isOptional(operandType) || optional ? optionalType(type) : type;
  }

  #fieldOf(at: number, target: Type, field: string): Type {
    switch (target.kind) {
      case 'map':
        return target.params[1]!;
      case 'struct':
        return this.#structField(at, target.name, field);
      case 'param':
        this.#assignable(DYN, target);
        return DYN;
      default:
        if (!isDynOrError(target)) {
          this.#error(at, `type '${formatType(target)}' does not support field selection`);
        }
        return DYN;
    }
  }

  #structField(at: number, structName: string, field: string): Type {
    if (!this.#env.types.findStruct(structName)) {
      return this.#error(at, `unexpected failed resolution of '${structName}'`);
    }
    return this.#env.types.findField(structName, field) ?? this.#error(at, `undefined field '${field}'`);
  }

  #call(e: CallExpr): Type {
    for (const arg of e.args) this.check(arg);
    if (!e.target) {
      const found = this.#function(e.fn);
      if (!found) return this.#undeclared(e.pos, e.fn);
      e.fn = found.name;
      return this.#resolve(e, found.overloads);
    }
    // `a.b.c()` is the function `a.b.c` where there is one, and else the method `c` of `a.b`.
    const prefix = qualifiedName(e.target);
    const namespaced = prefix === undefined ? undefined : this.#function(`${prefix}.${e.fn}`);
    if (namespaced) {
      e.fn = namespaced.name;
      e.target = undefined;
      return this.#resolve(e, namespaced.overloads);
    }
    this.check(e.target);
    const found = this.#function(e.fn);
    return found ? this.#resolve(e, found.overloads) : this.#undeclared(e.pos, e.fn);
  }

  #resolve(e: CallExpr, overloads: readonly Overload[]): Type {
    const args = e.target ? [e.target, ...e.args] : e.args;
    const types = args.map((arg) => arg.type!);
    if (e.fn === '_&&_' || e.fn === '_||_') return this.#logic(e, types);
    let result: Type | undefined;
    const ids: string[] = [];
    for (const overload of overloads) {
      if (overload.member !== (e.target !== undefined)) continue;
      const { params, result: declared } = this.#instantiate(overload);
      const attempt = new Map(this.#substitution);
      if (!assignAll(attempt, types, params)) continue;
      this.#substitution = attempt;
      ids.push(overload.id);
      const type = this.#known(declared);
      if (result === undefined) result = type;
      else if (!isDyn(result) && !isExact(type, result)) result = DYN;
    }
    if (result === undefined) {
      const known = types.map((t) => substitute(this.#substitution, t, true));
      const signature = formatSignature(known, e.target !== undefined);
      return this.#error(e.pos, `found no matching overload for '${e.fn}' applied to '${signature}'`);
    }
    e.overloads = ids;
    return result;
  }

  #logic(e: CallExpr, types: Type[]): Type {
    let failed = false;
    for (const [i, type] of types.entries()) {
      if (this.#assignable(type, BOOL)) continue;
      this.#mismatch(e.args[i]!.pos, BOOL, type);
      failed = true;
    }
    if (failed) return ERROR;
    e.overloads = [e.fn === '_&&_' ? 'logical_and' : 'logical_or'];
    return BOOL;
  }

  #instantiate(overload: Overload): { params: readonly Type[]; result: Type } {
    const names = typeParams([...overload.params, overload.result]);
    if (names.size === 0) return overload;
    const fresh = new Map([...names].map((name) => [name, this.#newTypeVariable().name]));
    return {
      params: overload.params.map((p) => renameParams(p, fresh)),
      result: renameParams(overload.result, fresh),
    };
  }

  #list(e: ListExpr): Type {
    let type: Type | undefined;
    for (const [i, element] of e.elements.entries()) {
      const found = this.#entryType(element, e.optionals.has(i));
      type = this.#join(type, found);
    }
    return listType(type ?? this.#newTypeVariable());
  }

  #map(e: MapExpr): Type {
    let keyType: Type | undefined;
    let valueType: Type | undefined;
    for (const { key, value, optional } of e.entries) {
      keyType = this.#join(keyType, this.check(key));
      valueType = this.#join(valueType, this.#entryType(value, optional));
    }
    return mapType(keyType ?? this.#newTypeVariable(), valueType ?? this.#newTypeVariable());
  }

  /** The type of an element, or of what is in it when it is written with a question mark. */
  #entryType(value: Expr, optional: boolean): Type {
    const type = this.check(value);
    if (!optional) return type;
    if (!isOptional(type) && !isDyn(type)) this.#mismatch(value.pos, optionalType(type), type);
    return unwrapOptional(type);
  }

  /** The type that two elements of a literal have in common. */
  #join(previous: Type | undefined, current: Type): Type {
    if (previous === undefined) return current;
    if (this.#assignable(previous, current)) return mostGeneral(previous, current);
    return DYN;
  }

  #struct(e: StructExpr): Type {
    const found = this.#lookup(e.typeName);
    if (!found) return this.#undeclared(e.pos, e.typeName);
    e.typeName = found.ref.name;
    let type = ERROR;
    if (found.type.kind !== 'type') {
      if (found.type.kind !== 'error') this.#error(e.pos, `'${declaredName(found.type)}' is not a type`);
    } else if (found.type.params[0] && this.#env.types.findStruct(e.typeName)) {
      type = found.type.params[0];
    } else {
      this.#error(e.pos, `'${declaredName(found.type.params[0] ?? found.type)}' is not a message type`);
    }
    e.type = type;
    for (const field of e.fields) {
      const valueType = this.#entryType(field.value, field.optional);
      const fieldType = this.#structField(field.pos, e.typeName, field.name);
      if (!this.#assignable(fieldType, valueType)) {
        this.#error(
          field.pos,
          `expected type of field '${field.name}' is '${formatType(fieldType)}' but provided type is '${formatType(valueType)}'`,
        );
      }
    }
    return type;
  }

  #comprehension(e: ComprehensionExpr): Type {
    const range = this.#known(this.check(e.range));
    const accu = this.check(e.init);
    const outer = this.#scope;
    const withAccu: Scope = { names: new Map([[e.accuVar, accu]]), parent: outer };
    this.#scope = { names: this.#iterationVariables(e, range), parent: withAccu };
    this.check(e.condition);
    this.#assertType(e.condition, BOOL);
    this.check(e.step);
    this.#assertType(e.step, accu);
    this.#scope = withAccu;
    const result = this.check(e.result);
    this.#scope = outer;
    return this.#known(result);
  }

  #iterationVariables(e: ComprehensionExpr, range: Type): Map<string, Type> {
    const two = e.iterVar2 !== '';
    let first: Type;
    let second: Type;
    switch (range.kind) {
      case 'list':
        first = two ? INT : range.params[0]!;
        second = range.params[0]!;
        break;
      case 'map':
        first = range.params[0]!;
        second = range.params[1]!;
        break;
      case 'dyn':
      case 'error':
      case 'param':
        this.#assignable(DYN, range);
        first = second = DYN;
        break;
      default:
        first = second = this.#error(
          e.range.pos,
          `expression of type '${formatType(range)}' cannot be range of a comprehension (must be list, map, or dynamic)`,
        );
    }
    const names = new Map([[e.iterVar, first]]);
    if (two) names.set(e.iterVar2, second);
    return names;
  }

  #assertType(e: Expr, type: Type): void {
    if (!this.#assignable(type, e.type!)) this.#mismatch(e.pos, type, e.type!);
  }
}

/** `a.b.c` as one name, if the expression is nothing but a chain of selections from a variable. */
function qualifiedName(e: Expr): string | undefined {
  if (e.kind === 'ident') return e.name;
  if (e.kind !== 'select' || e.testOnly) return undefined;
  const prefix = qualifiedName(e.operand);
  return prefix === undefined ? undefined : `${prefix}.${e.field}`;
}

function literalType(value: unknown): Type {
  switch (typeof value) {
    case 'boolean':
      return BOOL;
    case 'string':
      return STRING;
  }
  if (isInt(value)) return INT;
  if (isDouble(value)) return DOUBLE;
  if (value instanceof Uint) return UINT;
  return value instanceof Uint8Array ? BYTES : NULL;
}
