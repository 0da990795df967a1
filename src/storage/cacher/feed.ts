import type { Clock } from '../clock.js';
import type { Storage, StorageError, WatchEvent, WatchHandle } from '../contract.js';
import { tooLargeResourceVersion } from './revision.js';

/** How long a read waits for a revision that is not here yet, as kube-apiserver does. */
const WAIT_MS = 3_000;

interface Waiter {
  readonly revision: number | bigint;
  settle(): void;
}

/** The one watch on the storage that feeds the cache, and how far it has come. */
export class Feed {
  readonly #storage: Storage;
  readonly #clock: Clock;
  readonly #handle: WatchHandle;
  readonly #waiters = new Set<Waiter>();
  /** Every change up to here was handed on. 0: nothing is known yet. */
  revision = 0;

  constructor(
    storage: Storage,
    clock: Clock,
    prefix: string,
    changed: (event: WatchEvent) => void,
    lost: (error: StorageError) => void,
  ) {
    this.#storage = storage;
    this.#clock = clock;
    this.#handle = storage.watch(
      { prefix },
      {
        events: (events, revision) => {
          for (const event of events) changed(event);
          this.revision = revision;
          for (const waiter of this.#waiters) if (waiter.revision <= revision) waiter.settle();
        },
        error: lost,
      },
    );
    this.#handle.requestProgress();
  }

  /** Waits until the cache is at least as new as `revision`; throws "Too large resource version" when it takes long. */
  async reach(revision: number | bigint): Promise<void> {
    if (this.revision >= revision) return;
    await new Promise<void>((resolve, reject) => {
      const timer = this.#clock.setTimeout(() => {
        this.#waiters.delete(waiter);
        reject(tooLargeResourceVersion(revision, this.revision));
      }, WAIT_MS);
      const waiter: Waiter = {
        revision,
        settle: () => {
          this.#waiters.delete(waiter);
          timer.cancel();
          resolve();
        },
      };
      this.#waiters.add(waiter);
      this.#handle.requestProgress();
    });
  }

  /** Waits until the cache has everything that was written before this call. */
  async reachCurrent(): Promise<void> {
    if (this.#storage.watchesBeforeAck && this.revision > 0) return;
    await this.reach(await this.#storage.currentRevision());
  }

  stop(): void {
    this.#handle.cancel();
  }
}
