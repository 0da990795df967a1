import { types } from '../../machinery/cel/index.js';
import { duplicate, invalidValue, Path, required as requiredError } from '../../machinery/field.js';
import { equalJson, type JsonObject, type KubeObject } from '../../machinery/json.js';
import { list, obj, ptr, str } from '../access.js';
import { kind } from '../kind.js';
import type { Strategy } from '../strategy.js';
import {
  type Check,
  conditions,
  each,
  formats,
  goForm,
  ifPresent,
  invalidEach,
  oneOf,
  type Rule,
  required,
  requiredPresent,
  struct,
  whole,
} from '../validation/index.js';
import { blank, expression, matchConditions, type Scope, variables } from './expressions.js';
import { jsonPathFault } from './json-path.js';
import {
  failurePolicy,
  matchResources,
  mutatingOperations,
  paramKind,
  reinvocationPolicy,
  reservedName,
  reservedNameWarnings,
} from './matching.js';

const GROUP = 'admissionregistration.k8s.io';
const SPEC = new Path('spec');
const MAX_ANNOTATIONS = 20;
const MAX_VALUE_LENGTH = 5 * 1024;

/** What both kinds of policy begin with. */
function head(spec: JsonObject, mutating: boolean, c: Check): void {
  requiredPresent('', failurePolicy)(spec.failurePolicy, SPEC.child('failurePolicy'), c);
  ifPresent(paramKind)(spec.paramKind, SPEC.child('paramKind'), c);
  const at = SPEC.child('matchConstraints');
  const match = ptr(spec, 'matchConstraints');
  if (match) {
    matchResources(match, at, c);
    if (list(match, 'resourceRules').length === 0) c.errors.push(requiredError(at.child('resourceRules')));
    if (mutating) mutatingOperations(match, at, c);
  } else c.errors.push(requiredError(at));
  const old = c.old && obj(c.old, 'spec');
  const same = (name: string) => equalJson(spec[name], old?.[name]);
  // Conditions that did not change are not compiled again.
  if (old && same('paramKind') && same('matchConditions')) return;
  matchConditions(spec.matchConditions, spec.paramKind !== undefined, SPEC.child('matchConditions'), c);
}

const scopeOf = (spec: JsonObject): Scope => ({
  params: spec.paramKind !== undefined,
  authorizer: true,
  patchTypes: false,
});

// Validating --------------------------------------------------------------------------------------------------------

const REASONS = oneOf('Forbidden', 'Invalid', 'RequestEntityTooLarge');

type Variables = Parameters<typeof expression>[1]['variables'];

function validation(v: JsonObject, has: Scope, known: Variables, at: Path, c: Check): void {
  const here = (name: string) => at.child(name);
  const text = str(v, 'expression');
  if (blank(text)) c.errors.push(requiredError(here('expression'), 'expression is not specified'));
  else expression(text, { ...has, variables: known }, [types.BOOL], here('expression'), c);
  const empty = (name: string) => c.errors.push(invalidValue(here(name), v[name], 'must be non-empty if specified'));
  const message = str(v, 'messageExpression');
  if (message && blank(message)) empty('messageExpression');
  else if (message)
    expression(message, { ...has, authorizer: false, variables: known }, [types.STRING], here('messageExpression'), c);
  const fixed = str(v, 'message');
  if (fixed && blank(fixed)) empty('message');
  else if (/[\n\r]/.test(fixed.trim()))
    c.errors.push(invalidValue(here('message'), fixed, 'must not contain line breaks'));
  ifPresent(REASONS)(v.reason, here('reason'), c);
}

function auditAnnotation(a: JsonObject, policy: string, has: Scope, known: Variables, at: Path, c: Check): void {
  const key = str(a, 'key');
  if (policy) invalidEach(c, at.child('key'), `${policy}/${key}`, formats.qualifiedName(`${policy}/${key}`));
  else c.errors.push(invalidValue(at.child('key'), key, 'requires metadata.name be non-empty'));
  const here = at.child('valueExpression');
  const value = str(a, 'valueExpression');
  const text = value.trim();
  if (text === '') c.errors.push(requiredError(here, 'valueExpression is not specified'));
  else if (formats.byteLength(text) > MAX_VALUE_LENGTH)
    c.errors.push(requiredError(here, `must not exceed ${MAX_VALUE_LENGTH} bytes in length`));
  else expression(text, { ...has, variables: known }, [types.STRING, types.NULL], here, c, value);
}

const NOTHING_TO_DO = 'validations or auditAnnotations must contain at least one item';

