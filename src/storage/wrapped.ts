import type {
  DeleteOptions,
  DeleteResult,
  GetResult,
  PutOptions,
  PutResult,
  RangeOptions,
  RangeResult,
  ReadOptions,
  Storage,
  WatchHandle,
  WatchObserver,
  WatchOptions,
} from './contract.js';

/** A storage that is another one but for what a derived class does differently. */
export abstract class WrappedStorage implements Storage {
  protected readonly inner: Storage;

  constructor(inner: Storage) {
    this.inner = inner;
  }

  get watchesBeforeAck(): boolean {
    return this.inner.watchesBeforeAck;
  }
  isStale(key: string): boolean {
    return this.inner.isStale?.(key) ?? false;
  }
  get(key: string, options?: ReadOptions): Promise<GetResult> {
    return this.inner.get(key, options);
  }
  range(options: RangeOptions): Promise<RangeResult> {
    return this.inner.range(options);
  }
  put(key: string, value: Buffer, options?: PutOptions): Promise<PutResult> {
    return this.inner.put(key, value, options);
  }
  delete(key: string, options?: DeleteOptions): Promise<DeleteResult> {
    return this.inner.delete(key, options);
  }
  watch(options: WatchOptions, observer: WatchObserver): WatchHandle {
    return this.inner.watch(options, observer);
  }
  currentRevision(): Promise<number> {
    return this.inner.currentRevision();
  }
  compact(revision: number): Promise<void> {
    return this.inner.compact(revision);
  }
  compactedRevision(): Promise<number> {
    return this.inner.compactedRevision();
  }
  sizeInBytes(): Promise<number> {
    return this.inner.sizeInBytes();
  }
  grantLease(ttlSeconds: number): Promise<bigint> {
    return this.inner.grantLease(ttlSeconds);
  }
  close(): Promise<void> {
    return this.inner.close();
  }
}
