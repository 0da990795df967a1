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
    const fields = compileStruct(type);
    const body = fields.filter((f) => f.name !== 'kind' && f.name !== 'apiVersion');
    encoder = (object, gvk) =>
      escapeHtml(
        gvk === undefined ? writeFields(fields, object, '{') : writeFields(body, object, gvk ? typeMeta(gvk) : '{'),
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
  /** `"name":` */
  key: string;
  /** `"name":` with the zero value, or undefined when an unset field is left out. */
  unset: string | undefined;
  write: Write;
}

const structs = new WeakMap<Type, CompiledField[]>();

function compileStruct(type: Type): CompiledField[] {
  const known = structs.get(type);
  if (known) return known;
  const fields: CompiledField[] = [];
  structs.set(type, fields); // before its fields, so that a recursive type finds itself
  for (const field of type.fields) {
    const key = `${JSON.stringify(field.name)}:`;
    fields.push({ name: field.name, key, unset: undefined, write: compileNode(field.node) });
  }
  type.fields.forEach((field, i) => {
    const zero = zeroText(field);
    if (zero !== undefined) fields[i]!.unset = fields[i]!.key + zero;
  });
  return fields;
}

/** The text of an unset field. A struct by value writes its own always-written fields. */
function zeroText(field: Field): string | undefined {
  if (field.zero === undefined) return undefined;
  const { node, zero } = field;
  if (node.kind === 'struct' && zero !== null) return writeFields(compileStruct(node.type!), {}, '{');
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
      const fields = compileStruct(node.type!);
      return (v) => (isObject(v) ? writeFields(fields, v, '{') : writeAny(v));
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
  let fields: CompiledField[] | undefined;
  const write: Write = (v) => {
    if (Array.isArray(v)) return writeArray(v, write);
    if (!isObject(v)) return writeAny(v);
    fields ??= compileStruct(schemaPropsOf(type));
    return writeFields(fields, v, '{');
  };
  return write;
}

function isObject(v: JsonValue): v is JsonObject {
  return typeof v === 'object' && v !== null && !Array.isArray(v);
}

function typeMeta(gvk: GroupVersionKind): string {
  return `{"kind":${JSON.stringify(gvk.kind)},"apiVersion":${JSON.stringify(apiVersionOf(gvk))}`;
}

function writeFields(fields: readonly CompiledField[], object: JsonObject, start: string): string {
  let out = start;
  let first = start.length === 1;
  for (const f of fields) {
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

function writeString(v: JsonValue): string {
  return typeof v === 'string' ? JSON.stringify(v) : writeAny(v);
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
    out += `${first ? '' : ','}${JSON.stringify(key)}:${item(e)}`;
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
      return JSON.stringify(v);
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
    out += `${first ? '' : ','}${JSON.stringify(key)}:${writeAny(e)}`;
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
