import { isJsonObject, type JsonObject, type JsonValue } from '../../json.js';
import type { Field, SchemaNode, Type } from '../../scheme/type.js';

type Drop = (value: JsonValue) => void;

/** Lists that mean something when they are empty: no owners, and no scaling policies instead of the default ones. */
const MEANINGFUL = new Set(['managedFields', 'policies']);

/** Lists that Go always writes, so that `[]` and null differ until the object is stored, and those above. */
export function tellsEmptyFromUnset(field: Field): boolean {
  return field.node.kind === 'array' && (field.zero === null || MEANINGFUL.has(field.name));
}

/** Bytes that Go always writes: `""` is not null, and stays what it is when stored. */
export function tellsNoBytesFromUnset(field: Field): boolean {
  return field.node.format === 'byte' && field.zero === null;
}

const compiled = new Map<Type, Drop | undefined>();

/**
 * Drops the empty lists of an object in place, as storing it does upstream: whoever writes `[]` owns the field, but what
 * is read back is null. Undefined for types that have no such list.
 */
export function emptyListDropper(type: Type): Drop | undefined {
  if (compiled.has(type)) return compiled.get(type);
  const own: string[] = [];
  const below: { name: string; drop: Drop }[] = [];
  const run: Drop = (value) => {
    if (!isJsonObject(value)) return;
    for (const name of own) if (isEmptyList(value, name)) delete value[name];
    for (const { name, drop } of below) if (value[name] !== undefined) drop(value[name]);
  };
  compiled.set(type, run); // a recursive type finds itself
  for (const field of type.fields) {
    if (tellsEmptyFromUnset(field)) own.push(field.name);
    const drop = dropperOf(field.node);
    if (drop) below.push({ name: field.name, drop });
  }
  if (own.length === 0 && below.length === 0) compiled.set(type, undefined);
  return compiled.get(type);
}

function dropperOf(node: SchemaNode): Drop | undefined {
  const inner = node.items ?? node.values;
  if (!inner) return node.kind === 'struct' ? emptyListDropper(node.type!) : undefined;
  const drop = dropperOf(inner);
  if (!drop) return undefined;
  return (value) => {
    if (Array.isArray(value)) for (const e of value) drop(e);
    else if (isJsonObject(value)) for (const e of Object.values(value)) if (e !== undefined) drop(e);
  };
}

function isEmptyList(object: JsonObject, name: string): boolean {
  const v = object[name];
  return Array.isArray(v) && v.length === 0;
}
