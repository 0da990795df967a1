/**
 * What every storage backend does: a flat, ordered key space with one global revision, in the way of etcd v3.
 *
 * Every successful write takes the next revision. A reader sees the state at one revision; a watcher sees every change
 * after one revision, once and in order. History reaches back to the last compaction. What the contract does not
 * promise: transactions over several keys, and history older than a compaction.
 *
 * Keys are well-formed strings of 1 to 1900 UTF-8 bytes without NUL, ordered by those bytes (characters beyond the BMP may
 * sort by their surrogates instead). Values are bytes; a backend never changes a buffer it was given or hands out, and
 * neither may its callers.
 */
export interface Storage {
  /**
   * True when the events of a write reach every observer before the write's promise settles, and no other process
   * writes. Then what an observer has seen is always current, and a consistent read needs no round trip.
   */
  readonly watchesBeforeAck: boolean;

  /** Whether a value that was read is kept in a form in which it would not be written any more: with an older key. */
  isStale?(key: string): boolean;

  /** The newest revision that a read may see. Starts at 1 for an empty store. */
  currentRevision(): Promise<number>;

  get(key: string, options?: ReadOptions): Promise<GetResult>;

  /** Keys in [start, end), in order, all at one revision. */
  range(options: RangeOptions): Promise<RangeResult>;

  /** Creates or replaces. Settles when the write is durable and visible to reads. */
  put(key: string, value: Buffer, options?: PutOptions): Promise<PutResult>;

  /** Removes a key. Settles when the removal is durable and visible. A missing key gives `succeeded: false`. */
  delete(key: string, options?: DeleteOptions): Promise<DeleteResult>;

  /**
   * Calls the observer for every change of a key with the prefix, from `startRevision` on, until cancelled. Changes
   * that are already history come first. With `startRevision` left out, only changes after this call.
   */
  watch(options: WatchOptions, observer: WatchObserver): WatchHandle;

  /**
   * Forgets the states before `revision`: reads and watches from before it fail with `CompactedError` from now on.
   * Settles once that is durable; space is given back in small steps afterwards.
   */
  compact(revision: number): Promise<void>;

  /** The revision of the last compaction: reads at it and watches after it still work. 0 when there was none. */
  compactedRevision(): Promise<number>;

  /** What the data takes on disk, or about that in memory. */
  sizeInBytes(): Promise<number>;

  /** Makes a lease of `ttlSeconds`. Keys put with it are removed when it runs out, each as an ordinary delete. */
  grantLease(ttlSeconds: number): Promise<bigint>;

  /** Ends watches without an error, rejects what comes later with `ClosedError`, and settles when all is released. */
  close(): Promise<void>;
}

export interface KeyValue {
  readonly key: string;
  readonly value: Buffer;
  /** Revision of the first write since the key last did not exist. */
  readonly createRevision: number;
  /** Revision of the last write. */
  readonly modRevision: number;
  /** Writes since the key last did not exist; 1 after the first. */
  readonly version: number;
  /** The lease the key hangs on; 0n for none. */
  readonly lease: bigint;
}

export interface ReadOptions {
  /** Read the state as it was at this revision. Default: the newest. */
  revision?: number;
}

export interface GetResult {
  readonly kv: KeyValue | undefined;
  /** The revision the answer is true at. */
  readonly revision: number;
}

export interface RangeOptions extends ReadOptions {
  /** First key, inclusive. */
  start: string;
  /** End key, exclusive. See `prefixEnd` for the end of a prefix. */
  end: string;
  /** At most so many entries in `kvs`; 0 or absent: all. */
  limit?: number;
  /** Only count; `kvs` stays empty. */
  countOnly?: boolean;
}

export interface RangeResult {
  readonly kvs: readonly KeyValue[];
  /** There are keys in the range beyond `limit`. */
  readonly more: boolean;
  /** Keys in the whole range, whatever `limit` says. Only counted with `countOnly`; else undefined. */
  readonly count: number | undefined;
  readonly revision: number;
}

export interface PutOptions {
  /** Write only when the key's modRevision is this. 0: only when the key does not exist. */
  expectedModRevision?: number;
  /** From `grantLease`. A put without one takes the key off its lease. */
  lease?: bigint;
}

