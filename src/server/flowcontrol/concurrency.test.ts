import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { allocateSeats, DemandMeter, seatLimits, smoothDemand, widestRequest } from './concurrency.js';
import { type LevelSettings, levelSettings, type PriorityLevelConfiguration } from './configuration.js';

const settings = (shares: number, lendablePercent = 0, borrowingLimitPercent?: number): LevelSettings => ({
  name: 'x',
  uid: '',
  exempt: false,
  shares,
  lendablePercent,
  borrowingLimitPercent,
  queuing: { queues: 0, handSize: 0, queueLengthLimit: 0 },
});

describe('seats of a level', () => {
  it('are a share of the server’s, rounded up', () => {
    expect(seatLimits([settings(1), settings(2)], 100).map((l) => l.nominal)).toEqual([34, 67]);
  });

  it('can be lent and borrowed', () => {
    expect(seatLimits([settings(50, 33, 20), settings(50)], 100)).toEqual([
      { nominal: 50, lower: 33, upper: 60 },
      { nominal: 50, lower: 50, upper: 150 },
    ]);
  });

  it('are none without shares', () => {
    expect(seatLimits([settings(0)], 100)).toEqual([{ nominal: 0, lower: 0, upper: 100 }]);
  });

  it('bound the widest request', () => {
    const limits = (nominal: number) => ({ nominal, lower: 0, upper: 0 });
    expect(widestRequest(limits(245), 6)).toBe(37);
    expect(widestRequest(limits(98), 6)).toBe(15);
    expect(widestRequest(limits(25), 8)).toBe(3);
    expect(widestRequest(limits(1), 8)).toBe(1);
  });
});

describe('settings of a level', () => {
  const read = (name: string, spec: object) =>
    levelSettings({ metadata: { name }, spec } as unknown as PriorityLevelConfiguration);

  it('have defaults', () => {
    expect(read('a', { type: 'Limited', limited: { limitResponse: { type: 'Queue', queuing: {} } } })).toEqual({
      ...settings(30),
      name: 'a',
      queuing: { queues: 64, handSize: 8, queueLengthLimit: 50 },
    });
    expect(read('exempt', { type: 'Exempt' })).toMatchObject({ exempt: true, shares: 0 });
  });

  it('are ignored when they contradict themselves', () => {
    expect(read('a', { type: 'Exempt', exempt: {} })).toBeUndefined();
    expect(read('exempt', { type: 'Limited', limited: {} })).toBeUndefined();
    expect(read('a', { type: 'Limited' })).toBeUndefined();
  });
});

describe('allocation', () => {
  const claims = fc.array(
    fc
      .tuple(fc.integer({ min: 0, max: 100 }), fc.integer({ min: 0, max: 100 }), fc.integer({ min: 0, max: 300 }))
      .map(([lower, above, more]) => ({ lower, target: lower + above, upper: lower + more })),
    { minLength: 1, maxLength: 12 },
  );

  it('gives all, within bounds, and the same fraction to all others', () => {
    fc.assert(
      fc.property(claims, fc.double({ min: 0, max: 1, noNaN: true }), (all, at) => {
        const least = all.reduce((s, c) => s + c.lower, 0);
        const most = all.reduce((s, c) => s + c.upper, 0);
        const total = least + at * (most - least);
        const { given, fraction } = allocateSeats(total, all)!;
        expect(given.reduce((a, b) => a + b, 0)).toBeCloseTo(total, 4);
        all.forEach(({ lower, upper, target }, i) => {
          const seats = given[i]!;
          const wanted = fraction * Math.max(target, 0.001);
          expect(seats).toBeGreaterThanOrEqual(lower);
          expect(seats).toBeLessThanOrEqual(upper);
          if (seats < upper && seats > lower) expect(seats).toBeCloseTo(wanted, 4);
        });
      }),
    );
  });

  it('is impossible outside of the bounds', () => {
    const claim = { lower: 2, target: 3, upper: 4 };
    expect(allocateSeats(1, [claim])).toBeUndefined();
    expect(allocateSeats(5, [claim])).toBeUndefined();
    expect(allocateSeats(1, [])).toBeUndefined();
  });
});

describe('demand', () => {
  it('is measured over time', () => {
    const meter = new DemandMeter(1000);
    meter.add(4, 1000);
    meter.add(4, 1500);
    meter.add(-8, 2000);
    // 4, 8 and 0 seats for 500, 500 and 1000 ms.
    expect(meter.take(3000)).toEqual({ highWatermark: 8, average: 3, deviation: Math.sqrt(20 - 9) });
    expect(meter.take(3000)).toEqual({ highWatermark: 0, average: 0, deviation: 0 });
  });

  it('carries over', () => {
    const meter = new DemandMeter(0);
    meter.add(5, 0);
    meter.take(10);
    expect(meter.wanted).toBe(5);
    expect(meter.take(20)).toEqual({ highWatermark: 5, average: 5, deviation: 0 });
  });

  it('is not upset by a clock that is set back', () => {
    const meter = new DemandMeter(1000);
    meter.add(5, 500);
    expect(meter.take(600)).toMatchObject({ highWatermark: 5 });
  });

  it('rises at once and falls slowly', () => {
    const steady = (average: number) => ({ highWatermark: 0, average, deviation: 0 });
    expect(smoothDemand(0, steady(10))).toBe(10);
    expect(smoothDemand(10, steady(0))).toBeCloseTo(9.77);
  });
});
