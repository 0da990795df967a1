import type { CelSchema } from '../../machinery/cel/index.js';
import type { SchemaNode, Type } from '../../machinery/scheme/type.js';

const TEXT: CelSchema = { type: 'string' };
const TIME: CelSchema = { type: 'string', format: 'date-time' };
/** What is published of these types says more than one type, which expressions can't see. */
const UNSEEN: CelSchema = {};

/** Forms of types whose JSON is not a struct, as upstream publishes them to expressions. */
const SPECIAL: Readonly<Record<string, CelSchema>> = {
  Time: TIME,
  MicroTime: TIME,
  Duration: TEXT,
  Quantity: UNSEEN,
  IntOrString: { 'x-kubernetes-int-or-string': true },
  RawExtension: { type: 'object' },
  FieldsV1: { type: 'object' },
};

/** The schema of a built-in type as the type checker of policies reads it. A type within itself is an empty object there. */
export function catalogSchema(type: Type): CelSchema {
  return structSchema(type, new Set());
}

function structSchema(type: Type, within: Set<Type>): CelSchema {
  if (type.special) return SPECIAL[type.special] ?? UNSEEN;
  if (within.has(type)) return { type: 'object' };
  within.add(type);
  const properties: Record<string, CelSchema> = {};
  for (const field of type.fields) properties[field.name] = nodeSchema(field.node, within);
  within.delete(type);
  return { type: 'object', properties, required: type.fields.filter((f) => f.required).map((f) => f.name) };
}

function nodeSchema(node: SchemaNode, within: Set<Type>): CelSchema {
  switch (node.kind) {
    case 'string':
      return { type: 'string', ...(node.format && { format: node.format }) };
    case 'integer':
    case 'number':
    case 'boolean':
      return { type: node.kind };
    case 'array':
      return { type: 'array', items: node.items ? nodeSchema(node.items, within) : UNSEEN };
    case 'map':
      return { type: 'object', additionalProperties: node.values ? nodeSchema(node.values, within) : UNSEEN };
    case 'struct':
    case 'any':
      return node.type ? structSchema(node.type, within) : UNSEEN;
  }
}
