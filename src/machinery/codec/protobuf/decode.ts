import { isJsonObject, type JsonObject, type JsonValue, setOwn } from '../../json.js';
import { canonicalQuantity } from '../../quantity.js';
import type { SchemaNode, Type } from '../../scheme/type.js';
import { DecodeError } from '../errors.js';
import { MAX_DEPTH, parseJson } from '../json/parse.js';
import { formatMicroTime, formatTime } from '../time.js';
import { schemaPropsOf } from '../typed/special.js';
import { type MessageField, type MessageLayout, messageLayout } from './layout.js';
import { ProtoReader } from './reader.js';

/** Reads the fields of a message up to the reader's end into `out`. */
type ReadMessage = (r: ProtoReader, out: JsonObject, depth: number) => void;
/** Reads one value; undefined is Go's zero value. `before` is what an earlier record of the field gave: messages merge. */
type ReadValue = (r: ProtoReader, depth: number, before: JsonValue | undefined) => JsonValue | undefined;
type ReadField = (r: ProtoReader, wire: number, out: JsonObject, depth: number) => void;

const messages = new WeakMap<Type, ReadMessage>();

/**
 * Reads the message of a built-in type (without envelope) to an object in minimal form. Unknown fields are skipped.
 * Throws DecodeError for bytes that are not such a message.
 */
export function decodeMessage(type: Type, data: Uint8Array): JsonObject {
  const out: JsonObject = {};
  messageReader(type)(new ProtoReader(data), out, 0);
  return out;
}

function messageReader(type: Type): ReadMessage {
  const known = messages.get(type);
  if (known) return known;
  let compiled: ReadMessage | undefined;
  const read: ReadMessage = (r, out, depth) => {
    compiled ??= compileLayout(messageLayout(type));
    compiled(r, out, depth);
  };
  messages.set(type, read);
  return read;
}

function compileLayout(layout: MessageLayout): ReadMessage {
  const fields: (ReadField | undefined)[] = [];
  for (const f of layout.fields) fields[f.number] = compileField(f);
  return (r, out, depth) => {
    if (depth > MAX_DEPTH) throw new DecodeError('proto: exceeded max depth');
    while (r.pos < r.end) {
      const tag = r.varint();
      const wire = tag & 7;
      const number = Math.floor(tag / 8);
      if (wire === 4) throw new DecodeError(`proto: ${layout.name}: wiretype end group for non-group`);
      if (number <= 0 || number > 0x7fffffff) {
        throw new DecodeError(`proto: ${layout.name}: illegal tag ${number} (wire type ${tag})`);
      }
      const field = fields[number];
      if (field) field(r, wire, out, depth);
      else r.skip(wire);
    }
  };
}

function compileField({ name: shown, field, part }: MessageField): ReadField {
  const wrong = (wire: number): never => {
    throw new DecodeError(`proto: wrong wireType = ${wire} for field ${shown}`);
  };
  if (part) {
    const read = compileLayout(part);
    return (r, wire, out, depth) => {
      if (wire !== 2) wrong(wire);
      within(r, () => read(r, out, depth + 1));
    };
  }
  const { name, node, pointer } = field!;
  const label = field!.protobuf![2];
  if (label === 'map') return compileMap(name, node.values!, wrong);
  if (label === 'repeated') return compileRepeated(name, node.items!, wrong);
  const read = compileValue(node);
  const expected = wireType(node);
  return (r, wire, out, depth) => {
    if (wire !== expected) wrong(wire);
    const v = read(r, depth, out[name]);
    if (v !== undefined && (pointer || !isZero(v, node))) out[name] = v;
    else delete out[name];
  };
}

function compileRepeated(name: string, items: SchemaNode, wrong: (wire: number) => never): ReadField {
  const read = compileValue(items);
  const expected = wireType(items);
  return (r, wire, out, depth) => {
    out[name] ??= [];
    const list = out[name] as JsonValue[];
    if (wire === expected) list.push(read(r, depth, undefined) ?? zeroOf(items));
    else if (wire === 2 && expected !== 2) {
      within(r, () => {
        while (r.pos < r.end) list.push(read(r, depth, undefined) ?? zeroOf(items));
      });
    } else wrong(wire);
  };
}

function compileMap(name: string, values: SchemaNode, wrong: (wire: number) => never): ReadField {
  const read = compileValue(values);
  const expected = wireType(values);
  return (r, wire, out, depth) => {
    if (wire !== 2) wrong(wire);
    within(r, () => {
      let key = '';
      let value: JsonValue | undefined;
      while (r.pos < r.end) {
        const tag = r.varint();
        if (tag === 0x0a) key = r.string();
        else if (tag === ((2 << 3) | expected)) value = read(r, depth, undefined);
        else r.skip(tag & 7);
      }
      out[name] ??= {};
      setOwn(out[name] as JsonObject, key, value ?? (values.format === 'byte' ? '' : zeroOf(values)));
    });
  };
}

/** Runs a reader inside the length-delimited value that starts here. */
function within(r: ProtoReader, read: () => void): void {
  const length = r.length();
  const end = r.end;
  const inner = r.pos + length;
  r.end = inner;
  read();
  r.pos = inner;
  r.end = end;
}

function wireType(node: SchemaNode): number {
  if (node.kind === 'integer' || node.kind === 'boolean') return 0;
  return node.kind === 'number' ? 1 : 2;
}

function zeroOf(node: SchemaNode): JsonValue {
  switch (node.kind) {
    case 'string':
      return '';
    case 'struct':
      return {};
    case 'any':
      return node.type?.special === 'Quantity' ? '0' : null;
    default:
      return null;
  }
}

