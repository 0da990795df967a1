import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseJson } from '../../machinery/codec/json/parse.js';
import { StatusError } from '../../machinery/errors.js';
import type { KubeObject } from '../../machinery/json.js';
import type { Storage, WatchObserver } from '../contract.js';
import { StorageError } from '../contract.js';
import { FakeClock } from '../fake-clock.suite.js';
import { MemoryStorage } from '../memory/memory.js';
import { eventually } from '../storage.suite.js';
import { nextTurn } from '../yield.js';
import type { CachedObject, CacheEvent, Cacher, ListOptions, ResourceCache, Watcher, WatchOptions } from './cacher.js';
import { type CacherOptions, createCacher } from './create.js';

const PREFIX = '/registry/things/';

interface World {
  clock: FakeClock;
  storage: Storage;
  cacher: Cacher;
  things: ResourceCache;
  unreadable: string[];
  /** Decoded objects so far. */
  parses(): number;
}

function world(options: Partial<CacherOptions> = {}, wrap = (storage: Storage) => storage): World {
  const clock = new FakeClock();
  const storage = wrap(options.storage ?? new MemoryStorage(clock));
  const unreadable: string[] = [];
  let parses = 0;
  const cacher = createCacher({
    clock,
    hooks: {
      parse: (json) => {
        parses++;
        return parseJson(json) as KubeObject;
      },
      onUnreadable: (key) => void unreadable.push(key),
    },
    ...options,
    storage,
  });
  const things = resourceOf(cacher, PREFIX);
  return { clock, storage, cacher, things, unreadable, parses: () => parses };
}

function resourceOf(cacher: Cacher, prefix: string, namespaced = true): ResourceCache {
  return cacher.resource({
    prefix,
    namespaced,
    attributes: ({ metadata }) => ({
      labels: metadata.labels ?? {},
      fields: { 'metadata.name': metadata.name ?? '', 'metadata.namespace': metadata.namespace ?? '' },
    }),
  });
}

function thing(namespace: string, name: string, labels: Record<string, string> = {}, extra: object = {}): Buffer {
  const metadata = { name, namespace, uid: `uid-${name}`, creationTimestamp: null, labels };
  return Buffer.from(JSON.stringify({ kind: 'Thing', apiVersion: 'v1', metadata, ...extra }));
}

const label = (key: string, value: string) => (o: CachedObject) => o.labels[key] === value;
const short = (o: CachedObject) => `${o.namespace}/${o.name}@${o.revision}`;

async function write(w: World, namespace: string, name: string, labels: Record<string, string> = {}): Promise<number> {
  const result = await w.things.put(w.things.key(namespace, name), thing(namespace, name, labels));
  if (!result.succeeded) expect.fail('conflict');
  return result.object.revision;
}

async function remove(w: World, namespace: string, name: string): Promise<number> {
  const result = await w.things.delete(w.things.key(namespace, name));
  if (!result.succeeded) expect.fail('nothing to delete');
  return result.object.revision;
}

async function listed(w: World, options: ListOptions = {}): Promise<string[]> {
  return (await (await w.things.list(options)).items()).map(short);
}

function told(event: CacheEvent): string {
  if (event.type === 'BOOKMARK') return `BOOKMARK@${event.revision}${event.initialEventsEnd ? ' initial' : ''}`;
  return `${event.type} ${short(event.object!)}`;
}

function takeAll(watcher: Watcher): string[] {
  const out: string[] = [];
  for (let events = watcher.take(); events.length > 0; events = watcher.take()) out.push(...events.map(told));
  return out;
}

async function statusOf(promise: Promise<unknown>): Promise<StatusError> {
  const error = await promise.then(
    () => undefined,
    (e: unknown) => e,
  );
  if (!(error instanceof StatusError)) expect.fail(`expected a StatusError, got ${String(error)}`);
  return error;
}

