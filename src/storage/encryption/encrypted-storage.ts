import {
  CompactedError,
  type DeleteOptions,
  type DeleteResult,
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
import { WrappedStorage } from '../wrapped.js';
import type { Provider } from './provider.js';

/** Providers for a key, the one that writes first; undefined: values are kept and read as they are. */
export type ProvidersOf = (key: string) => readonly Provider[] | undefined;

/** A storage whose values are encrypted on their way down, and decrypted on their way up. Keys are not. */
export class EncryptedStorage extends WrappedStorage {
  readonly #providersOf: ProvidersOf;
  /** Keys of values that were last read in a form that is not written any more. */
  readonly #stale = new Set<string>();

  constructor(inner: Storage, providersOf: ProvidersOf) {
    super(inner);
    this.#providersOf = providersOf;
  }

  override isStale(key: string): boolean {
    return this.#stale.has(key);
  }

  override async get(key: string, options?: ReadOptions): Promise<GetResult> {
    const found = await this.inner.get(key, options);
    return found.kv ? { ...found, kv: this.#open(found.kv) } : found;
  }

  override async range(options: RangeOptions): Promise<RangeResult> {
    const found = await this.inner.range(options);
    return { ...found, kvs: found.kvs.map((kv) => this.#open(kv)) };
  }

  override async put(key: string, value: Buffer, options?: PutOptions): Promise<PutResult> {
    const providers = this.#providersOf(key);
    const result = await this.inner.put(key, providers ? providers[0]!.encrypt(value, key) : value, options);
    return result.succeeded ? result : this.#conflict(result);
  }

  override async delete(key: string, options?: DeleteOptions): Promise<DeleteResult> {
    const result = await this.inner.delete(key, options);
    if (!result.succeeded) return this.#conflict(result);
    const previous = this.#open(result.previous);
    this.#stale.delete(key);
    return { ...result, previous };
  }

  override watch(options: WatchOptions, observer: WatchObserver): WatchHandle {
    const handle = this.inner.watch(options, {
      events: (events, revision) => {
        let opened: WatchEvent[];
        try {
          opened = events.map((event) => this.#event(event));
        } catch {
          // History that no key opens any more is gone.
          handle.cancel();
          observer.error(new CompactedError(revision));
          return;
        }
        observer.events(opened, revision);
      },
      error: (error) => observer.error(error),
    });
    return handle;
  }

  #conflict<R extends { readonly current: KeyValue | undefined }>(result: R): R {
    return result.current ? { ...result, current: this.#open(result.current) } : result;
  }

  #event(event: WatchEvent): WatchEvent {
    const { type, kv, prevKv } = event;
    return { ...event, kv: type === 'PUT' ? this.#open(kv) : kv, prevKv: prevKv && this.#open(prevKv) };
  }

  /** @throws StorageError for a value that no provider reads */
  #open(kv: KeyValue): KeyValue {
    const { key, value: stored } = kv;
    const providers = this.#providersOf(key);
    if (!providers) return kv;
    let why = 'no matching prefix found';
    for (const [i, provider] of providers.entries()) {
      if (!stored.subarray(0, provider.prefix.length).equals(Buffer.from(provider.prefix))) continue;
      try {
        const { value, stale } = provider.decrypt(stored, key);
        if (stale || i > 0) this.#stale.add(key);
        else this.#stale.delete(key);
        return { ...kv, value };
      } catch (e) {
        why = (e as Error).message;
      }
    }
    throw new StorageError('Unavailable', `unable to transform key ${JSON.stringify(key)}: ${why}`);
  }
}
