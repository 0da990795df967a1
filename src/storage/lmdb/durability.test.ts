import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../clock.js';
import type { KeyValue, WatchEvent } from '../contract.js';
import { eventually } from '../storage.suite.js';
import { type CompiledChild, compileChild, run } from './child.suite.js';
import { LmdbStorage } from './lmdb.js';

/** Times that writers are killed and the store is checked. */
const ROUNDS = Number(process.env.PORTHOLE_KILL_ROUNDS ?? 10);

let child: CompiledChild;
let directory: string;

beforeAll(() => {
  child = compileChild('writer.suite.ts');
});
afterAll(() => child.dispose());
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'porthole-durability-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

interface Ack {
  key: string;
  revision: number;
  value: string | undefined;
}

function acksOf(lines: readonly string[]): Ack[] {
  return lines
    .filter((l) => l.startsWith('ack '))
    .map((line) => {
      const [, key = '', revision, value] = line.split(' ');
      return { key, revision: Number(revision), value };
    });
}

/** The value without its padding. */
function shown(kv: KeyValue): string {
  const text = kv.value.toString();
  return text.slice(0, text.lastIndexOf('.') + 1);
}

/** Opens the store and checks that it is sound in itself and holds every acknowledged write. */
async function check(acks: readonly Ack[]): Promise<void> {
  const storage = new LmdbStorage({ directory, clock: systemClock, history: false });
  try {
    const revision = await storage.currentRevision();
    const compacted = Math.max(1, await storage.compactedRevision()); // an empty store is at 1
    const events: WatchEvent[] = [];
    let seen = 0;
    const watch = storage.watch(
      { prefix: '/', startRevision: compacted + 1 },
      {
        events: (some, upTo) => {
          events.push(...some);
          seen = upTo;
        },
        error: (e) => expect.fail(e.message),
      },
    );
    await eventually(() => seen >= revision, 'the whole history');
    watch.cancel();
    // Every revision since the compaction is there, once.
    expect(events.map((e) => e.revision)).toEqual(
      Array.from({ length: revision - compacted }, (_, i) => compacted + 1 + i),
    );
    // The keys are what compaction and history make of them.
    const state = new Map<string, string>();
    const range = { start: '/', end: '0' };
    for (const kv of (await storage.range({ ...range, revision: compacted })).kvs) {
      state.set(kv.key, shown(kv));
    }
    for (const e of events) {
      if (e.type === 'PUT') state.set(e.kv.key, shown(e.kv));
      else state.delete(e.kv.key);
    }
    const now = (await storage.range(range)).kvs;
    expect(now.map((kv) => [kv.key, shown(kv)])).toEqual([...state].sort(([a], [b]) => (a < b ? -1 : 1)));
    // What was acknowledged happened.
    const byRevision = new Map(events.map((e) => [e.revision, e]));
    const current = new Map(now.map((kv) => [kv.key, kv]));
    for (const ack of acks) {
      expect(ack.revision).toBeLessThanOrEqual(revision);
      const event = byRevision.get(ack.revision);
      if (event) {
        expect(event.kv.key).toBe(ack.key);
        expect(event.type === 'PUT' ? shown(event.kv) : undefined).toBe(ack.value);
      } else expect(ack.revision).toBeLessThanOrEqual(compacted);
      const kv = current.get(ack.key);
      if (kv?.modRevision === ack.revision) expect(shown(kv)).toBe(ack.value);
    }
    const newest = new Map<string, Ack>();
    for (const ack of acks) if ((newest.get(ack.key)?.revision ?? 0) < ack.revision) newest.set(ack.key, ack);
    for (const ack of newest.values()) {
      const kv = current.get(ack.key);
      const later = events.some((e) => e.kv.key === ack.key && e.revision > ack.revision);
      if (!later) expect(kv?.modRevision).toBe(ack.value === undefined ? undefined : ack.revision);
    }
  } finally {
    await storage.close();
  }
}

