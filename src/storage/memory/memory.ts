import type { Clock, Timer } from '../clock.js';
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
import { Fifo } from '../fifo.js';
import { OrderedMap } from '../ordered.js';
import { type ChangeLog, WatchHub } from '../watch-hub.js';

/** The states of one key that are still known, oldest first. */
type Versions = { readonly kv: KeyValue; readonly deleted: boolean }[];

interface Lease {
  readonly keys: Set<string>;
  readonly timer: Timer;
}

const EMPTY = Buffer.alloc(0);

/** A storage that forgets everything when the process ends. For tests, and for control planes that live only for one. */
export class MemoryStorage implements Storage {
  readonly watchesBeforeAck = true;
  readonly #clock: Clock;
  readonly #keys = new OrderedMap<Versions>();
  /** Entry n is the change of revision n + 2. */
  readonly #log = new Fifo<WatchEvent>();
  readonly #leases = new Map<bigint, Lease>();
  readonly #hub: WatchHub;
  #compacted = 0;
  #size = 0;
  #lastLease = 0n;
  #closed = false;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#hub = new WatchHub(this.#changeLog());
  }

  get #revision(): number {
    return this.#log.next + 1;
  }

  async currentRevision(): Promise<number> {
    this.#checkOpen();
    return this.#revision;
  }

  async compactedRevision(): Promise<number> {
    this.#checkOpen();
    return this.#compacted;
  }

  async sizeInBytes(): Promise<number> {
    this.#checkOpen();
    return this.#size;
  }

  async get(key: string, options: ReadOptions = {}): Promise<GetResult> {
    checkKey(key);
    const at = this.#readRevision(options);
    return { kv: stateAt(this.#keys.get(key), at), revision: this.#revision };
  }

  async range(options: RangeOptions): Promise<RangeResult> {
    const at = this.#readRevision(options);
    const cursor = this.#keys.cursor(options.start, options.end);
    const limit = options.limit || Number.POSITIVE_INFINITY;
    const kvs: KeyValue[] = [];
    let count = 0;
    let more = false;
    for (let versions = cursor.next(); versions && !more; versions = cursor.next()) {
      const kv = stateAt(versions, at);
      if (!kv) continue;
      count++;
      if (options.countOnly) continue;
      if (kvs.length < limit) kvs.push(kv);
      else more = true;
    }
    return { kvs, more, count: options.countOnly ? count : undefined, revision: at };
  }

  async put(key: string, value: Buffer, options: PutOptions = {}): Promise<PutResult> {
    checkKey(key);
    this.#checkOpen();
    const { expectedModRevision: expected, lease = 0n } = options;
    const holder = lease === 0n ? undefined : this.#leases.get(lease);
    if (lease !== 0n && !holder) throw new StorageError('LeaseNotFound', 'requested lease not found');
    const current = stateAt(this.#keys.get(key), this.#revision);
    if (expected !== undefined && expected !== (current?.modRevision ?? 0)) return this.#conflict(current);
    const revision = this.#revision + 1;
    const { createRevision, version } = current ?? { createRevision: revision, version: 0 };
    this.#detach(current);
    holder?.keys.add(key);
    this.#apply('PUT', { key, value, createRevision, modRevision: revision, version: version + 1, lease }, current);
    return { succeeded: true, revision };
  }

  async delete(key: string, options: DeleteOptions = {}): Promise<DeleteResult> {
    checkKey(key);
    this.#checkOpen();
    const expected = options.expectedModRevision;
    const previous = stateAt(this.#keys.get(key), this.#revision);
    if (!previous || (expected !== undefined && expected !== previous.modRevision)) return this.#conflict(previous);
    return { succeeded: true, revision: this.#remove(previous), previous };
  }

  watch(options: WatchOptions, observer: WatchObserver): WatchHandle {
    this.#checkOpen();
    return this.#hub.watch(options, observer);
  }

  async compact(revision: number): Promise<void> {
    this.#checkOpen();
    if (revision > this.#revision) throw new FutureRevisionError(revision, this.#revision);
    if (revision < this.#compacted) throw new CompactedError(this.#compacted);
    this.#compacted = revision;
    while (this.#log.length > 0 && this.#log.first + 2 <= revision) this.#forgetBefore(this.#log.shift()!);
  }

  async grantLease(ttlSeconds: number): Promise<bigint> {
    this.#checkOpen();
    const id = ++this.#lastLease;
    const timer = this.#clock.setTimeout(() => this.#expire(id), ttlSeconds * 1000);
    this.#leases.set(id, { keys: new Set(), timer });
    return id;
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    for (const lease of this.#leases.values()) lease.timer.cancel();
    this.#hub.close();
  }

  #checkOpen(): void {
    if (this.#closed) throw new ClosedError();
  }

  #readRevision(options: ReadOptions): number {
    this.#checkOpen();
    const { revision = this.#revision } = options;
    if (revision > this.#revision) throw new FutureRevisionError(revision, this.#revision);
    if (revision < this.#compacted) throw new CompactedError(this.#compacted);
    return revision;
  }

  #conflict(current: KeyValue | undefined): PutResult & { succeeded: false } {
    return { succeeded: false, current, revision: this.#revision };
  }

  #apply(type: WatchEvent['type'], kv: KeyValue, prevKv: KeyValue | undefined): void {
    const versions = this.#keys.get(kv.key);
    const version = { kv, deleted: type === 'DELETE' };
    if (versions) versions.push(version);
    else this.#keys.set(kv.key, [version]);
    this.#size += sizeOf(kv);
    const event: WatchEvent = { type, kv, prevKv, revision: kv.modRevision };
    this.#log.push(event);
    this.#hub.publish([event], event.revision);
  }

  #remove(previous: KeyValue): number {
    const modRevision = this.#revision + 1;
    this.#detach(previous);
    this.#apply('DELETE', { ...previous, value: EMPTY, modRevision, version: 0, lease: 0n }, previous);
    return modRevision;
  }

  #detach(kv: KeyValue | undefined): void {
    if (kv?.lease) this.#leases.get(kv.lease)?.keys.delete(kv.key);
  }

  #expire(id: bigint): void {
    const keys = this.#leases.get(id)?.keys ?? [];
    this.#leases.delete(id);
    for (const key of keys) this.#remove(stateAt(this.#keys.get(key), this.#revision)!);
  }

  /** Drops the states of a key that the change made obsolete, now that nobody may look before it. */
  #forgetBefore({ kv }: WatchEvent): void {
    const versions = this.#keys.get(kv.key);
    if (!versions) return;
    while (versions.length > 0) {
      const [oldest, second] = versions;
      const superseded = second && second.kv.modRevision <= kv.modRevision;
      if (!superseded && !(oldest!.deleted && oldest!.kv.modRevision <= kv.modRevision)) return;
      versions.shift();
      this.#size -= sizeOf(oldest!.kv);
    }
    this.#keys.delete(kv.key);
  }

  #changeLog(): ChangeLog {
    return {
      current: () => this.#revision,
      compacted: () => this.#compacted,
      read: (from, limit, { prefix }) => {
        const events: WatchEvent[] = [];
        const next = Math.min(from + limit, this.#revision + 1);
        for (let revision = from; revision < next; revision++) {
          const event = this.#log.at(revision - 2);
          if (event?.kv.key.startsWith(prefix)) events.push(event);
        }
        return { events, next };
      },
      withPrevious: (event) => event,
    };
  }
}

function sizeOf(kv: KeyValue): number {
  return kv.key.length + kv.value.length;
}

function stateAt(versions: Versions | undefined, revision: number): KeyValue | undefined {
  if (!versions) return undefined;
  for (let i = versions.length - 1; i >= 0; i--) {
    const { kv, deleted } = versions[i]!;
    if (kv.modRevision <= revision) return deleted ? undefined : kv;
  }
  return undefined;
}
