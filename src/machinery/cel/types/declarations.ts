import { Type } from './type.js';

/** What an overload does. Arguments are values of the declared types; failures are thrown as CelError. */
export type Implementation = (...args: never[]) => unknown;

/** One way to call a function. */
export interface Overload {
  id: string;
  params: readonly Type[];
  result: Type;
  /** The first parameter is the receiver: `s.startsWith('x')`. */
  member: boolean;
  /** Missing for the operators that the compiler knows. */
  implementation: Implementation | undefined;
  /** The implementation looks at its arguments itself: they may be of other types than declared. */
  unguarded?: boolean;
}

export interface FunctionDeclaration {
  name: string;
  overloads: Overload[];
}

/** Declares an overload called as a function. */
export function overload(id: string, params: Type[], result: Type, implementation?: Implementation): Overload {
  return { id, params, result, member: false, implementation };
}

/** Declares an overload called as a method of its first parameter. */
export function member(id: string, params: Type[], result: Type, implementation?: Implementation): Overload {
  return { id, params, result, member: true, implementation };
}

/** A set of functions and macros that can be added to an environment; functions of one name are merged. */
export interface Library {
  functions: Record<string, Overload[]>;
}

/** Names of the type parameters in a type. */
export function typeParams(types: readonly Type[], found = new Set<string>()): Set<string> {
  for (const t of types) {
    if (t.kind === 'param') found.add(t.name);
    typeParams(t.params, found);
  }
  return found;
}

/** Gives the type parameters of an overload names that occur nowhere else. */
export function renameParams(t: Type, names: ReadonlyMap<string, string>): Type {
  if (t.kind === 'param') {
    const name = names.get(t.name);
    return name === undefined ? t : new Type('param', name);
  }
  if (t.params.length === 0) return t;
  return new Type(
    t.kind,
    t.name,
    t.params.map((p) => renameParams(p, names)),
    t.nullable,
  );
}
