import { describe, expect, it } from 'vitest';
import { formatMicroTime, formatTime, parseMicroTime, parseTime, timestampOf } from './time.js';

describe('Time', () => {
  it.each([
    ['2026-01-01T00:00:00Z', '2026-01-01T00:00:00Z'],
    ['2026-01-01T02:00:00+02:00', '2026-01-01T00:00:00Z'],
    ['2025-12-31T23:30:00-00:30', '2026-01-01T00:00:00Z'],
    ['2026-01-01T00:00:00.999999999Z', '2026-01-01T00:00:00Z'],
    ['2026-01-01T00:00:00,5Z', '2026-01-01T00:00:00Z'],
    ['2026-01-01T1:02:03Z', '2026-01-01T01:02:03Z'],
    ['2024-02-29T00:00:00Z', '2024-02-29T00:00:00Z'],
    ['0001-01-01T00:00:01Z', '0001-01-01T00:00:01Z'],
    ['1969-12-31T23:59:59.5Z', '1969-12-31T23:59:59Z'],
  ])('reads %s', (text, expected) => {
    expect(parseTime(text)).toBe(expected);
  });
  it("is unset at Go's zero time", () => {
    expect(parseTime('0001-01-01T00:00:00Z')).toBeUndefined();
    expect(parseTime('0001-01-01T01:00:00+01:00')).toBeUndefined();
    expect(formatTime({ seconds: -62135596800, nanos: 0 })).toBeUndefined();
  });
  it.each([
    ['notatime', 'cannot parse "notatime" as "2006"'],
    ['', 'cannot parse "" as "2006"'],
    ['2026/01/01', 'cannot parse "/01/01" as "-"'],
    ['2026-1-01T00:00:00Z', 'cannot parse "1-01T00:00:00Z" as "01"'],
    ['2026-01-01', 'cannot parse "" as "T"'],
    ['2026-01-01T00:00:00', 'cannot parse "" as "Z07:00"'],
    ['2026-01-01T00:00:00+2:00', 'cannot parse "+2:00" as "Z07:00"'],
    ['2026-01-01T00:0:00Z', 'cannot parse "0:00Z" as "04"'],
    ['tüt', 'cannot parse "t\\xc3\\xbct" as "2006"'],
  ])('refuses %j', (text, reason) => {
    expect(() => parseTime(text)).toThrow(`as "2006-01-02T15:04:05Z07:00": ${reason}`);
  });
  it.each([
    ['2026-13-01T00:00:00Z', ': month out of range'],
    ['2026-02-29T00:00:00Z', ': day out of range'],
    ['2026-04-31T00:00:00Z', ': day out of range'],
    ['2026-01-00T00:00:00Z', ': day out of range'],
    ['2026-01-01T24:00:00Z', ': hour out of range'],
    ['2026-01-01T00:60:00Z', ': minute out of range'],
    ['2026-01-01T00:00:60Z', ': second out of range'],
    ['2026-01-01T00:00:00+25:00', ': time zone offset hour out of range'],
    ['2026-01-01T00:00:00Zx', ': extra text: "x"'],
  ])('refuses %s', (text, reason) => {
    expect(() => parseTime(text)).toThrow(`parsing time "${text}"${reason}`);
  });
});

describe('MicroTime', () => {
  it('keeps six digits', () => {
    expect(parseMicroTime('2026-01-01T00:00:00.123456Z')).toBe('2026-01-01T00:00:00.123456Z');
    expect(parseMicroTime('2026-01-01T02:00:00.000001+02:00')).toBe('2026-01-01T00:00:00.000001Z');
    expect(formatMicroTime({ seconds: 0, nanos: 1999 })).toBe('1970-01-01T00:00:00.000001Z');
    expect(parseMicroTime('0001-01-01T00:00:00.000000Z')).toBeUndefined();
    expect(timestampOf('1970-01-01T00:00:01.5Z')).toEqual({ seconds: 1, nanos: 500_000_000 });
  });
  it.each([
    ['2020-01-01T00:00:00+02:00', 'cannot parse "+02:00" as ".000000"'],
    ['2020-01-01T00:00:00.123Z', 'cannot parse ".123Z" as ".000000"'],
    ['2020-01-01T00:00:00.123456789Z', 'cannot parse "789Z" as "Z07:00"'],
  ])('refuses %s', (text, reason) => {
    expect(() => parseMicroTime(text)).toThrow(`as "2006-01-02T15:04:05.000000Z07:00": ${reason}`);
  });
});
