import type { JsonObject, JsonValue } from '../../json.js';
import type { SchemaNode, Type } from '../../scheme/type.js';
import { encodeRaw, sortedKeys } from '../json/encode.js';
import { timestampOf } from '../time.js';
import { schemaPropsOf } from '../typed/special.js';
import { type MessageLayout, messageLayout } from './layout.js';
import { ProtoWriter } from './writer.js';

/** Writes a value and what it needs in front of it (a length), without the tag. */
type WriteValue = (w: ProtoWriter, v: JsonValue) => void;
type WriteMessage = (w: ProtoWriter, object: JsonObject) => void;

const messages = new WeakMap<Type, WriteMessage>();

/** The bytes of the message of a built-in type, without envelope. The object is in minimal form. */
export function encodeMessage(type: Type, object: JsonObject): Buffer {
  const w = new ProtoWriter();
  messageWriter(type)(w, object);
  return w.finish();
}

/** The compiled writer of a type's message. */
export function messageWriter(type: Type): WriteMessage {
  const known = messages.get(type);
  if (known) return known;
  let compiled: WriteMessage | undefined;
  // Compiled on first use, so that a recursive type finds this function.
  const write: WriteMessage = (w, object) => {
    compiled ??= compileLayout(messageLayout(type));
    compiled(w, object);
  };
  messages.set(type, write);
  return write;
}

function compileLayout(layout: MessageLayout): WriteMessage {
  const writers = layout.fields
    .map(({ number, field, part }): WriteMessage => {
      if (part) return compilePart(number, compileLayout(part));
      const [, , label, presence] = field!.protobuf!;
      if (label === 'map') return compileMap(number, field!.name, field!.node.values!);
      if (label === 'repeated') return compileRepeated(number, field!.name, field!.node.items!);
      return compileOptional(number, field!.name, field!.node, presence !== 'nil');
    })
    .reverse();
  return (w, object) => {
    for (const write of writers) write(w, object);
  };
}

/** A struct embedded by value is always written. */
function compilePart(number: number, write: WriteMessage): WriteMessage {
  const tag = (number << 3) | 2;
  return (w, object) => {
    const mark = w.length;
    write(w, object);
    w.lengthSince(mark);
    w.varint(tag);
  };
}

function compileOptional(number: number, name: string, node: SchemaNode, always: boolean): WriteMessage {
  const write = compileValue(node);
  const tag = (number << 3) | wireType(node);
  const zero = zeroOf(node);
  return (w, object) => {
    const v = object[name];
    if (v === undefined && !always) return;
    write(w, v ?? zero);
    w.varint(tag);
  };
}

function compileRepeated(number: number, name: string, items: SchemaNode): WriteMessage {
  const write = compileValue(items);
  const tag = (number << 3) | wireType(items);
  const zero = zeroOf(items);
  return (w, object) => {
    const list = object[name];
    if (!Array.isArray(list)) return;
    for (let i = list.length - 1; i >= 0; i--) {
      write(w, list[i] ?? zero);
      w.varint(tag);
    }
  };
}

/** Entries `{1: key, 2: value}`, keys sorted bytewise. Bytes that are null are left out of their entry. */
function compileMap(number: number, name: string, values: SchemaNode): WriteMessage {
  const write = compileValue(values);
  const valueTag = (2 << 3) | wireType(values);
  const tag = (number << 3) | 2;
  const zero = zeroOf(values);
  const isBytes = values.format === 'byte';
  return (w, object) => {
    const map = object[name];
    if (typeof map !== 'object' || map === null || Array.isArray(map)) return;
    for (const key of sortedKeys(map).reverse()) {
      const mark = w.length;
      const v = map[key] ?? null;
      if (v !== null || !isBytes) {
        write(w, v ?? zero);
        w.varint(valueTag);
      }
      w.string(key);
      w.varint(0x0a);
      w.lengthSince(mark);
      w.varint(tag);
    }
  };
}

function wireType(node: SchemaNode): number {
  if (node.kind === 'integer' || node.kind === 'boolean') return 0;
  return node.kind === 'number' ? 1 : 2;
}

