import { apiVersionOf, type GroupVersionKind, type JsonObject, type JsonValue } from '../../json.js';
import type { Field, SchemaNode, Type } from '../../scheme/type.js';
import { schemaPropsOf } from '../typed/special.js';
import { isEscaped } from './scanner.js';

type Write = (v: JsonValue) => string;

/**
 * The compiled encoder of a type: an object in minimal form to JSON text in Go's field order, map keys sorted bytewise,
 * unset fields that Go always writes filled in, `<`, `>`, `&`, U+2028 and U+2029 escaped. `gvk` is written as kind and
 * apiVersion; null leaves both out (items of a list); undefined writes what the object itself holds. No newline is
 * added: a whole response body, and each watch event, ends with one.
 */
export type JsonEncoder = (object: JsonObject, gvk?: GroupVersionKind | null) => string;

const encoders = new WeakMap<Type, JsonEncoder>();

export function jsonEncoder(type: Type): JsonEncoder {
  let encoder = encoders.get(type);
  if (!encoder) {
    const struct = compileStruct(type);
    encoder = (object, gvk) =>
      escapeHtml(
        gvk === undefined
          ? writeFields(struct, object, '{', true)
          : writeFields(struct, object, gvk ? typeMeta(gvk) : '{', false),
      );
    encoders.set(type, encoder);
  }
  return encoder;
}

/**
 * JSON of an object without a built-in type, as upstream writes unstructured content: all keys sorted bytewise,
 * integers exact, no newline.
 */
export function encodeUnstructured(value: JsonValue): string {
  return escapeHtml(writeSorted(value));
}

/** JSON with the keys in the order they stand; for raw parts and documents that are not API objects. */
export function encodePlain(value: JsonValue): string {
  return escapeHtml(writeAny(value));
}

/** JSON text with nothing escaped that JSON does not ask for: what the raw bytes of free-form parts hold. */
export function encodeRaw(value: JsonValue): string {
  return writeAny(value);
}

/** Indents compact JSON text by two spaces as Go's MarshalIndent does. */
export function prettyJson(compact: string): string {
  let out = '';
  let start = 0;
  let indent = '\n';
  for (let i = 0; i < compact.length; i++) {
    const c = compact.charCodeAt(i);
    if (c === 0x22) {
      i = compact.indexOf('"', i + 1);
      while (isEscaped(compact, i)) i = compact.indexOf('"', i + 1);
    } else if (c === 0x7b || c === 0x5b) {
      const close = compact.charCodeAt(i + 1);
      if (close === 0x7d || close === 0x5d) {
        i++;
        continue;
      }
      indent += '  ';
      out += compact.slice(start, i + 1) + indent;
      start = i + 1;
    } else if (c === 0x7d || c === 0x5d) {
      indent = indent.slice(0, -2);
      out += compact.slice(start, i) + indent;
      start = i;
    } else if (c === 0x2c) {
      out += compact.slice(start, i + 1) + indent;
      start = i + 1;
    } else if (c === 0x3a) {
      out += `${compact.slice(start, i)}: `;
      start = i + 1;
    }
  }
  return out + compact.slice(start);
}

interface CompiledField {
  name: string;
  /** Position in Go's order. */
  index: number;
  /** `"name":` */
  key: string;
  /** `"name":` with the zero value, or undefined when an unset field is left out. */
  unset: string | undefined;
  write: Write;
}

interface CompiledStruct {
  fields: CompiledField[];
  byName: Map<string, CompiledField>;
  /** Fields that are written even when they are unset. */
  always: CompiledField[];
}

/** From this many fields on it is cheaper to look at the keys that are there than at all that could be. */
const MANY_FIELDS = 12;

const structs = new WeakMap<Type, CompiledStruct>();

function compileStruct(type: Type): CompiledStruct {
  const known = structs.get(type);
  if (known) return known;
  const struct: CompiledStruct = { fields: [], byName: new Map(), always: [] };
  structs.set(type, struct); // before its fields, so that a recursive type finds itself
  for (const [index, field] of type.fields.entries()) {
    const key = `${JSON.stringify(field.name)}:`;
    const compiled = { name: field.name, index, key, unset: undefined, write: compileNode(field.node) };
    struct.fields.push(compiled);
    struct.byName.set(field.name, compiled);
  }
  for (const [index, field] of type.fields.entries()) {
    const zero = zeroText(field);
    if (zero === undefined) continue;
    struct.fields[index]!.unset = struct.fields[index]!.key + zero;
    struct.always.push(struct.fields[index]!);
  }
  return struct;
}

/** The fields that stand in an object or must be written anyway, in Go's order. */
function fieldsOf(struct: CompiledStruct, object: JsonObject): CompiledField[] {
  if (struct.fields.length < MANY_FIELDS) return struct.fields;
  const found: CompiledField[] = [];
  let sorted = true;
  for (const key in object) {
    const field = struct.byName.get(key);
    if (field === undefined) continue;
    if (found.length > 0 && found[found.length - 1]!.index > field.index) sorted = false;
    found.push(field);
  }
  for (const field of struct.always) {
    if (object[field.name] !== undefined) continue;
    found.push(field);
    sorted = false;
  }
  return sorted ? found : found.sort(byIndex);
}

const byIndex = (a: CompiledField, b: CompiledField): number => a.index - b.index;

/** The text of an unset field. A struct by value writes its own always-written fields. */
function zeroText(field: Field): string | undefined {
  if (field.zero === undefined) return undefined;
  const { node, zero } = field;
  if (node.kind === 'struct' && zero !== null) return writeFields(compileStruct(node.type!), {}, '{', true);
  return JSON.stringify(zero);
}

