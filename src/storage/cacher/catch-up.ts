import { isStorageError, type KeyValue, type Storage, type StorageError, type WatchHandle } from '../contract.js';
import { Fifo } from '../fifo.js';
import type { OrderedView } from '../ordered.js';
import type { CachedObject } from './cacher.js';
import { Change } from './change.js';
import type { ObjectScope } from './object.js';

/** Changes kept ready; the storage is not read further until they are taken. */
const AHEAD = 500;

/**
 * Reads changes from the storage's own history, for watchers that start before what the cache remembers. Reads ahead
 * only a little, so that a slow watcher costs little.
 */
export class CatchUp {
  readonly #storage: Storage;
  readonly #scope: ObjectScope;
  readonly #prefix: string;
  readonly #known: OrderedView<CachedObject>;
  readonly #changed: () => void;
  readonly #queue = new Fifo<Change>();
  #handle: WatchHandle | undefined;
  /** Every change up to here was in the queue once. */
  revision: number;
  error: StorageError | undefined;

  /**
   * @param known objects in memory, to be used where they are the very version
   * @param changed called when there is something to take or an error
   */
  constructor(
    storage: Storage,
    scope: ObjectScope,
    known: OrderedView<CachedObject>,
    prefix: string,
    since: number,
    changed: () => void,
  ) {
    this.#known = known;
    this.#storage = storage;
    this.#scope = scope;
    this.#prefix = prefix;
    this.revision = since;
    this.#changed = changed;
    this.#read();
  }

  get ready(): boolean {
    return this.#queue.length > 0 || this.error !== undefined;
  }

  take(): Change | undefined {
    const change = this.#queue.shift();
    if (this.#queue.length === 0 && !this.#handle && !this.error) this.#read();
    return change;
  }

  stop(): void {
    this.#handle?.cancel();
    this.#handle = undefined;
    this.#queue.clear();
  }

  #read(): void {
    const options = { prefix: this.#prefix, startRevision: this.revision + 1, prevKv: true };
    try {
      this.#handle = this.#storage.watch(options, {
        events: (events, revision) => {
          for (const e of events) {
            const object = e.type === 'PUT' ? this.#object(e.kv) : undefined;
            const previous = e.prevKv && this.#object(e.prevKv);
            if (object || previous) this.#queue.push(new Change(this.#scope.forms, e.revision, object, previous));
          }
          this.revision = revision;
          if (this.#queue.length >= AHEAD) {
            this.#handle?.cancel();
            this.#handle = undefined;
          }
          this.#changed();
        },
        error: (error) => this.#fail(error),
      });
    } catch (error) {
      if (!isStorageError(error)) throw error;
      this.#fail(error);
    }
  }

  #fail(error: StorageError): void {
    this.error = error;
    this.#handle = undefined;
    this.#changed();
  }

  #object(kv: KeyValue): CachedObject | undefined {
    const cached = this.#known.get(kv.key);
    return cached?.revision === kv.modRevision ? cached : this.#scope.tryFromStored(kv);
  }
}