function zeroOf(node: SchemaNode): JsonValue {
  switch (node.kind) {
    case 'integer':
    case 'number':
      return 0;
    case 'boolean':
      return false;
    case 'string':
      return '';
    case 'struct':
      return {};
    default:
      return null;
  }
}

function compileValue(node: SchemaNode): WriteValue {
  switch (node.kind) {
    case 'string':
      return node.format === 'byte'
        ? (w, v) => w.lengthDelimited(Buffer.from(v as string, 'base64'))
        : (w, v) => w.string(v as string);
    case 'integer':
      return (w, v) => w.int(v as number | bigint);
    case 'boolean':
      return (w, v) => w.varint(v ? 1 : 0);
    case 'number':
      return (w, v) => w.double(Number(v));
    case 'struct':
      return nested(messageWriter(node.type!));
    case 'array': // a named list of strings (Verbs, ExtraValue) is a message of its own
      return nested((w, v) => writeStrings(w, v, 1));
    case 'any':
      return compileSpecial(node.type);
    default:
      throw new Error(`no protobuf form for a ${node.kind}`);
  }
}

function nested(write: (w: ProtoWriter, v: JsonObject) => void): WriteValue {
  return (w, v) => {
    const mark = w.length;
    write(w, v as JsonObject);
    w.lengthSince(mark);
  };
}

function writeStrings(w: ProtoWriter, v: JsonValue, number: number): void {
  if (!Array.isArray(v)) return;
  for (let i = v.length - 1; i >= 0; i--) {
    w.string(v[i] as string);
    w.varint((number << 3) | 2);
  }
}

function compileSpecial(type: Type | undefined): WriteValue {
  switch (type?.special) {
    case 'Quantity':
      return nested((w, v) => {
        w.string((v as JsonValue as string | null) ?? '0');
        w.varint(0x0a);
      });
    case 'Time':
    case 'MicroTime':
      return timeWriter(type.special === 'MicroTime');
    case 'IntOrString':
      return nested((w, v: JsonValue) => {
        w.string(typeof v === 'string' ? v : '');
        w.varint(0x1a);
        w.int(typeof v === 'number' ? v : 0);
        w.varint(0x10);
        w.varint(typeof v === 'string' ? 1 : 0);
        w.varint(0x08);
      });
    case 'JSONSchemaPropsOrBool':
    case 'JSONSchemaPropsOrArray':
    case 'JSONSchemaPropsOrStringArray':
      return schemaPartWriter(type);
    default: // RawExtension, FieldsV1, JSON: the JSON text
      return nested((w, v: JsonValue) => {
        if (v === null) return;
        w.lengthDelimited(Buffer.from(encodeRaw(v), 'utf8'));
        w.varint(0x0a);
      });
  }
}

/** Seconds and nanoseconds; whole seconds for Time. The zero time is an empty message. */
function timeWriter(micro: boolean): WriteValue {
  return nested((w, v: JsonValue) => {
    if (typeof v !== 'string') return;
    const { seconds, nanos } = timestampOf(v);
    w.int(micro ? nanos - (nanos % 1000) : 0);
    w.varint(0x10);
    w.int(seconds);
    w.varint(0x08);
  });
}

function schemaPartWriter(type: Type): WriteValue {
  let schema: WriteValue | undefined;
  return nested((w, v: JsonValue) => {
    schema ??= nested(messageWriter(schemaPropsOf(type)));
    const isBool = type.special === 'JSONSchemaPropsOrBool';
    if (Array.isArray(v)) {
      if (type.special === 'JSONSchemaPropsOrStringArray') return writeStrings(w, v, 2);
      for (let i = v.length - 1; i >= 0; i--) {
        schema(w, v[i]!);
        w.varint(0x12);
      }
    } else if (typeof v === 'object' && v !== null) {
      schema(w, v);
      w.varint(isBool ? 0x12 : 0x0a);
    }
    if (isBool) {
      w.varint(v ? 1 : 0);
      w.varint(0x08);
    }
  });
}
