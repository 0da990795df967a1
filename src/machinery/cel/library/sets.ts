import { type Overload, overload } from '../types/declarations.js';
import { BOOL, listType, paramType } from '../types/type.js';
import { contains } from '../values/compare.js';

const LIST = listType(paramType('T'));

function containsAll(list: unknown[], part: unknown[]): boolean {
  return part.every((value) => contains(list, value));
}

/** cel-go's sets extension: lists looked at as sets. */
export const SETS: Record<string, Overload[]> = {
  'sets.contains': [overload('list_sets_contains_list', [LIST, LIST], BOOL, containsAll)],
  'sets.equivalent': [
    overload(
      'list_sets_equivalent_list',
      [LIST, LIST],
      BOOL,
      (a: unknown[], b: unknown[]) => containsAll(a, b) && containsAll(b, a),
    ),
  ],
  'sets.intersects': [
    overload('list_sets_intersects_list', [LIST, LIST], BOOL, (a: unknown[], b: unknown[]) =>
      a.some((value) => contains(b, value)),
    ),
  ],
};
