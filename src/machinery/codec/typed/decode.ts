import { isJsonObject, type JsonObject, type JsonValue, setOwn } from '../../json.js';
import type { Field, SchemaNode, Type } from '../../scheme/type.js';
import { DecodeError } from '../errors.js';
import type { Duplicates } from '../json/scanner.js';
import { DecodeContext, kindOf, TypeMismatch } from './context.js';
import { tellsEmptyFromUnset, tellsNoBytesFromUnset } from './empty-lists.js';
import { noteSentEmpties } from './sent-empty.js';
import { canonicalBase64, type Decode, integer, SPECIAL_SCALARS, schemaPropsOf } from './special.js';

export interface TypedOptions {
  /** Note unknown fields and the repeated keys of `duplicates`. Decoding succeeds all the same. */
  strict?: boolean;
  /** What {@link parseJson} noted about the same value. */
  duplicates?: Duplicates;
}

export interface Decoded {
  /**
   * The object in minimal form: fields at their Go zero value are absent, unless the field is a Go pointer. Lists that Go
   * always writes keep `[]` until `emptyListDropper` takes it away before they are stored.
   */
  object: JsonObject;
  /** Texts such as `unknown field "spec.x"` and `duplicate field "kind"`, at most 100, each once. */
  unknown: string[];
}

/**
 * Reads a JSON value as a built-in type: unknown fields dropped, null and zero values dropped, quantities, times and
 * base64 made canonical. Throws DecodeError with Go's message for a value of a wrong type. The input is not changed,
 * but free-form parts (RawExtension, JSON, FieldsV1) of the output are the input's own.
 */
export function decodeTyped(type: Type, value: JsonValue, options: TypedOptions = {}): Decoded {
  const context = new DecodeContext(type, options.strict ?? false, options.duplicates);
  const object = value === null ? {} : structDecoder(type)(value, context);
  context.finish();
  const out = (object ?? {}) as JsonObject;
  noteSentEmpties(out, context.empties);
  return { object: out, unknown: [...context.strictErrors] };
}

interface CompiledField {
  decode: Decode;
  /** Whether the value is Go's zero value, which is left out. Never so for a Go pointer. */
  isZero: (v: JsonValue) => boolean;
  /** A list or a map. */
  emptiable: boolean;
}

const structs = new WeakMap<Type, Decode>();

function structDecoder(type: Type): Decode {
  const known = structs.get(type);
  if (known) return known;
  const fields = new Map<string, CompiledField>();
  const decode: Decode = (value, context) => {
    if (!isJsonObject(value)) return context.mismatch(value);
    const out: JsonObject = {};
    const repeated = context.duplicatesOf(value);
    let position = 0;
    let noted = 0;
    for (const name of Object.keys(value)) {
      if (repeated) {
        while (noted < repeated.length && repeated[noted]!.after <= position) note(repeated[noted++]!.key, context);
        position++;
      }
      const field = fields.get(name);
      if (field === undefined) {
        context.unknownField(name);
        continue;
      }
      const v = value[name];
      if (v === null || v === undefined) continue;
      context.enterField(type, name);
      const d = field.decode(v, context);
      context.leave();
      if (d !== undefined && !field.isZero(d)) out[name] = d;
      if (field.emptiable && d !== undefined && isEmpty(d)) context.noteEmpty(name, d);
    }
    if (repeated) while (noted < repeated.length) note(repeated[noted++]!.key, context);
    return out;
  };
  const note = (key: string, context: DecodeContext): void => {
    if (fields.has(key)) context.duplicateField(key);
    else context.unknownField(key);
  };
  structs.set(type, decode); // before its fields, so that a recursive type finds itself
  for (const field of type.fields) fields.set(field.name, compileField(field, type));
  return decode;
}

function compileField(field: Field, type: Type): CompiledField {
  const refused = type.name.endsWith('.JSONSchemaProps') && field.name === REFUSED_WHEN_EMPTY;
  const tellsEmpty = field.pointer || refused || tellsEmptyFromUnset(field) || tellsNoBytesFromUnset(field);
  return {
    emptiable: field.node.kind === 'array' || field.node.kind === 'map',
    decode: compileNode(field.node),
    isZero: tellsEmpty ? never : zeroTest(field.node),
  };
}

/** Of schemas: validation refuses these even with nothing in them. */
const REFUSED_WHEN_EMPTY = 'dependencies';

const never = (): boolean => false;

function zeroTest(node: SchemaNode): (v: JsonValue) => boolean {
  if (node.kind !== 'any') return isZero;
  switch (node.type?.special) {
    case 'Quantity':
      return (v) => v === '0';
    case 'IntOrString':
      return (v) => v === 0;
    default:
      return never; // free-form: {} and 0 are what the client wrote
  }
}

function isEmpty(v: JsonValue): boolean {
  return typeof v === 'object' && isZero(v);
}

/** Go's zero value, or a list, map or struct with nothing in it. */
function isZero(v: JsonValue): boolean {
  if (typeof v !== 'object') return v === '' || v === 0 || v === false;
  if (v === null) return true;
  if (Array.isArray(v)) return v.length === 0;
  for (const _ in v) return false;
  return true;
}

