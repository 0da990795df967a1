import type { Convert } from '../program/select.js';
import type { Type } from './type.js';

/**
 * A CEL type with what a schema says beyond it: sizes for cost estimates, how data is turned into values, and when two
 * lists are the same.
 */
export interface DeclType {
  type: Type;
  /** Most elements (characters, items, entries) a value can have; Infinity when nothing bounds it. */
  maxElements: number;
  /** Size in bytes of the smallest JSON text of a value. */
  minSize: number;
  /** Fields of an object by the name under which expressions know them. */
  fields?: ReadonlyMap<string, DeclField>;
  /** Type of the elements of a list or of the values of a map. */
  element?: DeclType;
  /** A list whose order does not matter: elements are told apart by value (set) or by some fields (map). */
  listType?: 'set' | 'map';
  /** Fields that tell the elements of such a list apart. */
  listMapKeys?: readonly string[];
  /** Turns data into a value, where that is not the data itself. */
  convert?: Convert;
}

export interface DeclField {
  /** Name in the data, which may be one that expressions cannot write. */
  name: string;
  decl: DeclType;
}
