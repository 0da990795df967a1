import { readCatalogFile } from '../../scheme/catalog.js';
import type { SchemaNode, Type } from '../../scheme/type.js';

/**
 * Go's names for types that OpenAPI does not name: `fields` of a struct whose Go type is not what its schema suggests
 * (`io.k8s.api.core.v1.Container` → `{"imagePullPolicy":"v1.PullPolicy"}`), and what named lists and maps are made of.
 */
interface GoTypes {
  fields: Record<string, Record<string, string>>;
  named: Record<string, string>;
}

let shared: GoTypes | undefined;
/** Read on the first error that needs it. */
function goTypes(): GoTypes {
  shared ??= JSON.parse(readCatalogFile('go-types.json')) as GoTypes;
  return shared;
}

/** `v1.Pod` of `io.k8s.api.core.v1.Pod`: package and type. */
export function goTypeName(type: Type): string {
  return type.name.split('.').slice(-2).join('.');
}

/** The Go type of a field, or of what its lists and maps hold `inside` levels down. Pointers are left out. */
export function goTypeAt(owner: Type, field: string, inside: number): string {
  const node = owner.field.get(field)?.node;
  let text = goTypes().fields[owner.name]?.[field] ?? (node ? goTypeOf(node) : 'interface {}');
  for (let i = 0; i < inside; i++) text = elementOf(text);
  return text.replace(/^\*/, '');
}

function elementOf(text: string): string {
  const type = goTypes().named[text] ?? text;
  if (type.startsWith('[]')) return type.slice(2);
  if (type.startsWith('map[')) return type.slice(type.indexOf(']') + 1);
  return type;
}

function goTypeOf(node: SchemaNode): string {
  switch (node.kind) {
    case 'string':
      return node.format === 'byte' ? '[]uint8' : 'string';
    case 'integer':
      return node.format ?? 'int64';
    case 'number':
      return 'float64';
    case 'boolean':
      return 'bool';
    case 'array':
      return `[]${goTypeOf(node.items!)}`;
    case 'map':
      return `map[string]${goTypeOf(node.values!)}`;
    default:
      return node.type ? goTypeName(node.type) : 'interface {}';
  }
}