function compileNode(node: SchemaNode): Write {
  switch (node.kind) {
    case 'string':
      return writeString;
    case 'array': {
      const item = compileNode(node.items!);
      return (v) => writeArray(v, item);
    }
    case 'map': {
      const item = compileNode(node.values!);
      return (v) => writeMap(v, item);
    }
    case 'struct': {
      const struct = compileStruct(node.type!);
      return (v) => (isObject(v) ? writeFields(struct, v, '{', true) : writeAny(v));
    }
    case 'any':
      return compileSpecial(node.type);
    default:
      return writeAny;
  }
}

function compileSpecial(type: Type | undefined): Write {
  switch (type?.special) {
    case 'JSONSchemaPropsOrBool':
    case 'JSONSchemaPropsOrArray':
    case 'JSONSchemaPropsOrStringArray':
      return writeSchemaPart(type);
    default:
      return writeAny;
  }
}

/** A schema, a list of schemas, or something plain (true, false, a list of names). */
function writeSchemaPart(type: Type): Write {
  let struct: CompiledStruct | undefined;
  const write: Write = (v) => {
    if (Array.isArray(v)) return writeArray(v, write);
    if (!isObject(v)) return writeAny(v);
    struct ??= compileStruct(schemaPropsOf(type));
    return writeFields(struct, v, '{', true);
  };
  return write;
}

function isObject(v: JsonValue): v is JsonObject {
  return typeof v === 'object' && v !== null && !Array.isArray(v);
}

function typeMeta(gvk: GroupVersionKind): string {
  return `{"kind":${JSON.stringify(gvk.kind)},"apiVersion":${JSON.stringify(apiVersionOf(gvk))}`;
}

function writeFields(struct: CompiledStruct, object: JsonObject, start: string, withTypeMeta: boolean): string {
  let out = start;
  let first = start.length === 1;
  for (const f of fieldsOf(struct, object)) {
    if (!withTypeMeta && (f.name === 'kind' || f.name === 'apiVersion')) continue;
    const v = object[f.name];
    if (v === undefined) {
      if (f.unset === undefined) continue;
      out += first ? f.unset : `,${f.unset}`;
    } else {
      out += first ? f.key : `,${f.key}`;
      out += f.write(v);
    }
    first = false;
  }
  return `${out}}`;
}

/** What a JSON string cannot hold as it is. Pairs of surrogates could, but are rare. */
const NEEDS_ESCAPE = /[^ !#-[\]-\ud7ff\ue000-\uffff]/;

function quote(s: string): string {
  return NEEDS_ESCAPE.test(s) ? JSON.stringify(s) : `"${s}"`;
}

function writeString(v: JsonValue): string {
  return typeof v === 'string' ? quote(v) : writeAny(v);
}

function writeArray(v: JsonValue, item: Write): string {
  if (!Array.isArray(v)) return writeAny(v);
  if (v.length === 0) return '[]';
  let out = `[${v[0] === undefined ? 'null' : item(v[0])}`;
  for (let i = 1; i < v.length; i++) out += `,${item(v[i]!)}`;
  return `${out}]`;
}

function writeMap(v: JsonValue, item: Write): string {
  if (!isObject(v)) return writeAny(v);
  let out = '{';
  let first = true;
  for (const key of sortedKeys(v)) {
    const e = v[key];
    if (e === undefined) continue;
    out += `${first ? '' : ','}${quote(key)}:${item(e)}`;
    first = false;
  }
  return `${out}}`;
}

function writeSorted(v: JsonValue): string {
  if (typeof v !== 'object' || v === null) return writeAny(v);
  return Array.isArray(v) ? writeArray(v, writeSorted) : writeMap(v, writeSorted);
}

function writeAny(v: JsonValue): string {
  switch (typeof v) {
    case 'string':
      return quote(v);
    case 'number':
      return Number.isFinite(v) ? `${v}` : 'null';
    case 'bigint':
    case 'boolean':
      return `${v}`;
    default:
      break;
  }
  if (v === null) return 'null';
  if (Array.isArray(v)) return writeArray(v, writeAny);
  let out = '{';
  let first = true;
  for (const key of Object.keys(v)) {
    const e = v[key];
    if (e === undefined) continue;
    out += `${first ? '' : ','}${quote(key)}:${writeAny(e)}`;
    first = false;
  }
  return `${out}}`;
}

/** The keys of an object in the order of their UTF-8 bytes, as Go sorts map keys. */
export function sortedKeys(v: JsonObject): string[] {
  const keys = Object.keys(v);
  return keys.length < 2 ? keys : keys.sort(compareBytes);
}

/** Orders by code point, which is the order of the UTF-8 bytes; only surrogates sort differently by code unit. */
export function compareBytes(a: string, b: string): number {
  const n = Math.min(a.length, b.length);
  for (let i = 0; i < n; i++) {
    let x = a.charCodeAt(i);
    let y = b.charCodeAt(i);
    if (x === y) continue;
    if (x >= 0xd800 && y >= 0xd800) {
      // Surrogates stand for code points above every other one that starts here.
      if (x < 0xe000) x += 0x10000;
      if (y < 0xe000) y += 0x10000;
    }
    return x - y;
  }
  return a.length - b.length;
}

const HTML = /[<>&\u2028\u2029]/;
const HTML_ALL = /[<>&\u2028\u2029]/g;
const HTML_ESCAPES: Record<string, string> = {
  '<': '\\u003c',
  '>': '\\u003e',
  '&': '\\u0026',
  '\u2028': '\\u2028',
  '\u2029': '\\u2029',
};

/** These characters stand only inside strings, so the whole text can be escaped at once. */
function escapeHtml(json: string): string {
  return HTML.test(json) ? json.replace(HTML_ALL, (c) => HTML_ESCAPES[c]!) : json;
}
