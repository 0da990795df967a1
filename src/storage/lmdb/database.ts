import { realpathSync } from 'node:fs';
import { open as openFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Database, open, type RootDatabase } from 'lmdb';
import { isStorageError, StorageError } from '../contract.js';
import { isDiskFull, messageOf, prepareDataFile, syncDirectory } from './data-file.js';
import { decodeOwner, encodeOwner, isAlive, type Owner, thisProcess } from './owner.js';
import { type Change, decodeChange, decodeKeyState, type KeyState, keyOf, revisionKey } from './records.js';

type Table = Database<Buffer, Buffer>;

/** Address space, not memory: the file grows as needed, and past this size LMDB maps anew. */
const MAP_SIZE = 16 * 2 ** 30;
const OWNER = Buffer.from('owner');

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

  /** Throws a StorageError: `Locked` when the directory is in use, `NoSpace`, or `Unavailable`. */
  constructor(directory: string) {
    const exists = prepareDataFile(directory);
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
      this.meta = table('meta');
      this.#take();
      this.revisions = table('revisions');
      this.keys = table('keys');
      this.leases = table('leases');
      this.leaseKeys = table('leaseKeys');
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
   * Runs the puts and removes that `write` makes on the tables as one transaction. Settles when it is on disk, and then
   * reads see it. On failure nothing is written: `NoSpace` when the disk is full, else `Unavailable`.
   *
   * @param bytes about how much `write` writes
   */
  async commit(write: () => void, bytes: number): Promise<void> {
    try {
      await this.#env.batch(write);
    } catch (e) {
      const cause = e instanceof Error && 'commitError' in e ? await settledError(e.commitError) : e;
      if (await this.#isFull(cause, bytes)) {
        throw new StorageError('NoSpace', `no space left on device for ${this.#directory}`, { cause });
      }
      throw this.#unavailable('write to', cause);
    }
    this.#env.resetReadTxn();
  }

  async close(): Promise<void> {
    try {
      this.#env.transactionSync(() => this.meta.removeSync(OWNER));
    } catch {
      // On a full disk the mark stays; a later process sees that we are gone.
    }
    await this.#env.close();
    openHere.delete(this.#directory);
  }

  #take(): void {
    const inUse = () => {
      const record = this.meta.getBinary(OWNER);
      const owner = record && decodeOwner(record);
      return owner && isAlive(owner) ? owner : undefined;
    };
    // The first look needs no lock, which the owner may hold while it is stopped in the middle of a commit.
    const owner: Owner | undefined =
      inUse() ??
      this.#env.transactionSync(() => {
        const other = inUse();
        if (!other) this.meta.putSync(OWNER, encodeOwner(thisProcess()));
        return other;
      });
    if (owner) throw locked(this.#directory, `process ${owner.pid}`);
  }

  /**
   * LMDB reports a full disk as an input/output error when part of a write still fitted. So try: append as much to the
   * file, and take it off again. Nobody else writes to it, and LMDB does not mind what is behind its last page.
   */
  async #isFull(cause: unknown, bytes: number): Promise<boolean> {
    if (/MDB_MAP_FULL|No space left/.test(String(cause))) return true;
    try {
      const file = await openFile(join(this.#directory, 'data.mdb'), 'r+');
      try {
        const { size } = await file.stat();
        try {
          const trial = Buffer.alloc(2 * bytes + 2 ** 20);
          const { bytesWritten } = await file.write(trial, 0, trial.length, size);
          if (bytesWritten < trial.length) return true;
          await file.datasync();
        } finally {
          await file.truncate(size);
        }
      } finally {
        await file.close();
      }
      return false;
    } catch (e) {
      return isDiskFull(e);
    }
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
