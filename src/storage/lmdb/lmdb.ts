import type { Clock, Timer } from '../clock.js';
import { DEFAULT_HISTORY, type HistoryWindow, startCompactor } from '../compactor.js';
import {
  ClosedError,
  CompactedError,
  checkKey,
  type DeleteOptions,
  type DeleteResult,
  FutureRevisionError,
  type GetResult,
  type KeyValue,
  type PutOptions,
  type PutResult,
  type RangeOptions,
  type RangeResult,
  type ReadOptions,
  type Storage,
  StorageError,
  type WatchEvent,
  type WatchHandle,
  type WatchObserver,
  type WatchOptions,
} from '../contract.js';
import { type ChangeLog, WatchHub } from '../watch-hub.js';
import { TimeSlice } from '../yield.js';
import { StoreDatabase } from './database.js';
import { readStoreState } from './group.js';
import {
  attachedKey,
  decodeChange,
  decodeExpiry,
  decodeKeyState,
  decodeStoreState,
  eventOf,
  type KeyState,
  keyOf,
  keyValueOf,
  leaseKey,
  leaseOf,
  revisionKey,
  revisionOf,
  type StoreState,
} from './records.js';
import { GroupWriter } from './writer.js';

export interface LmdbOptions {
  /** Made when it is missing. One process may use it at a time. */
  directory: string;
  clock: Clock;
  /** How much history stays; `false`: no compaction but by `compact`. */
  history?: HistoryWindow | false;
  /** Bytes free on the disk; writes take more care when there are few. Default: what the file system says. */
  freeBytes?: () => number;
}

interface Lease {
  readonly timer: Timer;
  expired: boolean;
}

/** Keys or revisions that housekeeping handles in one transaction. */
const STEP = 256;
const RETRY_MS = 1000;
/** Values that are read from the history in one go. */
const READ_BYTES = 2 ** 20;

/** The embedded storage: one LMDB file. Reads never wait for writes, and only ever see what is on disk. */
export class LmdbStorage implements Storage {
  readonly watchesBeforeAck = true;
  readonly #db: StoreDatabase;
  readonly #clock: Clock;
  readonly #writer: GroupWriter;
  readonly #hub: WatchHub;
  readonly #leases = new Map<bigint, Lease>();
  readonly #timers = new Set<Timer>();
  #stopCompactor = () => {};
  #closing: Promise<void> | undefined;
  #lastLease = 0n;
  #sweeping = false;
  /** Changes that one transaction sweeps; less when the disk is full. */
  #sweepStep = STEP;

  /** Opens the store in a directory. Throws `Locked` when it is in use, `Unavailable` when it can't be opened. */
  constructor(options: LmdbOptions) {
    this.#clock = options.clock;
    this.#db = new StoreDatabase(options.directory, options.freeBytes);
    this.#hub = new WatchHub(this.#changeLog());
    try {
      const state = readStoreState(this.#db, decodeStoreState);
      this.#writer = new GroupWriter(this.#db, state, ({ changes, state: { revision } }) => {
        const events = changes.map((change) => eventOf(change));
        if (events.length > 0) this.#hub.publish(events, revision);
      });
    } catch (cause) {
      void this.#db.close();
      throw new StorageError('Unavailable', `can't open ${options.directory}: ${String(cause)}`, { cause });
    }
    for (const { key, value } of this.#db.leases.getRange({})) this.#startLease(leaseOf(key), decodeExpiry(value));
    this.#sweep();
    const { history = DEFAULT_HISTORY } = options;
    if (history) this.#stopCompactor = startCompactor(this, this.#clock, history);
  }

  async currentRevision(): Promise<number> {
    this.#checkOpen();
    return this.#state.revision;
  }

  async compactedRevision(): Promise<number> {
    this.#checkOpen();
    return this.#state.compacted;
  }

  async sizeInBytes(): Promise<number> {
    this.#checkOpen();
    return this.#db.sizeInBytes();
  }

