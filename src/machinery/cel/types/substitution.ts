import {
  DYN,
  isAssignableTo,
  isDyn,
  isDynOrError,
  isExact,
  listType,
  mapType,
  opaqueType,
  type Type,
  typeOf,
} from './type.js';

/** What type parameters stand for, found while an expression is checked. */
export type Substitution = Map<string, Type>;

/**
 * Whether values of type `from` fit where `to` is wanted. Type parameters on either side are bound in `m` on the way;
 * when the answer is no, `m` may have been changed and must be thrown away.
 */
export function assign(m: Substitution, from: Type, to: Type): boolean {
  if (to.kind === 'param') {
    const { valid, bound } = bind(m, from, to);
    if (valid) return true;
    if (bound) return false;
  }
  if (from.kind === 'param') return bind(m, to, from).valid;
  if (isDynOrError(from) || isDynOrError(to)) return true;
  if (from.kind === 'null') return takesNull(to);
  if (to.kind === 'null') return takesNull(from);
  switch (from.kind) {
    case 'type':
      return to.kind === 'type';
    case 'opaque':
    case 'list':
    case 'map':
      return from.kind === to.kind && from.name === to.name && assignAll(m, from.params, to.params);
    default:
      return isAssignableTo(to, from);
  }
}

export function assignAll(m: Substitution, from: readonly Type[], to: readonly Type[]): boolean {
  return from.length === to.length && from.every((t, i) => assign(m, t, to[i]!));
}

/** Tries to let the parameter `param` stand for `type`; `bound` says that it stood for something already. */
function bind(m: Substitution, type: Type, param: Type): { valid: boolean; bound: boolean } {
  if (type.kind === param.kind && isExact(type, param)) return { valid: true, bound: true };
  const old = m.get(param.name);
  if (old) {
    if (type.kind === old.kind && isExact(type, old)) return { valid: true, bound: true };
    if (!assign(m, type, old)) return { valid: false, bound: true };
    const general = mostGeneral(type, old);
    if (!occursIn(m, param, general)) m.set(param.name, general);
    return { valid: true, bound: true };
  }
  if (occursIn(m, param, type)) return { valid: false, bound: false };
  m.set(param.name, type);
  return { valid: true, bound: false };
}

function takesNull(t: Type): boolean {
  return ['opaque', 'struct', 'any', 'duration', 'timestamp', 'null'].includes(t.kind) || t.nullable;
}

/** The less specific one of two types of which one can be assigned to the other. */
export function mostGeneral(a: Type, b: Type): Type {
  return isLessSpecific(a, b) ? a : b;
}

function isLessSpecific(a: Type, b: Type): boolean {
  if (isDyn(a) || a.kind === 'param') return true;
  if (isDyn(b) || b.kind === 'param') return false;
  if (a.kind !== b.kind) return false;
  switch (a.kind) {
    case 'opaque':
    case 'list':
    case 'map':
      return (
        a.name === b.name &&
        a.params.length === b.params.length &&
        a.params.every((p, i) => isLessSpecific(p, b.params[i]!))
      );
    case 'type':
      return true;
    default:
      return isExact(a, b);
  }
}

function occursIn(m: Substitution, param: Type, within: Type): boolean {
  if (isExact(param, within)) return true;
  if (within.kind === 'param') {
    const bound = m.get(within.name);
    return bound !== undefined && occursIn(m, param, bound);
  }
  return within.params.some((p) => occursIn(m, param, p));
}

/** Replaces type parameters by what they stand for, and those that stand for nothing by dyn when asked to. */
export function substitute(m: Substitution, t: Type, paramToDyn: boolean): Type {
  if (t.kind === 'param') {
    const bound = m.get(t.name);
    if (bound) return substitute(m, bound, paramToDyn);
    return paramToDyn ? DYN : t;
  }
  if (t.params.length === 0) return t;
  const params = t.params.map((p) => substitute(m, p, paramToDyn));
  if (params.every((p, i) => p === t.params[i])) return t;
  switch (t.kind) {
    case 'list':
      return listType(params[0]!);
    case 'map':
      return mapType(params[0]!, params[1]!);
    case 'type':
      return typeOf(params[0]!);
    default:
      return opaqueType(t.name, ...params);
  }
}
