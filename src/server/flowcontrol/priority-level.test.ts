import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { FakeClock } from '../../storage/fake-clock.suite.js';
import type { Queuing } from './configuration.js';
import { Outcome, RecordedMetrics, seated, settle } from './flow.suite.js';
import { type Applicant, type Flow, PriorityLevel, type ServerCounts } from './priority-level.js';

let clock: FakeClock;
let metrics: RecordedMetrics;
let server: ServerCounts;
let flow: Flow;

beforeEach(() => {
  clock = new FakeClock();
  metrics = new RecordedMetrics();
  server = { executing: { readOnly: 0, mutating: 0 }, waiting: { readOnly: 0, mutating: 0 } };
  flow = {
    flowSchemaUID: 'fs-uid',
    priorityLevelUID: 'pl-uid',
    counts: { executing: 0, executingSeats: 0, waiting: 0, waitingSeats: 0 },
    meters: metrics.of('fs', 'pl'),
  };
});

const REJECT: Queuing = { queues: 0, handSize: 0, queueLengthLimit: 0 };
const QUEUE: Queuing = { queues: 8, handSize: 1, queueLengthLimit: 5 };

function levelOf(limit: number, queuing = QUEUE, exempt = false): PriorityLevel {
  const level = new PriorityLevel(exempt, queuing, clock, server);
  level.limit = limit;
  return level;
}
function applicant(more: Partial<Applicant> & { seats?: number } = {}): Applicant {
  const { seats = 1 } = more;
  const work = { seats, finalSeats: 0, finalMs: 0 };
  return { flow, work, mutating: false, watch: false, hand: [0], waitMs: 1000, request: {}, ...more };
}
const enter = (level: PriorityLevel, more: Parameters<typeof applicant>[0] = {}): Outcome =>
  Outcome.of(() => level.admit(applicant(more)));

describe('a level that refuses', () => {
  it('has so many seats and no more', () => {
    const level = levelOf(2, REJECT);
    const first = enter(level);
    expect([first, enter(level), enter(level)].map((o) => o.now)).toEqual(['seated', 'seated', '429 1']);
    first.seat!.release();
    first.seat!.release();
    expect([enter(level), enter(level)].map((o) => o.now)).toEqual(['seated', '429 1']);
    expect(metrics.lines).toContain('fs/pl rejected concurrency-limit');
  });

  it('tells which flow was refused', () => {
    const level = levelOf(1, REJECT);
    enter(level);
    let error: unknown;
    try {
      level.admit(applicant());
    } catch (e) {
      error = e;
    }
    expect(error).toMatchObject({
      code: 429,
      reason: 'TooManyRequests',
      message: 'Too many requests, please try again later.',
      details: { retryAfterSeconds: 1 },
      headers: {
        'Retry-After': '1',
        'X-Kubernetes-PF-FlowSchema-UID': 'fs-uid',
        'X-Kubernetes-PF-PriorityLevel-UID': 'pl-uid',
      },
    });
  });

  it('asks for more and more patience', () => {
    const level = levelOf(1, REJECT);
    enter(level);
    const told = new Set<string>();
    for (let i = 0; i < 600; i++) {
      told.add(enter(level).now);
      clock.advance(100);
    }
    expect([...told]).toEqual(['429 1', '429 2', '429 4', '429 8', '429 16', '429 32']);
  });
});

describe('an exempt level', () => {
  it('lets everybody in, and counts them', () => {
    const level = levelOf(0, REJECT, true);
    for (let i = 0; i < 50; i++) expect(enter(level, { mutating: true }).now).toBe('seated');
    expect(level.executing).toBe(50);
    expect(server.executing).toEqual({ readOnly: 0, mutating: 50 });
  });
});