export interface DeleteOptions {
  expectedModRevision?: number;
}

/** The write did not happen since the key is in another state than expected. */
export interface WriteConflict {
  readonly succeeded: false;
  /** What is there instead; undefined when the key does not exist. */
  readonly current: KeyValue | undefined;
  readonly revision: number;
}

export type PutResult = { readonly succeeded: true; readonly revision: number } | WriteConflict;

export type DeleteResult =
  | { readonly succeeded: true; readonly revision: number; readonly previous: KeyValue }
  | WriteConflict;

export interface WatchOptions {
  prefix: string;
  /** First revision to report. */
  startRevision?: number;
  /** Fill in `prevKv`. Costs a read per change. */
  prevKv?: boolean;
}

/** One key changed. */
export interface WatchEvent {
  readonly type: 'PUT' | 'DELETE';
  /** After the change. For DELETE the value is empty and modRevision is the revision of the removal. */
  readonly kv: KeyValue;
  /** Before the change. Undefined when the key was new, when it was not asked for, or when it is compacted away. */
  readonly prevKv: KeyValue | undefined;
  readonly revision: number;
}

/** Called synchronously. An observer that throws loses its watch, with an `Unavailable` error. */
export interface WatchObserver {
  /**
   * Changes in order of revision; all changes of one revision come in one call. When it returns the observer has all
   * matching changes up to and including `revision`. `events` may be empty: then only time has moved on.
   */
  events(events: readonly WatchEvent[], revision: number): void;
  /** The watch is over: `CompactedError` when the start lies before the compaction, `ClosedError` on close. */
  error(error: StorageError): void;
}

export interface WatchHandle {
  /** No call to the observer happens after this. */
  cancel(): void;
  /** Asks for an `events` call soon, with nothing in it if need be, so that the observer learns the newest revision. */
  requestProgress(): void;
}

export type StorageErrorCode =
  | 'Compacted'
  | 'FutureRevision'
  | 'NoSpace'
  | 'Closed'
  | 'Locked'
  | 'LeaseNotFound'
  | 'InvalidKey'
  | 'Unavailable';

/** Everything a backend throws on purpose. A write that failed with one did not happen, but see `Unavailable`. */
export class StorageError extends Error {
  readonly code: StorageErrorCode;

  /** `Unavailable`: the backend can't be reached or its medium failed; the write may have happened. */
  constructor(code: StorageErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'StorageError';
    this.code = code;
  }
}

export class CompactedError extends StorageError {
  readonly compactedRevision: number;
  constructor(compactedRevision: number) {
    super('Compacted', `required revision has been compacted (compacted at ${compactedRevision})`);
    this.compactedRevision = compactedRevision;
  }
}

export class FutureRevisionError extends StorageError {
  readonly currentRevision: number;
  constructor(revision: number, currentRevision: number) {
    super('FutureRevision', `required revision ${revision} is a future revision (current is ${currentRevision})`);
    this.currentRevision = currentRevision;
  }
}

export class ClosedError extends StorageError {
  constructor() {
    super('Closed', 'storage is closed');
  }
}

export function isStorageError(e: unknown, code?: StorageErrorCode): e is StorageError {
  return e instanceof StorageError && (code === undefined || e.code === code);
}

const MAX_KEY_BYTES = 1900;
const NOT_ALLOWED = /[\0\p{Surrogate}]/u;

/** Throws for a key that not every backend could hold. */
export function checkKey(key: string): void {
  const bytes = Buffer.byteLength(key);
  if (bytes > 0 && bytes <= MAX_KEY_BYTES && !NOT_ALLOWED.test(key)) return;
  throw new StorageError('InvalidKey', `key must have 1 to ${MAX_KEY_BYTES} bytes of well-formed text without NUL`);
}

/**
 * The end of the range that holds every key with this prefix. Good for prefixes that end in an ASCII character, which
 * all of ours do (`/`).
 */
export function prefixEnd(prefix: string): string {
  const last = prefix.length - 1;
  return prefix.slice(0, last) + String.fromCharCode(prefix.charCodeAt(last) + 1);
}
