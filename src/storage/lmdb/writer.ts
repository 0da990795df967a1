import { ClosedError, isStorageError } from '../contract.js';
import type { StoreDatabase } from './database.js';
import { Group } from './group.js';
import type { StoreState } from './records.js';

/** Adds its writes to the group, and returns what settles the promise of `write`. May throw to fail alone. */
export type Run<T> = (group: Group, resolve: (result: T) => void) => () => void;

interface Operation {
  run(group: Group): () => void;
  fail(error: unknown): void;
  /** Makes room. */
  readonly housekeeping: boolean;
  /** Gets a group of its own. */
  alone: boolean;
}

interface Prepared {
  readonly operation: Operation;
  readonly settle: () => void;
  readonly wrote: boolean;
}

const GROUP_OPERATIONS = 1024;
const GROUP_BYTES = 8 * 2 ** 20;

/**
 * Group commit: what is to be written while a transaction is on its way to the disk goes together into the next one, so
 * many writers share a sync. Operations see the effects of those before them; their promises settle when all is durable.
 */
export class GroupWriter {
  readonly #db: StoreDatabase;
  readonly #committed: (group: Group) => void;
  #queue: Operation[] = [];
  #drained: Promise<void> | undefined;
  #closed = false;
  /** What is on disk. */
  state: StoreState;

  /** @param committed called when a group is on disk, before the promises of its operations settle */
  constructor(db: StoreDatabase, state: StoreState, committed: (group: Group) => void) {
    this.#db = db;
    this.state = state;
    this.#committed = committed;
  }

  /** Rejects with `NoSpace` or `Unavailable` when the group can't be written, and with what `run` throws. */
  write<T>(run: Run<T>, housekeeping = false): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      if (this.#closed) throw new ClosedError();
      this.#queue.push({ run: (group) => run(group, resolve), fail: reject, housekeeping, alone: false });
      this.#drained ??= this.#drain();
    });
  }

  /** Settles when what is on its way is on disk; what waits is rejected. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const operation of this.#queue.splice(0)) operation.fail(new ClosedError());
    await this.#drained;
  }

  async #drain(): Promise<void> {
    // What is written in one turn of the event loop goes together: to set the disk to work costs as much as some writes.
    while (this.#queue.length > 0) {
      await new Promise(setImmediate);
      await this.#commitGroup();
    }
    this.#drained = undefined;
  }

  async #commitGroup(): Promise<void> {
    const group = new Group(this.#db, this.state);
    const prepared = this.#prepare(group);
    if (group.bytes > 0) {
      const housekeeping = prepared.every((p) => p.operation.housekeeping);
      try {
        await this.#db.commit(() => group.write(), { bytes: group.bytes, pages: group.pages, housekeeping });
      } catch (e) {
        this.#failed(prepared, e);
        return;
      }
      this.state = group.state;
      this.#committed(group);
    }
    for (const p of prepared) p.settle();
  }

  /** Takes operations off the queue into the group. */
  #prepare(group: Group): Prepared[] {
    const prepared: Prepared[] = [];
    let taken = 0;
    while (taken < this.#queue.length && taken < GROUP_OPERATIONS && group.bytes < GROUP_BYTES) {
      const operation = this.#queue[taken]!;
      if (operation.alone && taken > 0) break;
      taken++;
      const { bytes } = group;
      try {
        const settle = operation.run(group);
        prepared.push({ operation, settle, wrote: group.bytes > bytes });
      } catch (e) {
        operation.fail(e);
      }
      if (operation.alone) break;
    }
    this.#queue.splice(0, taken);
    return prepared;
  }

  #failed(prepared: readonly Prepared[], error: unknown): void {
    if (prepared.length > 1 && isStorageError(error, 'NoSpace')) {
      // What others wanted to write did not fit, perhaps. Each tries alone, and first those that make room.
      for (const { operation } of prepared) operation.alone = true;
      const makesRoom = prepared.filter((p) => p.operation.housekeeping);
      const others = prepared.filter((p) => !p.operation.housekeeping);
      this.#queue.unshift(...[...makesRoom, ...others].map((p) => p.operation));
      return;
    }
    // Who only found a conflict may have found it with a write that did not happen: they try again.
    this.#queue.unshift(...prepared.filter((p) => !p.wrote).map((p) => p.operation));
    for (const p of prepared) if (p.wrote) p.operation.fail(error);
  }
}
