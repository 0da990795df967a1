import type { JsonValue } from '../../../machinery/json.js';
import type { SchemaProps, ValidationRule } from './props.js';

/**
 * A structural schema (KEP-1979): what is needed to prune, default and convert, with the value validations beside it in
 * `props`. Made of schemas that passed validation; anything else in them is left out.
 */
export interface Structural {
  /** '' where any type goes (int-or-string, preserve-unknown-fields). */
  readonly type: string;
  readonly nullable: boolean;
  /** null counts as no default. */
  readonly default: Exclude<JsonValue, null> | undefined;
  readonly properties: ReadonlyMap<string, Structural>;
  readonly items: Structural | undefined;
  /** What members without a property of their own are; `true`: anything, but with no members of its own. */
  readonly additional: Structural | boolean | undefined;
  readonly preserveUnknown: boolean;
  readonly embedded: boolean;
  readonly intOrString: boolean;
  readonly listType: string | undefined;
  readonly listMapKeys: readonly string[];
  readonly mapType: string | undefined;
  readonly rules: readonly ValidationRule[];
  readonly props: SchemaProps;
}

const NO_PROPERTIES: ReadonlyMap<string, Structural> = new Map();

export function structural(props: SchemaProps): Structural {
  const { items, properties, additionalProperties: additional } = props;
  return {
    type: props.type ?? '',
    nullable: props.nullable === true,
    default: props.default ?? undefined,
    properties: properties ? new Map(Object.entries(properties).map(([k, v]) => [k, structural(v)])) : NO_PROPERTIES,
    items: items && !Array.isArray(items) ? structural(items) : undefined,
    additional: typeof additional === 'object' ? structural(additional) : additional,
    preserveUnknown: props['x-kubernetes-preserve-unknown-fields'] === true,
    embedded: props['x-kubernetes-embedded-resource'] === true,
    intOrString: props['x-kubernetes-int-or-string'] === true,
    listType: props['x-kubernetes-list-type'],
    listMapKeys: props['x-kubernetes-list-map-keys'] ?? [],
    mapType: props['x-kubernetes-map-type'],
    rules: props['x-kubernetes-validations'] ?? [],
    props,
  };
}

/** The schema of a whole resource, which always has apiVersion, kind and metadata. */
export function asResource(schema: Structural): Structural {
  return schema.embedded ? schema : { ...schema, embedded: true };
}

/** The schema of the members that have no property of their own; undefined where there may be none or anything. */
export function additionalSchema({ additional }: Structural): Structural | undefined {
  return typeof additional === 'object' ? additional : undefined;
}

/** What belongs to every object, whatever its schema says. */
export const META_FIELDS: ReadonlySet<string> = new Set(['apiVersion', 'kind', 'metadata']);
