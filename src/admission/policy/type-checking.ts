import {
  admissionEnvironment,
  type CelSchema,
  type DeclType,
  type Environment,
  schemaType,
  types,
  VariableTypes,
} from '../../machinery/cel/index.js';
import { compareBytes } from '../../machinery/go-format.js';
import { type GroupVersionKind, type GroupVersionResource, parseApiVersion } from '../../machinery/json.js';
import type { Rule } from '../matching/rules.js';
import type { ValidatingPolicySpec } from './validating-policy.js';

export interface TypeCheckingDeps {
  /** The kind of a served resource. */
  kindOf(resource: GroupVersionResource): GroupVersionKind | undefined;
  /** The schema of a served kind; undefined when it has none. */
  schemaOf(kind: GroupVersionKind): CelSchema | undefined;
  /** A number that is different each time: types are named apart by it. */
  unique(): number;
}

export interface ExpressionWarning {
  readonly fieldRef: string;
  readonly warning: string;
}

/** Policies that are about more kinds are checked against these many. */
const MAX_KINDS = 10;

/**
 * Checks the expressions of a policy against the schemas of the kinds that its rules name, where they name any without
 * wildcards. What is found changes nothing about the policy: it is for its status.
 */
export function checkTypes(spec: ValidatingPolicySpec, deps: TypeCheckingDeps): ExpressionWarning[] {
  const environments = kindsToCheck(spec, deps).flatMap((kind) => {
    const schema = deps.schemaOf(kind);
    return schema ? [{ kind, env: environment(spec, kind, schema, deps) }] : [];
  });
  const warnings: ExpressionWarning[] = [];
  const check = (fieldRef: string, text: string): void => {
    const found = environments.flatMap(({ kind, env }) => {
      const { issues } = env.check(text);
      return issues ? [`${kind.group}/${kind.version}, Kind=${kind.kind}: ${issues}\n`] : [];
    });
    if (found.length > 0) warnings.push({ fieldRef, warning: found.join('\n') });
  };
  for (const [i, { expression = '', messageExpression }] of (spec.validations ?? []).entries()) {
    check(`spec.validations[${i}].expression`, expression);
    if (messageExpression) check(`spec.validations[${i}].messageExpression`, messageExpression);
  }
  return warnings;
}

/** The environment of expressions about one kind; a variable that does not fit it can be anything. */
function environment(
  spec: ValidatingPolicySpec,
  kind: GroupVersionKind,
  schema: CelSchema,
  deps: TypeCheckingDeps,
): Environment {
  const object = declared(schema, kind, deps);
  const { paramKind } = spec;
  const paramGvk = paramKind && { ...parseApiVersion(paramKind.apiVersion ?? ''), kind: paramKind.kind ?? '' };
  const paramSchema = paramGvk && deps.schemaOf(paramGvk);
  const params = paramSchema && declared(paramSchema, paramGvk, deps);
  const known = new VariableTypes();
  const made = admissionEnvironment({
    params: paramKind !== undefined,
    authorizer: true,
    patchTypes: false,
    variables: known,
  }).withVariables({ object, oldObject: object, ...(params && { params }) });
  for (const { name, expression } of spec.variables ?? []) {
    const checked = made.check(expression);
    known.set(name, checked.issues ? types.DYN : checked.type);
  }
  return made;
}

function declared(schema: CelSchema, { kind }: GroupVersionKind, { unique }: TypeCheckingDeps): DeclType | types.Type {
  return schemaType(schema, `${kind}${unique()}`, true) ?? types.DYN;
}

function kindsToCheck(spec: ValidatingPolicySpec, { kindOf }: TypeCheckingDeps): GroupVersionKind[] {
  const kinds = new Map<string, GroupVersionKind>();
  for (const rule of spec.matchConstraints?.resourceRules ?? []) {
    for (const resource of resourcesOf(rule)) {
      const kind = kindOf(resource);
      if (kind) kinds.set(`${kind.group} ${kind.version} ${kind.kind}`, kind);
      if (kinds.size === MAX_KINDS) return inOrder(kinds.values());
    }
  }
  return inOrder(kinds.values());
}

function inOrder(kinds: Iterable<GroupVersionKind>): GroupVersionKind[] {
  return [...kinds].sort(
    (a, b) => compareBytes(a.group, b.group) || compareBytes(a.version, b.version) || compareBytes(a.kind, b.kind),
  );
}

/** None for rules with wildcards in groups or versions; subresources are left out. */
function* resourcesOf({ apiGroups = [], apiVersions = [], resources = [] }: Rule): Iterable<GroupVersionResource> {
  if ([...apiGroups, ...apiVersions].some((name) => name.includes('*'))) return;
  for (const group of [...apiGroups].sort(compareBytes)) {
    for (const version of [...apiVersions].sort(compareBytes)) {
      for (const resource of [...resources].sort(compareBytes)) {
        if (!/[*/]/.test(resource)) yield { group, version, resource };
      }
    }
  }
}
