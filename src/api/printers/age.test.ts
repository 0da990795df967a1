import { describe, expect, it } from 'vitest';
import { age, humanDuration, since, time } from './age.js';

const M = 60;
const H = 60 * M;
const D = 24 * H;
const Y = 365 * D;

describe('humanDuration', () => {
  it.each([
    [0, '0s'],
    [0.9, '0s'],
    [119.9, '119s'],
    [2 * M, '2m'],
    [2 * M + 1, '2m1s'],
    [9 * M + 59, '9m59s'],
    [10 * M + 59, '10m'],
    [179 * M, '179m'],
    [3 * H, '3h'],
    [3 * H + 59, '3h'],
    [7 * H + 59 * M, '7h59m'],
    [8 * H + 59 * M, '8h'],
    [47 * H, '47h'],
    [2 * D, '2d'],
    [2 * D + 5 * H, '2d5h'],
    [7 * D + 23 * H, '7d23h'],
    [8 * D + 23 * H, '8d'],
    [2 * Y - 1, '729d'],
    [2 * Y, '2y'],
    [2 * Y + 35 * D, '2y35d'],
    [8 * Y + 100 * D, '8y'],
    [1000 * Y, '292y'],
  ])('%d s is %s', (seconds, text) => {
    expect(humanDuration(seconds * 1000)).toBe(text);
  });

  it.each([
    [-0.5, '0s'],
    [-1.9, '0s'],
    [-2, '<invalid>'],
    [-1000 * Y, '<invalid>'],
  ])('the future, %d s, is %s', (seconds, text) => {
    expect(humanDuration(seconds * 1000)).toBe(text);
  });
});

it('reads times of both precisions, and those that are not set as unknown', () => {
  const o = { a: '2026-01-01T00:00:00Z', b: '2026-01-01T00:00:00.123456Z', c: null, d: 'soon' };
  expect(time(o, 'a')).toBe(Date.UTC(2026, 0, 1));
  expect(time(o, 'b')).toBe(Date.UTC(2026, 0, 1) + 123);
  for (const name of ['c', 'd', 'e']) expect(time(o, name)).toBeUndefined();
  expect(time(undefined, 'a')).toBeUndefined();
  expect(since(o, 'a', Date.UTC(2026, 0, 1, 0, 0, 7))).toBe('7s');
  expect(since(o, 'c', 0)).toBe('<unknown>');
  expect(age({ metadata: {} }, 0)).toBe('<unknown>');
});
