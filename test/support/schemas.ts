import type { SchemaProps } from '../../src/api/apiextensions/schema/props.js';
import { catalog } from '../../src/machinery/scheme/catalog.js';
import type { Field, SchemaNode } from '../../src/machinery/scheme/type.js';

/*
 * Schemas of the kind that generators make from Go types: every field described, lists with their keys, built-in types
 * written out in full wherever they are used.
 */

const QUANTITY: SchemaProps = {
  anyOf: [{ type: 'integer' }, { type: 'string' }],
  pattern:
    '^(\\+|-)?(([0-9]+(\\.[0-9]*)?)|(\\.[0-9]+))(([KMGTPE]i)|[numkMGTPE]|([eE](\\+|-)?(([0-9]+(\\.[0-9]*)?)|(\\.[0-9]+))))?$',
  'x-kubernetes-int-or-string': true,
};

/** A built-in type written out, as `io.k8s.api.core.v1.PodTemplateSpec`. Types inside themselves end in free objects. */
export function builtin(type: string): SchemaProps {
  return ofType(type, []);
}

export const podTemplate = (): SchemaProps => builtin('io.k8s.api.core.v1.PodTemplateSpec');
/** The schema of one field of a pod's spec. */
export const podField = (name: string): SchemaProps =>
  builtin('io.k8s.api.core.v1.PodSpec').properties?.[name] ?? { type: 'string' };

function ofType(name: string, above: readonly string[]): SchemaProps {
  const type = catalog().type(name);
  if (type.special === 'Quantity') return QUANTITY;
  if (type.special === 'IntOrString') return { ...QUANTITY, pattern: undefined };
  if (type.special === 'Time' || type.special === 'MicroTime') return { type: 'string', format: 'date-time' };
  if (type.special !== undefined || above.includes(name)) return free();
  if (name.endsWith('.ObjectMeta')) return { type: 'object', properties: { labels: texts(), annotations: texts() } };
  const inside = [...above, name];
  const properties = Object.fromEntries(type.fields.map((f) => [f.name, ofField(f, name, inside)]));
  const required = type.fields.filter((f) => f.required).map((f) => f.name);
  return {
    type: 'object',
    properties,
    ...(required.length > 0 && { required }),
    ...(type.mapType && { 'x-kubernetes-map-type': type.mapType }),
  };
}

function ofField(field: Field, of: string, above: readonly string[]): SchemaProps {
  const owner = of.slice(of.lastIndexOf('.') + 1);
  const description = `The ${field.name} of a ${owner}. What it means, and what is done when it is left out, is told where the ${owner} itself is described; here it is passed on as it is.`;
  const zero = !field.published && (field.required || field.enum);
  const published = typeof field.published === 'object' || zero ? undefined : field.published;
  return {
    description,
    ...ofNode(field.node, above),
    ...(published !== undefined && { default: published }),
    ...(field.enum && { enum: [...field.enum] }),
  };
}

function ofNode(node: SchemaNode, above: readonly string[]): SchemaProps {
  if (node.type) return ofType(node.type.name, above);
  switch (node.kind) {
    case 'array':
      return {
        type: 'array',
        items: ofNode(node.items!, above),
        'x-kubernetes-list-type': node.listType ?? 'atomic',
        ...(node.listKeys && { 'x-kubernetes-list-map-keys': [...node.listKeys] }),
      };
    case 'map':
      return { type: 'object', additionalProperties: ofNode(node.values!, above) };
    case 'any':
      return free();
    case 'struct':
      return free();
    default:
      return { type: node.kind, ...(node.format && node.format !== 'int-or-string' && { format: node.format }) };
  }
}