describe('objects', () => {
  it('are JSON with their resourceVersion, and have names, labels and fields', async () => {
    const w = world();
    const revision = await write(w, 'ns', 'a', { x: '1' });
    const object = (await w.things.get(w.things.key('ns', 'a')))!;
    expect(object.json.toString()).toBe(
      `{"kind":"Thing","apiVersion":"v1","metadata":{"name":"a","namespace":"ns","uid":"uid-a","resourceVersion":"${revision}","creationTimestamp":null,"labels":{"x":"1"}}}`,
    );
    expect(object).toMatchObject({ namespace: 'ns', name: 'a', uid: 'uid-a', revision, labels: { x: '1' } });
    expect(object.fields['metadata.name']).toBe('a');
    expect(`{${object.json.subarray(object.bodyStart).toString()}`).toMatch(/^\{"metadata":/);
    expect(object.parsed().metadata.resourceVersion).toBe(String(revision));
  });

  it('are not parsed until somebody asks', async () => {
    const w = world();
    for (let i = 0; i < 50; i++) await write(w, 'ns', `t${i}`);
    expect((await listed(w)).length).toBe(50);
    const watcher = await w.things.watch({ resourceVersion: '0' });
    expect(takeAll(watcher).length).toBe(50);
    expect(w.parses()).toBe(0);
    expect((await listed(w, { predicate: label('x', 'y') })).length).toBe(0);
    expect(w.parses()).toBe(50);
    await listed(w, { predicate: label('x', 'y') });
    expect(w.parses()).toBe(50);
  });

  it('of cluster-scoped resources have no namespace', async () => {
    const w = world();
    const nodes = resourceOf(w.cacher, '/registry/minions/', false);
    const put = await nodes.put(nodes.key('', 'n:1'), thing('', 'n:1'));
    expect(put.succeeded && [put.object.namespace, put.object.name]).toEqual(['', 'n:1']);
    expect((await (await nodes.list()).items()).map((o) => o.name)).toEqual(['n:1']);
  });

  it('keep other encodings while they are warm', async () => {
    const w = world({ formBytes: 100_000 });
    await write(w, 'ns', 'a');
    const object = (await w.things.get(w.things.key('ns', 'a')))!;
    let made = 0;
    const form = () =>
      object.form('big', () => {
        made++;
        return Buffer.alloc(10_000);
      });
    expect(form()).toBe(form());
    expect(made).toBe(1);
    for (let i = 0; i < 100; i++) object.form(`other${i}`, () => Buffer.alloc(10_000));
    form();
    expect(made).toBe(2);
    object.form('huge', () => Buffer.alloc(90_000)); // too large to keep, and pushes nothing else out
    form();
    expect(made).toBe(2);
  });

  it('that nobody can read are left out and reported', async () => {
    const w = world();
    await w.storage.put(w.things.key('ns', 'bad'), Buffer.from('k8s\0…'));
    await w.storage.put(w.things.key('ns', 'worse'), Buffer.from('{"kind":"x"}'));
    await write(w, 'ns', 'good');
    expect(await listed(w)).toEqual([expect.stringContaining('ns/good')]);
    expect(w.unreadable).toEqual([w.things.key('ns', 'bad'), w.things.key('ns', 'worse')]);
    await w.storage.put(w.things.key('ns', 'good'), Buffer.from('gone bad'));
    expect(await listed(w)).toEqual([]);
    const conflict = w.things.put(w.things.key('ns', 'bad'), thing('ns', 'bad'), { expectedRevision: 0 });
    expect((await statusOf(conflict)).message).toContain("can't read /registry/things/ns/bad");
    const fresh = world({ storage: w.storage });
    expect((await statusOf(fresh.things.get(w.things.key('ns', 'bad')))).code).toBe(500);
  });

  it('whose values can not be parsed match no selector', async () => {
    const w = world();
    await w.storage.put(w.things.key('ns', 'odd'), Buffer.from('{"metadata":{"name":"odd"},"spec":{bad}}'));
    await write(w, 'ns', 'fine', { x: 'y' });
    expect((await listed(w, { predicate: label('x', 'y') })).length).toBe(1);
    expect(w.unreadable).toEqual([w.things.key('ns', 'odd')]);
  });

  it('in other encodings go through the hook', async () => {
    const hooks = {
      parse: (json: Buffer) => parseJson(json) as KubeObject,
      decodeStored: (stored: Buffer) => stored.subarray(4),
    };
    const w = world({ hooks });
    await w.storage.put(w.things.key('ns', 'a'), Buffer.concat([Buffer.from('k8s\0'), thing('ns', 'a')]));
    await write(w, 'ns', 'b');
    expect((await listed(w)).length).toBe(2);
    const object = (await w.things.get(w.things.key('ns', 'a')))!;
    expect(object.parsed().metadata).toMatchObject({ name: 'a', resourceVersion: '2' });
  });
});

describe('writes', () => {
  it('are visible to the next read, and to subscribers before their writer knows', async () => {
    const w = world();
    await w.things.load();
    const seen: string[] = [];
    const subscription = await w.things.subscribe({
      changed: (object, previous, revision) => void seen.push(`${object?.revision}<${previous?.revision}@${revision}`),
    });
    const one = await write(w, 'ns', 'a');
    expect(seen).toEqual([`${one}<undefined@${one}`]);
    const two = await write(w, 'ns', 'a');
    expect(seen[1]).toBe(`${two}<${one}@${two}`);
    expect((await w.things.get(w.things.key('ns', 'a')))?.revision).toBe(two);
    const three = await remove(w, 'ns', 'a');
    expect(seen[2]).toBe(`undefined<${two}@${three}`);
    expect(await w.things.get(w.things.key('ns', 'a'))).toBeUndefined();
    subscription.cancel();
    await write(w, 'ns', 'a');
    expect(seen.length).toBe(3);
  });

  it('work before the cache is loaded, and do not load it', async () => {
    const w = world();
    const revision = await write(w, 'ns', 'a');
    expect((await w.things.get(w.things.key('ns', 'a')))?.revision).toBe(revision);
    expect(await w.things.get(w.things.key('ns', 'none'))).toBeUndefined();
    expect(w.things.size).toBe(0);
    await w.things.load();
    expect(w.things.size).toBe(1);
  });

  it('conflict with the object that is there', async () => {
    const w = world();
    const revision = await write(w, 'ns', 'a');
    for (const load of [false, true]) {
      if (load) await w.things.load();
      const key = w.things.key('ns', 'a');
      const create = await w.things.put(key, thing('ns', 'a'), { expectedRevision: 0 });
      expect(create.succeeded ? undefined : create.current?.revision).toBe(revision);
      const gone = await w.things.delete(key, { expectedRevision: 1 });
      expect(gone.succeeded ? undefined : gone.current?.revision).toBe(revision);
      const none = await w.things.delete(w.things.key('ns', 'none'));
      expect(none).toEqual({ succeeded: false, current: undefined });
    }
  });

  it('with a time to live share leases and disappear', async () => {
    const w = world();
    await w.things.load();
    let leases = 0;
    const grant = w.storage.grantLease.bind(w.storage);
    w.storage.grantLease = (ttl) => {
      leases++;
      return grant(ttl);
    };
    for (let i = 0; i < 20; i++) {
      await w.things.put(w.things.key('ns', `e${i}`), thing('ns', `e${i}`), { ttlSeconds: 3600 });
      w.clock.advance(2_000);
    }
    expect(leases).toBe(1);
    const watcher = await w.things.watch({ resourceVersion: String(await w.cacher.currentRevision()) });
    w.clock.advance(3_540_000);
    expect(w.things.size).toBe(20);
    w.clock.advance(200_000);
    expect(w.things.size).toBe(0);
    expect(takeAll(watcher).filter((e) => e.startsWith('DELETED')).length).toBe(20);
  });
});

describe('lists', () => {
  async function filled(): Promise<World> {
    const w = world();
    for (const name of ['b', 'a', 'c', 'a.b', 'a-b', 'a0'])
      await write(w, 'ns', name, { parity: name < 'b' ? 'x' : 'y' });
    await write(w, 'ns-2', 'z');
    await write(w, 'm', 'y');
    return w;
  }

  it('are in order of keys, by namespace or name', async () => {
    const w = await filled();
    const names = async (o: ListOptions) => (await listed(w, o)).map((s) => s.slice(0, s.indexOf('@')));
    expect(await names({})).toEqual(['m/y', 'ns-2/z', 'ns/a', 'ns/a-b', 'ns/a.b', 'ns/a0', 'ns/b', 'ns/c']);
    expect(await names({ namespace: 'ns' })).toEqual(['ns/a', 'ns/a-b', 'ns/a.b', 'ns/a0', 'ns/b', 'ns/c']);
    expect(await names({ namespace: 'n' })).toEqual([]);
    expect(await names({ namespace: 'ns', name: 'b' })).toEqual(['ns/b']);
    expect(await names({ name: 'z' })).toEqual(['ns-2/z']);
    expect(await names({ namespace: 'ns', predicate: label('parity', 'y') })).toEqual(['ns/b', 'ns/c']);
    expect(await names({ namespace: 'ns', name: 'b', predicate: label('parity', 'x') })).toEqual([]);
  });

  it('page at one revision while others write', async () => {
    const w = await filled();
    const first = await w.things.list({ namespace: 'ns', limit: 2 });
    expect(first.remainingItemCount).toBe(4);
    await write(w, 'ns', 'a-a');
    await remove(w, 'ns', 'a.b');
    await write(w, 'ns', 'zz');
    await write(w, 'ns', 'b');
    const second = await w.things.list({ namespace: 'ns', limit: 2, continue: first.continue });
    expect(second.revision).toBe(first.revision);
    expect((await second.items()).map((o) => o.name)).toEqual(['a.b', 'a0']);
    expect(second.remainingItemCount).toBe(2);
    const third = await w.things.list({ namespace: 'ns', limit: 9, continue: second.continue });
    expect((await third.items()).map((o) => o.name)).toEqual(['b', 'c']);
    expect([third.continue, third.remainingItemCount]).toEqual([undefined, undefined]);
  });

  it('say nothing of the rest when selectors hide it', async () => {
    const w = await filled();
    const page = await w.things.list({ namespace: 'ns', limit: 1, predicate: label('parity', 'y') });
    expect((await page.items()).map((o) => o.name)).toEqual(['b']);
    expect(page.continue).toBeDefined();
    expect(page.remainingItemCount).toBeUndefined();
    const exact = await w.things.list({ namespace: 'ns', limit: 6 });
    expect(exact.continue).toBeUndefined();
  });

  it('ignore the limit at resourceVersion 0', async () => {
    const w = await filled();
    const all = await w.things.list({ namespace: 'ns', limit: 2, resourceVersion: '0' });
    expect((await all.items()).length).toBe(6);
    expect(all.continue).toBeUndefined();
  });

  it('show exactly an older revision', async () => {
    const w = world();
    const one = await write(w, 'ns', 'a');
    await w.things.load();
    const two = await write(w, 'ns', 'b');
    await write(w, 'ns', 'a');
    await remove(w, 'ns', 'b');
    const exact = { resourceVersionMatch: 'Exact' } as const;
    expect(await listed(w, { ...exact, resourceVersion: String(two) })).toEqual([`ns/a@${one}`, `ns/b@${two}`]);
    expect(await listed(w, { ...exact, resourceVersion: String(one) })).toEqual([`ns/a@${one}`]);
    expect(await listed(w, { resourceVersion: String(two), limit: 5 })).toEqual([`ns/a@${one}`, `ns/b@${two}`]);
    expect((await listed(w, { resourceVersion: String(two) })).length).toBe(1);
    expect((await listed(w, { resourceVersion: String(two), resourceVersionMatch: 'NotOlderThan' })).length).toBe(1);
  });

  it('go to the storage for what memory forgot, and expire with it', async () => {
    const w = world({ historyBytes: 2000 });
    for (let i = 0; i < 30; i++)
      await write(w, 'ns', `t${String(i).padStart(2, '0')}`, { half: i < 15 ? 'low' : 'high' });
    const first = await w.things.list({ limit: 10 });
    const page = (await first.items()).map(short);
    for (let i = 0; i < 30; i++) await write(w, 'ns', `t${String(i).padStart(2, '0')}`, { changed: 'yes' });
    await remove(w, 'ns', 't12');
    const exact = String(first.revision);
    const second = await w.things.list({ limit: 10, continue: first.continue });
    expect([second.revision, second.remainingItemCount]).toEqual([first.revision, 10]);
    const third = await w.things.list({ limit: 10, continue: second.continue });
    const pages = [...page, ...(await second.items()).map(short), ...(await third.items()).map(short)];
    expect(third.continue).toBeUndefined();
    expect(pages).toEqual(await listed(w, { resourceVersion: exact, resourceVersionMatch: 'Exact' }));
    expect(pages.length).toBe(30);
    const low = { resourceVersion: exact, resourceVersionMatch: 'Exact', predicate: label('half', 'low') } as const;
    expect((await listed(w, low)).length).toBe(15);

    await w.storage.compact(await w.storage.currentRevision());
    const old = await statusOf(w.things.list({ resourceVersion: exact, resourceVersionMatch: 'Exact' }));
    expect([old.code, old.reason, old.message]).toEqual([
      410,
      'Expired',
      'The resourceVersion for the provided list is too old.',
    ]);
    const expired = await statusOf(w.things.list({ limit: 10, continue: first.continue }));
    expect([expired.code, expired.reason]).toEqual([410, 'Expired']);
    const token = String(expired.toStatus().metadata.continue);
    const rest = await w.things.list({ limit: 50, continue: token });
    expect((await rest.items()).length).toBe(19);
    expect(rest.revision).toBe(await w.storage.currentRevision());
  });

  it('refuse what the real server refuses', async () => {
    const w = await filled();
    const page = await w.things.list({ limit: 1 });
    const both = await statusOf(w.things.list({ continue: page.continue, resourceVersion: '5' }));
    expect(both.message).toBe('specifying resource version is not allowed when using continue');
    const bad = await statusOf(w.things.list({ resourceVersion: 'x' }));
    expect([bad.code, bad.message]).toEqual([
      400,
      'invalid resource version: resourceVersion: Invalid value: "x": strconv.ParseUint: parsing "x": invalid syntax',
    ]);
    const range = await statusOf(w.things.list({ resourceVersion: '99999999999999999999' }));
    expect(range.message).toContain('parsing "99999999999999999999": value out of range');
    const get = await statusOf(w.things.get(w.things.key('ns', 'a'), { resourceVersion: 'x' }));
    expect([get.code, get.reason]).toEqual([500, '']);
    expect((await statusOf(w.things.list({ continue: 'x' }))).code).toBe(400);
  });

  it('wait three seconds for a revision of the future', async () => {
    const w = await filled();
    await w.things.load();
    const current = await w.cacher.currentRevision();
    for (const text of ['9223372036854775807', String(current + 5)]) {
      for (const match of [undefined, 'Exact', 'NotOlderThan'] as const) {
        const failing = statusOf(w.things.list({ resourceVersion: text, resourceVersionMatch: match }));
        await eventually(() => w.clock.pending > 0, 'the wait');
        w.clock.advance(3_000);
        const e = await failing;
        expect([e.code, e.reason, e.message]).toEqual([
          504,
          'Timeout',
          `Timeout: Too large resource version: ${text}, current: ${current}`,
        ]);
        expect(e.details).toEqual({
          causes: [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }],
          retryAfterSeconds: 1,
        });
      }
    }
    const soon = w.things.get(w.things.key('ns', 'new'), { resourceVersion: String(current + 1) });
    await eventually(() => w.clock.pending > 0, 'the wait');
    await write(w, 'ns', 'new');
    expect((await soon)?.name).toBe('new');
    expect(w.clock.pending).toBe(0);
  });

  it('come in batches of a state that stays', async () => {
    const w = world();
    for (let i = 0; i < 450; i++) await write(w, 'ns', `t${String(i).padStart(3, '0')}`);
    const list = await w.things.list();
    const sizes: number[] = [];
    for await (const batch of list.batches()) {
      sizes.push(batch.length);
      await remove(w, 'ns', `t${String(449 - sizes.length).padStart(3, '0')}`);
    }
    expect(sizes).toEqual([100, 100, 100, 100, 50]);
  });
});