describe('durability', () => {
  it(`keeps every acknowledged write through kill -9 (${ROUNDS} rounds)`, {
    timeout: 60_000 + ROUNDS * 5_000,
  }, async () => {
    let total = 0;
    for (let round = 0; round < ROUNDS; round++) {
      const writer = run(process.execPath, [child.script, directory, '64', '100']);
      await writer.line('open ');
      // Some rounds stop in the first writes, others in the middle of compaction.
      const acks = 1 + ((round * 7919) % 2000);
      await eventually(() => writer.lines.length > acks, 'enough writes');
      writer.process.kill('SIGKILL');
      expect(await writer.ended).toBe('SIGKILL');
      const acked = acksOf(writer.lines);
      total += acked.length;
      await check(acked);
    }
    expect(total).toBeGreaterThan(ROUNDS);
  });

  it('refuses a directory that another process or this one has open, and takes it after a kill', async () => {
    const holder = run(process.execPath, [child.script, directory, '1', '10']);
    await holder.line('open ');
    const open = () => new LmdbStorage({ directory, clock: systemClock, history: false });
    expect(open).toThrow(
      expect.objectContaining({ code: 'Locked', message: expect.stringContaining(`${holder.process.pid}`) }),
    );
    const second = run(process.execPath, [child.script, directory, '1', '10']);
    expect(await second.line('error ')).toContain('error Locked');
    expect(await second.ended).toBe(1);
    holder.process.kill('SIGKILL');
    await holder.ended;
    const storage = open();
    expect(open).toThrow(expect.objectContaining({ code: 'Locked' }));
    await storage.close();
    await open().close();
  });

  it('says NoSpace when the disk is full, loses nothing, and goes on when there is room again', async () => {
    // A limit on the size of files stands for a disk of that size; without the trap the signal would end the process.
    const script = 'trap "" XFSZ; ulimit -f 12000; exec "$@"';
    const args = ['-c', script, 'sh', process.execPath, child.script, directory, '8', '2000', 'keep', 'careful'];
    const writer = run('sh', args);
    expect(await writer.line('full ')).toMatch(/^full [1-8]$/);
    expect(await writer.ended).toBe(0);
    expect(writer.lines.filter((l) => l.startsWith('unhandled') || l.startsWith('error'))).toEqual([]);
    expect(writer.errors).toEqual([]); // LMDB itself would complain here
    expect(statSync(join(directory, 'data.mdb')).size).toBeLessThanOrEqual(12000 * 512);
    const acks = acksOf(writer.lines);
    expect(acks.length).toBeGreaterThan(500);
    await check(acks);
    const again = run(process.execPath, [child.script, directory, '8', '2000', 'keep']);
    await again.line('ack ');
    again.process.kill('SIGKILL');
    await again.ended;
  });

  it('says NoSpace when there is no room for a new store', async () => {
    const script = 'trap "" XFSZ; ulimit -f 8; exec "$@"';
    const writer = run('sh', ['-c', script, 'sh', process.execPath, child.script, directory, '1', '10']);
    expect(await writer.line('error ')).toContain('error NoSpace');
    expect(await writer.ended).toBe(1);
  });

  it('makes room by compaction on a full disk', async () => {
    const script = 'trap "" XFSZ; ulimit -f 12000; exec "$@"';
    const shell = (mode: string) => [
      '-c',
      script,
      'sh',
      process.execPath,
      child.script,
      directory,
      '8',
      '2000',
      mode,
      'careful',
    ];
    const full = run('sh', shell('keep'));
    await full.line('full ');
    await full.ended;
    const writer = run('sh', shell('retry'));
    await eventually(() => acksOf(writer.lines).length > 200, 'writes after compaction');
    writer.process.kill('SIGKILL');
    await writer.ended;
    expect(writer.errors).toEqual([]);
    await check(acksOf(writer.lines));
  });
});
