import type { JsonObject, JsonValue } from '../../machinery/json.js';
import { resourceCatalog } from '../../machinery/scheme/resources.js';
import type { Field, SchemaNode, Type } from '../../machinery/scheme/type.js';
import { type Dialect, refTo } from './contract.js';
import { descriptions } from './descriptions.js';

/** Types whose JSON has a form of its own: what they are, in each dialect. */
const FORMS: Record<string, { description: string; 2: JsonObject; 3: JsonObject }> = {
  Quantity: {
    description: 'A number with a unit: decimal (500m, 2, 3k, 1e6) or binary (64Mi, 1Gi). Written in canonical form.',
    2: { type: 'string' },
    3: { oneOf: [{ type: 'string' }, { type: 'number' }] },
  },
  IntOrString: {
    description: 'A whole number, or a text such as a name or a percentage.',
    2: { type: 'string', format: 'int-or-string' },
    3: { oneOf: [{ type: 'integer' }, { type: 'string' }], format: 'int-or-string' },
  },
  Time: {
    description: 'A point in time as RFC 3339 writes it, in whole seconds, UTC.',
    2: { type: 'string', format: 'date-time' },
    3: { type: 'string', format: 'date-time' },
  },
  MicroTime: {
    description: 'A point in time as RFC 3339 writes it, in microseconds, UTC.',
    2: { type: 'string', format: 'date-time' },
    3: { type: 'string', format: 'date-time' },
  },
  FieldsV1: {
    description:
      'A set of fields as a tree: f:<name> is a field, k:<keys> an item of a list by its keys, v:<value> one by its value, i:<index> one by its place, and "." the item itself.',
    2: { type: 'object' },
    3: { type: 'object' },
  },
  Patch: {
    description: 'The body of a patch, in the form that its Content-Type names.',
    2: { type: 'object' },
    3: { type: 'object' },
  },
  RawExtension: {
    description: 'An object of any kind.',
    2: { type: 'object' },
    3: { type: 'object' },
  },
  JSON: { description: 'Any JSON value.', 2: {}, 3: {} },
  JSONSchemaPropsOrArray: { description: 'A schema, or a list of schemas.', 2: {}, 3: {} },
  JSONSchemaPropsOrBool: { description: 'A schema, or whether anything is allowed.', 2: {}, 3: {} },
  JSONSchemaPropsOrStringArray: { description: 'A schema, or a list of names.', 2: {}, 3: {} },
};

/** What every object has under these names. */
const COMMON_FIELDS: Record<string, string> = {
  metadata: "Standard object's metadata.",
  spec: 'The desired state.',
  status: 'The observed state, written by the system.',
};

/** The schema of a built-in type, as `definitions` or `components.schemas` has it. */
export function typeSchema(type: Type, dialect: Dialect): JsonObject {
  const texts = descriptions().types[type.name] ?? {};
  const form = type.special === undefined ? undefined : FORMS[type.special];
  if (form) return { description: texts[''] ?? form.description, ...form[dialect] };
  const schema: JsonObject = {};
  if (texts['']) schema.description = texts[''];
  const required = type.fields.filter((f) => f.required).map((f) => f.name);
  if (type.fields.length > 0) {
    const fields = [...type.fields].sort((a, b) => (a.name < b.name ? -1 : 1));
    schema.properties = Object.fromEntries(fields.map((f) => [f.name, fieldSchema(f, texts[f.name], dialect)]));
  }
  if (required.length > 0) schema.required = required;
  schema.type = 'object';
  const gvk = kindsOf(type);
  if (gvk.length > 0) schema['x-kubernetes-group-version-kind'] = gvk;
  if (type.mapType) schema['x-kubernetes-map-type'] = type.mapType;
  if (type.unions !== undefined) schema['x-kubernetes-unions'] = type.unions;
  return schema;
}

function fieldSchema(field: Field, text: string | undefined, dialect: Dialect): JsonObject {
  const { node } = field;
  const extra: JsonObject = {};
  if (dialect === 3 && field.published !== undefined) extra.default = field.published;
  let description = text;
  if (!description && node.type) description = COMMON_FIELDS[field.name] ?? descriptions().types[node.type.name]?.[''];
  if (field.enum) {
    const values = [...field.enum].sort();
    description = `${description ? `${description}\n\n` : ''}Possible enum values:${values.map((v) => `\n - \`${JSON.stringify(v)}\``).join('')}`;
    extra.enum = values;
  }
  if (description) extra.description = description;
  if (node.listKeys) extra['x-kubernetes-list-map-keys'] = [...node.listKeys];
  if (node.listType) extra['x-kubernetes-list-type'] = node.listType;
  if (node.mapType && node.kind === 'map') extra['x-kubernetes-map-type'] = node.mapType;
  if (field.patchMergeKey) extra['x-kubernetes-patch-merge-key'] = field.patchMergeKey;
  if (field.patchStrategy) extra['x-kubernetes-patch-strategy'] = field.patchStrategy;
  return withExtra(nodeSchema(node, dialect), extra, dialect);
}

function nodeSchema(node: SchemaNode, dialect: Dialect): JsonObject {
  if (node.type) return { $ref: refTo(node.type.name, dialect) };
  switch (node.kind) {
    case 'array':
      return { type: 'array', items: elementSchema(node.items!, dialect) };
    case 'map':
      if (node.values!.kind === 'any' && !node.values!.type) return { type: 'object' };
      return { type: 'object', additionalProperties: elementSchema(node.values!, dialect) };
    case 'string':
    case 'integer':
    case 'number':
    case 'boolean':
      return { type: node.kind, ...(node.format ? { format: node.format } : {}) };
    default:
      return {};
  }
}

/** Elements are never left out, so they have the zero value as default. Only the newer dialect publishes defaults. */
function elementSchema(node: SchemaNode, dialect: Dialect): JsonObject {
  const extra: JsonObject = {};
  const zero = dialect === 3 ? zeroOf(node) : undefined;
  if (zero !== undefined) extra.default = zero;
  return withExtra(nodeSchema(node, dialect), extra, dialect);
}

function zeroOf(node: SchemaNode): JsonValue | undefined {
  switch (node.kind) {
    case 'struct':
      return {};
    case 'string':
      return node.format === 'byte' ? undefined : '';
    case 'integer':
    case 'number':
      return 0;
    case 'boolean':
      return false;
    default:
      return undefined;
  }
}

/** OpenAPI 3.0 ignores what stands beside a `$ref`. */
function withExtra(schema: JsonObject, extra: JsonObject, dialect: Dialect): JsonObject {
  if (Object.keys(extra).length === 0) return schema;
  return dialect === 3 && schema.$ref !== undefined ? { allOf: [schema], ...extra } : { ...schema, ...extra };
}

/** Options and events belong to every group and version. */
function kindsOf(type: Type): JsonObject[] {
  if (type.gvk.length > 0) return type.gvk.map(([group, version, kind]) => ({ group, kind, version }));
  const kind = type.name.slice(type.name.lastIndexOf('.') + 1);
  if (kind !== 'DeleteOptions' && kind !== 'WatchEvent') return [];
  return resourceCatalog().groupOrder.all.flatMap(({ group, versions }) =>
    versions.map((version) => ({ group, kind, version })),
  );
}
