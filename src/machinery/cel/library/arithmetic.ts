import { type Overload, overload } from '../types/declarations.js';
import {
  BOOL,
  BYTES,
  DOUBLE,
  DURATION,
  INT,
  listType,
  mapType,
  paramType,
  STRING,
  TIMESTAMP,
  type Type,
  UINT,
} from '../types/type.js';
import { compare } from '../values/compare.js';
import { CelError, DIVISION_BY_ZERO, INT_OVERFLOW, MODULUS_BY_ZERO, UINT_OVERFLOW } from '../values/error.js';
import {
  type Double,
  doubleValue,
  INT_MIN,
  type Int,
  inIntRange,
  toDouble,
  toInt,
  UINT_MAX,
  Uint,
} from '../values/numbers.js';
import { Duration, type Timestamp } from '../values/time.js';

type Real = number | Double;

/** Lists longer than this could only be built to use up memory: going through one costs more than a call may. */
const MAX_CONCATENATED = 1_000_000;

function int(value: bigint): Int {
  if (!inIntRange(value)) throw INT_OVERFLOW;
  return toInt(value);
}

function uint(value: bigint): Uint {
  if (value < 0n || value > UINT_MAX) throw UINT_OVERFLOW;
  return new Uint(value);
}

/** An operation on ints: on numbers when the result is exact, else on bigints. */
function intOp(fast: (a: number, b: number) => number, exact: (a: bigint, b: bigint) => bigint) {
  return (a: Int, b: Int): Int => {
    if (typeof a === 'number' && typeof b === 'number') {
      const result = fast(a, b);
      if (Number.isSafeInteger(result)) return result;
    }
    return int(exact(BigInt(a), BigInt(b)));
  };
}

const addInt = intOp(
  (a, b) => a + b,
  (a, b) => a + b,
);
const subtractInt = intOp(
  (a, b) => a - b,
  (a, b) => a - b,
);
const multiplyInt = intOp(
  // -0 is no int.
  (a, b) => a * b + 0,
  (a, b) => a * b,
);
const divideInt = (a: Int, b: Int): Int => {
  if (b === 0) throw DIVISION_BY_ZERO;
  return int(BigInt(a) / BigInt(b));
};
const moduloInt = (a: Int, b: Int): Int => {
  if (b === 0) throw MODULUS_BY_ZERO;
  if (BigInt(a) === INT_MIN && b === -1) throw INT_OVERFLOW;
  return toInt(BigInt(a) % BigInt(b));
};

function real(op: (a: number, b: number) => number) {
  return (a: Real, b: Real) => toDouble(op(doubleValue(a), doubleValue(b)));
}

function concat(a: unknown[], b: unknown[]): unknown[] {
  if (a.length + b.length > MAX_CONCATENATED) throw new CelError('list size limit exceeded');
  return a.length === 0 ? b : b.length === 0 ? a : [...a, ...b];
}

const A = paramType('A');
const B = paramType('B');

type Ordered = { name: string; type: Type };
const ORDERED: Ordered[] = [
  { name: 'bool', type: BOOL },
  { name: 'int64', type: INT },
  { name: 'uint64', type: UINT },
  { name: 'double', type: DOUBLE },
  { name: 'string', type: STRING },
  { name: 'bytes', type: BYTES },
  { name: 'timestamp', type: TIMESTAMP },
  { name: 'duration', type: DURATION },
];
const NUMBERS = ORDERED.slice(1, 4);

/** Comparison of equal types, and of numbers of different types. JavaScript compares numbers and bigints by value. */
function order(prefix: string, test: (a: Int, b: Int) => boolean): Overload[] {
  const general = (a: unknown, b: unknown) => test(compare(a, b), 0);
  const same = ORDERED.map(({ name, type }) =>
    overload(`${prefix}_${name}`, [type, type], BOOL, type === INT ? test : general),
  );
  const crossed = NUMBERS.flatMap((x) =>
    NUMBERS.filter((y) => y !== x).map((y) =>
      overload(`${prefix}_${x.name}_${y.name}`, [x.type, y.type], BOOL, general),
    ),
  );
  return [...same, ...crossed];
}