describe('a level with queues', () => {
  it('lets wait, first come first served', async () => {
    const level = levelOf(1);
    const [a, b, c] = [enter(level), enter(level), enter(level)];
    expect([a, b, c].map((o) => o.now)).toEqual(['seated', 'waits', 'waits']);
    expect(flow.counts).toEqual({ executing: 1, executingSeats: 1, waiting: 2, waitingSeats: 2 });
    clock.advance(70);
    a!.seat!.release();
    await settle();
    expect([b, c].map((o) => o!.now)).toEqual(['seated', 'waits']);
    b!.seat!.release();
    await settle();
    expect(c!.now).toBe('seated');
    c!.seat!.release();
    expect(level.idle).toBe(true);
    expect(flow.counts).toEqual({ executing: 0, executingSeats: 0, waiting: 0, waitingSeats: 0 });
    expect(clock.pending).toBe(0);
    expect(metrics.lines).toContain('fs/pl enqueued 2');
    expect(metrics.lines).toContain('fs/pl dispatched 70');
    expect(metrics.lines).toContain('fs/pl executed 70 regular');
  });

  it('refuses what a queue has no place for', () => {
    const level = levelOf(1);
    const all = Array.from({ length: 8 }, () => enter(level).now);
    expect(all).toEqual(['seated', ...Array(5).fill('waits'), '429 1', '429 1']);
    expect(enter(level, { hand: [1] }).now).toBe('waits');
    expect(metrics.lines).toContain('fs/pl rejected queue-full');
  });

  it('refuses who waited too long', async () => {
    const level = levelOf(1);
    const a = enter(level);
    const b = enter(level, { waitMs: 500 });
    const c = enter(level);
    clock.advance(500);
    await settle();
    expect(b.now).toBe('429 1');
    expect(level.waiting).toBe(1);
    expect(metrics.lines).toContain('fs/pl rejected time-out 500');
    a.seat!.release();
    await settle();
    expect(c.now).toBe('seated');
  });

  it('forgets who goes away', async () => {
    const level = levelOf(1);
    const a = enter(level);
    const gone = new AbortController();
    const b = enter(level, { request: gone });
    gone.abort();
    await settle();
    expect(b.now).toMatch(/^429/);
    expect(level.waiting).toBe(0);
    expect(enter(level, { request: gone }).now).toMatch(/^429/);
    expect(metrics.lines.filter((l) => l.includes('cancelled'))).toHaveLength(2);
    a.seat!.release();
    expect(level.idle).toBe(true);
    expect(clock.pending).toBe(0);
  });

  it('going away later changes nothing', async () => {
    const level = levelOf(1);
    const gone = new AbortController();
    const a = enter(level);
    const b = enter(level, { request: gone });
    a.seat!.release();
    await settle();
    gone.abort();
    clock.advance(5000);
    await settle();
    expect(b.now).toBe('seated');
    expect(level.executing).toBe(1);
  });

  it('takes the emptiest queue of a hand', () => {
    const level = levelOf(1);
    enter(level);
    for (let i = 0; i < 5; i++) expect(enter(level, { hand: [3] }).now).toBe('waits');
    expect(enter(level, { hand: [3] }).now).toBe('429 1');
    expect(enter(level, { hand: [3, 4] }).now).toBe('waits');
  });

  it('serves at once when it gets more seats', async () => {
    const level = levelOf(1);
    const waiting = [enter(level), enter(level), enter(level)];
    level.limit = 3;
    await settle();
    expect(waiting.map((o) => o.now)).toEqual(['seated', 'seated', 'seated']);
  });

  it('goes on with what waits in queues that are no more', async () => {
    const level = levelOf(1);
    const a = enter(level, { hand: [7] });
    const b = enter(level, { hand: [7] });
    level.queuing = REJECT;
    expect(enter(level).now).toBe('429 1');
    a.seat!.release();
    await settle();
    expect(b.now).toBe('seated');
  });

  it('serves one at a time when it has no seats', async () => {
    const level = levelOf(0);
    const [a, b] = [enter(level), enter(level)];
    expect([a.now, b.now]).toEqual(['seated', 'waits']);
    a.seat!.release();
    await settle();
    expect(b.now).toBe('seated');
  });
});

describe('wide requests', () => {
  it('take as many seats', () => {
    const level = levelOf(10, REJECT);
    expect([7, 4, 3].map((seats) => enter(level, { seats }).now)).toEqual(['seated', '429 1', 'seated']);
  });

  it('are let in alone when they are wider than the level', async () => {
    const level = levelOf(2);
    const small = enter(level);
    const wide = enter(level, { seats: 5 });
    expect(wide.now).toBe('waits');
    small.seat!.release();
    await settle();
    expect(wide.now).toBe('seated');
    expect(enter(level).now).toBe('waits');
  });

  it('are not overtaken for ever', async () => {
    const level = levelOf(3);
    const small = Array.from({ length: 3 }, () => enter(level, { hand: [1] }));
    const wide = enter(level, { seats: 3, hand: [2] });
    const later = enter(level, { hand: [1] });
    small[0]!.seat!.release();
    small[1]!.seat!.release();
    await settle();
    expect([wide.now, later.now]).toEqual(['waits', 'waits']);
    expect(metrics.lines).toContain('fs/pl notAccommodated');
    small[2]!.seat!.release();
    await settle();
    expect([wide.now, later.now]).toEqual(['seated', 'waits']);
  });

  it('leave room for what follows a write', () => {
    const level = levelOf(10, REJECT);
    const work = { seats: 1, finalSeats: 4, finalMs: 20 };
    const write = enter(level, { work });
    expect(level.seatsInUse).toBe(4);
    write.seat!.release();
    expect([level.seatsInUse, level.executing, level.idle]).toEqual([4, 0, false]);
    clock.advance(20);
    expect([level.seatsInUse, level.idle]).toEqual([0, true]);
    const wide = enter(level, { work: { ...work, seats: 9 } });
    wide.seat!.release();
    expect(level.seatsInUse).toBe(4);
  });
});

