import { member, type Overload, overload } from '../types/declarations.js';
import { BOOL, DYN, INT, listType, mapType, optionalType, paramType, STRING } from '../types/type.js';
import { isMap, mapSize, Optional } from '../values/containers.js';
import { CelError } from '../values/error.js';
import { Double, Uint } from '../values/numbers.js';
import { Duration, FIRST_SECOND, Timestamp } from '../values/time.js';

const K = paramType('K');
const V = paramType('V');
const OPTIONAL = optionalType(V);
const LIST = listType(V);
const MAP = mapType(K, V);
const OPTIONALS = listType(OPTIONAL);

/** What a field of its type is when nobody sets it. */
function isZero(value: unknown): boolean {
  if (value === null || value === false || value === '' || value === 0) return true;
  if (value instanceof Double) return value.value === 0;
  if (value instanceof Uint) return value.value === 0n;
  if (value instanceof Duration) return value.nanos === 0n;
  if (value instanceof Timestamp) return value.seconds === FIRST_SECOND && value.nanos === 0;
  if (Array.isArray(value) || value instanceof Uint8Array) return value.length === 0;
  if (value instanceof Optional) return !value.present;
  return isMap(value) && mapSize(value) === 0;
}

function unwrap(list: unknown[]): unknown[] {
  const values: unknown[] = [];
  for (const value of list) {
    if (!(value instanceof Optional)) throw new CelError(`value ${String(value)} is not optional`);
    if (value.present) values.push(value.value);
  }
  return values;
}

/** cel-go's optional types. Selections and indexes are known to the compiler. */
export const OPTIONALS_LIBRARY: Record<string, Overload[]> = {
  'optional.of': [overload('optional_of', [V], OPTIONAL, (value: unknown) => Optional.of(value))],
  'optional.ofNonZeroValue': [
    overload('optional_ofNonZeroValue', [V], OPTIONAL, (value: unknown) =>
      isZero(value) ? Optional.none : Optional.of(value),
    ),
  ],
  'optional.none': [overload('optional_none', [], OPTIONAL, () => Optional.none)],
  value: [member('optional_value', [OPTIONAL], V, (o: Optional) => o.value)],
  hasValue: [member('optional_hasValue', [OPTIONAL], BOOL, (o: Optional) => o.present)],
  or: [member('optional_or_optional', [OPTIONAL, OPTIONAL], OPTIONAL)],
  orValue: [member('optional_orValue_value', [OPTIONAL, V], V)],
  '_?._': [overload('select_optional_field', [DYN, STRING], OPTIONAL)],
  '_[?_]': [
    overload('list_optindex_optional_int', [LIST, INT], OPTIONAL),
    overload('optional_list_optindex_optional_int', [optionalType(LIST), INT], OPTIONAL),
    overload('map_optindex_optional_value', [MAP, K], OPTIONAL),
    overload('optional_map_optindex_optional_value', [optionalType(MAP), K], OPTIONAL),
  ],
  '_[_]': [
    overload('optional_list_index_int', [optionalType(LIST), INT], OPTIONAL),
    overload('optional_map_index_value', [optionalType(MAP), K], OPTIONAL),
  ],
  last: [
    member('list_last', [LIST], OPTIONAL, (list: unknown[]) =>
      list.length === 0 ? Optional.none : Optional.of(list.at(-1)),
    ),
  ],
  first: [
    member('list_first', [LIST], OPTIONAL, (list: unknown[]) =>
      list.length === 0 ? Optional.none : Optional.of(list[0]),
    ),
  ],
  'optional.unwrap': [overload('optional_unwrap', [OPTIONALS], LIST, unwrap)],
  unwrapOpt: [member('optional_unwrapOpt', [OPTIONALS], LIST, unwrap)],
};