  async get(key: string, options: ReadOptions = {}): Promise<GetResult> {
    checkKey(key);
    const at = this.#readRevision(options);
    const state = this.#db.keyState(key);
    return { kv: state && this.#at(state, at), revision: this.#state.revision };
  }

  async range(options: RangeOptions): Promise<RangeResult> {
    const at = this.#readRevision(options);
    const limit = options.limit || Number.POSITIVE_INFINITY;
    const end = keyOf(options.end);
    const slice = new TimeSlice();
    const kvs: KeyValue[] = [];
    let start = keyOf(options.start);
    let count = 0;
    for (;;) {
      let next: Buffer | undefined;
      for (const { key, value } of this.#db.keys.getRange({ start, end })) {
        const state = decodeKeyState(value);
        // Most keys have not changed since `at`, and to count them their value is not needed.
        if (options.countOnly && state.revision <= at) count += state.deleted ? 0 : 1;
        else {
          const kv = this.#at(state, at);
          if (kv && kvs.length === limit) return { kvs, more: true, count: undefined, revision: at };
          if (kv) count++;
          if (kv && !options.countOnly) kvs.push(kv);
        }
        if (slice.spent()) {
          next = Buffer.concat([key, Buffer.alloc(1)]);
          break;
        }
      }
      if (!next) return { kvs, more: false, count: options.countOnly ? count : undefined, revision: at };
      start = next;
      await slice.renew();
      this.#readRevision({ revision: at });
    }
  }

  async put(key: string, value: Buffer, options: PutOptions = {}): Promise<PutResult> {
    checkKey(key);
    const { expectedModRevision: expected, lease = 0n } = options;
    return this.#writer.write((group, resolve) => {
      if (lease !== 0n && this.#leases.get(lease)?.expired !== false) {
        throw new StorageError('LeaseNotFound', 'requested lease not found');
      }
      const live = liveState(group.keyState(key));
      if (expected !== undefined && expected !== (live?.revision ?? 0)) {
        const current = group.current(key);
        return () => resolve({ succeeded: false, current, revision: this.#state.revision });
      }
      const revision = group.put(key, value, lease);
      return () => resolve({ succeeded: true, revision });
    });
  }

  async delete(key: string, options: DeleteOptions = {}): Promise<DeleteResult> {
    checkKey(key);
    const expected = options.expectedModRevision;
    return this.#writer.write((group, resolve) => {
      const live = liveState(group.keyState(key));
      const current = group.current(key);
      if (!live || !current || (expected !== undefined && expected !== live.revision)) {
        return () => resolve({ succeeded: false, current, revision: this.#state.revision });
      }
      const revision = group.delete(key, live);
      return () => resolve({ succeeded: true, revision, previous: current });
    });
  }

  watch(options: WatchOptions, observer: WatchObserver): WatchHandle {
    this.#checkOpen();
    return this.#hub.watch(options, observer);
  }

  async compact(revision: number): Promise<void> {
    this.#checkOpen();
    if (revision > this.#state.revision) throw new FutureRevisionError(revision, this.#state.revision);
    await this.#writer.write<void>((group, resolve) => {
      if (revision < group.state.compacted) throw new CompactedError(group.state.compacted);
      group.compact(revision);
      return resolve;
    }, true);
    this.#sweep();
  }

