import type { KeyValue } from '../contract.js';
import type { StoreDatabase } from './database.js';
import {
  attachmentKey,
  type Change,
  encodeChange,
  encodeExpiry,
  encodeKeyState,
  encodeStoreState,
  type KeyState,
  keyOf,
  keyValueOf,
  leaseKey,
  revisionKey,
  type StoreState,
} from './records.js';

const NO_VALUE = Buffer.alloc(0);
const ATTACHED = Buffer.from([1]);
const SMALL_WRITE = 128;
/** The upper levels of all tables. */
const BRANCHES = 64;
const META_STATE = Buffer.from('state');

/**
 * The writes that go to disk in one transaction. It answers for the state as it will be after the writes already in it,
 * and nothing of it is visible to readers before it is committed.
 */
export class Group {
  readonly changes: Change[] = [];
  state: StoreState;
  readonly #db: StoreDatabase;
  /** null: removed, not even a tombstone stays. */
  readonly #keys = new Map<string, KeyState | null>();
  readonly #byRevision = new Map<number, Change>();
  readonly #obsolete: number[] = [];
  readonly #attachments = new Map<string, { lease: bigint; key: string; attached: boolean }>();
  readonly #leases = new Map<bigint, number | null>();
  /** About how much is written. 0: there is nothing to commit. */
  bytes = 0;

  constructor(db: StoreDatabase, state: StoreState) {
    this.#db = db;
    this.state = state;
  }

  keyState(key: string): KeyState | undefined {
    const pending = this.#keys.get(key);
    return pending === undefined ? this.#db.keyState(key) : (pending ?? undefined);
  }

  /** The key as it is now, undefined when it does not exist. */
  current(key: string): KeyValue | undefined {
    const state = this.keyState(key);
    if (!state || state.deleted) return undefined;
    const change = this.#byRevision.get(state.revision) ?? this.#db.change(state.revision);
    return change && keyValueOf(change);
  }

  put(key: string, value: Buffer, lease: bigint): number {
    const before = this.keyState(key);
    const live = before && !before.deleted ? before : undefined;
    const revision = this.state.revision + 1;
    if (live && live.lease !== lease) this.#attach(live.lease, key, false);
    this.#attach(lease, key, true);
    return this.#add({
      deleted: false,
      key,
      revision,
      createRevision: live?.createRevision ?? revision,
      version: (live?.version ?? 0) + 1,
      lease,
      previousRevision: before?.revision ?? 0,
      value,
    });
  }

  /** Removes a key that exists. */
  delete(key: string, state: KeyState): number {
    this.#attach(state.lease, key, false);
    return this.#add({
      deleted: true,
      key,
      revision: this.state.revision + 1,
      createRevision: state.createRevision,
      version: 0,
      lease: 0n,
      previousRevision: state.revision,
      value: NO_VALUE,
    });
  }

  compact(revision: number): void {
    this.#setState({ compacted: revision });
  }

  /** Removes what a change before the compaction made obsolete. */
  sweep(change: Change): void {
    if (change.previousRevision > 0) this.#obsolete.push(change.previousRevision);
    if (change.deleted) {
      this.#obsolete.push(change.revision);
      if (this.keyState(change.key)?.revision === change.revision) this.#keys.set(change.key, null);
    }
    this.sweptTo(change.revision);
  }

  sweptTo(revision: number): void {
    this.#setState({ swept: revision });
  }

  setLease(lease: bigint, expiry: number | null): void {
    this.#leases.set(lease, expiry);
    this.bytes += SMALL_WRITE;
  }

  /** Pages that the writes may change, beside those that hold `bytes`: a leaf and its share of what is above, each. */
  get pages(): number {
    const small = this.#keys.size + this.#obsolete.length + this.#attachments.size + this.#leases.size;
    return BRANCHES + 2 * this.changes.length + 3 * small;
  }

  /** Whether a key was put on the lease or taken off it in this group. */
  touches(lease: bigint): boolean {
    for (const a of this.#attachments.values()) if (a.lease === lease) return true;
    return false;
  }

  detach(lease: bigint, key: string): void {
    this.#attach(lease, key, false);
  }

  /** Makes the writes on the tables. To be called inside `StoreDatabase.commit`. */
  write(): void {
    const db = this.#db;
    for (const change of this.changes) db.append(change.revision, encodeChange(change));
    for (const revision of this.#obsolete) void db.revisions.remove(revisionKey(revision));
    for (const [key, state] of this.#keys) {
      if (state) void db.keys.put(keyOf(key), encodeKeyState(state));
      else void db.keys.remove(keyOf(key));
    }
    for (const { lease, key, attached } of this.#attachments.values()) {
      if (attached) void db.leaseKeys.put(attachmentKey(lease, key), ATTACHED);
      else void db.leaseKeys.remove(attachmentKey(lease, key));
    }
    for (const [lease, expiry] of this.#leases) {
      if (expiry === null) void db.leases.remove(leaseKey(lease));
      else void db.leases.put(leaseKey(lease), encodeExpiry(expiry));
    }
    void db.meta.put(META_STATE, encodeStoreState(this.state));
  }

  #add(change: Change): number {
    this.changes.push(change);
    this.#byRevision.set(change.revision, change);
    this.#keys.set(change.key, change);
    this.#setState({ revision: change.revision });
    this.bytes += change.value.length + 2 * change.key.length;
    return change.revision;
  }

  #attach(lease: bigint, key: string, attached: boolean): void {
    if (lease === 0n) return;
    this.#attachments.set(`${lease} ${key}`, { lease, key, attached });
    this.bytes += SMALL_WRITE;
  }

  #setState(change: Partial<StoreState>): void {
    this.state = Object.assign({}, this.state, change);
    this.bytes += SMALL_WRITE;
  }
}

export function readStoreState(db: StoreDatabase, decode: (record: Buffer) => StoreState): StoreState {
  const record = db.meta.getBinary(META_STATE);
  return record ? decode(record) : { revision: 1, compacted: 0, swept: 0 };
}
