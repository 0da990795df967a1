import { LIMITS } from '../../../machinery/cel/index.js';
import {
  type FieldError,
  forbiddenField,
  internalFieldError,
  invalidValue,
  notSupported,
  type Path,
  required,
} from '../../../machinery/field.js';
import type { SchemaProps, ValidationRule } from '../schema/props.js';
import { compileRules } from '../schema/rules/compile.js';
import { FieldPathError, findField } from '../schema/rules/field-path.js';
import { META_FIELDS, structural } from '../schema/structural.js';
import { goRule } from './go-forms.js';
import { checkListType, checkMapType, listItemFaults } from './list-types.js';
import { costText, type RuleScope } from './rule-costs.js';

/** What is demanded of a schema; stored definitions that never met a demand are spared. */
export interface SchemaDemands {
  readonly knownTypes: boolean;
  readonly atomicSetItems: boolean;
  readonly properListItems: boolean;
}

const TYPES = ['array', 'boolean', 'integer', 'number', 'object', 'string'];
const REASONS = ['FieldValueDuplicate', 'FieldValueForbidden', 'FieldValueInvalid', 'FieldValueRequired'];

/** How a schema stands in the schemas around it. */
interface Around {
  /** Why there may be no default; undefined: there may. */
  readonly noDefaults?: string;
  readonly insideMeta: boolean;
  /** Above it is a schema whose values can't be told from one revision to the next. */
  readonly uncorrelatable?: Path;
}

interface Found {
  readonly schema: FieldError[];
  readonly rules: FieldError[];
}

/**
 * Faults of a schema and all in it, apart from those that make it non-structural: first those of the schemas, then
 * those of their rules. Rules are looked at only where nothing else is wrong.
 *
 * @param scope undefined: rules are not compiled
 */
export function schemaFaults(
  props: SchemaProps,
  at: Path,
  demands: SchemaDemands,
  scope: RuleScope | undefined,
  ignoreRuleCost: boolean,
): FieldError[] {
  const found = new SchemaCheck(demands, ignoreRuleCost).check(props, at, { insideMeta: false }, true, scope);
  return [...found.schema, ...found.rules];
}

class SchemaCheck {
  readonly #demands: SchemaDemands;
  readonly #ignoreRuleCost: boolean;

  constructor(demands: SchemaDemands, ignoreRuleCost: boolean) {
    this.#demands = demands;
    this.#ignoreRuleCost = ignoreRuleCost;
  }

  check(s: SchemaProps, at: Path, around: Around, isRoot: boolean, scope: RuleScope | undefined): Found {
    const found: Found = { schema: [], rules: [] };
    const { schema: errors } = found;
    this.#standard(s, at, around, errors);
    if (s.uniqueItems) {
      const text = 'uniqueItems cannot be set to true since the runtime complexity becomes quadratic';
      errors.push(forbiddenField(at.child('uniqueItems'), text));
    }
    this.#below(s, at, around, isRoot, scope, found);
    if (s['x-kubernetes-preserve-unknown-fields'] === false) {
      const here = at.child('x-kubernetes-preserve-unknown-fields');
      errors.push(invalidValue(here, false, 'must be true or undefined'));
    }
    checkMapType(s, at, errors);
    checkListType(s, at, this.#demands.atomicSetItems, errors);
    if (this.#demands.properListItems) errors.push(...listItemFaults(s, at));
    const rules = s['x-kubernetes-validations'] ?? [];
    for (const [i, rule] of rules.entries()) {
      checkRuleText(s, rule, at.child('x-kubernetes-validations').index(i), errors);
    }
    if (rules.length > 0 && errors.length === 0 && scope) this.#compile(scope, rules, at, around, found.rules);
    return found;
  }

  /** What OpenAPI has and custom resources do not. */
  #standard(s: SchemaProps, at: Path, around: Around, errors: FieldError[]): void {
    const forbid = (name: string, text: string) => void errors.push(forbiddenField(at.child(name), text));
    const { type = '' } = s;
    if (this.#demands.knownTypes && type !== '' && !TYPES.includes(type)) {
      errors.push(notSupported(at.child('type'), type, TYPES));
    }
    if (s.default !== undefined && around.noDefaults !== undefined) {
      forbid('default', `must not be set ${around.noDefaults}`);
    }
    for (const name of ['id', 'additionalItems', 'patternProperties', 'definitions', 'dependencies', '$ref']) {
      if (s[name] !== undefined) forbid(name, `${name} is not supported`);
    }
    if (type === 'null') forbid('type', 'type cannot be set to null, use nullable as an alternative');
    if (Array.isArray(s.items)) forbid('items', 'items must be a schema object and not an array');
    if (around.insideMeta && s['x-kubernetes-embedded-resource']) {
      forbid('x-kubernetes-embedded-resource', 'must not be used inside of resource meta');
    }
  }

  #below(s: SchemaProps, at: Path, around: Around, isRoot: boolean, scope: RuleScope | undefined, found: Found): void {
    const add = (inner: SchemaProps, where: Path, context: Around, innerScope?: RuleScope): void => {
      const below = this.check(inner, where, context, false, innerScope);
      found.schema.push(...below.schema);
      found.rules.push(...below.rules);
    };
    const { properties = {}, additionalProperties: additional } = s;
    if (additional !== undefined) {
      const here = at.child('additionalProperties');
      if (Object.keys(properties).length > 0 && additional !== true) {
        found.schema.push(forbiddenField(here, 'additionalProperties and properties are mutual exclusive'));
      }
      // Pruning could not tell what such a default would stand for.
      const noDefaults = around.insideMeta
        ? 'inside additionalProperties applying to object metadata'
        : around.noDefaults;
      if (typeof additional === 'object') add(additional, here, { ...around, noDefaults }, scope?.additional());
    }
    for (const [name, property] of Object.entries(properties)) {
      const meta = (isRoot || s['x-kubernetes-embedded-resource'] === true) && META_FIELDS.has(name);
      const mapType = s['x-kubernetes-map-type'] ?? 'granular';
      const context: Around = {
        noDefaults: meta && isRoot ? `in top-level ${name}` : around.noDefaults,
        insideMeta: around.insideMeta || meta,
        uncorrelatable: around.uncorrelatable ?? (mapType === 'granular' || mapType === 'atomic' ? undefined : at),
      };
      add(property, at.child('properties').key(name), context, scope?.property(name));
    }
    if (s.not) add(s.not, at.child('not'), around);
    for (const name of ['allOf', 'oneOf', 'anyOf'] as const) {
      for (const [i, inner] of (s[name] ?? []).entries()) add(inner, at.child(name).index(i), around);
    }
    for (const [name, inner] of Object.entries(s.definitions ?? {}))
      add(inner, at.child('definitions').key(name), around);
    this.#items(s, at, around, scope, add);
    for (const [name, inner] of Object.entries(s.dependencies ?? {})) {
      if (inner && !Array.isArray(inner)) add(inner, at.child('dependencies').key(name), around);
    }
  }

