import type { CachedObject, CacheEvent, CacheEventType, Predicate } from './cacher.js';
import type { FormCache, Forms } from './forms.js';
import { atRevision } from './object.js';

export class WatchEvent implements CacheEvent {
  readonly type: CacheEventType;
  readonly object: CachedObject | undefined;
  readonly revision: number;
  readonly initialEventsEnd: boolean;
  readonly change: Change | undefined;
  readonly #cache: FormCache;
  #forms: Forms | undefined;

  constructor(
    cache: FormCache,
    type: CacheEventType,
    object: CachedObject | undefined,
    revision: number,
    initialEventsEnd = false,
    change?: Change,
  ) {
    this.#cache = cache;
    this.type = type;
    this.object = object;
    this.revision = revision;
    this.initialEventsEnd = initialEventsEnd;
    this.change = change;
  }

  form(name: string, make: (event: CacheEvent) => Buffer): Buffer {
    this.#forms ??= new Map();
    return this.#cache.get(this.#forms, name, () => make(this));
  }
}

/** What one watch, list or the like wants to see of a resource. */
export interface Selection {
  namespace?: string;
  name?: string;
  predicate?: Predicate;
}

export function selects(selection: Selection, object: CachedObject): boolean {
  return (
    (!selection.namespace || selection.namespace === object.namespace) &&
    (!selection.name || selection.name === object.name) &&
    (!selection.predicate || selection.predicate(object))
  );
}

/**
 * One change of one object. To a watcher with selectors it may look like the object came or went, so there are up to
 * three events for it; each is made at most once and shared by all who see it that way.
 */
export class Change {
  readonly revision: number;
  /** Undefined: removed. */
  readonly object: CachedObject | undefined;
  /** Undefined: new. */
  readonly previous: CachedObject | undefined;
  readonly #cache: FormCache;
  #added: CacheEvent | undefined;
  #modified: CacheEvent | undefined;
  #deleted: CacheEvent | undefined;

  constructor(
    cache: FormCache,
    revision: number,
    object: CachedObject | undefined,
    previous: CachedObject | undefined,
  ) {
    this.#cache = cache;
    this.revision = revision;
    this.object = object;
    this.previous = previous;
  }

  get namespace(): string {
    return (this.object ?? this.previous)?.namespace ?? '';
  }

  /** What to tell somebody who sees only what is selected. Undefined: nothing. */
  eventFor(selection: Selection): CacheEvent | undefined {
    const { object, previous } = this;
    const now = object !== undefined && selects(selection, object);
    const before = previous !== undefined && selects(selection, previous);
    if (now && before) {
      this.#modified ??= new WatchEvent(this.#cache, 'MODIFIED', object, this.revision, false, this);
      return this.#modified;
    }
    if (now) {
      this.#added ??= new WatchEvent(this.#cache, 'ADDED', object, this.revision, false, this);
      return this.#added;
    }
    if (!before) return undefined;
    this.#deleted ??= new WatchEvent(
      this.#cache,
      'DELETED',
      atRevision(previous, this.revision),
      this.revision,
      false,
      this,
    );
    return this.#deleted;
  }
}
