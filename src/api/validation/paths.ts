import { invalidValue, type Path } from '../../machinery/field.js';
import type { Check, Rule } from './check.js';

const asString = (v: unknown): string => (typeof v === 'string' ? v : '');

function backsteps(path: string, at: Path, c: Check): void {
  if (path.split('/').includes('..')) c.errors.push(invalidValue(at, path, "must not contain '..'"));
}
function descending(path: string, at: Path, c: Check): void {
  if (path.startsWith('/')) c.errors.push(invalidValue(at, path, 'must be a relative path'));
  backsteps(path, at, c);
}

/** No element of the path is `..`. */
export const noBacksteps: Rule = (v, at, c) => backsteps(asString(v), at, c);
/** Relative, and without `..`. */
export const descendingPath: Rule = (v, at, c) => descending(asString(v), at, c);
/** As `descendingPath`, and not starting with `..` either: such names belong to the kubelet. */
export const unreservedPath: Rule = (v, at, c) => {
  const path = asString(v);
  descending(path, at, c);
  if (path.startsWith('..') && !path.startsWith('../'))
    c.errors.push(invalidValue(at, path, "must not start with '..'"));
};
export const absolutePath: Rule = (v, at, c) => {
  if (!asString(v).startsWith('/')) c.errors.push(invalidValue(at, v, 'must be an absolute path'));
};