describe('a watch', () => {
  it('gives its seat back when it has started', () => {
    const level = levelOf(1, REJECT);
    const watch = seated(level.admit(applicant({ watch: true })));
    expect(enter(level).now).toBe('429 1');
    watch.initialized();
    watch.initialized();
    expect(enter(level).now).toBe('seated');
    watch.release();
    watch.initialized();
    expect(level.executing).toBe(1);
    expect(metrics.lines).toContain('fs/pl executed 0 watch');
  });

  it('that never starts gives it back at its end', () => {
    const level = levelOf(1, REJECT);
    const watch = seated(level.admit(applicant({ watch: true })));
    let ended = 0;
    (watch as { onRelease?: () => void }).onRelease = () => ended++;
    watch.release();
    watch.release();
    expect([level.idle, ended]).toEqual([true, 1]);
  });
});

/** One flow that always has so many requests open, each of which takes a time and seats. */
interface Client {
  readonly name: string;
  readonly hand: number[];
  readonly open: number;
  readonly ms: number;
  readonly seats?: number;
}

/** Seat-milliseconds that clients get, and the refusals, in a simulated time. */
async function simulate(level: PriorityLevel, clients: readonly Client[], ms: number) {
  const got = new Map(clients.map((c) => [c.name, { requests: 0, seatMs: 0, refused: 0, longestWait: 0 }]));
  const end = clock.now() + ms;
  const run = async ({ name, hand, ms: duration, seats }: Client): Promise<void> => {
    const mine = got.get(name)!;
    while (clock.now() < end) {
      const asked = clock.now();
      try {
        const given = level.admit(applicant({ hand, seats, waitMs: 15_000 }));
        const seat = given instanceof Promise ? await given : given;
        mine.longestWait = Math.max(mine.longestWait, clock.now() - asked);
        await new Promise<void>((done) => clock.setTimeout(done, duration));
        seat.release();
        mine.requests++;
        mine.seatMs += duration * (seats ?? 1);
      } catch {
        mine.refused++;
        await new Promise<void>((done) => clock.setTimeout(done, 10));
      }
    }
  };
  const all = clients.flatMap((c) => Array.from({ length: c.open }, () => run(c)));
  while (clock.now() < end) {
    await settle();
    clock.advance(1);
  }
  for (let i = 0; i < 1000 && !level.idle; i++) {
    await settle();
    clock.advance(100);
  }
  await Promise.all(all);
  return got;
}