describe('watches', () => {
  it('begin with what is there, or not, as asked', async () => {
    const w = world();
    await w.things.load();
    const a = await write(w, 'ns', 'a');
    const b = await write(w, 'ns', 'b');
    const all = [`ADDED ns/a@${a}`, `ADDED ns/b@${b}`];
    const end = `BOOKMARK@${b} initial`;
    const notOlder = { resourceVersionMatch: 'NotOlderThan' } as const;
    const cases: [WatchOptions, string[]][] = [
      [{}, all],
      [{ resourceVersion: '' }, all],
      [{ resourceVersion: '0' }, all],
      [{ resourceVersion: '0', allowBookmarks: true }, all],
      [{ resourceVersion: String(a) }, [`ADDED ns/b@${b}`]],
      [{ resourceVersion: String(b) }, []],
      [{ ...notOlder, sendInitialEvents: true }, all],
      [{ ...notOlder, sendInitialEvents: true, allowBookmarks: true }, [...all, end]],
      [{ ...notOlder, sendInitialEvents: true, allowBookmarks: true, resourceVersion: '0' }, [...all, end]],
      [{ ...notOlder, sendInitialEvents: true, allowBookmarks: true, resourceVersion: String(a) }, [...all, end]],
      [{ ...notOlder, sendInitialEvents: false }, []],
      [{ ...notOlder, sendInitialEvents: false, resourceVersion: '0' }, []],
      [{ ...notOlder, sendInitialEvents: false, resourceVersion: String(a) }, [`ADDED ns/b@${b}`]],
      [{ namespace: 'other', sendInitialEvents: true, allowBookmarks: true }, [end]],
      [{ name: 'b' }, [`ADDED ns/b@${b}`]],
    ];
    const watchers: Watcher[] = [];
    for (const [options, expected] of cases) {
      const watcher = await w.things.watch(options);
      expect(takeAll(watcher), JSON.stringify(options)).toEqual(expected);
      watchers.push(watcher);
    }
    const c = await write(w, 'ns', 'c');
    cases.forEach(([options], i) => {
      const sees = !options.name && options.namespace !== 'other';
      expect(takeAll(watchers[i]!), JSON.stringify(options)).toEqual(sees ? [`ADDED ns/c@${c}`] : []);
      watchers[i]!.stop();
    });
  });

  it('tell what changes, with the revision of the removal on what is gone', async () => {
    const w = world();
    const watcher = await w.things.watch();
    const one = await write(w, 'ns', 'a');
    const two = await write(w, 'ns', 'a');
    const three = await remove(w, 'ns', 'a');
    const events = watcher.take();
    expect(events.map(told)).toEqual([`ADDED ns/a@${one}`, `MODIFIED ns/a@${two}`, `DELETED ns/a@${three}`]);
    expect(events[2]?.object?.json.toString()).toContain(`"resourceVersion":"${three}"`);
  });

  it('see objects come and go as they start and stop to match', async () => {
    const w = world();
    const live = await w.things.watch({ predicate: label('l', 'on') });
    const off = await write(w, 'ns', 'c', { l: 'off' });
    const on = await write(w, 'ns', 'c', { l: 'on' });
    const again = await write(w, 'ns', 'c', { l: 'on', z: '1' });
    const left = await write(w, 'ns', 'c', { l: 'off' });
    await write(w, 'ns', 'c', { l: 'off', z: '2' });
    const back = await write(w, 'ns', 'c', { l: 'on' });
    const gone = await remove(w, 'ns', 'c');
    const expected = [
      `ADDED ns/c@${on}`,
      `MODIFIED ns/c@${again}`,
      `DELETED ns/c@${left}`,
      `ADDED ns/c@${back}`,
      `DELETED ns/c@${gone}`,
    ];
    const events = live.take();
    expect(events.map(told)).toEqual(expected);
    expect(events[2]?.object?.labels).toEqual({ l: 'on', z: '1' });
    const later = await w.things.watch({ resourceVersion: String(off), predicate: label('l', 'on') });
    expect(takeAll(later)).toEqual(expected);
  });

  it('share events and their encodings', async () => {
    const w = world();
    const watchers = await Promise.all(Array.from({ length: 50 }, () => w.things.watch()));
    await write(w, 'ns', 'a');
    let encoded = 0;
    const frames = watchers.map((watcher) =>
      watcher.take()[0]!.form('frame', (e) => {
        encoded++;
        return Buffer.from(`${e.type} ${e.object!.json.toString()}\n`);
      }),
    );
    expect(encoded).toBe(1);
    expect(new Set(frames).size).toBe(1);
  });

  it('do not wake those who see nothing of a change', async () => {
    const w = world();
    const watcher = await w.things.watch({ namespace: 'ns', predicate: label('l', 'on') });
    expect(watcher.take()).toEqual([]);
    let woken = false;
    void watcher.ready().then(() => {
      woken = true;
    });
    await write(w, 'other', 'a', { l: 'on' });
    await write(w, 'ns', 'a', { l: 'off' });
    await nextTurn();
    expect(woken).toBe(false);
    const revision = await write(w, 'ns', 'b', { l: 'on' });
    await nextTurn();
    expect(woken).toBe(true);
    expect(takeAll(watcher)).toEqual([`ADDED ns/b@${revision}`]);
  });

  it('wake many readers a few at a time, and all of them', async () => {
    const w = world();
    const watchers = await Promise.all(Array.from({ length: 300 }, () => w.things.watch()));
    let seen = 0;
    const readers = watchers.map(async (watcher) => {
      for await (const event of watcher) {
        expect(event.type).toBe('ADDED');
        seen++;
        return;
      }
    });
    await nextTurn();
    await write(w, 'ns', 'a');
    await Promise.resolve();
    expect(seen).toBeLessThan(100);
    await Promise.all(readers);
    expect(seen).toBe(300);
  });

  it('can be read as a stream', async () => {
    const w = world();
    await write(w, 'ns', 'a');
    const watcher = await w.things.watch();
    const seen: string[] = [];
    const reading = (async () => {
      for await (const event of watcher) if (seen.push(event.object!.name) === 3) break;
    })();
    await write(w, 'ns', 'b');
    await write(w, 'ns', 'c');
    await reading;
    expect(seen).toEqual(['a', 'b', 'c']);
    expect(watcher.ended).toBe('stopped');
  });

  it('wait without complaint for a revision of the future, and leave out what is before it', async () => {
    const w = world();
    const a = await write(w, 'ns', 'a');
    const watcher = await w.things.watch({ resourceVersion: String(a + 2) });
    await write(w, 'ns', 'b');
    await write(w, 'ns', 'c');
    const d = await write(w, 'ns', 'd');
    expect(takeAll(watcher)).toEqual([`ADDED ns/d@${d}`]);
    const far = await w.things.watch({ resourceVersion: '9223372036854775807' });
    await write(w, 'ns', 'e');
    expect(takeAll(far)).toEqual([]);
    const bad = await statusOf(w.things.watch({ resourceVersion: 'x' }));
    expect([bad.code, bad.reason]).toEqual([500, '']);
    const initial = statusOf(w.things.watch({ resourceVersion: '999', sendInitialEvents: true }));
    await eventually(() => w.clock.pending > 0, 'the wait');
    w.clock.advance(3_000);
    expect((await initial).message).toContain('Too large resource version: 999');
  });

  it('go on from revisions that only the storage remembers', async () => {
    const w = world({ historyBytes: 5_000 });
    await w.things.load();
    const base = await w.cacher.currentRevision();
    const expected: string[] = [];
    for (let i = 0; i < 2500; i++) {
      const name = `t${i % 40}`;
      const matches = i % 3 > 0;
      const before = i >= 40 && (i - 40) % 3 > 0;
      const revision = await write(w, i % 2 ? 'ns' : 'other', name, { l: matches ? 'on' : 'off' });
      if (i % 2 === 0) continue;
      if (matches) expected.push(`${before ? 'MODIFIED' : 'ADDED'} ns/${name}@${revision}`);
      else if (before) expected.push(`DELETED ns/${name}@${revision}`);
    }
    const options = { resourceVersion: String(base), namespace: 'ns', predicate: label('l', 'on') };
    const watcher = await w.things.watch(options);
    const seen: string[] = [];
    await eventually(() => {
      seen.push(...watcher.take().map(told));
      return seen.length >= expected.length;
    }, 'the history');
    const live = await write(w, 'ns', 'new', { l: 'on' });
    await eventually(() => {
      seen.push(...watcher.take().map(told));
      return seen.length > expected.length;
    }, 'the new change');
    expect(seen).toEqual([...expected, `ADDED ns/new@${live}`]);
    watcher.stop();
  });

  it('share one reading of the past when they all come back after a restart', async () => {
    const before = world();
    const base = await before.cacher.currentRevision();
    const revisions: number[] = [];
    for (let i = 0; i < 300; i++) revisions.push(await write(before, 'ns', `t${i % 10}`));
    const w = world({ storage: before.storage });
    let reads = 0;
    const watch = w.storage.watch.bind(w.storage);
    w.storage.watch = (options, observer) => {
      reads++;
      return watch(options, observer);
    };
    const watchers = await Promise.all(
      Array.from({ length: 100 }, (_, i) => w.things.watch({ resourceVersion: String(base + (i % 7)) })),
    );
    watchers.forEach((watcher, i) => {
      const seen: number[] = [];
      for (let events = watcher.take(); events.length > 0; events = watcher.take()) {
        seen.push(...events.map((e) => e.revision));
      }
      expect(seen).toEqual(revisions.slice(i % 7));
    });
    expect(reads).toBeLessThan(10);
    const live = await write(w, 'ns', 'live');
    for (const watcher of watchers) expect(takeAll(watcher)).toEqual([`ADDED ns/live@${live}`]);
    expect(await listed(w, { resourceVersion: String(base + 1), resourceVersionMatch: 'Exact' })).toEqual([
      `ns/t0@${base + 1}`,
    ]);
  });

  it('expire when even the storage has forgotten', async () => {
    const w = world();
    const a = await write(w, 'ns', 'a');
    for (let i = 0; i < 5; i++) await write(w, 'ns', 'a');
    const compacted = a + 3;
    await w.storage.compact(compacted);
    await w.things.load();
    const e = await statusOf(w.things.watch({ resourceVersion: String(a) }));
    expect([e.code, e.reason, e.message]).toEqual([410, 'Expired', `too old resource version: ${a} (${compacted})`]);
    const good = await w.things.watch({ resourceVersion: String(compacted) });
    await eventually(() => takeAll(good).length > 0, 'the rest');
  });

  it('cut off who is too slow, and keep memory bounded', async () => {
    const w = world({ historyBytes: 20_000 });
    const slow = await w.things.watch();
    const quick = await w.things.watch();
    const elsewhere = await w.things.watch({ namespace: 'quiet' });
    let seen = 0;
    for (let i = 0; i < 200; i++) {
      await write(w, 'ns', 'a');
      seen += quick.take().length;
    }
    expect(seen).toBe(200);
    expect(slow.take()).toEqual([]);
    expect(slow.ended).toBe('slow');
    await slow.ready();
    expect(quick.ended).toBeUndefined();
    await write(w, 'quiet', 'b');
    expect(takeAll(elsewhere).length).toBe(1);
  });

  it('send bookmarks every minute and shortly before their end, and then end', async () => {
    const w = world();
    const marks = await w.things.watch({ sendInitialEvents: false, allowBookmarks: true, timeoutMs: 130_000 });
    const plain = await w.things.watch({ sendInitialEvents: false, timeoutMs: 130_000 });
    const brief = await w.things.watch({ sendInitialEvents: false, allowBookmarks: true, timeoutMs: 1_000 });
    const a = await write(w, 'ns', 'a');
    w.clock.advance(1_000);
    expect([brief.take(), brief.ended]).toEqual([[], 'timeout']);
    w.clock.advance(59_000);
    expect(takeAll(marks)).toEqual([`ADDED ns/a@${a}`, `BOOKMARK@${a}`]);
    const other = await w.storage.put('/registry/others/x', Buffer.from('{}'));
    w.clock.advance(60_000);
    expect(takeAll(marks)).toEqual([`BOOKMARK@${other.revision}`]);
    w.clock.advance(8_500);
    expect(takeAll(marks)).toEqual([`BOOKMARK@${other.revision}`]);
    expect(marks.ended).toBeUndefined();
    w.clock.advance(1_500);
    expect([marks.ended, plain.ended]).toEqual(['timeout', 'timeout']);
    expect(takeAll(plain)).toEqual([]);
    expect(w.clock.pending).toBe(0);
  });

  it('end with the resource and with the cacher', async () => {
    const w = world();
    const others = resourceOf(w.cacher, '/registry/others/', false);
    const [a, b] = [await w.things.watch(), await others.watch()];
    w.cacher.release(w.things);
    expect([a.ended, b.ended]).toEqual(['closed', undefined]);
    expect((await statusOf(w.things.list())).code).toBe(500);
    const again = resourceOf(w.cacher, PREFIX);
    expect((await again.list()).revision).toBe(await w.cacher.currentRevision());
    w.cacher.close();
    expect(b.ended).toBe('closed');
    await b.ready();
  });
});

