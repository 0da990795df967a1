import { compileExpression } from '../../admission/cel/expression.js';
import { fieldType } from '../../admission/cel/variables.js';
import {
  type AdmissionVariables,
  admissionEnvironment,
  type Environment,
  types,
  VariableTypes,
} from '../../machinery/cel/index.js';
import {
  duplicate,
  internalFieldError,
  invalidValue,
  type Path,
  required as requiredError,
  tooMany,
} from '../../machinery/field.js';
import type { JsonObject, JsonValue } from '../../machinery/json.js';
import { list, str } from '../access.js';
import { type Check, formats, invalidEach } from '../validation/index.js';

const MAX_CONDITIONS = 64;
const INSTANTIATION = 'program instantiation failed';

/** What expressions of a policy or webhook may use. */
export type Scope = Omit<AdmissionVariables, 'variables'>;

export const blank = (text: string): boolean => text.trim() === '';

/** Those who have many expressions about the same things hand over the same object again. */
const environments = new WeakMap<AdmissionVariables, Environment>();

function environmentOf(has: AdmissionVariables): Environment {
  const known = environments.get(has);
  if (known) return known;
  const made = admissionEnvironment(has);
  environments.set(has, made);
  return made;
}

/** Compiles an expression and reports what is wrong with it. `shown` is the text that the fault shows. */
export function expression(
  text: string,
  has: AdmissionVariables,
  results: readonly types.Type[],
  at: Path,
  c: Check,
  shown = text,
): types.Type | undefined {
  const { error, type } = compileExpression(text, environmentOf(has), results);
  if (error.startsWith(INSTANTIATION)) c.errors.push(internalFieldError(at, error));
  else if (error) c.errors.push(invalidValue(at, shown, error));
  return type;
}

/** Conditions of which all must hold for a webhook or policy to be asked; they know no variables of the policy. */
export function matchConditions(v: JsonValue | undefined, params: boolean, at: Path, c: Check): void {
  const all = Array.isArray(v) ? (v as JsonObject[]) : [];
  const names = new Set<string>();
  if (all.length > MAX_CONDITIONS) c.errors.push(tooMany(at, all.length, MAX_CONDITIONS));
  all.forEach((condition, i) => {
    const here = at.index(i);
    const text = str(condition, 'expression').trim();
    if (text === '') c.errors.push(requiredError(here.child('expression')));
    else expression(text, { params, authorizer: true, patchTypes: false }, [types.BOOL], here.child('expression'), c);
    const name = str(condition, 'name');
    if (name === '') {
      c.errors.push(requiredError(here.child('name')));
      return;
    }
    invalidEach(c, here.child('name'), name, formats.qualifiedName(name));
    if (names.has(name)) c.errors.push(duplicate(here.child('name'), name));
    names.add(name);
  });
}

const RESERVED = new Set([
  ...['true', 'false', 'null', 'in', 'as', 'break', 'const', 'continue', 'else', 'for', 'function', 'if'],
  ...['import', 'let', 'loop', 'package', 'namespace', 'return', 'var', 'void', 'while'],
]);
const isIdentifier = (name: string): boolean => /^[_a-zA-Z][_a-zA-Z0-9]*$/.test(name) && !RESERVED.has(name);

/** The variables of a policy, each of which may use those before it. Gives the types that later expressions see. */
export function variables(spec: JsonObject, has: Scope, at: Path, c: Check): VariableTypes {
  const known = new VariableTypes();
  const scope = { ...has, variables: known };
  list(spec, 'variables').forEach((variable, i) => {
    const here = at.index(i);
    const name = str(variable, 'name');
    const text = str(variable, 'expression');
    if (blank(name)) c.errors.push(requiredError(here.child('name'), 'name is not specified'));
    else if (!isIdentifier(name))
      c.errors.push(invalidValue(here.child('name'), name, 'must be a valid CEL identifier'));
    if (blank(text)) {
      c.errors.push(requiredError(here.child('expression'), 'expression is not specified'));
      return;
    }
    const type = expression(text, scope, [types.ANY], here.child('expression'), c);
    if (name) known.set(name, type ? fieldType(type) : types.DYN);
  });
  return known;
}