/** Operators. Those without implementation are known to the compiler. */
export const OPERATORS: Record<string, Overload[]> = {
  '_?_:_': [overload('conditional', [BOOL, A, A], A)],
  '_&&_': [overload('logical_and', [BOOL, BOOL], BOOL)],
  '_||_': [overload('logical_or', [BOOL, BOOL], BOOL)],
  '!_': [overload('logical_not', [BOOL], BOOL, (a: boolean) => !a)],
  '@not_strictly_false': [overload('not_strictly_false', [BOOL], BOOL)],
  '_==_': [overload('equals', [A, A], BOOL)],
  '_!=_': [overload('not_equals', [A, A], BOOL)],
  '_+_': [
    overload(
      'add_bytes',
      [BYTES, BYTES],
      BYTES,
      (a: Uint8Array, b: Uint8Array) => new Uint8Array(Buffer.concat([a, b])),
    ),
    overload(
      'add_double',
      [DOUBLE, DOUBLE],
      DOUBLE,
      real((a, b) => a + b),
    ),
    overload(
      'add_duration_duration',
      [DURATION, DURATION],
      DURATION,
      (a: Duration, b: Duration) => new Duration(a.nanos + b.nanos),
    ),
    overload('add_duration_timestamp', [DURATION, TIMESTAMP], TIMESTAMP, (a: Duration, b: Timestamp) =>
      b.plus(a.nanos),
    ),
    overload('add_timestamp_duration', [TIMESTAMP, DURATION], TIMESTAMP, (a: Timestamp, b: Duration) =>
      a.plus(b.nanos),
    ),
    overload('add_int64', [INT, INT], INT, addInt),
    overload('add_list', [listType(A), listType(A)], listType(A), concat),
    overload('add_string', [STRING, STRING], STRING, (a: string, b: string) => a + b),
    overload('add_uint64', [UINT, UINT], UINT, (a: Uint, b: Uint) => uint(a.value + b.value)),
  ],
  '_/_': [
    overload(
      'divide_double',
      [DOUBLE, DOUBLE],
      DOUBLE,
      real((a, b) => a / b),
    ),
    overload('divide_int64', [INT, INT], INT, divideInt),
    overload('divide_uint64', [UINT, UINT], UINT, (a: Uint, b: Uint) => {
      if (b.value === 0n) throw DIVISION_BY_ZERO;
      return new Uint(a.value / b.value);
    }),
  ],
  '_%_': [
    overload('modulo_int64', [INT, INT], INT, moduloInt),
    overload('modulo_uint64', [UINT, UINT], UINT, (a: Uint, b: Uint) => {
      if (b.value === 0n) throw MODULUS_BY_ZERO;
      return new Uint(a.value % b.value);
    }),
  ],
  '_*_': [
    overload(
      'multiply_double',
      [DOUBLE, DOUBLE],
      DOUBLE,
      real((a, b) => a * b),
    ),
    overload('multiply_int64', [INT, INT], INT, multiplyInt),
    overload('multiply_uint64', [UINT, UINT], UINT, (a: Uint, b: Uint) => uint(a.value * b.value)),
  ],
  '-_': [
    overload('negate_double', [DOUBLE], DOUBLE, (a: Real) => toDouble(-doubleValue(a))),
    overload('negate_int64', [INT], INT, (a: Int) => subtractInt(0, a)),
  ],
  '_-_': [
    overload(
      'subtract_double',
      [DOUBLE, DOUBLE],
      DOUBLE,
      real((a, b) => a - b),
    ),
    overload(
      'subtract_duration_duration',
      [DURATION, DURATION],
      DURATION,
      (a: Duration, b: Duration) => new Duration(a.nanos - b.nanos),
    ),
    overload('subtract_int64', [INT, INT], INT, subtractInt),
    overload('subtract_timestamp_duration', [TIMESTAMP, DURATION], TIMESTAMP, (a: Timestamp, b: Duration) =>
      a.plus(-b.nanos),
    ),
    overload(
      'subtract_timestamp_timestamp',
      [TIMESTAMP, TIMESTAMP],
      DURATION,
      (a: Timestamp, b: Timestamp) => new Duration(a.totalNanos() - b.totalNanos()),
    ),
    overload('subtract_uint64', [UINT, UINT], UINT, (a: Uint, b: Uint) => uint(a.value - b.value)),
  ],
  '_<_': order('less', (a, b) => a < b),
  '_<=_': order('less_equals', (a, b) => a <= b),
  '_>_': order('greater', (a, b) => a > b),
  '_>=_': order('greater_equals', (a, b) => a >= b),
  '_[_]': [overload('index_list', [listType(A), INT], A), overload('index_map', [mapType(A, B), A], B)],
  '@in': [overload('in_list', [A, listType(A)], BOOL), overload('in_map', [A, mapType(A, B)], BOOL)],
};
