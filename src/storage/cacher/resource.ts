import { internalError, resourceExpired } from '../../machinery/errors.js';
import type { Clock } from '../clock.js';
import { isStorageError, type KeyValue, prefixEnd, type Storage, type WatchEvent } from '../contract.js';
import { OrderedMap } from '../ordered.js';
import { TimeSlice } from '../yield.js';
import type {
  CachedObject,
  ListOptions,
  ListResult,
  ReadAt,
  ResourceCache,
  Subscriber,
  Subscription,
  WatchEnd,
  Watcher,
  WatchOptions,
  WriteOptions,
  WriteResult,
} from './cacher.js';
import { CatchUp } from './catch-up.js';
import { Change } from './change.js';
import type { Feed } from './feed.js';
import { cost, type History, ResourceLog } from './history.js';
import type { LeasePool } from './leases.js';
import { listStored, listView, planList } from './list.js';
import type { ObjectScope } from './object.js';
import { parseResourceVersion } from './revision.js';
import type { WakeQueue } from './wake.js';
import { ResourceWatcher, type Start, type Watched } from './watcher.js';

/** What the caches of all resources share. */
export interface Shared {
  readonly storage: Storage;
  readonly clock: Clock;
  readonly history: History;
  readonly leases: LeasePool;
  readonly wakes: WakeQueue;
  /** The current feed; another one after the storage's watch was lost. */
  feed(): Feed;
}

/** Keys read from the storage at once. */
const CHUNK = 500;
/** So many changes are undone in memory to show an older state; for more, the storage is asked. */
const MAX_UNDO = 5000;
/** Until a cache that could not be loaded is tried again. */
const RETRY_MS = 1000;

/** The objects of one resource in memory, and those who watch them. */
export class CachedResource implements ResourceCache {
  readonly prefix: string;
  readonly #namespaced: boolean;
  readonly #shared: Shared;
  readonly #scope: ObjectScope;
  readonly #subscribers = new Set<Subscriber>();
  /** By namespace; '' watches all of them. */
  readonly #watchers = new Map<string, Set<ResourceWatcher>>();
  #objects = new OrderedMap<CachedObject>();
  #log = new ResourceLog(0);
  #ready = false;
  #loading: Promise<void> | undefined;
  #backfilling: Promise<void> | undefined;
  /** Changes that come while loading. Undefined: nobody needs them. */
  #pending: WatchEvent[] | undefined;
  #released = false;

  constructor(shared: Shared, scope: ObjectScope) {
    this.#shared = shared;
    this.#scope = scope;
    this.prefix = scope.options.prefix;
    this.#namespaced = scope.options.namespaced;
  }

  get size(): number {
    return this.#ready ? this.#objects.size : 0;
  }

  key(namespace: string, name: string): string {
    return this.#namespaced ? `${this.prefix}${namespace}/${name}` : this.prefix + name;
  }