describe('the cacher', () => {
  it('serves resources whose prefixes differ in depth, but not overlapping ones', async () => {
    const w = world();
    const deep = resourceOf(w.cacher, '/registry/example.com/foos/');
    const specs = resourceOf(w.cacher, '/registry/services/specs/');
    const watcher = await deep.watch();
    await specs.put(specs.key('ns', 's'), thing('ns', 's'));
    await deep.put(deep.key('ns', 'f'), thing('ns', 'f'));
    await w.storage.put('/registry/unknown', Buffer.from('1'));
    expect(takeAll(watcher).length).toBe(1);
    expect((await (await specs.list()).items()).length).toBe(1);
    expect(() => resourceOf(w.cacher, PREFIX)).toThrow('overlaps');
    expect(() => resourceOf(w.cacher, '/registry/services/')).toThrow('overlaps');
    expect(() => resourceOf(w.cacher, '/other/')).toThrow('not below');
    expect(() => resourceOf(w.cacher, '/registry/x')).toThrow('not below');
  });

  it('loads what was written while it loads exactly once', async () => {
    const w = world();
    for (let i = 0; i < 1200; i++) await w.storage.put(w.things.key('ns', `t${i}`), thing('ns', `t${i}`));
    const range = w.storage.range.bind(w.storage);
    let pages = 0;
    w.storage.range = async (options) => {
      const page = await range(options);
      pages++;
      await w.storage.put(w.things.key('ns', `t${pages}`), thing('ns', `t${pages}`, { changed: 'yes' }));
      await w.storage.delete(w.things.key('ns', `t${1000 + pages}`));
      await w.storage.put(w.things.key('ns', `new${pages}`), thing('ns', `new${pages}`));
      return page;
    };
    await Promise.all([w.things.load(), w.things.list(), w.things.watch()]);
    expect(pages).toBe(3);
    expect(w.things.size).toBe(1200);
    expect((await listed(w, { predicate: label('changed', 'yes') })).length).toBe(3);
  });

  it('starts over when it loses its watch, and tells subscribers what they missed', async () => {
    let observer: WatchObserver | undefined;
    let deaf = false;
    const w = world({}, (storage) => {
      const watch = storage.watch.bind(storage);
      storage.watch = (options, o) => {
        if (options.prefix !== '/registry/') return watch(options, o);
        observer = o;
        return watch(options, {
          events: (events, revision) => o === observer && !deaf && o.events(events, revision),
          error: o.error.bind(o),
        });
      };
      return storage;
    });
    await write(w, 'ns', 'keep');
    await write(w, 'ns', 'change');
    await write(w, 'ns', 'remove');
    const seen: string[] = [];
    await w.things.subscribe({
      changed: (object, previous) => void seen.push(`${previous?.name ?? ''}>${object?.name ?? ''}`),
    });
    const watcher = await w.things.watch();
    expect(seen.splice(0)).toEqual(['>change', '>keep', '>remove']);
    deaf = true;
    await w.storage.put(w.things.key('ns', 'change'), thing('ns', 'change', { x: 'y' }));
    await w.storage.delete(w.things.key('ns', 'remove'));
    await w.storage.put(w.things.key('ns', 'add'), thing('ns', 'add'));
    deaf = false;
    const range = w.storage.range;
    w.storage.range = () => Promise.reject(new StorageError('Unavailable', 'still broken'));
    observer!.error(new StorageError('Unavailable', 'the stream broke'));
    expect(watcher.ended).toBe('closed');
    await expect(w.things.list()).rejects.toThrow('still broken');
    expect(seen).toEqual([]);
    await eventually(() => w.clock.pending > 0, 'the plan to try again');
    w.storage.range = range;
    w.clock.advance(1_000);
    await eventually(() => seen.length === 3, 'the subscriber to be told');
    expect((await listed(w)).length).toBe(3);
    expect(seen.splice(0)).toEqual(['remove>', '>add', 'change>change']);
    await write(w, 'ns', 'later');
    expect(seen).toEqual(['>later']);
  });

  it('hands subscribers all changes in order, even those that come during the first objects', async () => {
    const w = world();
    for (let i = 0; i < 300; i++) await write(w, 'ns', `t${i}`);
    const state = new Map<string, number>();
    let writes = 0;
    const pending: Promise<unknown>[] = [];
    await w.things.subscribe({
      changed: (object, previous) => {
        const key = (object ?? previous)!.key;
        expect(state.get(key)).toBe(previous?.revision);
        if (object) state.set(key, object.revision);
        else state.delete(key);
        if (writes++ < 20) pending.push(w.storage.put(w.things.key('ns', `t${writes}`), thing('ns', `t${writes}`)));
      },
    });
    await Promise.all(pending);
    const expected = await w.things.list();
    expect([...state].sort()).toEqual((await expected.items()).map((o) => [o.key, o.revision]).sort());
  });

  it('isolates subscribers that throw', async () => {
    const faults: string[] = [];
    const w = world({
      hooks: {
        parse: (json) => parseJson(json) as KubeObject,
        onSubscriberFault: (prefix, e) => void faults.push(`${prefix} ${String(e)}`),
      },
    });
    await w.things.subscribe({
      changed: () => {
        throw new Error('broken');
      },
    });
    let seen = 0;
    await w.things.subscribe({ changed: () => void seen++ });
    await write(w, 'ns', 'a');
    expect([seen, faults]).toEqual([1, [`${PREFIX} Error: broken`]]);
    expect((await listed(w)).length).toBe(1);
  });

  it('equals a model: lists at every revision, and watches from every revision', async () => {
    const operation = fc.record({
      op: fc.constantFrom('put', 'put', 'put', 'delete'),
      namespace: fc.constantFrom('a', 'a-b', 'b'),
      name: fc.constantFrom('x', 'y', 'z'),
      on: fc.boolean(),
    });
    const bounds = fc.constantFrom(1_500, 6_000, 1_000_000);
    await fc.assert(
      fc.asyncProperty(
        fc.array(operation, { maxLength: 40 }),
        bounds,
        fc.boolean(),
        async (operations, historyBytes, late) => {
          const w = world({ historyBytes });
          if (!late) await w.things.load();
          const base = await w.cacher.currentRevision();
          const states = new Map<number, Map<string, { revision: number; on: boolean }>>([[base, new Map()]]);
          let now = base;
          const live = late
            ? undefined
            : await w.things.watch({ predicate: label('l', 'on'), resourceVersion: String(base) });
          const liveSeen: string[] = [];
          for (const o of operations) {
            const next = new Map(states.get(now)!);
            const id = `${o.namespace}/${o.name}`;
            if (o.op === 'delete') {
              if (!next.delete(id)) continue;
              now = await remove(w, o.namespace, o.name);
            } else {
              now = await write(w, o.namespace, o.name, { l: o.on ? 'on' : 'off' });
              next.set(id, { revision: now, on: o.on });
            }
            states.set(now, next);
            if (live) liveSeen.push(...live.take().map(told));
          }
          const key = (id: string) => `${PREFIX}${id}`;
          const expectedList = (revision: number, namespace: string, onlyOn: boolean) =>
            [...states.get(revision)!]
              .filter(([id, s]) => (!namespace || id.startsWith(`${namespace}/`)) && (!onlyOn || s.on))
              .sort(([a], [b]) => (key(a) < key(b) ? -1 : 1))
              .map(([id, s]) => `${id}@${s.revision}`);
          const expectedEvents = (since: number) => {
            const events: string[] = [];
            for (let r = since + 1; r <= now; r++) {
              const before = states.get(r - 1)!;
              const after = states.get(r)!;
              const id = [...new Set([...before.keys(), ...after.keys()])].find((k) => before.get(k) !== after.get(k))!;
              const [was, is] = [before.get(id)?.on, after.get(id)?.on];
              if (is) events.push(`${was ? 'MODIFIED' : 'ADDED'} ${id}@${r}`);
              else if (was) events.push(`DELETED ${id}@${r}`);
            }
            return events;
          };
          if (live) expect(liveSeen).toEqual(expectedEvents(base));
          for (let revision = base; revision <= now; revision++) {
            const at = { resourceVersion: String(revision), resourceVersionMatch: 'Exact' } as const;
            expect(await listed(w, at)).toEqual(expectedList(revision, '', false));
            expect(await listed(w, { ...at, namespace: 'a', predicate: label('l', 'on') })).toEqual(
              expectedList(revision, 'a', true),
            );
            const expected = expectedEvents(revision);
            const watcher = await w.things.watch({ resourceVersion: String(revision), predicate: label('l', 'on') });
            const seen: string[] = [];
            await eventually(() => {
              seen.push(...watcher.take().map(told));
              return seen.length >= expected.length;
            }, 'all events');
            expect(seen).toEqual(expected);
            watcher.stop();
          }
          // Pages join up to the whole, in every state.
          const whole = expectedList(now, '', false);
          let page = await w.things.list({ limit: 2 });
          const joined = (await page.items()).map(short);
          while (page.continue) {
            expect(page.remainingItemCount).toBe(whole.length - joined.length);
            page = await w.things.list({ limit: 2, continue: page.continue });
            joined.push(...(await page.items()).map(short));
          }
          expect(joined).toEqual(whole);
          w.cacher.close();
        },
      ),
      { numRuns: 40 },
    );
  });
});