function compileNode(node: SchemaNode): Decode {
  switch (node.kind) {
    case 'string':
      return node.format === 'byte' ? decodeBytes : decodeString;
    case 'boolean':
      return (v, context) => (typeof v === 'boolean' ? v : context.mismatch(v));
    case 'number':
      return decodeFloat;
    case 'integer':
      return node.format === 'int32' ? decodeInt32 : decodeInt64;
    case 'array':
      return listDecoder(node.items!);
    case 'map':
      return mapDecoder(node.values!);
    case 'struct':
      return structDecoder(node.type!);
    default:
      return specialDecoder(node.type);
  }
}

const decodeString: Decode = (v, context) => (typeof v === 'string' ? v : context.mismatch(v));

const decodeInt32: Decode = (v, context) => {
  if (typeof v !== 'number' && typeof v !== 'bigint') return context.mismatch(v);
  return integer(v, -2147483648, 2147483647) ?? context.numberMismatch(v);
};

const decodeInt64: Decode = (v, context) => {
  if (typeof v === 'number') return Number.isSafeInteger(v) ? v + 0 : context.numberMismatch(v);
  if (typeof v !== 'bigint') return context.mismatch(v);
  return BigInt.asIntN(64, v) === v ? v : context.numberMismatch(v);
};

const decodeFloat: Decode = (v, context) => {
  if (typeof v === 'number') return v;
  return typeof v === 'bigint' ? Number(v) : context.mismatch(v);
};

/** Bytes are base64 text; Go also takes a list of small numbers. */
const decodeBytes: Decode = (v, context) => {
  if (typeof v === 'string') {
    try {
      return canonicalBase64(v);
    } catch (e) {
      return context.save((e as Error).message);
    }
  }
  if (!Array.isArray(v)) return context.mismatch(v);
  const bytes = Buffer.alloc(v.length);
  for (const [i, e] of v.entries()) {
    if (e === null) continue;
    const n = integer(e, 0, 255);
    if (n === undefined)
      return typeof e === 'number' ? context.numberMismatch(e, 'uint8') : context.mismatch(e, 'uint8');
    bytes[i] = n;
  }
  return bytes.toString('base64');
};

function listDecoder(items: SchemaNode): Decode {
  const decode = compileNode(items);
  const zero = zeroOf(items);
  return (v, context) => {
    if (!Array.isArray(v)) return context.mismatch(v);
    const out: JsonValue[] = new Array(v.length);
    for (let i = 0; i < v.length; i++) {
      const e = v[i]!;
      context.enterIndex(i);
      out[i] = (e === null ? undefined : decode(e, context)) ?? zero();
      context.leave();
    }
    return out;
  };
}

function mapDecoder(values: SchemaNode): Decode {
  const decode = compileNode(values);
  const zero = zeroOf(values);
  return (v, context) => {
    if (!isJsonObject(v)) return context.mismatch(v);
    for (const repeated of context.duplicatesOf(v) ?? []) context.duplicateField(repeated.key);
    const out: JsonObject = {};
    for (const key of Object.keys(v)) {
      const e = v[key]!;
      context.enterKey(key);
      setOwn(out, key, (e === null ? undefined : decode(e, context)) ?? zero());
      context.leave();
    }
    return out;
  };
}

/** What Go holds for null in a list or map. */
function zeroOf(node: SchemaNode): () => JsonValue {
  switch (node.kind) {
    case 'string':
      return () => '';
    case 'boolean':
      return () => false;
    case 'integer':
    case 'number':
      return () => 0;
    case 'struct':
      return () => ({});
    case 'any':
      return () => (node.type?.special === 'Quantity' ? '0' : node.type?.special === 'IntOrString' ? 0 : null);
    default:
      return () => null;
  }
}

function specialDecoder(type: Type | undefined): Decode {
  const special = type?.special ?? '';
  const scalar = SPECIAL_SCALARS[special];
  if (scalar) return scalar;
  switch (special) {
    case 'JSONSchemaPropsOrBool':
    case 'JSONSchemaPropsOrArray':
    case 'JSONSchemaPropsOrStringArray':
      return schemaPartDecoder(type!, special);
    default:
      return (v) => v;
  }
}

/**
 * The alternatives inside a schema are read on their own, so their faults name the outer field, and strict validation
 * does not look into them. What is neither an object nor a list reads as null (or is an error, for -OrBool).
 */
function schemaPartDecoder(type: Type, special: string): Decode {
  const inner = (v: JsonValue, context: DecodeContext): JsonValue => {
    const nested = new DecodeContext(schemaPropsOf(type), false);
    try {
      const out = structDecoder(nested.root)(v, nested);
      nested.finish();
      return out ?? {};
    } catch (e) {
      throw e instanceof TypeMismatch ? context.typeError(e.value, e.goType) : e;
    }
  };
  return (v, context) => {
    if (isJsonObject(v)) return inner(v, context);
    if (special === 'JSONSchemaPropsOrBool') {
      if (typeof v === 'boolean') return v;
      throw new DecodeError('boolean or JSON schema expected');
    }
    if (!Array.isArray(v) || v.length === 0) return null;
    if (special === 'JSONSchemaPropsOrArray') return v.map((e) => (e === null ? {} : inner(e, context)));
    for (const e of v) if (e !== null && typeof e !== 'string') throw context.typeError(kindOf(e), 'string');
    return v.map((e) => e ?? '');
  };
}