describe('fairness', () => {
  const queuing: Queuing = { queues: 16, handSize: 1, queueLengthLimit: 50 };

  it('a flood does not starve a quiet user', async () => {
    const level = levelOf(10, queuing);
    const got = await simulate(
      level,
      [
        { name: 'flood', hand: [1, 2, 3], open: 200, ms: 10 },
        { name: 'quiet', hand: [4, 5, 6], open: 2, ms: 10 },
      ],
      3000,
    );
    const [flood, quiet] = [got.get('flood')!, got.get('quiet')!];
    // Alone it would have made 2 requests every 10 ms.
    const kept = quiet.requests / (2 * 300);
    console.log(
      `quiet user beside a flood: ${(100 * kept).toFixed(0)} % of its own pace, waits ${quiet.longestWait} ms at most (flood: ${flood.requests} served, ${flood.refused} refused, waits up to ${flood.longestWait} ms)`,
    );
    expect(kept).toBeGreaterThan(0.45);
    expect(quiet.refused).toBe(0);
    expect(quiet.longestWait).toBeLessThanOrEqual(11);
    expect(flood.requests).toBeGreaterThan(2000);
  });

  it('floods share evenly by work, not by number', async () => {
    const level = levelOf(10, queuing);
    const got = await simulate(
      level,
      [
        { name: 'many', hand: [1], open: 40, ms: 5 },
        { name: 'long', hand: [2], open: 40, ms: 50 },
        { name: 'wide', hand: [3], open: 40, ms: 10, seats: 3 },
      ],
      4000,
    );
    const work = [...got.values()].map((g) => g.seatMs);
    const ratio = Math.max(...work) / Math.min(...work);
    console.log(`three floods: most to least work ${ratio.toFixed(2)} (${work.join(', ')} seat·ms)`);
    expect(ratio).toBeLessThan(1.25);
  });

  it('what was used while nobody waited is not held against anybody', async () => {
    const level = levelOf(10, queuing);
    // An hour of work on 9 of 10 seats.
    const busy = Array.from({ length: 9 }, () => seated(level.admit(applicant({ hand: [1] }))));
    clock.advance(3_600_000);
    for (const seat of busy) seat.release();
    const got = await simulate(
      level,
      [
        { name: 'earlier', hand: [1], open: 40, ms: 10 },
        { name: 'new', hand: [2], open: 40, ms: 10 },
      ],
      1000,
    );
    const ratio = got.get('earlier')!.requests / got.get('new')!.requests;
    expect(ratio).toBeGreaterThan(0.9);
    expect(ratio).toBeLessThan(1.1);
  });

  it('who comes later is served as well as who was there, not better', async () => {
    const level = levelOf(4, queuing);
    const early = simulate(level, [{ name: 'early', hand: [1], open: 20, ms: 5 }], 2000);
    await settle();
    const waited: number[] = [];
    for (let i = 0; i < 20; i++) {
      const since = clock.now();
      const seat = await Promise.resolve(level.admit(applicant({ hand: [2] })));
      waited.push(clock.now() - since);
      await new Promise<void>((done) => clock.setTimeout(done, 20));
      seat.release();
    }
    await early;
    expect(Math.max(...waited)).toBeLessThanOrEqual(6);
  });
});

describe('whatever happens', () => {
  type Step =
    | { do: 'enter'; hand: number[]; seats: number; finalSeats: number; watch: boolean }
    | { do: 'release' | 'abort' | 'initialized'; which: number }
    | { do: 'advance'; ms: number }
    | { do: 'limit'; seats: number };
  const small = fc.nat({ max: 20 });
  const step: fc.Arbitrary<Step> = fc.oneof(
    {
      weight: 5,
      arbitrary: fc.record({
        do: fc.constant('enter' as const),
        hand: fc.uniqueArray(fc.nat({ max: 7 }), { minLength: 1, maxLength: 3 }),
        seats: fc.integer({ min: 1, max: 6 }),
        finalSeats: fc.constantFrom(0, 0, 0, 2, 8),
        watch: fc.boolean(),
      }),
    },
    {
      weight: 4,
      arbitrary: fc.record({ do: fc.constantFrom('release', 'release', 'abort', 'initialized'), which: small }),
    },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('advance' as const), ms: fc.nat({ max: 400 }) }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('limit' as const), seats: fc.nat({ max: 8 }) }) },
  );

  it('nobody is forgotten, and seats are never given twice', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
        const level = levelOf(4);
        const open: { outcome: Outcome; abort: AbortController }[] = [];
        let highestLimit = level.limit;
        for (const s of steps) {
          if (s.do === 'enter') {
            const abort = new AbortController();
            const { hand, seats, finalSeats, watch } = s;
            const work = { seats, finalSeats, finalMs: 30 };
            open.push({ outcome: enter(level, { hand, work, watch, request: abort }), abort });
          } else if (s.do === 'advance') clock.advance(s.ms);
          else if (s.do === 'limit') level.limit = s.seats;
          else {
            const one = open[s.which % Math.max(1, open.length)];
            if (s.do === 'abort') one?.abort.abort();
            else one?.outcome.seat?.[s.do]();
          }
          await settle();
          highestLimit = Math.max(highestLimit, level.limit);
          // Over the limit only a request that is wider than the level, alone, or after the limit sank.
          expect(level.seatsInUse).toBeLessThanOrEqual(Math.max(highestLimit, 8));
          const waiting = open.filter((o) => o.outcome.now === 'waits').length;
          expect(level.waiting).toBe(waiting);
          if (waiting > 0) expect(level.seatsInUse).toBeGreaterThan(0);
        }
        for (let i = 0; i < 200 && !level.idle; i++) {
          for (const { outcome } of open) outcome.seat?.release();
          clock.advance(50);
          await settle();
        }
        expect(open.filter((o) => o.outcome.now === 'waits')).toEqual([]);
        expect(level.idle).toBe(true);
        expect(level.demand.wanted).toBe(0);
        expect(flow.counts).toEqual({ executing: 0, executingSeats: 0, waiting: 0, waitingSeats: 0 });
        expect(clock.pending).toBe(0);
      }),
      { numRuns: 150 },
    );
  });
});
