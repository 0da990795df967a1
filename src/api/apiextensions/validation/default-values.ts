import { DecodeError } from '../../../machinery/codec/errors.js';
import { type FieldError, fieldErrorsMessage, invalidValue, Path } from '../../../machinery/field.js';
import { cloneJson, equalJson, type JsonObject, type JsonValue } from '../../../machinery/json.js';
import { coerceEmbedded, readObjectMeta, validateEmbedded } from '../schema/metadata.js';
import { prune } from '../schema/prune.js';
import { RuleRun, RuleValidator } from '../schema/rules/validator.js';
import { asResource, META_FIELDS, type Structural } from '../schema/structural.js';
import { fieldError } from '../schema/values/fault.js';
import { ValueValidator } from '../schema/values/validator.js';

/** A way from an embedded resource down to a value in it: names of members, -1 for items of lists. */
type Steps = readonly (string | -1)[];

interface Where {
  readonly at: Path;
  /** The resource around. */
  readonly resource: Structural;
  readonly steps: Steps;
  readonly insideMeta: boolean;
}

/**
 * Faults of the defaults in a schema: they must be what the schema lets pass. All rules evaluated share one budget.
 *
 * @param prunedOnly whether unknown fields in them are faults
 */
export function defaultFaults(
  schema: Structural,
  at: Path,
  prunedOnly: boolean,
  gate: (name: string) => boolean,
): FieldError[] {
  return new DefaultCheck(prunedOnly, gate).run(asResource(schema), at);
}

class DefaultCheck {
  readonly #prunedOnly: boolean;
  readonly #gate: (name: string) => boolean;
  readonly #errors: FieldError[] = [];
  #budget = new RuleRun().budget;

  constructor(prunedOnly: boolean, gate: (name: string) => boolean) {
    this.#prunedOnly = prunedOnly;
    this.#gate = gate;
  }

  run(schema: Structural, at: Path): FieldError[] {
    this.#visit(schema, { at, resource: schema, steps: [], insideMeta: false });
    return this.#errors;
  }

  #visit(schema: Structural, around: Where): void {
    const where = schema.embedded ? { at: around.at, resource: schema, steps: [], insideMeta: false } : around;
    if (schema.default !== undefined) this.#check(schema, schema.default, where);
    if (this.#budget < 0) return;
    // Defaults in additionalProperties are forbidden inside metadata, and elsewhere checked when they are used.
    if (schema.items) {
      this.#visit(schema.items, { ...where, at: where.at.child('items'), steps: [...where.steps, -1] });
    }
    for (const [name, property] of schema.properties) {
      if (this.#budget < 0) return;
      this.#visit(property, {
        ...where,
        at: where.at.child('properties').key(name),
        steps: [...where.steps, name],
        insideMeta: where.insideMeta || (schema.embedded && META_FIELDS.has(name)),
      });
    }
  }

  #check(schema: Structural, value: JsonValue, where: Where): void {
    const at = where.at.child('default');
    const found = where.insideMeta ? this.#metadataFaults(value, where, at) : this.#plainFaults(schema, value, at);
    if (found.length > 0) {
      this.#errors.push(...found);
      return;
    }
    const faults = new ValueValidator(schema.props).validate(value, '').faults;
    if (faults.length > 0) this.#errors.push(...faults.map((fault) => fieldError(fault, at.text)));
    else this.#checkRules(schema, value, where, at);
  }

  #plainFaults(schema: Structural, value: JsonValue, at: Path): FieldError[] {
    if (this.#prunedOnly) {
      const pruned = cloneJson(value);
      prune(pruned, schema);
      if (!equalJson(pruned, value)) this.#errors.push(invalidValue(at, value, 'must not have unknown fields'));
    }
    const fault = coerceEmbedded(cloneJson(value), schema, at, {});
    return fault ? [fault] : validateEmbedded(value, schema, at, this.#gate);
  }

  /** A default for a part of metadata must make good metadata when nothing else is there. */
  #metadataFaults(value: JsonValue, where: Where, at: Path): FieldError[] {
    const object = surrounding(value, where.steps);
    const text = this.#resourceFault(object, where.resource);
    return text === undefined ? [] : [invalidValue(at, value, `must result in valid metadata: ${text}`)];
  }

  #resourceFault(object: JsonObject, resource: Structural): string | undefined {
    try {
      if (object.metadata !== undefined) readObjectMeta(object.metadata, 'metadata');
    } catch (e) {
      if (e instanceof DecodeError) return e.message;
      throw e;
    }
    const fault = coerceEmbedded(cloneJson(object), resource, new Path(), {});
    if (fault) return fault.toString();
    const errors = validateEmbedded(object, resource, new Path(), this.#gate);
    return errors.length > 0 ? fieldErrorsMessage(errors) : undefined;
  }

  #checkRules(schema: Structural, value: JsonValue, where: Where, at: Path): void {
    const rules = RuleValidator.of(schema, schema === where.resource);
    if (!rules) return;
    const unchanged = new RuleRun(this.#budget);
    rules.validate(value, value, unchanged, at);
    this.#errors.push(...unchanged.errors);
    let left = unchanged.budget;
    if (unchanged.errors.length === 0) {
      // Rules that know of an optional oldSelf must let it pass as something new, too.
      const fresh = new RuleRun(this.#budget);
      rules.validate(value, undefined, fresh, at);
      this.#errors.push(...fresh.errors);
      left = Math.min(left, fresh.budget);
    }
    this.#budget = left;
  }
}

function surrounding(value: JsonValue, steps: Steps): JsonObject {
  let object: JsonValue = cloneJson(value);
  for (const step of [...steps].reverse()) object = step === -1 ? [object] : { [step]: object };
  return { kind: 'Validation', apiVersion: 'validation/v1', ...(object as JsonObject) };
}
