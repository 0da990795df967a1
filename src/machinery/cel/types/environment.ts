import type { Int } from '../values/numbers.js';
import type { Overload } from './declarations.js';
import type { Type } from './type.js';

/** Looks up the object types and type names of an environment. */
export interface TypeProvider {
  /** The type of a type name used as a value (`int`, `net.IP`), or undefined. */
  findType(name: string): Type | undefined;
  /** The object type of this name, whose fields can be selected and which `Name{…}` creates. */
  findStruct(name: string): Type | undefined;
  findField(structName: string, field: string): Type | undefined;
  /** The number of an enum's value, by its qualified name. */
  findEnumValue(name: string): Int | undefined;
}

/** What an expression may refer to. */
export interface CheckEnvironment {
  variables: ReadonlyMap<string, Type>;
  functions: ReadonlyMap<string, readonly Overload[]>;
  types: TypeProvider;
}
