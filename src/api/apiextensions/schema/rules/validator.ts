import {
  type CelSchema,
  type DeclType,
  escapeFieldName,
  LIMITS,
  Optional,
  schemaType,
} from '../../../../machinery/cel/index.js';
import { duplicate, FieldError, forbiddenField, invalidValue, Path, required } from '../../../../machinery/field.js';
import { isJsonObject, type JsonObject, type JsonValue } from '../../../../machinery/json.js';
import type { ValidationRule } from '../props.js';
import { additionalSchema, type Structural } from '../structural.js';
import { type Correlation, itemOf, itemsByKey } from '../values/correlation.js';
import { type CompiledRule, compileRules } from './compile.js';

/** What one validation spends and finds. */
export class RuleRun {
  readonly errors: FieldError[] = [];
  /** Texts of errors that are passed over because what they are about did not change. */
  readonly warnings: string[] = [];
  /** Cost that is left; negative: nothing runs any more. */
  budget: number;

  constructor(budget: number = LIMITS.perRequest) {
    this.budget = budget;
  }
}

/** How a value relates to what it was. */
interface Ratchet {
  /** Undefined where the schema does not tell what the value was. */
  readonly own: Correlation | undefined;
  /** The nearest value around it for which it does. */
  readonly around: Correlation | undefined;
  /** Nothing about type and kind is passed over. */
  readonly none?: boolean;
}

/**
 * Evaluates the rules of a schema and of all schemas below it that have any. Rules are compiled when a value first comes
 * to them: most objects, and all defaults, reach few of the rules of a large schema.
 */
export class RuleValidator {
  readonly #schema: Structural;
  readonly #decl: DeclType;
  #compiled: readonly CompiledRule[] | undefined;
  /** Below this one, as far as values came there. */
  readonly #properties = new Map<string, RuleValidator | undefined>();
  #items: { readonly validator: RuleValidator | undefined } | undefined;
  #additional: { readonly validator: RuleValidator | undefined } | undefined;

  /** Undefined when there is no rule anywhere. */
  static of(schema: Structural, isResource: boolean): RuleValidator | undefined {
    return hasRules(schema) ? make(schema, celType(schema, isResource)) : undefined;
  }

  constructor(schema: Structural, decl: DeclType) {
    this.#schema = schema;
    this.#decl = decl;
  }

