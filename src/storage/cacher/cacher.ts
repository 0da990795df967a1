import type { KubeObject } from '../../machinery/json.js';
import type { Storage } from '../contract.js';

/**
 * The watch cache. It keeps every object of a resource as encoded JSON, fed by one watch on the storage, and answers
 * get, list and watch from memory. "Bytes first": an object is parsed only when somebody asks for its values.
 *
 * Everything thrown on purpose is a `StatusError` (Expired, Timeout "Too large resource version", BadRequest for a bad
 * continue token) or a `StorageError`.
 */
export interface Cacher {
  /** For keys that are no API objects. */
  readonly storage: Storage;
  /** The cache of one resource; loaded at its first use. A prefix belongs to one resource: asking twice throws. */
  resource(options: ResourceOptions): ResourceCache;
  /** Ends all watches of a resource and forgets it (a CRD was removed, or its schema changed). Stored keys stay. */
  release(cache: ResourceCache): void;
  /** The newest revision, read from the storage. */
  currentRevision(): Promise<number>;
  /** Ends all watches. Does not close the storage. */
  close(): void;
}

export interface CacherHooks {
  /** JSON bytes to an object; must keep int64 exact. */
  parse(json: Buffer): KubeObject;
  /**
   * Turns a stored value that is not JSON (protobuf behind `k8s\0`, encrypted values) into JSON bytes without a
   * resourceVersion. Throws when it can't; the object is then unreadable, see `onUnreadable`.
   */
  decodeStored?(stored: Buffer, key: string): Buffer;
  /** A stored value that can't be read. It is left out of lists and watches, as nobody could decode it. */
  onUnreadable?(key: string, error: unknown): void;
  /** A subscriber of the resource with this prefix threw. */
  onSubscriberFault?(prefix: string, error: unknown): void;
}

/** What selectors look at. */
export interface Attributes {
  readonly labels: Readonly<Record<string, string>>;
  /** Selectable fields; `metadata.name` and `metadata.namespace` included. */
  readonly fields: Readonly<Record<string, string>>;
}

export interface ResourceOptions {
  /** `/registry/<resource>/`, with the slash at the end. */
  prefix: string;
  /** Keys are `<prefix><namespace>/<name>`, else `<prefix><name>`. */
  namespaced: boolean;
  /** Labels and selectable fields of an object. Called lazily, once per object, and only if a selector needs it. */
  attributes(object: KubeObject): Attributes;
}

/** One version of one object. Immutable; its buffers and values must not be changed. */
export interface CachedObject {
  readonly key: string;
  /** '' for cluster-scoped resources. */
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  /** modRevision: the number in metadata.resourceVersion. */
  readonly revision: number;
  /** The object as JSON in its stored API version, with metadata.resourceVersion. No newline at the end. */
  readonly json: Buffer;
  /**
   * Offset in `json` of the first member after `kind` and `apiVersion`: `{` followed by `json.subarray(bodyStart)` is
   * the object without its TypeMeta, as items of typed lists are written.
   */
  readonly bodyStart: number;
  readonly labels: Readonly<Record<string, string>>;
  readonly fields: Readonly<Record<string, string>>;
  /** The object as values, held weakly: cheap to call again, dropped under memory pressure. Frozen by convention. */
  parsed(): KubeObject;
  /** Another encoding of this object under a name of the caller's choice, made once and kept while warm. */
  form(name: string, make: (object: CachedObject) => Buffer): Buffer;
}

export type Predicate = (object: CachedObject) => boolean;

export interface ReadAt {
  /** As in the query: absent or '' = newest, '0' = whatever is at hand, 'N' = at least N. */
  resourceVersion?: string;
}

export interface WriteOptions {
  /** 0: must not exist. Absent: unconditional. */
  expectedRevision?: number;
  /** Removed after so many seconds (Events, masterleases). */
  ttlSeconds?: number;
}

export type WriteResult =
  | { readonly succeeded: true; readonly object: CachedObject }
  | { readonly succeeded: false; readonly current: CachedObject | undefined };

export interface ResourceCache {
  readonly prefix: string;
  key(namespace: string, name: string): string;

  get(key: string, at?: ReadAt): Promise<CachedObject | undefined>;

  /** Whether it should be written again though it is the same: see `Storage.isStale`. */
  isStale(key: string): boolean;

  /**
   * Stores JSON bytes without a resourceVersion. When it settles, the write is durable and every read and in-process
   * subscriber sees it.
   */
  put(key: string, value: Buffer, options?: WriteOptions): Promise<WriteResult>;
  /** On success `object` is the last state with the revision of the removal as its resourceVersion. */
  delete(key: string, options?: Pick<WriteOptions, 'expectedRevision'>): Promise<WriteResult>;

