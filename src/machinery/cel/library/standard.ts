import { codePointLength } from '../syntax/source.js';
import { member, type Overload, overload } from '../types/declarations.js';
import { BOOL, BYTES, DURATION, INT, listType, mapType, paramType, STRING, TIMESTAMP } from '../types/type.js';
import { type CelMap, mapSize, type PlainObject } from '../values/containers.js';
import { toInt } from '../values/numbers.js';
import { type DateFields, type Duration, fields, type Timestamp, zoneOffset } from '../values/time.js';
import { OPERATORS } from './arithmetic.js';
import { CONVERSIONS } from './conversions.js';
import { matches } from './regular-expressions.js';

const LIST = listType(paramType('A'));
const MAP = mapType(paramType('A'), paramType('B'));

/** A field of a timestamp, in UTC or in a zone that is named. */
function part(name: string, read: (f: DateFields, t: Timestamp) => number): Overload[] {
  return [
    member(`timestamp_to_${name}`, [TIMESTAMP], INT, (t: Timestamp) => read(fields(t.seconds), t)),
    member(`timestamp_to_${name}_with_tz`, [TIMESTAMP, STRING], INT, (t: Timestamp, zone: string) =>
      read(fields(t.seconds + zoneOffset(zone, t.seconds)), t),
    ),
  ];
}

function durationPart(name: string, nanos: bigint): Overload {
  return member(`duration_to_${name}`, [DURATION], INT, (d: Duration) => toInt(d.nanos / nanos));
}

const size = {
  bytes: (b: Uint8Array) => b.length,
  list: (l: unknown[]) => l.length,
  map: (m: PlainObject | CelMap) => mapSize(m),
};

/** The standard library of CEL. */
export const STANDARD: Record<string, Overload[]> = {
  ...OPERATORS,
  ...CONVERSIONS,
  size: [
    overload('size_bytes', [BYTES], INT, size.bytes),
    member('bytes_size', [BYTES], INT, size.bytes),
    overload('size_list', [LIST], INT, size.list),
    member('list_size', [LIST], INT, size.list),
    overload('size_map', [MAP], INT, size.map),
    member('map_size', [MAP], INT, size.map),
    overload('size_string', [STRING], INT, codePointLength),
    member('string_size', [STRING], INT, codePointLength),
  ],
  contains: [member('contains_string', [STRING, STRING], BOOL, (s: string, part: string) => s.includes(part))],
  endsWith: [member('ends_with_string', [STRING, STRING], BOOL, (s: string, end: string) => s.endsWith(end))],
  startsWith: [member('starts_with_string', [STRING, STRING], BOOL, (s: string, start: string) => s.startsWith(start))],
  matches: [
    overload('matches', [STRING, STRING], BOOL, matches),
    member('matches_string', [STRING, STRING], BOOL, matches),
  ],
  getFullYear: part('year', (f) => f.year),
  getMonth: part('month', (f) => f.month),
  getDayOfYear: part('day_of_year', (f) => f.yearDay),
  getDayOfMonth: part('day_of_month', (f) => f.day - 1),
  getDate: part('day_of_month_1_based', (f) => f.day),
  getDayOfWeek: part('day_of_week', (f) => f.weekday),
  getHours: [...part('hours', (f) => f.hours), durationPart('hours', 3_600_000_000_000n)],
  getMinutes: [...part('minutes', (f) => f.minutes), durationPart('minutes', 60_000_000_000n)],
  getSeconds: [...part('seconds', (f) => f.seconds), durationPart('seconds', 1_000_000_000n)],
  getMilliseconds: [
    ...part('milliseconds', (_, t) => Math.trunc(t.nanos / 1_000_000)),
    durationPart('milliseconds', 1_000_000n),
  ],
};