  get #rules(): readonly CompiledRule[] {
    this.#compiled ??= this.#schema.rules.length > 0 ? compileRules(this.#schema, this.#decl) : [];
    return this.#compiled;
  }

  #ofItems(): RuleValidator | undefined {
    const { items } = this.#schema;
    this.#items ??= { validator: items && make(items, this.#decl.element) };
    return this.#items.validator;
  }

  #ofAdditional(): RuleValidator | undefined {
    const others = additionalSchema(this.#schema);
    this.#additional ??= { validator: others && make(others, this.#decl.element) };
    return this.#additional.validator;
  }

  #ofProperty(name: string, property: Structural): RuleValidator | undefined {
    if (this.#properties.has(name)) return this.#properties.get(name);
    const escaped = escapeFieldName(name);
    const decl = escaped === undefined ? celType(property, property.embedded) : this.#decl.fields?.get(escaped)?.decl;
    const inner = make(property, decl);
    this.#properties.set(name, inner);
    return inner;
  }

  /** @param old what the value was; undefined when it is new, or nobody can tell */
  validate(
    value: JsonValue,
    old: JsonValue | undefined,
    run: RuleRun,
    at: Path = new Path(),
    correlation?: Correlation,
  ): void {
    this.#validate(value, old, run, at, { own: correlation, around: undefined });
  }

  #validate(value: JsonValue, old: JsonValue | undefined, run: RuleRun, at: Path, ratchet: Ratchet): void {
    if (value === null) return;
    this.#evaluate(value, old ?? undefined, run, at, ratchet);
    if (run.budget < 0) return;
    if (Array.isArray(value)) this.#validateItems(value, old, run, at, ratchet);
    else if (isJsonObject(value)) this.#validateMembers(value, isJsonObject(old) ? old : {}, run, at, ratchet);
  }

  #validateItems(
    value: readonly JsonValue[],
    old: JsonValue | undefined,
    run: RuleRun,
    at: Path,
    ratchet: Ratchet,
  ): void {
    const items = this.#ofItems();
    if (!items) return;
    const schema = this.#schema;
    const before = schema.listType === 'map' && Array.isArray(old) ? itemsByKey(schema, old) : undefined;
    for (const [i, item] of value.entries()) {
      const was = before && itemOf(schema, before, item);
      items.#validate(
        item,
        was,
        run,
        at.index(i),
        below(ratchet, (c) => c.index(i)),
      );
      if (run.budget < 0) return;
    }
  }

  #validateMembers(value: JsonObject, old: JsonObject, run: RuleRun, at: Path, ratchet: Ratchet): void {
    for (const name of Object.keys(value)) {
      const property = this.#schema.properties.get(name);
      const inner = property ? this.#ofProperty(name, property) : this.#ofAdditional();
      if (!inner) continue;
      const was = Object.hasOwn(old, name) ? old[name] : undefined;
      const root = ratchet.own && !ratchet.around && (name === 'apiVersion' || name === 'kind');
      const next = root ? { own: undefined, around: undefined } : below(ratchet, (c) => c.key(name));
      inner.#validate(value[name]!, was, run, property ? at.child(name) : at.key(name), next);
      if (run.budget < 0) return;
    }
  }

  #evaluate(value: JsonValue, old: JsonValue | undefined, run: RuleRun, at: Path, ratchet: Ratchet): void {
    if (this.#rules.length === 0) return;
    const type = this.#schema.type;
    const stop = (text: string) => {
      run.errors.push(invalidValue(at, type, text));
      run.budget = -1;
    };
    if (run.budget <= 0) {
      stop(OUT_OF_BUDGET);
      return;
    }
    for (const compiled of this.#rules) {
      const { rule, program } = compiled;
      if (compiled.fault !== undefined)
        run.errors.push(invalidValue(at, type, `rule compile error: ${compiled.fault}`));
      if (!program || (compiled.usesOldSelf && old === undefined && !rule.optionalOldSelf)) continue;
      const variables = { self: value, oldSelf: rule.optionalOldSelf ? optional(old) : old };
      const result = program.eval(variables, { limit: LIMITS.perCall });
      if (result.error?.kind !== 'cost' && result.cost > run.budget) {
        stop(OUT_OF_BUDGET);
        return;
      }
      run.budget -= result.cost;
      if (result.error) {
        const { kind, message } = result.error;
        if (kind === 'cost') {
          const why = 'no further validation rules will be run due to call cost exceeds limit for rule';
          stop(`'${message}': ${why}: ${nameOf(rule)}`);
          return;
        }
        run.errors.push(invalidValue(at, type, runtimeFault(message, rule)));
        continue;
      }
      if (result.value === true) continue;
      this.#fail(compiled, value, variables, run, at, ratchet);
      if (run.budget < 0) return;
    }
  }

  #fail(
    compiled: CompiledRule,
    value: JsonValue,
    variables: Readonly<Record<string, unknown>>,
    run: RuleRun,
    at: Path,
    ratchet: Ratchet,
  ): void {
    const { rule, fieldPath } = compiled;
    const where = fieldPath === '' ? at : at.child(fieldPath);
    const add = (error: FieldError): void => {
      const same = ratchet.own ? ratchet.own.unchanged : ratchet.around?.unchanged;
      if (same && !compiled.usesOldSelf) run.warnings.push(error.toString());
      else run.errors.push(error);
    };
    let text: string | undefined;
    if (compiled.message) {
      const result = compiled.message.program.eval(variables, { limit: LIMITS.perCall });
      if (result.error?.kind === 'cost' || result.cost > run.budget) {
        const what = result.error?.kind === 'cost' ? callLimit(rule) : MESSAGE_OUT_OF_BUDGET;
        add(invalidValue(where, this.#schema.type, what));
        run.budget = -1;
        return;
      }
      run.budget -= result.cost;
      if (!result.error) text = usableMessage(result.value);
    }
    add(failure(rule, where, text ?? defaultMessage(rule), this.#shown(value)));
  }

  /** Objects and lists are not repeated in the error. */
  #shown(value: JsonValue): JsonValue | undefined {
    return this.#schema.type === 'object' || this.#schema.type === 'array' ? undefined : value;
  }
}

/** Types within it are `selfType.x`: `self.x` is to be the value, not its type. */
const SELF_TYPE = 'selfType';

/** The type that expressions see; undefined where they see nothing. */
export function celType(schema: Structural, isResource: boolean): DeclType | undefined {
  return schemaType(schema.props as CelSchema, SELF_TYPE, isResource);
}

function make(schema: Structural, decl: DeclType | undefined): RuleValidator | undefined {
  return decl && hasRules(schema) ? new RuleValidator(schema, decl) : undefined;
}

const known = new WeakMap<Structural, boolean>();

/** Whether a schema or one below it has rules. */
export function hasRules(schema: Structural): boolean {
  let found = known.get(schema);
  if (found === undefined) {
    const others = additionalSchema(schema);
    found =
      schema.rules.length > 0 ||
      (schema.items !== undefined && hasRules(schema.items)) ||
      (others !== undefined && hasRules(others)) ||
      [...schema.properties.values()].some(hasRules);
    known.set(schema, found);
  }
  return found;
}

function below(ratchet: Ratchet, find: (c: Correlation) => Correlation | undefined): Ratchet {
  return ratchet.own ? { own: find(ratchet.own), around: ratchet.own } : ratchet;
}

function optional(value: JsonValue | undefined): Optional {
  return value === undefined ? Optional.none : Optional.of(value);
}

const OUT_OF_BUDGET = 'validation failed due to running out of cost budget, no further validation rules will be run';
const MESSAGE_OUT_OF_BUDGET =
  'messageExpression evaluation failed due to running out of cost budget, no further validation rules will be run';

function callLimit(rule: ValidationRule): string {
  const why = 'no further validation rules will be run due to call cost exceeds limit for messageExpression';
  return `${why}: ${JSON.stringify(rule.messageExpression)}`;
}

function runtimeFault(message: string, rule: ValidationRule): string {
  if (message.startsWith('no such overload')) {
    const why = 'call arguments did not match a supported operator, function or macro signature for rule';
    return `'${message}': ${why}: ${nameOf(rule)}`;
  }
  return `${message} evaluating rule: ${nameOf(rule)}`;
}

/** Undefined when a message is not fit to be shown. */
function usableMessage(value: unknown): string | undefined {
  if (typeof value !== 'string') return undefined;
  const text = value.trim();
  return text === '' || text.includes('\n') || Buffer.byteLength(text) > LIMITS.message ? undefined : text;
}

function defaultMessage(rule: ValidationRule): string {
  return rule.message ? rule.message.trim() : `failed rule: ${nameOf(rule)}`;
}

function nameOf(rule: ValidationRule): string {
  return (rule.message || rule.rule || '').trim();
}

function failure(rule: ValidationRule, at: Path, text: string, value: JsonValue | undefined): FieldError {
  const where = at.text || '<nil>';
  switch (rule.reason) {
    case 'FieldValueForbidden':
      return forbiddenField(at, text);
    case 'FieldValueRequired':
      return required(at, text);
    case 'FieldValueDuplicate':
      return value === undefined
        ? new FieldError('FieldValueDuplicate', where, 'Duplicate value')
        : duplicate(at, value);
    default:
      return value === undefined
        ? new FieldError('FieldValueInvalid', where, `Invalid value: ${text}`)
        : invalidValue(at, value, text);
  }
}