  list(options?: ListOptions): Promise<ListResult>;
  /**
   * Settles when the start point is checked. Throws Expired ("too old resource version: X (Y)") and Timeout ("Too large
   * resource version"), which the real server answers with 200 and an ERROR event, and for a malformed resourceVersion
   * a StatusError of code 500, which it answers as such.
   */
  watch(options?: WatchOptions): Promise<Watcher>;

  /**
   * In-process subscription: calls the subscriber for each object there is, then for every change at the moment it is
   * committed, before the writer's promise settles. Settles when the first objects are delivered.
   */
  subscribe(subscriber: Subscriber): Promise<Subscription>;

  /** Objects in the cache. 0 before it is loaded. */
  readonly size: number;
  /** Loads the cache if it is not; for warming up. */
  load(): Promise<void>;
}

export interface Subscriber {
  /** `previous` undefined: new. `object` undefined: removed. */
  changed(object: CachedObject | undefined, previous: CachedObject | undefined, revision: number): void;
}

export interface Subscription {
  cancel(): void;
}

export interface ListOptions extends ReadAt {
  namespace?: string;
  /** Narrow to one name (a `metadata.name=` selector). */
  name?: string;
  /** Label and field selectors. Absent: everything, and only then `remainingItemCount` is given. */
  predicate?: Predicate;
  /** What counts for whether a first page has more after it. Absent: every object. */
  counted?: Predicate;
  limit?: number;
  continue?: string;
  resourceVersionMatch?: 'Exact' | 'NotOlderThan';
}

export interface ListResult {
  /** metadata.resourceVersion of the list. */
  readonly revision: number;
  /** metadata.continue; undefined on the last page. */
  readonly continue: string | undefined;
  readonly remainingItemCount: number | undefined;
  /**
   * The matching objects in order of key, as of one revision, in small batches; yields to the event loop in between.
   * Can be walked once.
   */
  batches(): AsyncIterable<readonly CachedObject[]>;
  /** All of them at once instead, for answers known to be small and for use inside the process. */
  items(): Promise<CachedObject[]>;
}

export interface WatchOptions extends ReadAt {
  namespace?: string;
  name?: string;
  predicate?: Predicate;
  resourceVersionMatch?: 'NotOlderThan';
  /** Absent: only for resourceVersion '' and '0'. */
  sendInitialEvents?: boolean;
  allowBookmarks?: boolean;
  /** The watch ends by itself after this time. */
  timeoutMs?: number;
}

export type CacheEventType = 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK';

/** One thing to tell a watcher. Shared by all watchers that see the same change. */
export interface CacheEvent {
  readonly type: CacheEventType;
  /** For DELETED the last state that matched, its resourceVersion being that of the change. Undefined for BOOKMARK. */
  readonly object: CachedObject | undefined;
  readonly revision: number;
  /** On the BOOKMARK that ends the initial events (annotation `k8s.io/initial-events-end: "true"`). */
  readonly initialEventsEnd: boolean;
  /** What happened, for those who select by what the cache does not know. Undefined for initial events and BOOKMARK. */
  readonly change:
    | {
        readonly object: CachedObject | undefined;
        readonly previous: CachedObject | undefined;
        /** What to tell somebody who sees only what is selected. */
        eventFor(selection: { namespace?: string; name?: string; predicate?: Predicate }): CacheEvent | undefined;
      }
    | undefined;
  /** An encoding of the event, made once for all watchers and kept while warm. */
  form(name: string, make: (event: CacheEvent) => Buffer): Buffer;
}

/**
 * Why a watch is over. `slow`: the reader was so far behind that its events are gone; it may watch again from what it
 * has seen. `closed`: the cacher was closed, lost its own watch, or the resource was released.
 */
export type WatchEnd = 'stopped' | 'timeout' | 'slow' | 'closed';

/** Events are pulled, so a slow reader costs no memory: it only holds its place in the history. */
export interface Watcher extends AsyncIterable<CacheEvent> {
  /** What is there now, at most `max` (default 100) events. Empty: wait for `ready()`, unless `ended` is set. */
  take(max?: number): CacheEvent[];
  /** Settles when `take` has something to give or the watch is over. */
  ready(): Promise<void>;
  /** Set when the watch is over; nothing more comes then. */
  readonly ended: WatchEnd | undefined;
  stop(): void;
}
