import { goQuote } from '../go-format.js';
import type { SchemaNode, Type } from '../scheme/type.js';
import { plainError } from './smp-errors.js';

/** What a value is to a strategic merge patch: its Go kind, and its type when it is a struct. */
export interface PatchShape {
  readonly goKind: string;
  readonly type?: Type;
}

export interface FieldMeta {
  /** Of the field's value; of an element when the field is a list. */
  readonly shape: PatchShape;
  readonly strategy: '' | 'merge' | 'replace';
  /** '' when the list has none. */
  readonly mergeKey: string;
}

export function rootShape(type: Type): PatchShape {
  return { goKind: 'struct', type };
}

function shapeOf(node: SchemaNode | undefined): PatchShape {
  switch (node?.kind) {
    case 'struct':
      return { goKind: 'struct', type: node.type };
    case 'array':
      return { goKind: 'slice' };
    case 'integer':
      return { goKind: node.format ?? 'int64' };
    case 'number':
      return { goKind: 'float64' };
    case 'boolean':
      return { goKind: 'bool' };
    case 'string':
    case 'map':
      return { goKind: node.kind };
    default:
      return node?.type ? { goKind: 'struct', type: node.type } : { goKind: 'interface' };
  }
}

/** How a member merges. Throws what kube-apiserver answers for members that the type does not declare. */
export function lookupField(shape: PatchShape, name: string): FieldMeta {
  return lookup(shape, name, (node) => shapeOf(node));
}

/** The same for a member whose value is a list. */
export function lookupList(shape: PatchShape, name: string): FieldMeta {
  return lookup(shape, name, (node) => {
    if (node.kind === 'array') {
      if (node.items?.kind === 'array') throw plainError('unexpected slice of slice');
      return shapeOf(node.items);
    }
    if (node.kind === 'any') return shapeOf(node);
    throw plainError(`expected slice or array type, but got: ${shape.goKind}`);
  });
}

function lookup(shape: PatchShape, name: string, of: (node: SchemaNode) => PatchShape): FieldMeta {
  const type = shape.type;
  if (!type) {
    throw plainError(`merging an object in json but data type is not struct, instead is: ${shape.goKind}`);
  }
  const lower = name.toLowerCase();
  const field = type.field.get(name) ?? type.fields.find((f) => f.name.toLowerCase() === lower);
  if (!field) {
    const struct = type.name.slice(type.name.lastIndexOf('.') + 1);
    throw plainError(`unable to find api field in struct ${struct} for the json field ${goQuote(name)}`);
  }
  const strategy = (field.patchStrategy ?? '').split(',').find((s) => s !== 'retainKeys') ?? '';
  return { shape: of(field.node), strategy: strategy as FieldMeta['strategy'], mergeKey: field.patchMergeKey ?? '' };
}
