export type Kind =
  | 'any'
  | 'bool'
  | 'bytes'
  | 'double'
  | 'duration'
  | 'dyn'
  | 'error'
  | 'int'
  | 'list'
  | 'map'
  | 'null'
  | 'opaque'
  | 'string'
  | 'struct'
  | 'timestamp'
  | 'type'
  | 'param'
  | 'uint';

/**
 * A type of CEL. The same objects are values of an expression (`type(x) == int`), where only the name counts.
 */
export class Type {
  readonly kind: Kind;
  /** Name as expressions write it: `int`, `list`, `google.protobuf.Timestamp`, the name of an object type. */
  readonly name: string;
  readonly params: readonly Type[];
  /** A wrapper type: the primitive or null. */
  readonly nullable: boolean;

  constructor(kind: Kind, name: string, params: readonly Type[] = [], nullable = false) {
    this.kind = kind;
    this.name = name;
    this.params = params;
    this.nullable = nullable;
  }
}

export const ANY = new Type('any', 'google.protobuf.Any');
export const BOOL = new Type('bool', 'bool');
export const BYTES = new Type('bytes', 'bytes');
export const DOUBLE = new Type('double', 'double');
export const DURATION = new Type('duration', 'google.protobuf.Duration');
export const DYN = new Type('dyn', 'dyn');
export const ERROR = new Type('error', 'error');
export const INT = new Type('int', 'int');
export const NULL = new Type('null', 'null_type');
export const STRING = new Type('string', 'string');
export const TIMESTAMP = new Type('timestamp', 'google.protobuf.Timestamp');
export const TYPE = new Type('type', 'type');
export const UINT = new Type('uint', 'uint');

export function listType(element: Type): Type {
  return new Type('list', 'list', [element]);
}
export function mapType(key: Type, value: Type): Type {
  return new Type('map', 'map', [key, value]);
}
export function opaqueType(name: string, ...params: Type[]): Type {
  return new Type('opaque', name, params);
}
export function optionalType(value: Type): Type {
  return opaqueType('optional_type', value);
}
export function objectType(name: string): Type {
  return new Type('struct', name);
}
export function paramType(name: string): Type {
  return new Type('param', name);
}
/** The type of a type: what `int` as a value is. */
export function typeOf(type: Type): Type {
  return new Type('type', 'type', [type]);
}
/** A wrapper: the type or null. */
export function nullableType(type: Type): Type {
  return new Type(type.kind, type.name, type.params, true);
}

export const LIST = listType(DYN);
export const MAP = mapType(DYN, DYN);

export function isDyn(t: Type): boolean {
  return t.kind === 'dyn' || t.kind === 'any';
}
export function isDynOrError(t: Type): boolean {
  return isDyn(t) || t.kind === 'error';
}
export function isOptional(t: Type): boolean {
  return t.kind === 'opaque' && t.name === 'optional_type';
}
/** The type inside an optional, or the type itself. */
export function unwrapOptional(t: Type): Type {
  return isOptional(t) ? t.params[0]! : t;
}

/** Same type in every respect; names of type parameters count unless `anyParam`. */
export function isExact(a: Type, b: Type, anyParam = false): boolean {
  if (a === b) return true;
  if (a.kind !== b.kind || a.params.length !== b.params.length) return false;
  if (!(anyParam && a.kind === 'param') && a.name !== b.name) return false;
  return a.params.every((p, i) => isExact(p, b.params[i]!, anyParam));
}

/** Whether a value of type `from` can be used where `to` is wanted, both being free of type parameters. */
export function isAssignableTo(to: Type, from: Type): boolean {
  if (to.nullable) return from.kind === 'null' || isAssignableTo(new Type(to.kind, to.name, to.params), from);
  if (to === from || to.kind === 'dyn' || to.kind === 'any' || to.kind === 'param') return true;
  if (to.kind !== from.kind || to.name !== from.name || to.params.length !== from.params.length) return false;
  return to.params.every((p, i) => isAssignableTo(p, from.params[i]!));
}

/** A type as messages of the type checker print it. */
export function formatType(t: Type): string {
  switch (t.kind) {
    case 'any':
      return 'any';
    case 'duration':
      return 'duration';
    case 'timestamp':
      return 'timestamp';
    case 'error':
      return '!error!';
    case 'null':
      return 'null';
    case 'param':
      return t.name;
  }
  if (t.params.length > 0) return `${t.name}(${t.params.map(formatType).join(', ')})`;
  return declaredName(t);
}

/** A type as messages outside of the type checker print it. */
export function typeToString(t: Type): string {
  if (t.kind === 'param') return `<${t.name}>`;
  if (t.params.length === 0) return declaredName(t);
  return `${declaredName(t)}(${t.params.map(typeToString).join(', ')})`;
}

export function declaredName(t: Type): string {
  return t.nullable ? `wrapper(${t.name})` : t.name;
}

/** Arguments of a call as messages print them. */
export function formatSignature(args: readonly Type[], member: boolean): string {
  const names = args.map(formatType);
  return member ? `${names[0]}.(${names.slice(1).join(', ')})` : `(${names.join(', ')})`;
}