function validating(o: KubeObject, c: Check): void {
  const spec = obj(o, 'spec');
  head(spec, false, c);
  const has = scopeOf(spec);
  const known = list(spec, 'variables').length > 0 ? variables(spec, has, SPEC.child('variables'), c) : undefined;
  const validations = list(spec, 'validations');
  const annotations = list(spec, 'auditAnnotations');
  const at = SPEC.child('auditAnnotations');
  if (validations.length + annotations.length === 0)
    for (const name of ['validations', 'auditAnnotations'])
      c.errors.push(requiredError(SPEC.child(name), NOTHING_TO_DO));
  validations.forEach((v, i) => {
    validation(v, has, known, SPEC.child('validations').index(i), c);
  });
  if (annotations.length > MAX_ANNOTATIONS)
    c.errors.push(
      invalidValue(
        at,
        goForm('admissionregistration.v1.AuditAnnotation', annotations),
        `must not have more than ${MAX_ANNOTATIONS} auditAnnotations`,
      ),
    );
  const keys = new Set<string>();
  annotations.forEach((a, i) => {
    auditAnnotation(a, o.metadata.name ?? '', has, known, at.index(i), c);
    const key = str(a, 'key');
    if (keys.has(key)) c.errors.push(duplicate(at.index(i).child('key'), key));
    keys.add(key);
  });
  reservedName(o.metadata.name ?? '', c);
}

const warnings: NonNullable<Parameters<typeof kind>[0]['warnings']> = (ctx, o, old) =>
  reservedNameWarnings(o.metadata.name ?? '', !old, (name) => ctx.gate(name));

const fieldRef: Rule = (v, at, c) => {
  const text = String(v ?? '').trim();
  const fault = text === '' ? undefined : jsonPathFault(`{${text}}`);
  if (text === '') c.errors.push(requiredError(at));
  else if (fault) c.errors.push(invalidValue(at, text, `invalid JSONPath: ${fault}`));
};

const policyStatus = struct('admissionregistration.v1.ValidatingAdmissionPolicyStatus', {
  typeChecking: ifPresent(
    struct('admissionregistration.v1.TypeChecking', {
      expressionWarnings: each(struct('admissionregistration.v1.ExpressionWarning', { warning: required(), fieldRef })),
    }),
  ),
  conditions,
});

export const validatingAdmissionPolicy: Strategy = kind({
  group: GROUP,
  kind: 'ValidatingAdmissionPolicy',
  standardFinalizers: false,
  rules: (v, _, c) => validating(v as KubeObject, c),
  onUpdate: ['meta', 'rules'],
  warnings,
  subresources: { status: { rules: (o, _, c) => policyStatus(o.status, new Path('status'), c) } },
});

// Mutating ----------------------------------------------------------------------------------------------------------

/** By type of patch: its field, the type that its expression gives, and the name of the other field. */
const PATCHES: Readonly<Record<string, readonly [field: string, result: types.Type, other: string]>> = {
  ApplyConfiguration: ['applyConfiguration', types.objectType('Object'), 'jsonPatch'],
  JSONPatch: ['jsonPatch', types.listType(types.objectType('JSONPatch')), 'applyConfiguration'],
};
const patchType = required(oneOf(...Object.keys(PATCHES)));

function mutation(m: JsonObject, has: Scope, known: Variables, at: Path, c: Check): void {
  const type = str(m, 'patchType');
  const own = Object.hasOwn(PATCHES, type) ? PATCHES[type] : undefined;
  if (!own) {
    patchType(type, at.child('patchType'), c);
    return;
  }
  const [field, result, other] = own;
  const patch = ptr(m, field);
  const here = at.child(field);
  if (patch) {
    const text = str(patch, 'expression').trim();
    if (text === '') c.errors.push(requiredError(here.child('expression')));
    else expression(text, { ...has, patchTypes: true, variables: known }, [result], here.child('expression'), c);
  } else c.errors.push(requiredError(here, `must be specified when patchType is ${type}`));
  if (m[other] !== undefined)
    c.errors.push(invalidValue(at.child(other), `{${other}}`, `must not be specified when patchType is ${type}`));
}

const mutating: Rule = whole((v, _, c) => {
  const o = v as KubeObject;
  const spec = obj(o, 'spec');
  head(spec, true, c);
  const has = scopeOf(spec);
  const known = variables(spec, has, SPEC.child('variables'), c);
  const mutations = list(spec, 'mutations');
  if (mutations.length === 0)
    c.errors.push(requiredError(SPEC.child('mutations'), 'mutations must contain at least one item'));
  mutations.forEach((m, i) => {
    mutation(m, has, known, SPEC.child('mutations').index(i), c);
  });
  required(reinvocationPolicy)(str(spec, 'reinvocationPolicy'), SPEC.child('reinvocationPolicy'), c);
  reservedName(o.metadata.name ?? '', c);
});

export const mutatingAdmissionPolicy: Strategy = kind({
  group: GROUP,
  kind: 'MutatingAdmissionPolicy',
  standardFinalizers: false,
  rules: mutating,
  onUpdate: ['meta', 'rules'],
  warnings,
});
