import { catalog } from '../../../machinery/scheme/catalog.js';
import type { Field, SchemaNode, Type } from '../../../machinery/scheme/type.js';
import type { Structural } from './structural.js';

/** A schema as patches and server-side apply want it. */
export function schemaNode(schema: Structural, name: string): SchemaNode {
  const mapType = schema.mapType === 'atomic' ? ('atomic' as const) : undefined;
  if (schema.intOrString) return { kind: 'string', format: 'int-or-string' };
  switch (schema.type) {
    case 'string':
      return { kind: 'string', format: schema.props.format };
    case 'boolean':
    case 'integer':
    case 'number':
      return { kind: schema.type };
    case 'array':
      return {
        kind: 'array',
        items: schema.items && schemaNode(schema.items, `${name}[]`),
        listType: listType(schema.listType),
        listKeys: schema.listMapKeys,
      };
    case 'object':
      return objectNode(schema, name, mapType);
    default:
      return { kind: 'any' };
  }
}

function objectNode(schema: Structural, name: string, mapType: 'atomic' | undefined): SchemaNode {
  const { properties, additional, preserveUnknown } = schema;
  if (properties.size === 0 && !schema.embedded) {
    if (typeof additional === 'object') return { kind: 'map', values: schemaNode(additional, `${name}{}`), mapType };
    return { kind: 'map', mapType };
  }
  const fields = [...properties].map(([field, s]) => fieldOf(field, schemaNode(s, `${name}.${field}`), s));
  const free = preserveUnknown || additional === true;
  const values = free ? ANY : typeof additional === 'object' ? schemaNode(additional, `${name}{}`) : undefined;
  return { kind: 'struct', type: typeOf(name, schema.embedded ? withMeta(fields) : fields), mapType, values };
}

/** A resource: its schema, with apiVersion, kind and metadata as every object has them. */
export function resourceType(schema: Structural | undefined, name: string): { type: Type; node: SchemaNode } {
  const properties = schema ? [...schema.properties] : [];
  const fields = properties.map(([field, s]) => fieldOf(field, schemaNode(s, `${name}.${field}`), s));
  const type = typeOf(name, withMeta(fields));
  return { type, node: { kind: 'struct', type, values: !schema || schema.preserveUnknown ? ANY : undefined } };
}

const ANY: SchemaNode = { kind: 'any' };

function withMeta(fields: Field[]): Field[] {
  const meta: SchemaNode = { kind: 'struct', type: catalog().type('io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta') };
  const own = fields.filter((f) => f.name !== 'apiVersion' && f.name !== 'kind' && f.name !== 'metadata');
  const text = (name: string) => fieldOf(name, { kind: 'string' }, undefined);
  return [text('apiVersion'), text('kind'), fieldOf('metadata', meta, undefined), ...own];
}

function fieldOf(name: string, node: SchemaNode, schema: Structural | undefined): Field {
  return {
    name,
    node,
    required: false,
    nullable: schema?.nullable ?? false,
    pointer: true,
    zero: undefined,
    published: schema?.default,
  };
}

function typeOf(name: string, fields: readonly Field[]): Type {
  return {
    name,
    fields,
    field: new Map(fields.map((f) => [f.name, f])),
    gvk: [],
    inlineParts: [],
    published: true,
  };
}

function listType(type: string | undefined): SchemaNode['listType'] {
  return type === 'set' || type === 'map' || type === 'atomic' ? type : undefined;
}
