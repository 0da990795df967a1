import type { SchemaProps } from '../../../api/apiextensions/schema/props.js';
import type { JsonObject } from '../../../machinery/json.js';
import { catalog } from '../../../machinery/scheme/catalog.js';
import { type Dialect, refTo } from '../../../server/openapi/contract.js';
import { typeSchema } from '../../../server/openapi/schema.js';
import { schemaName } from './names.js';

const META = 'io.k8s.apimachinery.pkg.apis.meta.v1.';
const CONVENTIONS = 'https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md';
const GVK = 'x-kubernetes-group-version-kind';
const PRESERVE = 'x-kubernetes-preserve-unknown-fields';
const EMBEDDED = 'x-kubernetes-embedded-resource';
const INT_OR_STRING = 'x-kubernetes-int-or-string';
/** Words that Swagger 2.0 lacks. */
const NEWER = new Set(['allOf', 'anyOf', 'oneOf', 'not', 'nullable']);
/** A value that may be a number or a text, as the newer dialect says it. */
const EITHER: readonly JsonObject[] = [{ type: 'integer' }, { type: 'string' }];

interface Named {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
}

/**
 * The published schema of a kind whose definition has `props`; undefined: nothing is known of it. In Swagger 2.0 a kind
 * that keeps unknown fields has no properties at all, since old clients refuse what is not among them.
 */
export function kindSchema(props: SchemaProps | undefined, named: Named, dialect: Dialect): JsonObject {
  const known = props && !(dialect === 2 && props[PRESERVE]);
  const schema: JsonObject = known ? publish(props, dialect) : { type: 'object' };
  if (known) schema.properties = { ...(schema.properties as JsonObject), ...typeAndMetadata(dialect) };
  schema[GVK] = [{ ...named }];
  return schema;
}

/** The published schema of the lists of a kind, whose items are `kind`. */
export function listSchema(plural: string, kind: string, named: Named, dialect: Dialect): JsonObject {
  const { group, version } = named;
  const items = reference(schemaName(group, version, kind), dialect);
  const { apiVersion, kind: kindField, metadata } = fieldsOf('io.k8s.api.core.v1.PodList');
  return {
    description: `${named.kind} is a list of ${kind}`,
    type: 'object',
    required: ['items'],
    properties: {
      apiVersion,
      items: { description: `List of ${plural}. More info: ${CONVENTIONS}`, type: 'array', items },
      kind: kindField,
      metadata: referenceField(`${META}ListMeta`, metadata, dialect),
    },
    [GVK]: [{ ...named }],
  };
}

/** A schema with everything below it, in the words of a dialect. */
function publish(props: SchemaProps, dialect: Dialect): JsonObject {
  const out: JsonObject = {};
  const loose = dialect === 2 && (props.nullable === true || props[PRESERVE] === true);
  for (const [word, value] of Object.entries(props)) {
    if (dialect === 2 && NEWER.has(word)) continue;
    // Untyped values with items or properties are more than kubectl can read.
    if (loose && (word === 'items' || word === 'properties')) continue;
    if (value === false && word.startsWith('x-')) continue;
    if (word === 'default' && value === null) continue;
    if (word !== 'properties' && word !== 'items' && word !== 'additionalProperties') out[word] = value;
  }
  const { properties, items, additionalProperties: additional } = props;
  if (properties && !loose) {
    out.properties = Object.fromEntries(Object.entries(properties).map(([name, p]) => [name, publish(p, dialect)]));
  }
  if (items && !Array.isArray(items) && !loose) out.items = publish(items, dialect);
  if (additional !== undefined) {
    out.additionalProperties = typeof additional === 'object' ? publish(additional, dialect) : additional;
  }
  if (dialect === 2) adapt(out, props);
  else if (props[INT_OR_STRING]) sayEither(out, props);
  if (props[EMBEDDED] && !(dialect === 2 && props[PRESERVE])) embed(out, dialect);
  return out;
}

/** What remains for Swagger 2.0 when null, which it does not know, is allowed. */
function adapt(out: JsonObject, props: SchemaProps): void {
  const { properties, additionalProperties: additional } = props;
  const untyped =
    props.nullable || (props.type === 'array' && !out.items) || (props[PRESERVE] && props.type === 'object');
  if (untyped) delete out.type;
  if (typeof additional === 'object' && additional.nullable) delete out.required;
  else if (props.required) {
    const required = props.required.filter((name) => !(out.properties && properties?.[name]?.nullable));
    if (required.length > 0) out.required = required;
    else delete out.required;
  }
}

function sayEither(out: JsonObject, { anyOf, allOf }: SchemaProps): void {
  if (isEither(anyOf) || isEither(allOf?.[0]?.anyOf)) return;
  if (anyOf) out.allOf = [{ anyOf: [...EITHER] }, ...(allOf ?? [])];
  else out.anyOf = [...EITHER];
}

function isEither(alternatives: SchemaProps[] | undefined): boolean {
  return alternatives?.length === 2 && EITHER.every((e, i) => alternatives[i]?.type === e.type);
}

function embed(out: JsonObject, dialect: Dialect): void {
  out.properties = { ...(out.properties as JsonObject | undefined), ...typeAndMetadata(dialect) };
  const required = (out.required as string[] | undefined) ?? [];
  out.required = [...required, ...['kind', 'apiVersion'].filter((name) => !required.includes(name))];
}

/** What belongs to every object. */
function typeAndMetadata(dialect: Dialect): JsonObject {
  const { apiVersion, kind, metadata } = fieldsOf('io.k8s.api.core.v1.Pod');
  return { apiVersion, kind, metadata: referenceField(`${META}ObjectMeta`, metadata, dialect) };
}

function fieldsOf(type: string): Record<string, JsonObject> {
  return typeSchema(catalog().type(type), 2).properties as Record<string, JsonObject>;
}

/** OpenAPI 3.0 ignores what stands beside a `$ref`. */
function referenceField(type: string, like: JsonObject | undefined, dialect: Dialect): JsonObject {
  const to = reference(type, dialect);
  return { ...(dialect === 3 ? { allOf: [to] } : to), description: like?.description };
}

function reference(type: string, dialect: Dialect): JsonObject {
  return { $ref: refTo(type, dialect) };
}
