import { type Overload, overload } from '../types/declarations.js';
import { BOOL, BYTES, DOUBLE, DURATION, DYN, INT, paramType, STRING, TIMESTAMP, typeOf, UINT } from '../types/type.js';
import { CelError, INT_OVERFLOW, UINT_OVERFLOW } from '../values/error.js';
import {
  type Double,
  doubleValue,
  INT_MAX,
  INT_MIN,
  type Int,
  toDouble,
  toInt,
  UINT_MAX,
  Uint,
} from '../values/numbers.js';
import { runtimeType } from '../values/runtime-type.js';
import { Duration, parseDuration, parseTimestamp, Timestamp } from '../values/time.js';

type Real = number | Double;

const A = paramType('A');

function cannotConvert(type: string): CelError {
  return new CelError(`type conversion error from 'string' to '${type}'`);
}

const TRUE = new Set(['1', 't', 'T', 'true', 'TRUE', 'True']);
const FALSE = new Set(['0', 'f', 'F', 'false', 'FALSE', 'False']);

function stringToBool(s: string): boolean {
  if (TRUE.has(s)) return true;
  if (FALSE.has(s)) return false;
  throw cannotConvert('bool');
}

function stringToInt(s: string): Int {
  const value = /^[+-]?\d{1,4000}$/.test(s) ? BigInt(s.replace('+', '')) : undefined;
  if (value === undefined || value < INT_MIN || value > INT_MAX) throw cannotConvert('int');
  return toInt(value);
}

function stringToUint(s: string): Uint {
  const value = /^\d{1,4000}$/.test(s) ? BigInt(s) : undefined;
  if (value === undefined || value > UINT_MAX) throw cannotConvert('uint');
  return new Uint(value);
}

const DECIMAL = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;

function stringToDouble(s: string): Real {
  if (/^[+-]?inf(?:inity)?$/i.test(s)) return s.startsWith('-') ? -Infinity : Infinity;
  if (/^nan$/i.test(s)) return Number.NaN;
  const value = DECIMAL.test(s) ? Number(s) : Number.NaN;
  if (!Number.isFinite(value)) throw cannotConvert('double');
  return toDouble(value);
}

function doubleToInt(d: Real): Int {
  const value = doubleValue(d);
  // The bounds themselves are left out: as doubles they cannot be told from values beyond.
  if (!(value > -(2 ** 63) && value < 2 ** 63)) throw INT_OVERFLOW;
  return toInt(BigInt(Math.trunc(value)));
}

function doubleToUint(d: Real): Uint {
  const value = doubleValue(d);
  if (!(value >= 0 && value < 2 ** 64)) throw UINT_OVERFLOW;
  return new Uint(BigInt(Math.trunc(value)));
}

/** A double as Go's %g prints it: the shortest digits, with an exponent below 1e-4 and from 1e6. */
export function formatDouble(value: number): string {
  if (Number.isNaN(value)) return 'NaN';
  if (!Number.isFinite(value)) return value > 0 ? '+Inf' : '-Inf';
  if (Object.is(value, -0)) return '-0';
  const [digits, exponent] = value.toExponential().split('e') as [string, string];
  const power = Number(exponent);
  if (power < -4 || power >= 6) {
    return `${digits}e${power < 0 ? '-' : '+'}${String(Math.abs(power)).padStart(2, '0')}`;
  }
  return String(value);
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function bytesToString(b: Uint8Array): string {
  try {
    return utf8.decode(b);
  } catch {
    throw new CelError('invalid UTF-8 in bytes, cannot convert to string');
  }
}

function stringToDuration(s: string): Duration {
  const value = parseDuration(s);
  if (!value) throw cannotConvert('google.protobuf.Duration');
  return value;
}

function stringToTimestamp(s: string): Timestamp {
  const value = parseTimestamp(s);
  if (!value) throw cannotConvert('google.protobuf.Timestamp');
  return value;
}

const same = (value: unknown) => value;

export const CONVERSIONS: Record<string, Overload[]> = {
  type: [overload('type', [A], typeOf(A), runtimeType)],
  bool: [overload('bool_to_bool', [BOOL], BOOL, same), overload('string_to_bool', [STRING], BOOL, stringToBool)],
  bytes: [
    overload('bytes_to_bytes', [BYTES], BYTES, same),
    overload('string_to_bytes', [STRING], BYTES, (s: string) => new TextEncoder().encode(s)),
  ],
  double: [
    overload('double_to_double', [DOUBLE], DOUBLE, same),
    overload('int64_to_double', [INT], DOUBLE, (i: Int) => toDouble(Number(i))),
    overload('string_to_double', [STRING], DOUBLE, stringToDouble),
    overload('uint64_to_double', [UINT], DOUBLE, (u: Uint) => toDouble(Number(u.value))),
  ],
  duration: [
    overload('duration_to_duration', [DURATION], DURATION, same),
    overload('int64_to_duration', [INT], DURATION, (i: Int) => new Duration(BigInt(i))),
    overload('string_to_duration', [STRING], DURATION, stringToDuration),
  ],
  dyn: [overload('to_dyn', [A], DYN, same)],
  int: [
    overload('int64_to_int64', [INT], INT, same),
    overload('double_to_int64', [DOUBLE], INT, doubleToInt),
    overload('duration_to_int64', [DURATION], INT, (d: Duration) => toInt(d.nanos)),
    overload('string_to_int64', [STRING], INT, stringToInt),
    overload('timestamp_to_int64', [TIMESTAMP], INT, (t: Timestamp) => t.seconds),
    overload('uint64_to_int64', [UINT], INT, (u: Uint) => {
      if (u.value > INT_MAX) throw INT_OVERFLOW;
      return toInt(u.value);
    }),
  ],
  string: [
    overload('string_to_string', [STRING], STRING, same),
    overload('bool_to_string', [BOOL], STRING, String),
    overload('bytes_to_string', [BYTES], STRING, bytesToString),
    overload('double_to_string', [DOUBLE], STRING, (d: Real) => formatDouble(doubleValue(d))),
    overload('duration_to_string', [DURATION], STRING, String),
    overload('int64_to_string', [INT], STRING, String),
    overload('timestamp_to_string', [TIMESTAMP], STRING, String),
    overload('uint64_to_string', [UINT], STRING, (u: Uint) => String(u.value)),
  ],
  timestamp: [
    overload('timestamp_to_timestamp', [TIMESTAMP], TIMESTAMP, same),
    overload('int64_to_timestamp', [INT], TIMESTAMP, (i: Int) => new Timestamp(Number(i), 0)),
    overload('string_to_timestamp', [STRING], TIMESTAMP, stringToTimestamp),
  ],
  uint: [
    overload('uint64_to_uint64', [UINT], UINT, same),
    overload('double_to_uint64', [DOUBLE], UINT, doubleToUint),
    overload('int64_to_uint64', [INT], UINT, (i: Int) => {
      if (i < 0) throw UINT_OVERFLOW;
      return new Uint(BigInt(i));
    }),
    overload('string_to_uint64', [STRING], UINT, stringToUint),
  ],
};

/** Functions whose value is computed when an expression is compiled, if the argument is a constant. */
export const CONVERSION_NAMES: ReadonlySet<string> = new Set(Object.keys(CONVERSIONS));