  #items(
    s: SchemaProps,
    at: Path,
    around: Around,
    scope: RuleScope | undefined,
    add: (inner: SchemaProps, where: Path, context: Around, innerScope?: RuleScope) => void,
  ): void {
    if (!s.items) return;
    // Only in `map` lists can an item be told from the others after a change.
    const known = s['x-kubernetes-list-type'] === 'map';
    const context = { ...around, uncorrelatable: around.uncorrelatable ?? (known ? undefined : at) };
    const here = at.child('items');
    if (!Array.isArray(s.items)) add(s.items, here, context, scope?.items());
    else for (const [i, inner] of s.items.entries()) add(inner, here.index(i), context);
  }

  #compile(scope: RuleScope, rules: readonly ValidationRule[], at: Path, around: Around, errors: FieldError[]): void {
    const { decl } = scope;
    const here = at.child('x-kubernetes-validations');
    if (!decl) {
      const text = 'internal error: failed to construct type information for x-kubernetes-validations rules';
      errors.push(internalFieldError(here, `${text}: unable to convert structural schema to CEL declarations`));
      return;
    }
    for (const [i, compiled] of compileRules(scope.schema, decl).entries()) {
      const rule = rules[i]!;
      const ruleAt = here.index(i).child('rule');
      const messageAt = here.index(i).child('messageExpression');
      this.#cost(scope, ruleAt, scope.cost(compiled.maxCost, decl), 'estimated rule cost', errors);
      if (compiled.fault !== undefined) errors.push(invalidValue(ruleAt, goRule(rule), compiled.fault));
      if (compiled.messageFault !== undefined) {
        errors.push(invalidValue(messageAt, goRule(rule), compiled.messageFault));
      } else if (compiled.message) {
        this.#cost(scope, messageAt, compiled.message.maxCost, 'estimated messageExpression cost', errors);
      }
      if (compiled.usesOldSelf) {
        if (!around.uncorrelatable) continue;
        const text = `oldSelf cannot be used on the uncorrelatable portion of the schema within ${around.uncorrelatable}`;
        errors.push(invalidValue(ruleAt, rule.rule, text));
      } else if (rule.optionalOldSelf !== undefined) {
        const text = 'may not be set if oldSelf is not used in rule';
        errors.push(invalidValue(here.index(i).child('optionalOldSelf'), rule.optionalOldSelf, text));
      }
    }
  }

  #cost(scope: RuleScope, at: Path, cost: number, what: string, errors: FieldError[]): void {
    if (!this.#ignoreRuleCost && cost > LIMITS.estimatedRule) {
      errors.push(forbiddenField(at, costText(what, cost, LIMITS.estimatedRule)));
    }
    scope.total.add(at, cost);
  }
}

function checkRuleText(s: SchemaProps, rule: ValidationRule, at: Path, errors: FieldError[]): void {
  const { message = '', messageExpression = '', fieldPath = '', reason } = rule;
  const text = rule.rule?.trim() ?? '';
  const breaks = (t: string): boolean => /[\n\r]/.test(t);
  if (text === '') errors.push(required(at.child('rule'), 'rule is not specified'));
  else if (message !== '' && message.trim() === '') {
    errors.push(invalidValue(at.child('message'), message, 'must be non-empty if specified'));
  } else if (breaks(message.trim())) {
    errors.push(invalidValue(at.child('message'), message, 'must not contain line breaks'));
  } else if (breaks(text) && message.trim() === '') {
    errors.push(required(at.child('message'), 'message must be specified if rule contains line breaks'));
  }
  if (messageExpression !== '' && messageExpression.trim() === '') {
    errors.push(required(at.child('messageExpression'), 'messageExpression must be non-empty if specified'));
  }
  if (reason !== undefined && !REASONS.includes(reason)) {
    errors.push(notSupported(at.child('reason'), reason, REASONS));
  }
  if (fieldPath === '') return;
  const here = at.child('fieldPath');
  if (fieldPath.trim() === '') errors.push(invalidValue(here, fieldPath, 'must be non-empty if specified'));
  if (breaks(fieldPath)) errors.push(invalidValue(here, fieldPath, 'must not contain line breaks'));
  if (!leadsToField(s, fieldPath)) errors.push(invalidValue(here, fieldPath, 'must be a valid path'));
}

function leadsToField(s: SchemaProps, fieldPath: string): boolean {
  try {
    findField(fieldPath, structural(s));
    return true;
  } catch (e) {
    if (e instanceof FieldPathError) return false;
    throw e;
  }
}
