import { type DeclType, escapeFieldName, LIMITS, maxCardinality } from '../../../machinery/cel/index.js';
import { type FieldError, forbiddenField, type Path } from '../../../machinery/field.js';
import type { SchemaProps } from '../schema/props.js';
import { celType, hasRules } from '../schema/rules/validator.js';
import { additionalSchema, type Structural } from '../schema/structural.js';

/** More than any cost can be. */
const MOST = 2 ** 64 - 1;

/** Estimated costs of all rules of a schema. Only the most expensive ones are told of. */
export class TotalCost {
  total = 0;
  #expensive: { readonly at: Path; readonly cost: number }[] = [];

  add(at: Path, cost: number): void {
    this.total = Math.min(MOST, this.total + cost);
    if (cost < LIMITS.estimatedCRD / 100) return;
    this.#expensive = [...this.#expensive, { at, cost }].sort((a, b) => b.cost - a.cost).slice(0, 4);
  }

  /** @param at of the schema */
  faults(at: Path): FieldError[] {
    if (this.total <= LIMITS.estimatedCRD) return [];
    const contributed = 'contributed to estimated rule cost total exceeding cost limit for entire OpenAPIv3 schema';
    const what = 'x-kubernetes-validations estimated rule cost total for entire OpenAPIv3 schema';
    return [
      ...this.#expensive.map((e) => forbiddenField(e.at, contributed)),
      forbiddenField(at, costText(what, this.total, LIMITS.estimatedCRD)),
    ];
  }
}

export function costText(what: string, cost: number, limit: number): string {
  const factor = cost / limit;
  const text = factor > 100 ? 'more than 100x' : factor < 1.5 ? `${factor.toFixed(6)}x` : `${factor.toFixed(1)}x`;
  return `${what} exceeds budget by factor of ${text} (try simplifying the rule, or adding maxItems, maxProperties, and maxLength where arrays, maps, and strings are declared)`;
}

/** A schema as rules in it see it: its type, and how often it can occur in one object. */
export class RuleScope {
  readonly schema: Structural;
  readonly total: TotalCost;
  readonly #decl: () => DeclType | undefined;
  /** Undefined: as often as an object is large. */
  readonly #occurrences: number | undefined;
  #made: { decl: DeclType | undefined } | undefined;

  static root(schema: Structural): RuleScope {
    return new RuleScope(schema, new TotalCost(), 1, () => celType(schema, true));
  }

  constructor(schema: Structural, total: TotalCost, occurrences: number | undefined, decl: () => DeclType | undefined) {
    this.schema = schema;
    this.total = total;
    this.#occurrences = occurrences;
    this.#decl = decl;
  }

  get decl(): DeclType | undefined {
    this.#made ??= { decl: this.#decl() };
    return this.#made.decl;
  }

  property(name: string): RuleScope | undefined {
    const schema = this.schema.properties.get(name);
    return (
      schema &&
      this.#below(schema, (decl) => {
        const escaped = escapeFieldName(name);
        return escaped === undefined ? undefined : decl.fields?.get(escaped)?.decl;
      })
    );
  }

  items(): RuleScope | undefined {
    return this.schema.items && this.#below(this.schema.items, (decl) => decl.element);
  }

  additional(): RuleScope | undefined {
    const schema = additionalSchema(this.schema);
    return schema && this.#below(schema, (decl) => decl.element);
  }

  #below(schema: Structural, find: (decl: DeclType) => DeclType | undefined): RuleScope | undefined {
    if (!hasRules(schema)) return undefined;
    const most = mostElements(this.schema.props);
    const occurrences =
      this.#occurrences === undefined || most === undefined ? undefined : times(this.#occurrences, most);
    return new RuleScope(schema, this.total, occurrences, () => {
      const found = this.#made?.decl && find(this.#made.decl);
      return found ?? celType(schema, schema.embedded);
    });
  }

  /** Cost of one evaluation, as often as there can be one. */
  cost(once: number, decl: DeclType): number {
    return times(once, this.#occurrences ?? maxCardinality(decl));
  }
}

/** How many values a value holds at most; undefined when nothing limits it. */
function mostElements({ type, additionalProperties, maxProperties, maxItems }: SchemaProps): number | undefined {
  if (type === 'array') return maxItems === undefined ? undefined : Math.max(0, maxItems);
  if (type !== 'object' || additionalProperties === undefined) return 1;
  return maxProperties === undefined ? undefined : Math.max(0, maxProperties);
}

function times(a: number, b: number): number {
  return Math.min(MOST, a * b);
}