  async get(key: string, at: ReadAt = {}): Promise<CachedObject | undefined> {
    const { resourceVersion = '' } = at;
    if (resourceVersion === '') await this.#feed.reachCurrent();
    else await this.#feed.reach(parseResourceVersion(resourceVersion));
    if (this.#ready) return this.#objects.get(key);
    const { kv } = await this.#shared.storage.get(key);
    return kv && this.#read(kv);
  }

  isStale(key: string): boolean {
    return this.#shared.storage.isStale?.(key) ?? false;
  }

  async put(key: string, value: Buffer, options: WriteOptions = {}): Promise<WriteResult> {
    const { expectedRevision, ttlSeconds } = options;
    const lease = ttlSeconds ? await this.#shared.leases.lease(ttlSeconds) : undefined;
    const put = await this.#shared.storage.put(key, value, { expectedModRevision: expectedRevision, lease });
    if (!put.succeeded) return this.#conflict(put.current);
    const { revision } = put;
    await this.#seen(revision);
    const cached = this.#ready ? this.#objects.get(key) : undefined;
    const kv = { key, value, modRevision: revision, createRevision: 0, version: 0, lease: 0n };
    return { succeeded: true, object: cached?.revision === revision ? cached : this.#scope.fromStored(kv) };
  }

  async delete(key: string, options: Pick<WriteOptions, 'expectedRevision'> = {}): Promise<WriteResult> {
    const gone = await this.#shared.storage.delete(key, { expectedModRevision: options.expectedRevision });
    if (!gone.succeeded) return this.#conflict(gone.current);
    await this.#seen(gone.revision);
    return { succeeded: true, object: this.#read({ ...gone.previous, modRevision: gone.revision }) };
  }

  async list(options: ListOptions = {}): Promise<ListResult> {
    const { namespace = '', name } = options;
    const prefix = this.#prefixOf(namespace);
    const one = name && (namespace || !this.#namespaced) ? this.key(namespace, name) : undefined;
    const plan = planList(options, prefix, one);
    if ('atLeast' in plan.state) {
      await this.#readyAt(plan.state.atLeast);
      return listView(this.#objects.snapshot(), this.#feed.revision, plan, options);
    }
    await this.#readyAt(plan.state.exact);
    const revision = Number(plan.state.exact);
    const past = this.#past(revision);
    if (past) return listView(past, revision, plan, options);
    return listStored(this.#shared.storage, this.#scope, this.#objects.snapshot(), revision, plan, options);
  }

  async watch(options: WatchOptions = {}): Promise<Watcher> {
    const { resourceVersion = '', sendInitialEvents, namespace = '' } = options;
    const since = parseResourceVersion(resourceVersion);
    const wanted = resourceVersion === '' ? 'current' : sendInitialEvents ? since : 0;
    const fromObjects = sendInitialEvents ?? since === 0;
    await this.#readyAt(wanted);
    const tooOldForLog = () => !fromObjects && since !== 0 && since < this.#log.since;
    if (tooOldForLog()) {
      const compacted = await this.#shared.storage.compactedRevision();
      if (since < compacted) throw resourceExpired(`too old resource version: ${since} (${compacted})`);
      await this.#backfill(Number(since));
      await this.#readyAt(wanted);
    }
    const current = this.#feed.revision;
    const prefix = this.#prefixOf(namespace);
    const start: Start = { revision: fromObjects || since === 0 ? current : Number(since) };
    if (fromObjects) {
      start.initial = this.#objects.snapshot().cursor(prefix, prefixEnd(prefix));
      start.initialEventsEnd = sendInitialEvents && options.allowBookmarks;
    } else if (tooOldForLog()) {
      const { storage } = this.#shared;
      start.catchUp = (changed) => new CatchUp(storage, this.#scope, this.#objects, prefix, start.revision, changed);
    }
    const watcher = new ResourceWatcher(this.#watched(), options, start);
    const watchers = this.#watchers.get(namespace);
    if (watchers) watchers.add(watcher);
    else this.#watchers.set(namespace, new Set([watcher]));
    return watcher;
  }

  async subscribe(subscriber: Subscriber): Promise<Subscription> {
    await this.load();
    // What changes while the first objects are handed over waits, in order.
    let waiting: Parameters<Subscriber['changed']>[] | undefined = [];
    const inOrder: Subscriber = {
      changed: (...change) => (waiting ? void waiting.push(change) : this.#tell(subscriber, ...change)),
    };
    const cursor = this.#objects.snapshot().cursor(this.prefix, prefixEnd(this.prefix));
    this.#subscribers.add(inOrder);
    const slice = new TimeSlice();
    for (let o = cursor.next(); o && this.#subscribers.has(inOrder); o = cursor.next()) {
      this.#tell(subscriber, o, undefined, o.revision);
      if (slice.spent()) await slice.renew();
    }
    for (let change = waiting.shift(); change; change = waiting.shift()) this.#tell(subscriber, ...change);
    waiting = undefined;
    return { cancel: () => void this.#subscribers.delete(inOrder) };
  }

  async load(): Promise<void> {
    if (this.#ready) return;
    if (this.#released) throw this.#notServed();
    this.#loading ??= this.#load().finally(() => {
      this.#loading = undefined;
    });
    await this.#loading;
  }

  /** A change from the storage's watch. */
  changed(event: WatchEvent): void {
    if (this.#ready) this.#apply(event);
    else this.#pending?.push(event);
  }

  /** The storage's watch was lost: what is in memory may be out of date. */
  reset(): void {
    this.#ready = false;
    this.#pending = undefined;
    this.#endWatchers('closed');
    this.#shared.history.drop(this.#log);
    this.#reload();
  }

  /** Subscribers wait for the cache to be loaded again; readers would see to it themselves. */
  #reload(): void {
    if (this.#subscribers.size === 0 || this.#released) return;
    this.load().catch((e) => {
      if (!isStorageError(e, 'Closed')) this.#shared.clock.setTimeout(() => this.#reload(), RETRY_MS);
    });
  }

  release(): void {
    this.#released = true;
    this.#subscribers.clear();
    this.reset();
    this.#objects = new OrderedMap();
  }

  #notServed(): Error {
    return internalError(`${this.prefix} is not served any more`);
  }

  get #feed(): Feed {
    return this.#shared.feed();
  }

  /** Waits until readers see what was just written. If that takes too long, the write has happened all the same. */
  async #seen(revision: number): Promise<void> {
    await this.#feed.reach(revision).catch(() => {});
  }

  #prefixOf(namespace: string): string {
    return namespace && this.#namespaced ? `${this.prefix}${namespace}/` : this.prefix;
  }

  /** Loads, and waits until the cache is new enough. What is in memory may then be used until the next `await`. */
  async #readyAt(revision: number | bigint | 'current'): Promise<void> {
    do {
      await this.load();
      if (revision === 'current') await this.#feed.reachCurrent();
      else await this.#feed.reach(revision);
    } while (!this.#ready); // the storage's watch was lost meanwhile
  }

  async #load(): Promise<void> {
    for (;;) {
      if (this.#released) throw this.#notServed();
      await this.#feed.reach(1);
      const feed = this.#feed;
      const { revision } = feed;
      this.#pending = [];
      const objects = await this.#readAll(revision);
      if (!objects || feed !== this.#feed || !this.#pending) continue; // compacted, or the watch was lost meanwhile
      const before = this.#objects;
      this.#objects = objects;
      this.#log = new ResourceLog(revision);
      this.#ready = true;
      if (this.#subscribers.size > 0) this.#tellDifference(before);
      for (const event of this.#pending) if (event.revision > revision) this.#apply(event);
      this.#pending = undefined;
      return;
    }
  }

  async #readAll(revision: number): Promise<OrderedMap<CachedObject> | undefined> {
    const objects = new OrderedMap<CachedObject>();
    const slice = new TimeSlice();
    let start = this.prefix;
    try {
      for (;;) {
        const range = { start, end: prefixEnd(this.prefix), limit: CHUNK, revision };
        const { kvs, more } = await this.#shared.storage.range(range);
        for (const kv of kvs) {
          const object = this.#scope.tryFromStored(kv);
          if (object) objects.set(kv.key, object);
        }
        const last = kvs.at(-1);
        if (!more || !last) return objects;
        start = `${last.key}\0`;
        if (slice.spent()) await slice.renew();
      }
    } catch (e) {
      if (isStorageError(e, 'Compacted')) return undefined;
      throw e;
    }
  }

  #apply(event: WatchEvent): void {
    const { key } = event.kv;
    const object = event.type === 'PUT' ? this.#scope.tryFromStored(event.kv) : undefined;
    const previous = object ? this.#objects.set(key, object) : this.#objects.delete(key);
    if (!object && !previous) return;
    const change = new Change(this.#scope.forms, event.revision, object, previous);
    const number = this.#log.changes.next;
    this.#shared.history.add(this.#log, change);
    this.#tellAll(object, previous, event.revision);
    const all = this.#watchers.get('');
    if (all) for (const watcher of all) watcher.offer(number, change);
    const some = this.#namespaced ? this.#watchers.get(change.namespace) : undefined;
    if (some) for (const watcher of some) watcher.offer(number, change);
  }

  /** A fault in a subscriber is its own: the change has happened, and the others learn of it. */
  #tell(subscriber: Subscriber, ...change: Parameters<Subscriber['changed']>): void {
    try {
      subscriber.changed(...change);
    } catch (e) {
      this.#scope.hooks.onSubscriberFault?.(this.prefix, e);
    }
  }

  #tellAll(...change: Parameters<Subscriber['changed']>): void {
    for (const subscriber of this.#subscribers) this.#tell(subscriber, ...change);
  }

  /** After a loss, subscribers are told what became of what they knew. */
  #tellDifference(before: OrderedMap<CachedObject>): void {
    const { revision } = this.#feed;
    const end = prefixEnd(this.prefix);
    const old = before.cursor(this.prefix, end);
    for (let o = old.next(); o; o = old.next()) if (!this.#objects.get(o.key)) this.#tellAll(undefined, o, revision);
    const now = this.#objects.snapshot().cursor(this.prefix, end);
    for (let o = now.next(); o; o = now.next()) {
      const previous = before.get(o.key);
      if (previous?.revision !== o.revision) this.#tellAll(o, previous, o.revision);
    }
  }

  /** The state at a revision, if memory still has what is needed to show it. */
  #past(revision: number): OrderedMap<CachedObject> | undefined {
    const { changes, since } = this.#log;
    const first = revision < since ? undefined : this.#log.after(revision);
    if (first === undefined || changes.next - first > MAX_UNDO) return undefined;
    const objects = this.#objects.fork();
    for (let n = changes.next - 1; n >= first; n--) {
      const { object, previous } = changes.at(n)!;
      if (previous) objects.set(previous.key, previous);
      else if (object) objects.delete(object.key);
    }
    return objects;
  }

  #watched(): Watched {
    const { clock, wakes } = this.#shared;
    const feed = this.#feed;
    return {
      log: this.#log,
      forms: this.#scope.forms,
      clock,
      wakes,
      revision: () => feed.revision,
      forget: (watcher) => {
        const namespace = watcher.selection.namespace ?? '';
        const watchers = this.#watchers.get(namespace);
        watchers?.delete(watcher);
        if (watchers?.size === 0) this.#watchers.delete(namespace);
      },
    };
  }

  #endWatchers(reason: WatchEnd): void {
    for (const watchers of [...this.#watchers.values()]) for (const watcher of [...watchers]) watcher.end(reason);
  }

  #conflict(current: KeyValue | undefined): WriteResult {
    if (!current) return { succeeded: false, current: undefined };
    const cached = this.#ready ? this.#objects.get(current.key) : undefined;
    return { succeeded: false, current: cached?.revision === current.modRevision ? cached : this.#read(current) };
  }

  /**
   * After a restart all clients come back with revisions from before it. So the storage's history is read into the log
   * once for all of them, if it is not too much; else each reads it for itself.
   */
  async #backfill(since: number): Promise<void> {
    while (this.#backfilling) await this.#backfilling;
    if (since >= this.#log.since) return;
    this.#backfilling = this.#readBack(since).finally(() => {
      this.#backfilling = undefined;
    });
    await this.#backfilling;
  }

  async #readBack(since: number): Promise<void> {
    const { history, storage } = this.#shared;
    const log = this.#log;
    const found: Change[] = [];
    let bytes = 0;
    let wake = () => {};
    const reader = new CatchUp(storage, this.#scope, this.#objects, this.prefix, since, () => wake());
    try {
      while (log === this.#log) {
        const change = reader.take();
        if (change ? change.revision > log.since : reader.revision >= log.since) break;
        if (change) {
          found.push(change);
          bytes += cost(change);
          if (!history.hasRoomFor(bytes)) return;
        } else if (reader.error) return;
        else {
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
        }
      }
      if (log === this.#log) history.prepend(log, found, since);
    } finally {
      reader.stop();
    }
  }

  /** For an object that somebody needs: unreadable ones are an error here. */
  #read(kv: KeyValue): CachedObject {
    try {
      return this.#scope.fromStored(kv);
    } catch (e) {
      throw internalError(`can't read ${kv.key}: ${e instanceof Error ? e.message : String(e)}`);
    }
  }
}
