import type {
  CachedObject,
  CacheEvent,
  ListOptions,
  ListResult,
  Predicate,
  ResourceCache,
  WatchEnd,
  Watcher,
  WatchOptions,
} from '../storage/cacher/cacher.js';

/** Selection by fields that have to be computed first, as those of objects that others convert. */
export interface LateFields {
  /** The fields of each object. */
  of(objects: readonly CachedObject[]): Promise<readonly Readonly<Record<string, string>>[]>;
  matches(fields: Readonly<Record<string, string>>): boolean;
}

/** How often a list starts again because there are objects that it has not seen. */
const MAX_LISTS = 10;
const BATCH = 100;

/** What is known of objects at their revisions. */
class Matches {
  readonly #late: LateFields;
  readonly #base: Predicate | undefined;
  readonly #known = new Map<string, boolean>();

  constructor(late: LateFields, base: Predicate | undefined) {
    this.#late = late;
    this.#base = base;
  }

  /** False while it is not known. */
  of(object: CachedObject, unknown?: (object: CachedObject) => void): boolean {
    if (this.#base && !this.#base(object)) return false;
    const known = this.#known.get(keyOf(object));
    if (known === undefined) unknown?.(object);
    return known ?? false;
  }

  async learn(objects: readonly CachedObject[]): Promise<void> {
    if (objects.length === 0) return;
    const fields = await this.#late.of(objects);
    for (const [i, object] of objects.entries()) this.#known.set(keyOf(object), this.#late.matches(fields[i]!));
  }

  forget(): void {
    this.#known.clear();
  }
}

function keyOf(object: CachedObject): string {
  return `${object.key}@${object.revision}`;
}

export async function listLate(cache: ResourceCache, options: ListOptions, late: LateFields): Promise<ListResult> {
  const matches = new Matches(late, options.predicate);
  for (let round = 1; ; round++) {
    const unknown: CachedObject[] = [];
    const found = await cache.list({ ...options, predicate: (o) => matches.of(o, (object) => unknown.push(object)) });
    const objects = await found.items();
    if (unknown.length > 0 && round < MAX_LISTS) {
      await matches.learn(unknown);
      continue;
    }
    return {
      revision: found.revision,
      continue: found.continue,
      remainingItemCount: undefined,
      async *batches() {
        yield objects;
      },
      items: async () => objects,
    };
  }
}

export async function watchLate(cache: ResourceCache, options: WatchOptions, late: LateFields): Promise<Watcher> {
  const { predicate, ...all } = options;
  return new LateWatcher(await cache.watch(all), new Matches(late, predicate), options);
}

class LateWatcher implements Watcher {
  readonly #watcher: Watcher;
  readonly #matches: Matches;
  readonly #options: WatchOptions;
  #events: CacheEvent[] = [];

  constructor(watcher: Watcher, matches: Matches, options: WatchOptions) {
    this.#watcher = watcher;
    this.#matches = matches;
    this.#options = options;
  }

  get ended(): WatchEnd | undefined {
    return this.#events.length > 0 ? undefined : this.#watcher.ended;
  }

  stop(): void {
    this.#watcher.stop();
  }

  take(max = BATCH): CacheEvent[] {
    return this.#events.splice(0, max);
  }

  async ready(): Promise<void> {
    while (this.#events.length === 0) {
      const events = this.#watcher.take(BATCH);
      if (events.length > 0) await this.#select(events);
      else if (this.#watcher.ended) return;
      else await this.#watcher.ready();
    }
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<CacheEvent> {
    for (;;) {
      await this.ready();
      if (this.#events.length === 0) return;
      yield* this.take();
    }
  }

  async #select(events: readonly CacheEvent[]): Promise<void> {
    const { namespace, name } = this.#options;
    const unknown: CachedObject[] = [];
    for (const { object, change } of events) {
      for (const state of change ? [change.object, change.previous] : [object]) {
        if (state) this.#matches.of(state, (o) => unknown.push(o));
      }
    }
    await this.#matches.learn(unknown);
    const predicate: Predicate = (o) => this.#matches.of(o);
    for (const event of events) {
      let seen: CacheEvent | undefined = event;
      if (event.change) seen = event.change.eventFor({ namespace, name, predicate });
      else if (event.object && !predicate(event.object)) seen = undefined;
      if (seen) this.#events.push(seen);
    }
    this.#matches.forget();
  }
}