  async grantLease(ttlSeconds: number): Promise<bigint> {
    return this.#writer.write((group, resolve) => {
      const now = this.#clock.now();
      const id = BigInt(Math.trunc(now)) << 12n;
      this.#lastLease = id > this.#lastLease ? id : this.#lastLease + 1n;
      const lease = this.#lastLease;
      const expiry = now + ttlSeconds * 1000;
      group.setLease(lease, expiry);
      return () => {
        this.#startLease(lease, expiry);
        resolve(lease);
      };
    });
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#stopCompactor();
    for (const timer of this.#timers) timer.cancel();
    await this.#writer.close();
    this.#hub.close();
    await this.#db.close();
  }

  get #state(): StoreState {
    return this.#writer.state;
  }

  #checkOpen(): void {
    if (this.#closing) throw new ClosedError();
  }

  #readRevision(options: ReadOptions): number {
    this.#checkOpen();
    const { revision = this.#state.revision } = options;
    if (revision > this.#state.revision) throw new FutureRevisionError(revision, this.#state.revision);
    if (revision < this.#state.compacted) throw new CompactedError(this.#state.compacted);
    return revision;
  }

  /** The key's state at a revision: walks back from the newest, which may be too new or not even visible yet. */
  #at(state: KeyState, revision: number): KeyValue | undefined {
    if (state.deleted && state.revision <= revision) return undefined;
    let change = this.#db.change(state.revision);
    while (change && change.revision > revision) {
      change = change.previousRevision === 0 ? undefined : this.#db.change(change.previousRevision);
    }
    return change && !change.deleted ? keyValueOf(change) : undefined;
  }

  /** Removes what compaction made obsolete, a step a transaction, until all is done. */
  #sweep(): void {
    if (this.#sweeping || this.#closing || this.#state.swept >= this.#state.compacted) return;
    this.#sweeping = true;
    const step = this.#sweepStep;
    this.#writer
      .write<void>((group, resolve) => {
        const { swept, compacted } = group.state;
        const range = { start: revisionKey(swept + 1), end: revisionKey(compacted + 1), limit: step };
        let n = 0;
        for (const { key, value } of this.#db.revisions.getRange(range)) {
          group.sweep(decodeChange(revisionOf(key), value));
          n++;
        }
        if (n < step) group.sweptTo(compacted);
        return resolve;
      }, true)
      .then(
        () => {
          this.#sweeping = false;
          this.#sweepStep = Math.min(STEP, step * 2);
          setImmediate(() => this.#sweep());
        },
        () => {
          this.#sweeping = false;
          this.#sweepStep = Math.ceil(step / 4);
          this.#later(() => this.#sweep(), RETRY_MS);
        },
      );
  }

  #startLease(id: bigint, expiry: number): void {
    if (id > this.#lastLease) this.#lastLease = id;
    const timer = this.#later(() => {
      const lease = this.#leases.get(id);
      if (lease) lease.expired = true;
      this.#expire(id);
    }, expiry - this.#clock.now());
    this.#leases.set(id, { timer, expired: false });
  }

  /** Deletes the keys of a lease that ran out, a step a transaction, and then the lease. */
  #expire(id: bigint): void {
    if (this.#closing) return;
    this.#writer
      .write<boolean>((group, resolve) => {
        let done = !group.touches(id); // keys that came in with this very group are not in the table yet
        let n = 0;
        const range = { start: leaseKey(id), end: leaseKey(id + 1n), limit: STEP };
        for (const { key: attachment } of this.#db.leaseKeys.getRange(range)) {
          const key = attachedKey(attachment);
          const live = liveState(group.keyState(key));
          if (live?.lease === id) group.delete(key, live);
          else group.detach(id, key);
          if (++n === STEP) done = false;
        }
        if (done) group.setLease(id, null);
        return () => resolve(done);
      }, true)
      .then(
        (done) => {
          if (done) this.#leases.delete(id);
          else this.#expire(id);
        },
        () => void this.#later(() => this.#expire(id), RETRY_MS),
      );
  }

  #later(callback: () => void, ms: number): Timer {
    const timer = this.#clock.setTimeout(() => {
      this.#timers.delete(timer);
      callback();
    }, ms);
    this.#timers.add(timer);
    return timer;
  }

  #changeLog(): ChangeLog {
    return {
      current: () => this.#state.revision,
      compacted: () => this.#state.compacted,
      read: (from, limit, options) => {
        const events: WatchEvent[] = [];
        const prefix = keyOf(options.prefix);
        const end = Math.min(from + limit, this.#state.revision + 1);
        let bytes = 0;
        let revision = from;
        for (; revision < end && bytes < READ_BYTES; revision++) {
          if (!this.#db.changeStartsWith(revision, prefix)) continue;
          const change = this.#db.change(revision)!;
          bytes += change.value.length;
          events.push(options.prevKv ? this.#withPrevious(eventOf(change)) : eventOf(change));
        }
        return { events, next: revision };
      },
      withPrevious: (event) => this.#withPrevious(event),
    };
  }

  #withPrevious(event: WatchEvent): WatchEvent {
    if (event.type === 'PUT' && event.kv.version === 1) return event;
    const change = this.#db.change(event.revision);
    const before = change && this.#db.change(change.previousRevision);
    return before ? { ...event, prevKv: keyValueOf(before) } : event;
  }
}

function liveState(state: KeyState | undefined): KeyState | undefined {
  return state?.deleted ? undefined : state;
}
