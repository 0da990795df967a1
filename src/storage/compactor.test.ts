import { describe, expect, it } from 'vitest';
import { startCompactor } from './compactor.js';
import { StorageError } from './contract.js';
import { FakeClock } from './fake-clock.suite.js';
import { MemoryStorage } from './memory/memory.js';
import { nextTurn } from './yield.js';

async function setup(revisions = 1000) {
  const clock = new FakeClock();
  const storage = new MemoryStorage(clock);
  const stop = startCompactor(storage, clock, { milliseconds: 10_000, revisions });
  const write = async (n: number) => {
    for (let i = 0; i < n; i++) await storage.put('/a', Buffer.from(`${i}`));
    return storage.currentRevision();
  };
  const pass = async (ms: number) => {
    for (let t = 0; t < ms; t += 1000) {
      clock.advance(1000);
      await nextTurn();
    }
  };
  return { clock, storage, stop, write, pass };
}

describe('startCompactor', () => {
  it('keeps a window of time', async () => {
    const { clock, storage, stop, write, pass } = await setup();
    const old = await write(20);
    await pass(5_000);
    const recent = await write(20);
    expect(await storage.compactedRevision()).toBe(0);
    await pass(7_000);
    expect(await storage.compactedRevision()).toBe(old);
    await pass(3_000);
    expect(await storage.compactedRevision()).toBe(old);
    await pass(5_000);
    expect(await storage.compactedRevision()).toBe(recent);
    stop();
    await write(20);
    await pass(30_000);
    expect(await storage.compactedRevision()).toBe(recent);
    expect(clock.pending).toBe(0);
  });

  it('keeps no more than a number of revisions', async () => {
    const { storage, stop, write, pass } = await setup(100);
    const last = await write(500);
    await pass(1_000);
    expect(await storage.compactedRevision()).toBe(last - 100);
    stop();
  });

  it('compacts nothing while nothing is written', async () => {
    const { storage, stop, write, pass } = await setup();
    const last = await write(3);
    await pass(12_000);
    expect(await storage.compactedRevision()).toBe(last);
    let compactions = 0;
    storage.compact = async () => void compactions++;
    await pass(50_000);
    expect(compactions).toBe(0);
    stop();
  });

  it('goes on after an outage', async () => {
    const { storage, stop, write, pass } = await setup(10);
    const last = await write(100);
    const compact = storage.compact.bind(storage);
    storage.compact = () => Promise.reject(new StorageError('NoSpace', 'full'));
    await pass(3_000);
    expect(await storage.compactedRevision()).toBe(0);
    storage.compact = compact;
    await pass(1_000);
    expect(await storage.compactedRevision()).toBe(last - 10);
    stop();
  });
});
