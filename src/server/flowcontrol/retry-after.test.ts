import { expect, it } from 'vitest';
import { RetryAfter } from './retry-after.js';

/** So many refusals in each second of a span. */
function refuse(tracker: RetryAfter, seconds: [from: number, to: number], perSecond: number): void {
  for (let s = seconds[0]; s < seconds[1]; s++)
    for (let i = 0; i < perSecond; i++) tracker.refused(s * 1000 + (i % 1000));
}

it('starts with a second', () => {
  expect(new RetryAfter().seconds).toBe(1);
});

it('doubles while refusals go on, no faster than it is itself', () => {
  const tracker = new RetryAfter();
  const seen: number[] = [];
  for (let s = 100; s < 112; s++) {
    refuse(tracker, [s, s + 1], 5);
    seen.push(tracker.seconds);
  }
  expect(seen).toEqual([1, 2, 2, 4, 4, 4, 4, 8, 8, 8, 8, 8]);
});

it('ends at 32', () => {
  const tracker = new RetryAfter();
  refuse(tracker, [100, 400], 5);
  expect(tracker.seconds).toBe(32);
});

it('stays with a few refusals', () => {
  const tracker = new RetryAfter();
  refuse(tracker, [100, 104], 5);
  expect(tracker.seconds).toBe(4);
  refuse(tracker, [104, 110], 2);
  expect(tracker.seconds).toBe(4);
});

it('comes down by a second when there are hardly any', () => {
  const tracker = new RetryAfter();
  refuse(tracker, [100, 108], 5);
  expect(tracker.seconds).toBe(8);
  for (const at of [200, 300, 400]) refuse(tracker, [at, at + 1], 1);
  expect(tracker.seconds).toBe(5);
});

it('one burst is not a trend', () => {
  const tracker = new RetryAfter();
  refuse(tracker, [100, 101], 10_000);
  expect(tracker.seconds).toBe(1);
});
