import { spawn } from 'node:child_process';
import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parseJson } from '../../machinery/codec/json/parse.js';
import type { KubeObject } from '../../machinery/json.js';
import { createCacher } from '../cacher/create.js';
import { systemClock } from '../clock.js';
import { FakeClock } from '../fake-clock.suite.js';
import { eventually } from '../storage.suite.js';
import { StoreDatabase } from './database.js';
import { LmdbStorage } from './lmdb.js';
import { decodeOwner, encodeOwner, isAlive, type Owner, thisProcess } from './owner.js';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'porthole-store-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const open = (name = 'store') =>
  new LmdbStorage({ directory: join(directory, name), clock: systemClock, history: false });

/** How many records a closed store has. */
async function records(name = 'store'): Promise<{ revisions: number; keys: number }> {
  const db = new StoreDatabase(join(directory, name));
  const count = { revisions: db.revisions.getCount(), keys: db.keys.getCount() };
  await db.close();
  return count;
}

describe('LmdbStorage', () => {
  it('works several times in one process, on different directories', async () => {
    const stores = ['a', 'b', 'c'].map((name) => open(name));
    await Promise.all(stores.map((s, i) => s.put('/who', Buffer.from(`${i}`))));
    for (const [i, s] of stores.entries()) {
      expect((await s.get('/who')).kv?.value.toString()).toBe(`${i}`);
      await s.close();
    }
  });

  it('knows a directory by another name', async () => {
    const storage = open('real');
    symlinkSync(join(directory, 'real'), join(directory, 'alias'));
    expect(() => open('alias')).toThrow(expect.objectContaining({ code: 'Locked' }));
    await storage.close();
    await open('alias').close();
  });

  it('says what is wrong with a store it can not read, and does not keep it locked', async () => {
    mkdirSync(join(directory, 'garbage'));
    writeFileSync(join(directory, 'garbage', 'data.mdb'), Buffer.alloc(8192, 'garbage'));
    writeFileSync(join(directory, 'file'), '');
    mkdirSync(join(directory, 'cut'));
    await open('cut').close();
    truncateSync(join(directory, 'cut', 'data.mdb'), 5000);
    for (const name of ['garbage', 'cut', 'file/below', 'garbage', 'cut']) {
      expect(() => open(name)).toThrow(expect.objectContaining({ code: 'Unavailable' }));
    }
    await open('newer').close();
    const db = new StoreDatabase(join(directory, 'newer'));
    await db.commit(() => void db.meta.put(Buffer.from('state'), Buffer.from([9, 0, 0])), {
      bytes: 10,
      pages: 10,
      housekeeping: false,
    });
    await db.close();
    expect(() => open('newer')).toThrow(/format 9/);
  });

  it('gives the space of what is compacted back, also after a restart in the middle of it', async () => {
    let storage = open();
    for (let round = 0; round < 20; round++) {
      await Promise.all(Array.from({ length: 100 }, (_, i) => storage.put(`/k/${i}`, Buffer.alloc(1000, round))));
    }
    for (let i = 0; i < 50; i++) await storage.delete(`/k/${i}`);
    await storage.compact(await storage.currentRevision());
    await storage.close();
    expect((await records()).revisions).toBeGreaterThan(500);
    storage = open();
    const size = statSync(join(directory, 'store', 'data.mdb')).size;
    for (let round = 0; round < 30; round++) {
      await Promise.all(Array.from({ length: 60 }, (_, i) => storage.put(`/l/${i}`, Buffer.alloc(1000, round))));
      await storage.compact(await storage.currentRevision());
    }
    expect((await storage.range({ start: '/k/', end: '/k0' })).kvs.length).toBe(50);
    const swept = async () => {
      await storage.close();
      const n = await records();
      storage = open();
      return n.revisions === 110 && n.keys === 110;
    };
    await eventually(swept, 'all that is obsolete to go');
    expect(statSync(join(directory, 'store', 'data.mdb')).size).toBeLessThan(size * 1.5);
    await storage.close();
  });

  it('compacts by itself', async () => {
    const clock = new FakeClock();
    const options = { directory, clock, history: { milliseconds: 10_000, revisions: 1000 } };
    const storage = new LmdbStorage(options);
    await Promise.all(Array.from({ length: 100 }, (_, i) => storage.put('/a', Buffer.from(`${i}`))));
    for (let i = 0; i < 12; i++) {
      clock.advance(1_000);
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    await eventually(async () => (await storage.compactedRevision()) === 101, 'the compaction');
    await storage.close();
    expect(clock.pending).toBe(0);
  });

  it('settles what is on its way when it is closed, and refuses the rest', async () => {
    const storage = open();
    await storage.put('/warm', Buffer.from('1'));
    const outcomes: string[] = [];
    const first = storage.put('/a', Buffer.from('1')).then(
      () => outcomes.push('first written'),
      (e) => outcomes.push(`first ${e.code}`),
    );
    await new Promise((resolve) => setImmediate(resolve));
    const second = storage.put('/b', Buffer.from('1')).then(
      () => outcomes.push('second written'),
      (e) => outcomes.push(`second ${e.code}`),
    );
    await Promise.all([storage.close(), first, second]);
    const again = open();
    const written = [(await again.get('/a')).kv && 'first written', (await again.get('/b')).kv && 'second written'];
    expect(outcomes.filter((o) => o.endsWith('written')).sort()).toEqual(written.filter(Boolean));
    expect(outcomes.length).toBe(2);
    await again.close();
  });

  it('counts and ranges over many keys without blocking', async () => {
    const storage = open();
    await Promise.all(Array.from({ length: 20_000 }, (_, i) => storage.put(`/n/${i}`, Buffer.from('v'))));
    let turns = 0;
    const timer = setInterval(() => turns++, 1);
    const counted = await storage.range({ start: '/n/', end: '/n0', countOnly: true });
    const all = await storage.range({ start: '/n/', end: '/n0' });
    clearInterval(timer);
    expect([counted.count, counted.kvs.length, all.kvs.length]).toEqual([20_000, 0, 20_000]);
    expect(turns).toBeGreaterThan(1);
    await storage.close();
  });

  it('carries a watch cache: many writers, readers that see what was written, watchers that miss nothing', async () => {
    const storage = open();
    const cacher = createCacher({
      storage,
      clock: systemClock,
      hooks: { parse: (json) => parseJson(json) as KubeObject },
    });
    const attributes = ({ metadata }: KubeObject) => ({ labels: metadata.labels ?? {}, fields: {} });
    const things = cacher.resource({ prefix: '/registry/things/', namespaced: true, attributes });
    const watcher = await things.watch();
    const seen: number[] = [];
    const reading = (async () => {
      for await (const event of watcher) if (seen.push(event.revision) === 2000) return;
    })();
    const written: number[] = [];
    const writer = async (id: number) => {
      for (let n = 0; n < 50; n++) {
        const key = things.key(`ns${id % 3}`, `t${id}-${n % 5}`);
        const put = await things.put(key, Buffer.from(`{"metadata":{"name":"t","labels":{"n":"${n}"}}}`));
        if (!put.succeeded) expect.fail('conflict');
        written.push(put.object.revision);
        const read = await things.get(key);
        expect(read?.revision).toBe(put.object.revision);
        expect(read?.labels.n).toBe(`${n}`);
      }
    };
    await Promise.all(Array.from({ length: 40 }, (_, id) => writer(id)));
    await reading;
    expect(seen).toEqual([...written].sort((a, b) => a - b));
    expect(things.size).toBe(200);
    cacher.close();
    await storage.close();
  });
});

describe('owner', () => {
  it('is alive as long as its process runs', async () => {
    const child = spawn('sleep', ['60']);
    const pid = child.pid!;
    const linux = process.platform === 'linux';
    const stat = linux ? readFileSync(`/proc/${pid}/stat`, 'utf8') : '';
    const startTime = linux ? stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] : undefined;
    const owner: Owner = { pid, startTime, bootId: thisProcess().bootId };
    expect(isAlive(decodeOwner(encodeOwner(owner)))).toBe(true);
    expect(isAlive({ ...owner, bootId: 'before the restart' })).toBe(false);
    if (linux) expect(isAlive({ ...owner, startTime: '1' })).toBe(false);
    child.kill('SIGKILL');
    await new Promise((resolve) => child.on('exit', resolve));
    expect(isAlive(owner)).toBe(false);
  });

  it('with our own pid is a process before us', () => {
    expect(isAlive(thisProcess())).toBe(false);
  });
});
