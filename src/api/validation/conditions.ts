import { duplicate, required as requiredError, tooLong } from '../../machinery/field.js';
import { isJsonObject } from '../../machinery/json.js';
import { type Rule, struct } from './check.js';
import { byteLength, qualifiedName, regexError } from './formats.js';
import { each, format, oneOf, required, satisfies } from './rules.js';

const REASON = '[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?';
const REASON_TEXT = regexError(
  "a condition reason must start with alphabetic character, optionally followed by a string of alphanumeric characters or '_,:', and must end with an alphanumeric character or '_'",
  REASON,
  ...['my_name', 'MY_NAME', 'MyName', 'ReasonA,ReasonB', 'ReasonA:ReasonB'],
);
// The same as REASON, without its backtracking.
const isReason = (s: string) => /^[A-Za-z][A-Za-z0-9_,:]*$/.test(s) && !/[,:]$/.test(s);

const atMost =
  (bytes: number): Rule =>
  (v, at, c) => {
    if (typeof v === 'string' && byteLength(v) > bytes) c.errors.push(tooLong(at, bytes));
  };

const condition = struct('io.k8s.apimachinery.pkg.apis.meta.v1.Condition', {
  type: format(qualifiedName),
  status: oneOf('False', 'True', 'Unknown'),
  observedGeneration: satisfies((n) => n >= 0, 'must be greater than or equal to zero'),
  lastTransitionTime: (v, at, c) => {
    if (v === undefined) c.errors.push(requiredError(at));
  },
  reason: required(
    format((s) => (isReason(s) ? [] : [REASON_TEXT])),
    atMost(1024),
  ),
  message: atMost(32 * 1024),
});

/** A list of meta.v1.Condition, one of each type. */
export const conditions: Rule = (v, at, c) => {
  const types = new Set<unknown>();
  each((e, here) => {
    const type = isJsonObject(e) ? (e.type ?? '') : '';
    if (types.has(type)) c.errors.push(duplicate(here.child('type'), type));
    types.add(type);
    condition(e, here, c);
  })(v, at, c);
};
