import { matcher } from '../../../../machinery/cel/library/regular-expressions.js';
import { equalJson, isJsonObject, type JsonObject, type JsonValue } from '../../../../machinery/json.js';
import type { SchemaProps } from '../props.js';
import type { Correlation } from './correlation.js';
import { type Fault, Outcome } from './fault.js';
import { hasFormat, knownFormat } from './formats.js';
import { checkNumber } from './numbers.js';

type Combinations = Readonly<Record<'allOf' | 'anyOf' | 'oneOf' | 'not', readonly ValueValidator[]>>;

/**
 * Validates values against a schema as go-openapi does in kube-apiserver: every fault is found, in its order and words.
 * Made once per schema; what is below is made at first use.
 */
export class ValueValidator {
  readonly #props: SchemaProps;
  readonly #types: readonly string[];
  readonly #format: string;
  readonly #properties = new Map<string, ValueValidator>();
  #items: ValueValidator | undefined;
  #additional: ValueValidator | undefined;
  #combined: Combinations | undefined;

  constructor(props: SchemaProps) {
    this.#props = props;
    this.#types = props['x-kubernetes-int-or-string'] ? ['integer', 'string'] : props.type ? [props.type] : [];
    this.#format = knownFormat(props.format, this.#types.length === 1 ? this.#types[0]! : '');
  }

  /**
   * @param path of the value, for texts; '' for a whole object
   * @param correlation with what the value was before: faults of what did not change are passed over
   */
  validate(value: JsonValue, path: string, correlation?: Correlation): Outcome {
    const outcome = this.#evaluate(value, path, correlation);
    return !outcome.valid && correlation?.unchanged ? new Outcome() : outcome;
  }

  #evaluate(value: JsonValue, path: string, correlation: Correlation | undefined): Outcome {
    const outcome = new Outcome();
    if (value === null) {
      this.#null(outcome, path);
    } else {
      const kind = kindOf(value);
      if (this.#types.length > 0 || this.#format !== '') this.#run(outcome, (o) => this.#type(o, value, kind, path));
      this.#run(outcome, (o) => this.#alternatives(o, value, path, correlation));
      if (kind === 'string') this.#run(outcome, (o) => this.#text(o, value as string, path));
      if (kind === 'string' && this.#format !== '') this.#run(outcome, (o) => this.#formatOf(o, value as string, path));
      if (kind === 'integer' || kind === 'number') this.#run(outcome, (o) => this.#number(o, value, path));
      if (kind === 'array') this.#run(outcome, (o) => this.#array(o, value as JsonValue[], path, correlation));
      this.#run(outcome, (o) => o.add(this.#enum(value, path)));
      if (kind === 'object') this.#run(outcome, (o) => this.#object(o, value as JsonObject, path, correlation));
      outcome.matches++;
    }
    return outcome;
  }

  #run(outcome: Outcome, check: (outcome: Outcome) => void): void {
    check(outcome);
    outcome.matches++;
  }

  #null(outcome: Outcome, path: string): void {
    if (this.#types.length > 0 && !this.#props.nullable) outcome.add(wrongType(path, this.#types.join(), 'null'));
    else outcome.matches++;
    outcome.add(this.#enum(null, path));
  }

  #type(outcome: Outcome, value: JsonValue, kind: string, path: string): void {
    const types = this.#types;
    const fits = types.includes(kind) || (kind === 'integer' && types.includes('number'));
    const textual = kind === 'string' || kind === 'array';
    if (this.#format !== '') {
      const goFormat = kind === 'integer' ? 'int64' : kind === 'number' ? 'float64' : '';
      if (!textual && !fits && goFormat !== this.#format) {
        outcome.add(wrongType(path, this.#format, goFormat));
        return;
      }
      if (textual && !types.includes('number') && !types.includes('integer')) {
        outcome.matches++;
        return;
      }
    }
    if (fits) outcome.matches++;
    else outcome.add(wrongType(path, types.join(), kindOf(value)));
  }

  #enum(value: JsonValue, path: string): Fault | undefined {
    const choices = this.#props.enum;
    if (!choices || choices.length === 0 || choices.some((c) => c !== null && isChoice(value, c))) return undefined;
    return { code: 'enum', path, value, allowed: choices, text: `${path} in body should be one of ${choices.join()}` };
  }

  #text(outcome: Outcome, value: string, path: string): void {
    const { maxLength, minLength, pattern } = this.#props;
    const length = maxLength === undefined && minLength === undefined ? 0 : [...value].length;
    if (maxLength !== undefined && length > maxLength) {
      const text = `${path} in body should be at most ${maxLength} chars long`;
      outcome.add({ code: 'tooLong', path, text, value, allowed: maxLength });
    } else if (minLength !== undefined && length < minLength) {
      outcome.add(other(path, `should be at least ${minLength} chars long`, value));
    } else if (pattern && !matcher(pattern)(value)) {
      outcome.add(other(path, `should match '${pattern}'`, value));
    }
  }

