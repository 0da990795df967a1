import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Clock } from './clock.js';
import {
  isStorageError,
  type KeyValue,
  prefixEnd,
  type Storage,
  type StorageError,
  type StorageErrorCode,
  type WatchEvent,
  type WatchOptions,
} from './contract.js';
import { FakeClock } from './fake-clock.suite.js';
import { nextTurn } from './yield.js';

export interface Backend {
  storage: Storage;
  /** Closes and opens again on the same data. Undefined when nothing survives. */
  reopen?(): Promise<Storage>;
  /** Closes what is open and removes the data. */
  dispose(): Promise<void>;
}

const bytes = (text: string) => Buffer.from(text);
const text = (kv: KeyValue | undefined) => kv?.value.toString();

export async function expectCode(promise: Promise<unknown>, code: StorageErrorCode): Promise<StorageError> {
  const error = await promise.then(
    () => undefined,
    (e: unknown) => e,
  );
  if (!isStorageError(error)) expect.fail(`expected ${code}, got ${String(error)}`);
  expect(error.code).toBe(code);
  return error;
}

/** Polls, first every turn and then every few milliseconds, but never for ever. */
export async function eventually(condition: () => boolean | Promise<boolean>, what: string): Promise<void> {
  const deadline = Date.now() + 20_000;
  for (let turn = 0; !(await condition()); turn++) {
    if (Date.now() > deadline) expect.fail(`never happened: ${what}`);
    if (turn < 50) await nextTurn();
    else await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

class Recorder {
  readonly seen: string[] = [];
  readonly events: WatchEvent[] = [];
  revision = 0;
  failure: StorageError | undefined;
  readonly handle;

  constructor(storage: Storage, options: WatchOptions) {
    this.handle = storage.watch(options, {
      events: (events, revision) => {
        for (const e of events) {
          this.events.push(e);
          this.seen.push(`${e.type} ${e.kv.key} ${e.kv.value.toString()} @${e.revision}`);
        }
        expect(revision).toBeGreaterThanOrEqual(this.revision);
        this.revision = revision;
      },
      error: (error) => {
        this.failure = error;
      },
    });
  }
}

/** What every backend must do. */
export function describeStorage(name: string, open: (clock: Clock) => Promise<Backend>): void {
  describe(`storage contract: ${name}`, () => {
    let backend: Backend;
    let storage: Storage;
    let clock: FakeClock;

    beforeEach(async () => {
      clock = new FakeClock();
      backend = await open(clock);
      storage = backend.storage;
    });
    afterEach(() => backend.dispose());

    const put = async (key: string, value: string) => {
      const result = await storage.put(key, bytes(value));
      if (!result.succeeded) expect.fail('conflict');
      return result.revision;
    };
    const keys = async (options: { start: string; end: string; revision?: number; limit?: number }) =>
      (await storage.range(options)).kvs.map((kv) => `${kv.key}=${text(kv)}`);

    describe('writes', () => {
      it('counts revisions, versions and creation', async () => {
        const start = await storage.currentRevision();
        expect(start).toBeGreaterThanOrEqual(1);
        expect(await put('/a', '1')).toBe(start + 1);
        expect(await put('/b', '1')).toBe(start + 2);
        expect(await put('/a', '2')).toBe(start + 3);
        expect(await storage.currentRevision()).toBe(start + 3);
        const { kv, revision } = await storage.get('/a');
        expect(revision).toBe(start + 3);
        expect(kv).toEqual({
          key: '/a',
          value: bytes('2'),
          createRevision: start + 1,
          modRevision: start + 3,
          version: 2,
          lease: 0n,
        });
      });

      it('starts a new life after a delete', async () => {
        await put('/a', '1');
        await put('/a', '2');
        const gone = await storage.delete('/a');
        expect(gone.succeeded && text(gone.previous)).toBe('2');
        expect((await storage.get('/a')).kv).toBeUndefined();
        const revision = await put('/a', '3');
        expect((await storage.get('/a')).kv).toMatchObject({ createRevision: revision, version: 1 });
      });

      it('creates only what does not exist', async () => {
        const first = await storage.put('/a', bytes('1'), { expectedModRevision: 0 });
        expect(first.succeeded).toBe(true);
        const second = await storage.put('/a', bytes('2'), { expectedModRevision: 0 });
        if (second.succeeded) expect.fail('created twice');
        expect(text(second.current)).toBe('1');
        expect(second.current?.modRevision).toBe(first.revision);
        expect(await storage.currentRevision()).toBe(first.revision);
      });

      it('updates only what is as expected', async () => {
        const first = await put('/a', '1');
        const ok = await storage.put('/a', bytes('2'), { expectedModRevision: first });
        expect(ok.succeeded).toBe(true);
        const stale = await storage.put('/a', bytes('3'), { expectedModRevision: first });
        expect(stale.succeeded ? undefined : text(stale.current)).toBe('2');
        const missing = await storage.put('/none', bytes('3'), { expectedModRevision: 5 });
        expect(missing).toMatchObject({ succeeded: false, current: undefined });
        expect(text((await storage.get('/a')).kv)).toBe('2');
      });

      it('deletes only what is as expected, and nothing twice', async () => {
        const first = await put('/a', '1');
        const stale = await storage.delete('/a', { expectedModRevision: first + 7 });
        expect(stale.succeeded ? undefined : text(stale.current)).toBe('1');
        const gone = await storage.delete('/a', { expectedModRevision: first });
        expect(gone).toMatchObject({ succeeded: true, revision: first + 1 });
        expect(await storage.delete('/a')).toMatchObject({ succeeded: false, current: undefined });
        expect(await storage.currentRevision()).toBe(first + 1);
      });

      it('lets exactly one of many concurrent writers win', async () => {
        const base = await put('/a', '0');
        const results = await Promise.all(
          Array.from({ length: 50 }, (_, i) => storage.put('/a', bytes(`w${i}`), { expectedModRevision: base })),
        );
        const winners = results.filter((r) => r.succeeded);
        expect(winners.length).toBe(1);
        for (const r of results) if (!r.succeeded) expect(r.current?.modRevision).toBe(winners[0]!.revision);
      });

      it('gives concurrent writes revisions without a gap', async () => {
        const base = await storage.currentRevision();
        const results = await Promise.all(Array.from({ length: 200 }, (_, i) => put(`/k${i % 20}`, `${i}`)));
        expect([...results].sort((a, b) => a - b)).toEqual(Array.from({ length: 200 }, (_, i) => base + 1 + i));
      });

      it('keeps empty and large values as they are', async () => {
        const large = Buffer.alloc(1_500_000, 'x');
        await storage.put('/large', large);
        await storage.put('/empty', Buffer.alloc(0));
        expect((await storage.get('/large')).kv?.value.equals(large)).toBe(true);
        expect((await storage.get('/empty')).kv?.value.length).toBe(0);
      });

      it('knows about how large it is', async () => {
        const before = await storage.sizeInBytes();
        await storage.put('/a', Buffer.alloc(1_000_000));
        expect(await storage.sizeInBytes()).toBeGreaterThanOrEqual(before + 1_000_000);
      });

      it('refuses keys that not every backend could hold', async () => {
        for (const key of ['', 'a\0b', '/\ud800', `/${'k'.repeat(2000)}`]) {
          await expectCode(storage.put(key, bytes('v')), 'InvalidKey');
          await expectCode(storage.get(key), 'InvalidKey');
          await expectCode(storage.delete(key), 'InvalidKey');
        }
        expect((await storage.put(`/${'k'.repeat(1800)}`, bytes('v'))).succeeded).toBe(true);
      });
    });

    describe('reads', () => {
      it('finds nothing where nothing is', async () => {
        expect((await storage.get('/none')).kv).toBeUndefined();
        expect(await storage.range({ start: '/x', end: '/y' })).toMatchObject({ kvs: [], more: false });
        expect(await storage.range({ start: '/y', end: '/x' })).toMatchObject({ kvs: [], more: false });
      });

      it('ranges in order of bytes, with limits and counts', async () => {
        for (const key of ['/p/b', '/p/a', '/p/a-b/x', '/p/a/x', '/q/a', '/o', '/p/é', '/p/~']) await put(key, key);
        await storage.delete('/p/b');
        const range = { start: '/p/', end: prefixEnd('/p/') };
        const names = async (o: object) => (await storage.range({ ...range, ...o })).kvs.map((kv) => kv.key);
        expect(await names({})).toEqual(['/p/a', '/p/a-b/x', '/p/a/x', '/p/~', '/p/é']);
        expect(await names({ limit: 2 })).toEqual(['/p/a', '/p/a-b/x']);
        expect((await storage.range({ ...range, limit: 2 })).more).toBe(true);
        expect((await storage.range({ ...range, limit: 5 })).more).toBe(false);
        expect(await storage.range({ ...range, countOnly: true })).toMatchObject({ kvs: [], count: 5 });
        expect(await names({ start: '/p/a\0' })).toEqual(['/p/a-b/x', '/p/a/x', '/p/~', '/p/é']);
      });

      it('reads the past', async () => {
        const one = await put('/a', '1');
        const two = await put('/b', '1');
        const three = await put('/a', '2');
        await storage.delete('/b');
        const five = await put('/b', '3');
        const all = (revision: number) => keys({ start: '/', end: '0', revision });
        expect(await all(one)).toEqual(['/a=1']);
        expect(await all(two)).toEqual(['/a=1', '/b=1']);
        expect(await all(three)).toEqual(['/a=2', '/b=1']);
        expect(await all(three + 1)).toEqual(['/a=2']);
        expect(await all(five)).toEqual(['/a=2', '/b=3']);
        expect(text((await storage.get('/a', { revision: two })).kv)).toBe('1');
        expect((await storage.get('/b', { revision: one })).kv).toBeUndefined();
        expect((await storage.range({ start: '/', end: '0', revision: two, countOnly: true })).count).toBe(2);
      });

      it('refuses the future', async () => {
        const revision = (await storage.currentRevision()) + 1;
        const error = await expectCode(storage.get('/a', { revision }), 'FutureRevision');
        expect(error).toMatchObject({ currentRevision: revision - 1 });
        await expectCode(storage.range({ start: '/', end: '0', revision }), 'FutureRevision');
        await expectCode(storage.compact(revision), 'FutureRevision');
      });
    });

    describe('watches', () => {
      it('tells new changes in order, with the state before', async () => {
        const base = await storage.currentRevision();
        const watch = new Recorder(storage, { prefix: '/p/', prevKv: true });
        await put('/p/a', '1');
        await put('/other', 'x');
        await put('/p/a', '2');
        await storage.delete('/p/a');
        await eventually(() => watch.seen.length === 3, 'three events');
        expect(watch.seen).toEqual([`PUT /p/a 1 @${base + 1}`, `PUT /p/a 2 @${base + 3}`, `DELETE /p/a  @${base + 4}`]);
        expect(watch.events.map((e) => text(e.prevKv))).toEqual([undefined, '1', '2']);
        expect(watch.events[2]?.kv.modRevision).toBe(base + 4);
      });

      it('starts in the past and goes on into the present without a gap', async () => {
        const base = await storage.currentRevision();
        const revisions: number[] = [];
        for (let i = 0; i < 600; i++) revisions.push(await put(`/k/${i % 7}`, `${i}`));
        const watch = new Recorder(storage, { prefix: '/k/', startRevision: base + 1 });
        for (let i = 0; i < 100; i++) {
          revisions.push(await put(`/k/${i % 7}`, `new${i}`));
          if (i % 10 === 0) await nextTurn();
        }
        await eventually(() => watch.seen.length === 700, 'all events');
        expect(watch.events.map((e) => e.revision)).toEqual(revisions);
        watch.handle.cancel();
      });

      it('gives states before from history as well', async () => {
        const first = await put('/a', '1');
        await put('/a', '2');
        await storage.delete('/a');
        await put('/a', '3');
        const watch = new Recorder(storage, { prefix: '/', startRevision: first, prevKv: true });
        await eventually(() => watch.seen.length === 4, 'four events');
        expect(watch.events.map((e) => text(e.prevKv))).toEqual([undefined, '1', '2', undefined]);
      });

      it('leaves out what is before a future start', async () => {
        const base = await storage.currentRevision();
        const watch = new Recorder(storage, { prefix: '/', startRevision: base + 3 });
        for (let i = 0; i < 4; i++) await put('/a', `${i}`);
        await eventually(() => watch.seen.length === 2, 'two events');
        expect(watch.seen).toEqual([`PUT /a 2 @${base + 3}`, `PUT /a 3 @${base + 4}`]);
      });

      it('is silent after cancel', async () => {
        const watch = new Recorder(storage, { prefix: '/' });
        await put('/a', '1');
        await eventually(() => watch.seen.length === 1, 'the first event');
        watch.handle.cancel();
        const past = new Recorder(storage, { prefix: '/', startRevision: 2 });
        past.handle.cancel();
        await put('/a', '2');
        await nextTurn();
        expect(watch.seen.length).toBe(1);
        expect(past.seen).toEqual([]);
      });

      it('reports progress on request', async () => {
        const watch = new Recorder(storage, { prefix: '/nothing/' });
        const revision = await put('/a', '1');
        watch.handle.requestProgress();
        await eventually(() => watch.revision >= revision, 'progress');
        expect(watch.seen).toEqual([]);
      });

      it('shows every change before its writer knows, if it says so', async () => {
        if (!storage.watchesBeforeAck) return;
        const watch = new Recorder(storage, { prefix: '/' });
        for (let i = 0; i < 20; i++) {
          const revision = await put('/a', `${i}`);
          expect(watch.revision).toBe(revision);
        }
        await storage.delete('/a');
        expect(watch.seen.length).toBe(21);
      });

      it('ends the watch of an observer that throws, and serves the others', async () => {
        const failures: string[] = [];
        storage.watch(
          { prefix: '/' },
          {
            events: () => {
              throw new Error('broken observer');
            },
            error: (e) => void failures.push(e.code),
          },
        );
        const watch = new Recorder(storage, { prefix: '/' });
        await put('/a', '1');
        await put('/a', '2');
        await eventually(() => watch.seen.length === 2, 'both events');
        expect(failures).toEqual(['Unavailable']);
      });

      it('keeps the order when an observer writes', async () => {
        const base = await storage.currentRevision();
        let wrote = false;
        storage.watch(
          { prefix: '/' },
          {
            events: () => {
              if (wrote) return;
              wrote = true;
              void storage.put('/second', bytes('2'));
            },
            error: () => undefined,
          },
        );
        const watch = new Recorder(storage, { prefix: '/' });
        await put('/first', '1');
        await eventually(() => watch.seen.length === 2, 'both events');
        expect(watch.seen).toEqual([`PUT /first 1 @${base + 1}`, `PUT /second 2 @${base + 2}`]);
      });
    });

    describe('compaction', () => {
      it('forgets the past, keeps the present', async () => {
        await put('/a', '1');
        await put('/b', '1');
        await storage.delete('/b');
        const middle = await put('/a', '2');
        await put('/a', '3');
        await storage.compact(middle);
        expect(await storage.compactedRevision()).toBe(middle);
        const error = await expectCode(storage.get('/a', { revision: middle - 1 }), 'Compacted');
        expect(error).toMatchObject({ compactedRevision: middle });
        await expectCode(storage.range({ start: '/', end: '0', revision: middle - 1 }), 'Compacted');
        expect(await keys({ start: '/', end: '0', revision: middle })).toEqual(['/a=2']);
        expect(await keys({ start: '/', end: '0' })).toEqual(['/a=3']);
        const late = new Recorder(storage, { prefix: '/', startRevision: middle - 1 });
        await eventually(() => late.failure !== undefined, 'the watch to fail');
        expect(late.failure).toMatchObject({ code: 'Compacted', compactedRevision: middle });
        const good = new Recorder(storage, { prefix: '/', startRevision: middle + 1 });
        await eventually(() => good.seen.length === 1, 'the change after the compaction');
        expect(good.seen).toEqual([`PUT /a 3 @${middle + 1}`]);
      });

      it('does not compact twice at lower revisions', async () => {
        const one = await put('/a', '1');
        const two = await put('/a', '2');
        await storage.compact(two);
        await expectCode(storage.compact(one), 'Compacted');
        expect(await storage.compactedRevision()).toBe(two);
      });

      it('does not disturb what is deleted and made again', async () => {
        await put('/a', '1');
        await storage.delete('/a');
        const middle = await put('/b', '1');
        const again = await put('/a', '2');
        await storage.compact(middle);
        expect((await storage.get('/a')).kv).toMatchObject({ createRevision: again, version: 1 });
        expect(await keys({ start: '/', end: '0', revision: middle })).toEqual(['/b=1']);
        expect((await storage.put('/a', bytes('3'), { expectedModRevision: 0 })).succeeded).toBe(false);
      });
    });

    describe('leases', () => {
      it('removes keys when their lease runs out', async () => {
        const lease = await storage.grantLease(10);
        await storage.put('/event/1', bytes('1'), { lease });
        await storage.put('/event/2', bytes('2'), { lease });
        await put('/event/3', '3');
        expect((await storage.get('/event/1')).kv?.lease).toBe(lease);
        const watch = new Recorder(storage, { prefix: '/event/' });
        clock.advance(9_000);
        await nextTurn();
        expect(await keys({ start: '/event/', end: '/event0' })).toEqual(['/event/1=1', '/event/2=2', '/event/3=3']);
        clock.advance(2_000);
        await eventually(() => watch.seen.length === 2, 'the keys to expire');
        expect(watch.events.map((e) => `${e.type} ${e.kv.key}`).sort()).toEqual(['DELETE /event/1', 'DELETE /event/2']);
        expect(await keys({ start: '/event/', end: '/event0' })).toEqual(['/event/3=3']);
      });

      it('lets go of keys that were written without the lease or deleted', async () => {
        const lease = await storage.grantLease(10);
        await storage.put('/a', bytes('1'), { lease });
        await storage.put('/b', bytes('1'), { lease });
        await put('/a', '2');
        await storage.delete('/b');
        await put('/b', '2');
        clock.advance(20_000);
        await storage.put('/c', bytes('1'));
        expect(await keys({ start: '/', end: '0' })).toEqual(['/a=2', '/b=2', '/c=1']);
      });

      it('refuses leases it does not know', async () => {
        await expectCode(storage.put('/a', bytes('1'), { lease: 4711n }), 'LeaseNotFound');
        const lease = await storage.grantLease(1);
        clock.advance(1_500);
        await eventually(
          () =>
            storage.put('/a', bytes('1'), { lease }).then(
              () => false,
              (e) => isStorageError(e, 'LeaseNotFound'),
            ),
          'the lease to be gone',
        );
      });
    });

    describe('close', () => {
      it('ends watches and refuses what comes later', async () => {
        await put('/a', '1');
        const watch = new Recorder(storage, { prefix: '/' });
        await storage.close();
        await storage.close();
        expect(watch.failure?.code).toBe('Closed');
        await expectCode(storage.get('/a'), 'Closed');
        await expectCode(storage.put('/a', bytes('2')), 'Closed');
        await expectCode(storage.delete('/a'), 'Closed');
        await expectCode(storage.range({ start: '/', end: '0' }), 'Closed');
        await expectCode(storage.currentRevision(), 'Closed');
        await expectCode(storage.grantLease(1), 'Closed');
        expect(clock.pending).toBe(0);
      });

      it('keeps everything for the next time', async () => {
        if (!backend.reopen) return;
        const first = await put('/a', '1');
        await put('/b', '1');
        await put('/a', '2');
        await storage.delete('/b');
        const lease = await storage.grantLease(30);
        await storage.put('/leased', bytes('x'), { lease });
        const last = await storage.currentRevision();
        storage = await backend.reopen();
        expect(await storage.currentRevision()).toBe(last);
        expect(await keys({ start: '/', end: '0' })).toEqual(['/a=2', '/leased=x']);
        expect(await keys({ start: '/', end: '0', revision: first + 1 })).toEqual(['/a=1', '/b=1']);
        const watch = new Recorder(storage, { prefix: '/', startRevision: first });
        await eventually(() => watch.seen.length === 5, 'the history');
        expect(await put('/a', '3')).toBe(last + 1);
        await storage.compact(last);
        storage = await backend.reopen();
        expect(await storage.compactedRevision()).toBe(last);
        await expectCode(storage.get('/a', { revision: first }), 'Compacted');
        clock.advance(31_000);
        await eventually(async () => (await storage.get('/leased')).kv === undefined, 'the lease to run out');
        expect(await keys({ start: '/', end: '0' })).toEqual(['/a=3']);
      });
    });

    it('equals a model under random operations', async () => {
      const key = fc.integer({ min: 0, max: 5 }).map((n) => `/m/${n}`);
      const operation = fc.oneof(
        { weight: 6, arbitrary: fc.record({ op: fc.constant('put' as const), key, cas: fc.boolean() }) },
        { weight: 3, arbitrary: fc.record({ op: fc.constant('delete' as const), key, cas: fc.boolean() }) },
        {
          weight: 1,
          arbitrary: fc.record({ op: fc.constant('compact' as const), back: fc.integer({ min: 0, max: 8 }) }),
        },
      );
      let round = 0;
      await fc.assert(
        fc.asyncProperty(fc.array(operation, { maxLength: 40 }), async (operations) => {
          round++;
          const prefix = `/round${round}`;
          const range = { start: `${prefix}/`, end: `${prefix}0` };
          const base = await storage.currentRevision();
          const states = new Map<number, Map<string, string>>([[base, new Map()]]);
          const watch = new Recorder(storage, { prefix, startRevision: base + 1 });
          const expected: string[] = [];
          let now = base;
          let compacted = await storage.compactedRevision();
          for (const o of operations) {
            const state = states.get(now)!;
            if (o.op === 'compact') {
              const to = Math.max(now - o.back, base, compacted);
              await storage.compact(to);
              compacted = to;
              continue;
            }
            const k = prefix + o.key;
            const held = (await storage.get(k)).kv;
            expect(text(held)).toBe(state.get(k));
            const options = o.cas ? { expectedModRevision: held?.modRevision ?? 0 } : {};
            const value = `v${now + 1}`;
            const result =
              o.op === 'put' ? await storage.put(k, bytes(value), options) : await storage.delete(k, options);
            expect(result.succeeded).toBe(o.op === 'put' || state.has(k));
            if (!result.succeeded) continue;
            expect(result.revision).toBe(++now);
            const next = new Map(state);
            if (o.op === 'put') next.set(k, value);
            else next.delete(k);
            states.set(now, next);
            expected.push(o.op === 'put' ? `PUT ${k} ${value} @${now}` : `DELETE ${k}  @${now}`);
          }
          await eventually(() => watch.seen.length === expected.length || watch.failure !== undefined, 'all events');
          if (!watch.failure) expect(watch.seen).toEqual(expected);
          watch.handle.cancel();
          for (const [revision, state] of states) {
            if (revision < compacted) await expectCode(storage.range({ ...range, revision }), 'Compacted');
            else {
              const sorted = [...state].sort(([a], [b]) => (a < b ? -1 : 1)).map(([k, v]) => `${k}=${v}`);
              expect(await keys({ ...range, revision })).toEqual(sorted);
            }
          }
        }),
        { numRuns: 25 },
      );
    });
  });
}
