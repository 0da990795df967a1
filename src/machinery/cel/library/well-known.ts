import {
  ANY,
  BOOL,
  BYTES,
  DOUBLE,
  DURATION,
  DYN,
  INT,
  LIST,
  mapType,
  nullableType,
  objectType,
  STRING,
  TIMESTAMP,
  type Type,
  UINT,
} from '../types/type.js';
import { isMap, makeMap, mapEntries, OpaqueValue } from '../values/containers.js';
import { CelError, INT_OVERFLOW, UINT_OVERFLOW } from '../values/error.js';
import { type Double, doubleValue, INT_MAX, INT_MIN, type Int, toDouble, Uint } from '../values/numbers.js';
import { isInstance, runtimeType } from '../values/runtime-type.js';
import { Duration, Timestamp } from '../values/time.js';

/** Messages that every environment can make by their names, as cel-go registers them (`google.protobuf.Duration{…}`). */
interface Message {
  type: Type;
  fields: Readonly<Record<string, Type>>;
  make(fields: ReadonlyMap<string, unknown>): unknown;
}

class Empty extends OpaqueValue {
  readonly typeName = 'google.protobuf.Empty';
  override equals(): boolean {
    return true;
  }
}

const STRUCT = mapType(STRING, DYN);
const NANOS = 1_000_000_000n;

/** A message that stands for its only field: the value itself, and the zero value when the field is not given. */
function wrapper<T>(type: Type, zero: T, narrow = (value: T): unknown => value): Message {
  return {
    type: nullableType(type),
    fields: { value: type },
    make: (fields) => narrow(fields.has('value') ? (fields.get('value') as T) : zero),
  };
}

function int32(value: Int): Int {
  if (value < -(2 ** 31) || value >= 2 ** 31) throw INT_OVERFLOW;
  return value;
}

function uint32(value: Uint): Uint {
  if (value.value >= 2n ** 32n) throw UINT_OVERFLOW;
  return value;
}

/** Seconds and nanoseconds as nanoseconds. */
function totalNanos(fields: ReadonlyMap<string, unknown>): bigint {
  const [seconds, nanos] = ['seconds', 'nanos'].map((name) => (fields.get(name) ?? 0) as Int) as [Int, Int];
  return BigInt(seconds) * NANOS + BigInt(int32(nanos));
}

/**
 * A value as JSON has it, where numbers are doubles and what is longer is text.
 * @throws CelError for values that JSON cannot hold.
 */
function jsonValue(value: unknown): unknown {
  if (value === null || typeof value === 'boolean' || typeof value === 'string') return value;
  if (typeof value === 'number') return toDouble(value);
  if (typeof value === 'bigint') return String(value);
  if (value instanceof Uint) {
    return value.value > BigInt(Number.MAX_SAFE_INTEGER) ? String(value.value) : toDouble(Number(value.value));
  }
  if (isInstance(value, DOUBLE)) return value;
  if (Array.isArray(value)) return value.map(jsonValue);
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64');
  if (value instanceof Timestamp || value instanceof Duration) return value.toString();
  if (value instanceof Empty) return makeMap([]);
  if (isMap(value)) {
    return makeMap(
      [...mapEntries(value)].map(([key, inner]) => {
        if (typeof key !== 'string') throw unconvertible(key, 'string');
        return [key, jsonValue(inner)];
      }),
    );
  }
  throw unconvertible(value, 'google.protobuf.Value');
}

function unconvertible(value: unknown, to: string): CelError {
  return new CelError(`type conversion error from '${runtimeType(value).name}' to '${to}'`);
}

const MESSAGES: Readonly<Record<string, Message>> = {
  BoolValue: wrapper(BOOL, false),
  BytesValue: wrapper(BYTES, new Uint8Array()),
  DoubleValue: wrapper(DOUBLE, toDouble(0)),
  FloatValue: wrapper(DOUBLE, toDouble(0), (value: number | Double) => toDouble(Math.fround(doubleValue(value)))),
  Int32Value: wrapper(INT, 0 as Int, int32),
  Int64Value: wrapper(INT, 0 as Int),
  StringValue: wrapper(STRING, ''),
  UInt32Value: wrapper(UINT, new Uint(0n), uint32),
  UInt64Value: wrapper(UINT, new Uint(0n)),
  Any: {
    type: ANY,
    fields: { type_url: STRING, value: BYTES },
    make: (fields) => {
      throw new CelError(`google.protobuf.Any: no message of type '${fields.get('type_url') ?? ''}' is known`);
    },
  },
  Duration: {
    type: DURATION,
    fields: { seconds: INT, nanos: INT },
    make: (fields) => {
      const nanos = totalNanos(fields);
      const fits = BigInt.asIntN(64, nanos) === nanos;
      // What does not fit becomes the longest duration.
      return new Duration(fits ? nanos : nanos < 0n ? INT_MIN : INT_MAX);
    },
  },
  Timestamp: {
    type: TIMESTAMP,
    fields: { seconds: INT, nanos: INT },
    make: (fields) => new Timestamp(0, 0).plus(totalNanos(fields)),
  },
  Empty: { type: objectType('google.protobuf.Empty'), fields: {}, make: () => new Empty() },
  ListValue: {
    type: LIST,
    fields: { values: LIST },
    make: (fields) => jsonValue(fields.get('values') ?? []),
  },
  Struct: {
    type: STRUCT,
    fields: { fields: STRUCT },
    make: (fields) => jsonValue(fields.get('fields') ?? makeMap([])),
  },
  Value: {
    type: DYN,
    fields: {
      null_value: INT,
      number_value: DOUBLE,
      string_value: STRING,
      bool_value: BOOL,
      struct_value: STRUCT,
      list_value: LIST,
    },
    make: (fields) => {
      const [name, value] = [...fields].at(-1) ?? ['null_value'];
      return name === 'null_value' ? null : jsonValue(value);
    },
  },
};

const PREFIX = 'google.protobuf.';
function message(name: string): Message | undefined {
  const short = name.startsWith(PREFIX) ? name.slice(PREFIX.length) : '';
  return Object.hasOwn(MESSAGES, short) ? MESSAGES[short] : undefined;
}

/** The well-known types of protobuf; values are what they stand for, not messages. */
export const WELL_KNOWN_TYPES = {
  findStruct: (name: string): Type | undefined => message(name)?.type,
  findField(structName: string, field: string): Type | undefined {
    const fields = message(structName)?.fields;
    return fields && Object.hasOwn(fields, field) ? fields[field] : undefined;
  },
  /** The number of an enum's value. */
  findEnumValue: (name: string): Int | undefined => (name === `${PREFIX}NullValue.NULL_VALUE` ? 0 : undefined),
  construct(typeName: string, given: ReadonlyMap<string, unknown>): unknown {
    const found = message(typeName)!;
    for (const [name, value] of given) {
      const { kind, name: wanted } = found.fields[name]!;
      if (isInstance(value, found.fields[name]!)) continue;
      const error = unconvertible(value, kind === 'struct' ? typeName : wanted).message;
      throw new CelError(`field type conversion error for ${typeName}.${name} value type: ${error}`);
    }
    return found.make(given);
  },
};
