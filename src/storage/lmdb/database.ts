import { realpathSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type Database, open, type RootDatabase } from 'lmdb';
import { isStorageError, StorageError } from '../contract.js';
import { messageOf, prepareDataFile, syncDirectory } from './data-file.js';
import { decodeOwner, encodeOwner, isAlive, thisProcess } from './owner.js';
import {
  type Change,
  decodeChange,
  decodeKeyState,
  type KeyState,
  keyOf,
  recordStartsWith,
  revisionKey,
} from './records.js';
import { type FileUse, freeBytes, Room } from './room.js';

type Table = Database<Buffer, Buffer>;

/** Address space, not memory: the file grows as needed, and past this size LMDB maps anew. */
const MAP_SIZE = 16 * 2 ** 30;
/** Enough for a transaction that writes one small record. */
const FEW_PAGES = 32;
const OWNER = Buffer.from('owner');

/** What a transaction will write. */
export interface WriteSize {
  bytes: number;
  /** Pages it may change beside those that hold the bytes; rather too many than too few. */
  pages: number;
  /** It makes room. */
  housekeeping: boolean;
}

/** An option that the typings of `put` leave out. */
interface AppendingTable {
  put(key: Buffer, value: Buffer, options: object): Promise<boolean>;
}

interface TreeStats {
  treeBranchPageCount: number;
  treeLeafPageCount: number;
  overflowPages: number;
}

interface FileStats {
  pageSize: number;
  lastPageNumber: number;
  free: TreeStats;
}

const openHere = new Set<string>();

/** An LMDB environment with the tables of a store, held by this process alone. */
export class StoreDatabase {
  readonly revisions: Table;
  readonly keys: Table;
  readonly leases: Table;
  readonly leaseKeys: Table;
  readonly meta: Table;
  readonly #env: RootDatabase<Buffer, Buffer>;
  readonly #directory: string;
  readonly #file: string;
  readonly #room: Room;

  /** Throws a StorageError: `Locked` when the directory is in use, `NoSpace`, or `Unavailable`. */
  constructor(directory: string, free = () => freeBytes(directory)) {
    this.#file = join(directory, 'data.mdb');
    this.#room = new Room(this.#file, free);
    const exists = prepareDataFile(directory, () => this.#room.nearlyFull);
    this.#directory = realpathSync(directory);
    if (openHere.has(this.#directory)) throw locked(this.#directory, 'this process');
    openHere.add(this.#directory);
    try {
      this.#env = open<Buffer, Buffer>({
        path: this.#directory,
        maxDbs: 8,
        mapSize: MAP_SIZE,
        encoding: 'binary',
        keyEncoding: 'binary',
        // Commits are on disk when their promise resolves: each syncs on its own, …
        overlappingSync: false,
        // … and a transaction is what `commit` says it is.
        eventTurnBatching: false,
      });
    } catch (cause) {
      openHere.delete(this.#directory);
      throw this.#unavailable('open', cause);
    }
    try {
      const table = (name: string) =>
        this.#env.openDB<Buffer, Buffer>({ name, encoding: 'binary', keyEncoding: 'binary' });
      // One transaction for all: a new store waits for the disk once.
      const tables = this.#env.transactionSync(() => ({
        meta: table('meta'),
        revisions: table('revisions'),
        keys: table('keys'),
        leases: table('leases'),
        leaseKeys: table('leaseKeys'),
      }));
      this.meta = tables.meta;
      this.#take();
      this.revisions = tables.revisions;
      this.keys = tables.keys;
      this.leases = tables.leases;
      this.leaseKeys = tables.leaseKeys;
      if (!exists) syncDirectory(this.#directory);
    } catch (e) {
      openHere.delete(this.#directory);
      void this.#env.close();
      throw isStorageError(e) ? e : this.#unavailable('open', e);
    }
  }

  keyState(key: string): KeyState | undefined {
    const record = this.keys.getBinary(keyOf(key));
    return record && decodeKeyState(record);
  }

  change(revision: number): Change | undefined {
    const record = this.revisions.getBinary(revisionKey(revision));
    return record && decodeChange(revision, record);
  }

  /**
   * Adds the record of a revision greater than all before. LMDB then fills its pages, instead of leaving each half empty
   * as after any other order. To be called inside `commit`.
   */
  append(revision: number, record: Buffer): void {
    const table: AppendingTable = this.revisions;
    table.put(revisionKey(revision), record, { append: true }).catch(() => {}); // `commit` tells
  }

  /** Whether the key that changed at a revision starts so. Copies nothing. */
  changeStartsWith(revision: number, prefix: Buffer): boolean {
    const record = this.revisions.getBinaryFast(revisionKey(revision));
    return record !== undefined && recordStartsWith(record, prefix);
  }

  /**
   * Runs the puts and removes that `write` makes on the tables as one transaction. Settles when it is on disk, and then
   * reads see it. On failure nothing is written: `NoSpace` when the disk is full, else `Unavailable`.
   */
  async commit(write: () => void, { bytes, pages, housekeeping }: WriteSize): Promise<void> {
    try {
      this.#room.reserve(bytes, pages, housekeeping, () => this.#use());
      await this.#env.batch(write);
    } catch (e) {
      if (isStorageError(e)) throw e;
      const cause = e instanceof Error && 'commitError' in e ? await settledError(e.commitError) : e;
      if (!this.#room.nearlyFull) throw this.#unavailable('write to', cause);
      throw new StorageError('NoSpace', `no space left on device for ${this.#file}`, { cause });
    }
    this.#env.resetReadTxn();
  }

  async sizeInBytes(): Promise<number> {
    return (await stat(this.#file)).size;
  }

  async close(): Promise<void> {
    try {
      this.#room.reserve(0, FEW_PAGES, true, () => this.#use());
      this.#env.transactionSync(() => this.meta.removeSync(OWNER));
    } catch {
      // On a full disk the mark stays; a later process sees that we are gone.
    }
    await this.#env.close();
    openHere.delete(this.#directory);
  }

  /** Marks the store as ours, unless a living process has it. LMDB lets one process at a time do this. */
  #take(): void {
    const other = this.#env.transactionSync(() => {
      const record = this.meta.getBinary(OWNER);
      const owner = record && decodeOwner(record);
      if (owner && isAlive(owner)) return owner;
      this.meta.putSync(OWNER, encodeOwner(thisProcess()));
      return undefined;
    });
    if (other) throw locked(this.#directory, `process ${other.pid}`);
  }

  #use(): FileUse {
    const { pageSize, lastPageNumber, free } = this.#env.getStats() as FileStats;
    const used = lastPageNumber + 1;
    return {
      pageSize,
      used,
      free: () => {
        const tables = [this.revisions, this.keys, this.leases, this.leaseKeys, this.meta];
        const trees = [free, ...tables.map((t) => t.getStats() as TreeStats)];
        return trees.reduce((n, t) => n - t.treeBranchPageCount - t.treeLeafPageCount - t.overflowPages, used);
      },
    };
  }

  #unavailable(doing: string, cause: unknown): StorageError {
    return new StorageError('Unavailable', `can't ${doing} the store in ${this.#directory}: ${messageOf(cause)}`, {
      cause,
    });
  }
}

function locked(directory: string, by: string): StorageError {
  return new StorageError('Locked', `the store in ${directory} is in use by ${by}`);
}

async function settledError(promise: unknown): Promise<unknown> {
  try {
    return await promise;
  } catch (e) {
    return e;
  }
}