function isZero(v: JsonValue, node: SchemaNode): boolean {
  if (node.kind === 'any') {
    if (node.type?.special === 'Quantity') return v === '0';
    return node.type?.special === 'IntOrString' ? v === 0 : v === null;
  }
  if (typeof v !== 'object') return v === '' || v === 0 || v === false;
  if (Array.isArray(v)) return v.length === 0;
  for (const _ in v) return false;
  return true;
}

function compileValue(node: SchemaNode): ReadValue {
  switch (node.kind) {
    case 'string':
      return node.format === 'byte' ? (r) => r.bytes().toString('base64') : (r) => r.string();
    case 'integer':
      return node.format === 'int32' ? (r) => r.int32() : (r) => r.int64();
    case 'boolean':
      return (r) => r.bool();
    case 'number':
      return (r) => finite(r.double());
    case 'struct':
      return structReader(node.type!);
    case 'array':
      return stringsReader;
    case 'any':
      return compileSpecial(node.type);
    default:
      throw new Error(`no protobuf form for a ${node.kind}`);
  }
}

/** JSON has no form for the other ones, so no answer could hold them. */
function finite(n: number): number {
  if (!Number.isFinite(n)) throw new DecodeError(`json: unsupported value: ${n > 0 ? '+Inf' : n < 0 ? '-Inf' : 'NaN'}`);
  return n;
}

function structReader(type: Type): ReadValue {
  const read = messageReader(type);
  return (r, depth, before) => {
    const out = before !== undefined && isJsonObject(before) ? before : {};
    within(r, () => read(r, out, depth + 1));
    return out;
  };
}

/** Calls back for each field of the message that starts here. */
function eachField(r: ProtoReader, read: (number: number, wire: number) => void): void {
  within(r, () => {
    while (r.pos < r.end) {
      const tag = r.varint();
      read(Math.floor(tag / 8), tag & 7);
    }
  });
}

const stringsReader: ReadValue = (r) => {
  const out: JsonValue[] = [];
  eachField(r, (number, wire) => {
    if (number === 1 && wire === 2) out.push(r.string());
    else r.skip(wire);
  });
  return out.length > 0 ? out : null;
};

function compileSpecial(type: Type | undefined): ReadValue {
  switch (type?.special) {
    case 'Quantity':
      return readQuantity;
    case 'Time':
      return (r) => readTime(r, formatTime);
    case 'MicroTime':
      return (r) => readTime(r, formatMicroTime);
    case 'IntOrString':
      return readIntOrString;
    case 'JSONSchemaPropsOrBool':
    case 'JSONSchemaPropsOrArray':
    case 'JSONSchemaPropsOrStringArray':
      return schemaPartReader(type);
    default:
      return readRaw;
  }
}

const readQuantity: ReadValue = (r) => {
  let text = '';
  eachField(r, (number, wire) => {
    if (number === 1 && wire === 2) text = r.string();
    else r.skip(wire);
  });
  try {
    return canonicalQuantity(text);
  } catch (e) {
    throw new DecodeError((e as Error).message);
  }
};

function readTime(
  r: ProtoReader,
  format: (t: { seconds: number; nanos: number }) => string | undefined,
): string | undefined {
  let seconds = 0;
  let nanos = 0;
  let empty = true;
  eachField(r, (number, wire) => {
    empty = false;
    if (number === 1 && wire === 0) seconds = Number(r.int64());
    else if (number === 2 && wire === 0) nanos = r.int32();
    else r.skip(wire);
  });
  if (empty) return undefined;
  const whole = seconds + Math.floor(nanos / 1e9);
  if (!(whole >= -62135596800 && whole <= 253402300799)) {
    throw new DecodeError('Time.MarshalJSON: year outside of range [0,9999]');
  }
  return format({ seconds: whole, nanos: nanos - Math.floor(nanos / 1e9) * 1e9 });
}

const readIntOrString: ReadValue = (r) => {
  let isString = false;
  let number = 0;
  let text = '';
  eachField(r, (n, wire) => {
    if (n === 1 && wire === 0) isString = r.bool();
    else if (n === 2 && wire === 0) number = r.int32();
    else if (n === 3 && wire === 2) text = r.string();
    else r.skip(wire);
  });
  return isString ? text : number;
};

/** RawExtension, FieldsV1 and JSON hold JSON text; nothing at all is null. */
const readRaw: ReadValue = (r) => {
  let raw: Buffer | undefined;
  eachField(r, (number, wire) => {
    if (number === 1 && wire === 2) raw = r.bytes();
    else r.skip(wire);
  });
  return raw === undefined || raw.length === 0 ? null : parseJson(raw);
};

function schemaPartReader(type: Type): ReadValue {
  let schema: ReadValue | undefined;
  return (r, depth) => {
    schema ??= structReader(schemaPropsOf(type));
    const read = schema;
    const isBool = type.special === 'JSONSchemaPropsOrBool';
    const isStrings = type.special === 'JSONSchemaPropsOrStringArray';
    let allows = false;
    let one: JsonValue | undefined;
    const list: JsonValue[] = [];
    eachField(r, (number, wire) => {
      if (isBool && number === 1 && wire === 0) allows = r.bool();
      else if (wire === 2 && number === (isBool ? 2 : 1)) one = read(r, depth + 1, one);
      else if (wire === 2 && number === 2) list.push(isStrings ? r.string() : (read(r, depth + 1, undefined) ?? {}));
      else r.skip(wire);
    });
    if (list.length > 0) return list;
    return one ?? (isBool ? allows : null);
  };
}