  #formatOf(outcome: Outcome, value: string, path: string): void {
    if (!hasFormat(value, this.#format)) outcome.add(wrongType(path, this.#format, value));
  }

  #number(outcome: Outcome, value: JsonValue, path: string): void {
    const type = this.#types.length === 1 ? this.#types[0]! : '';
    for (const fault of checkNumber(value as number | bigint, this.#props, type, this.#format, path))
      outcome.add(fault);
    outcome.matches++;
  }

  #array(outcome: Outcome, value: readonly JsonValue[], path: string, correlation: Correlation | undefined): void {
    const { items, minItems, maxItems } = this.#props;
    if (items && !Array.isArray(items)) {
      this.#items ??= new ValueValidator(items);
      for (const [i, item] of value.entries()) {
        outcome.merge(this.#items.validate(item, `${path}[${i}]`, correlation?.index(i)));
      }
    }
    const size = value.length;
    if (minItems !== undefined && size < minItems) {
      outcome.add(other(path, `should have at least ${minItems} items`, size));
    }
    if (maxItems !== undefined && size > maxItems) {
      const text = `${path} in body should have at most ${maxItems} items`;
      outcome.add({ code: 'tooManyItems', path, text, value: size, allowed: maxItems });
    }
    outcome.matches++;
  }

  #object(outcome: Outcome, value: JsonObject, path: string, correlation: Correlation | undefined): void {
    const { properties, required, minProperties, maxProperties, additionalProperties } = this.#props;
    const names = Object.keys(value);
    const size = names.length;
    if (minProperties !== undefined && size < minProperties) {
      outcome.add(other(path, `should have at least ${minProperties} properties`, size));
    }
    if (maxProperties !== undefined && size > maxProperties) {
      const text = `${path} in body should have at most ${maxProperties} properties`;
      outcome.add({ code: 'tooManyProperties', path, text, value: size, allowed: maxProperties });
    }
    const isProperty = (name: string) => properties !== undefined && Object.hasOwn(properties, name);
    const member = (name: string) =>
      (name === 'apiVersion' || name === 'kind') && path === '' ? undefined : correlation?.key(name);
    if (typeof additionalProperties === 'object') {
      this.#additional ??= new ValueValidator(additionalProperties);
      for (const name of names) {
        if (!isProperty(name)) outcome.merge(this.#additional.validate(value[name]!, `${path}.${name}`, member(name)));
      }
    } else if (additionalProperties === false) {
      for (const name of names) {
        if (isProperty(name)) continue;
        outcome.add({ code: 'other', path, text: `${path}.${name} in body is a forbidden property`, value: name });
      }
    }
    for (const name of Object.keys(properties ?? {})) {
      if (!Object.hasOwn(value, name)) continue;
      const inner = path === '' ? name : `${path}.${name}`;
      outcome.merge(this.#property(name).validate(value[name]!, inner, member(name)));
    }
    for (const name of required ?? []) {
      if (Object.hasOwn(value, name)) continue;
      const at = `${path}.${name}`;
      outcome.add({ code: 'required', path: at, text: `${at} in body is required` });
    }
  }

  #property(name: string): ValueValidator {
    let property = this.#properties.get(name);
    if (!property) {
      property = new ValueValidator(this.#props.properties![name]!);
      this.#properties.set(name, property);
    }
    return property;
  }

  /** anyOf, oneOf, allOf and not. Of alternatives that all fail, the one with the most passed checks is told of. */
  #alternatives(outcome: Outcome, value: JsonValue, path: string, correlation: Correlation | undefined): void {
    const { allOf, anyOf, oneOf, not } = this.#combinations();
    // Members are correlated with what they were, but an alternative is not passed over as a whole.
    const check = (validator: ValueValidator) => validator.#evaluate(value, path, correlation);
    if (anyOf.length > 0) checkAnyOf(outcome, anyOf, check, path);
    if (oneOf.length > 0) checkOneOf(outcome, oneOf.map(check), path);
    if (allOf.length > 0) {
      const results = allOf.map(check);
      for (const result of results) outcome.merge(result);
      const valid = results.filter((r) => r.valid).length;
      if (valid < results.length) {
        outcome.add(whole(`"${path}" must validate all the schemas (allOf)${valid === 0 ? '. None validated' : ''}`));
      }
    }
    if (not.some((n) => check(n).valid)) outcome.add(whole(`"${path}" must not validate the schema (not)`));
    outcome.matches++;
  }

  #combinations(): Combinations {
    if (!this.#combined) {
      const { allOf, anyOf, oneOf, not } = this.#props;
      const make = (schemas: readonly SchemaProps[] | undefined) => (schemas ?? []).map((s) => new ValueValidator(s));
      this.#combined = { allOf: make(allOf), anyOf: make(anyOf), oneOf: make(oneOf), not: make(not && [not]) };
    }
    return this.#combined;
  }
}

function checkAnyOf(
  outcome: Outcome,
  alternatives: readonly ValueValidator[],
  check: (validator: ValueValidator) => Outcome,
  path: string,
): void {
  let best: Outcome | undefined;
  for (const alternative of alternatives) {
    const result = check(alternative);
    if (result.valid) {
      outcome.merge(result);
      return;
    }
    if (!best || result.matches > best.matches) best = result;
  }
  outcome.add(whole(`"${path}" must validate at least one schema (anyOf)`));
  if (best) outcome.merge(best);
}

function checkOneOf(outcome: Outcome, results: readonly Outcome[], path: string): void {
  let best: Outcome | undefined;
  const valid = results.filter((r) => r.valid);
  if (valid.length === 1) {
    outcome.merge(valid[0]!);
    return;
  }
  const found = valid.length === 0 ? 'Found none valid' : `Found ${valid.length} valid alternatives`;
  outcome.add(whole(`"${path}" must validate one and only one schema (oneOf). ${found}`));
  if (valid.length > 0) return;
  for (const result of results) if (!best || result.matches > best.matches) best = result;
  if (best) outcome.merge(best);
}

/** JSON type of a value; a number without fraction is an integer. */
export function kindOf(value: JsonValue): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  switch (typeof value) {
    case 'bigint':
      return 'integer';
    case 'number':
      return Number.isSafeInteger(value) ? 'integer' : 'number';
    default:
      return typeof value;
  }
}

/** Numbers are compared as Go converts them: to an integer choice only the whole part counts. */
function isChoice(value: JsonValue, choice: JsonValue): boolean {
  if (typeof value === 'number' && typeof choice === 'number' && Number.isInteger(choice)) {
    return Math.trunc(value) === choice;
  }
  return isJsonObject(value) === isJsonObject(choice) && equalJson(value, choice);
}

function wrongType(path: string, type: string, value: string): Fault {
  return { code: 'type', path, value, text: `${path} in body must be of type ${type}: ${JSON.stringify(value)}` };
}

function other(path: string, text: string, value: JsonValue): Fault {
  return { code: 'other', path, value, text: `${path} in body ${text}` };
}

function whole(text: string): Fault {
  return { code: 'other', path: undefined, text };
}