export const free = (): SchemaProps => ({ type: 'object', 'x-kubernetes-preserve-unknown-fields': true });
export const text = (over: SchemaProps = {}): SchemaProps => ({ type: 'string', ...over });
export const whole = (over: SchemaProps = {}): SchemaProps => ({ type: 'integer', format: 'int32', ...over });
export const yesNo = (over: SchemaProps = {}): SchemaProps => ({ type: 'boolean', ...over });
export const object = (properties: Record<string, SchemaProps>, over: SchemaProps = {}): SchemaProps => ({
  type: 'object',
  properties,
  ...over,
});
export const list = (items: SchemaProps, over: SchemaProps = {}): SchemaProps => ({ type: 'array', items, ...over });
export const texts = (): SchemaProps => ({ type: 'object', additionalProperties: { type: 'string' } });

/** `status.conditions` as nearly every operator has them. */
export const conditions = (): SchemaProps =>
  list(
    object(
      {
        type: text({
          maxLength: 316,
          pattern: '^([a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]+)*/)?([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]$',
        }),
        status: text({ enum: ['True', 'False', 'Unknown'] }),
        reason: text({ minLength: 1, maxLength: 1024 }),
        message: text({ maxLength: 32768 }),
        lastTransitionTime: text({ format: 'date-time' }),
        observedGeneration: { type: 'integer', format: 'int64', minimum: 0 },
      },
      { required: ['type', 'status'] },
    ),
    { 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['type'], maxItems: 16 },
  );

/** A whole resource. */
export function resource(spec: SchemaProps, status?: SchemaProps, over: SchemaProps = {}): SchemaProps {
  return object(
    {
      apiVersion: text({ description: 'Group and version of this form of the object.' }),
      kind: text({ description: 'What the object is.' }),
      metadata: { type: 'object' },
      spec: { description: 'What is wanted.', ...spec },
      ...(status && { status: { description: 'What was found.', ...status } }),
    },
    { required: ['spec'], ...over },
  );
}

export interface Column {
  readonly name: string;
  readonly type: string;
  readonly jsonPath: string;
  readonly priority?: number;
}
export const column = (name: string, jsonPath: string, type = 'string', priority = 0): Column => ({
  name,
  type,
  jsonPath,
  ...(priority > 0 && { priority }),
});
/** The condition of a type, as printer columns pick it. */
export const conditionColumn = (type: string, field = 'status', priority = 0): Column =>
  column(
    field === 'status' ? type : 'Status',
    `.status.conditions[?(@.type == "${type}")].${field}`,
    'string',
    priority,
  );
export const age = column('Age', '.metadata.creationTimestamp', 'date');

export interface DefinitionVersion {
  readonly name: string;
  readonly schema: SchemaProps;
  readonly columns?: readonly Column[];
  readonly served?: boolean;
  readonly status?: boolean;
  readonly scale?: { specReplicasPath: string; statusReplicasPath: string; labelSelectorPath?: string };
  readonly selectable?: readonly string[];
  readonly deprecated?: boolean;
}

export interface Definition {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly spec: object;
}

/** A CustomResourceDefinition; the first version is the stored one. */
export function definition(
  group: string,
  names: { kind: string; plural: string; singular?: string; shortNames?: string[]; categories?: string[] },
  versions: readonly DefinitionVersion[],
  scope: 'Namespaced' | 'Cluster' = 'Namespaced',
): Definition {
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${names.plural}.${group}` },
    spec: {
      group,
      scope,
      names: { singular: names.kind.toLowerCase(), listKind: `${names.kind}List`, ...names },
      versions: versions.map((v, i) => ({
        name: v.name,
        served: v.served ?? true,
        storage: i === 0,
        ...(v.deprecated && { deprecated: true }),
        schema: { openAPIV3Schema: v.schema },
        subresources: { ...(v.status !== false && { status: {} }), ...(v.scale && { scale: v.scale }) },
        ...(v.columns && { additionalPrinterColumns: v.columns }),
        ...(v.selectable && { selectableFields: v.selectable.map((jsonPath) => ({ jsonPath })) }),
      })),
    },
  };
}
