import type { Clock, Timer } from '../clock.js';
import type { Cursor } from '../ordered.js';
import { nextTurn } from '../yield.js';
import type { CachedObject, CacheEvent, WatchEnd, Watcher, WatchOptions } from './cacher.js';
import type { CatchUp } from './catch-up.js';
import { type Change, type Selection, selects, WatchEvent } from './change.js';
import type { FormCache } from './forms.js';
import type { ResourceLog } from './history.js';
import type { WakeQueue } from './wake.js';

/** What a watcher needs of the resource it watches. */
export interface Watched {
  readonly log: ResourceLog;
  readonly forms: FormCache;
  readonly clock: Clock;
  readonly wakes: WakeQueue;
  /** Everything up to here is in the log. */
  revision(): number;
  forget(watcher: ResourceWatcher): void;
}

/** Where a watcher begins. */
export interface Start {
  /** The objects there are, as of `revision`. */
  initial?: Cursor<CachedObject>;
  /** Tell the end of the initial events with a bookmark. */
  initialEventsEnd?: boolean;
  /** Reads what is too old for the log. */
  catchUp?: (changed: () => void) => CatchUp;
  /** Changes up to here are not told. */
  revision: number;
}

const BOOKMARK_MS = 60_000;
/** A last bookmark comes so long before the end. */
const BEFORE_END_MS = 2_000;
/** Objects or changes looked at in one go, whether they match or not. */
const LOOK_AT = 1000;

/** A reader's place in a resource: first the objects, then old changes from the storage, then those in the log. */
export class ResourceWatcher implements Watcher {
  readonly selection: Selection;
  readonly #watched: Watched;
  readonly #bookmarks: boolean;
  readonly #startRevision: number;
  readonly #deadline: number | undefined;
  #initial: Cursor<CachedObject> | undefined;
  #initialEventsEnd: boolean;
  #catchUp: CatchUp | undefined;
  /** Number of the next change to look at; undefined when all that matters was taken. */
  #place: number | undefined;
  #bookmarkDue = false;
  #fruitless = false;
  #timer: Timer | undefined;
  #wake: (() => void) | undefined;
  #ended: WatchEnd | undefined;

  constructor(watched: Watched, options: WatchOptions, start: Start) {
    this.#watched = watched;
    this.selection = options;
    this.#bookmarks = options.allowBookmarks ?? false;
    this.#startRevision = start.revision;
    this.#initial = start.initial;
    this.#initialEventsEnd = start.initialEventsEnd ?? false;
    if (start.catchUp) this.#catchUp = start.catchUp(() => this.#notify());
    else {
      const place = watched.log.after(start.revision);
      if (place < watched.log.changes.next) this.#place = place;
    }
    this.#deadline = options.timeoutMs === undefined ? undefined : watched.clock.now() + options.timeoutMs;
    this.#schedule();
  }

  get ended(): WatchEnd | undefined {
    return this.#ended;
  }

  stop(): void {
    this.end('stopped');
  }

  end(reason: WatchEnd): void {
    if (this.#ended) return;
    this.#ended = reason;
    this.#timer?.cancel();
    this.#catchUp?.stop();
    this.#initial = undefined;
    this.#catchUp = undefined;
    this.#place = undefined;
    this.#watched.forget(this);
    this.#notify();
  }

  /** A change came into the log under this number. Whoever is behind will find it there. */
  offer(number: number, change: Change): void {
    if (this.#place !== undefined || this.#catchUp) {
      this.#notify();
      return;
    }
    if (change.revision <= this.#startRevision || !change.eventFor(this.selection)) return;
    this.#place = number;
    this.#notify();
  }

  take(max = 100): CacheEvent[] {
    const events: CacheEvent[] = [];
    if (this.#ended) return events;
    let looked = 0;
    looked = this.#takeInitial(events, max, looked);
    if (!this.#initial) looked = this.#takeOld(events, max, looked);
    if (!this.#initial && !this.#catchUp) this.#takeLogged(events, max, looked);
    if (this.#bookmarkDue && this.#idle() && events.length < max) {
      this.#bookmarkDue = false;
      events.push(new WatchEvent(this.#watched.forms, 'BOOKMARK', undefined, this.#watched.revision()));
    }
    this.#fruitless = events.length === 0;
    return events;
  }

  async ready(): Promise<void> {
    if (this.#hasMore()) {
      // Nothing matched so far, but there is more to look at: let others have their turn first.
      if (this.#fruitless && !this.#ended) await nextTurn();
      return;
    }
    await new Promise<void>((resolve) => {
      const others = this.#wake;
      this.#wake = () => {
        others?.();
        resolve();
      };
    });
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<CacheEvent, void> {
    try {
      for (;;) {
        const events = this.take();
        for (const event of events) yield event;
        if (this.#ended) return;
        if (events.length === 0) await this.ready();
      }
    } finally {
      this.stop();
    }
  }

  #takeInitial(events: CacheEvent[], max: number, already: number): number {
    let looked = already;
    for (; this.#initial && events.length < max && looked < LOOK_AT; looked++) {
      const object = this.#initial.next();
      const { forms } = this.#watched;
      if (object) {
        if (selects(this.selection, object)) events.push(new WatchEvent(forms, 'ADDED', object, object.revision));
        continue;
      }
      this.#initial = undefined;
      if (this.#initialEventsEnd) events.push(new WatchEvent(forms, 'BOOKMARK', undefined, this.#startRevision, true));
    }
    return looked;
  }

  #takeOld(events: CacheEvent[], max: number, already: number): number {
    let looked = already;
    while (this.#catchUp && events.length < max && looked < LOOK_AT) {
      const change = this.#catchUp.take();
      if (change) {
        const event = change.eventFor(this.selection);
        if (event) events.push(event);
        looked++;
      } else if (this.#catchUp.error) {
        this.end(this.#catchUp.error.code === 'Compacted' ? 'slow' : 'closed');
      } else if (this.#catchUp.revision >= this.#watched.log.since) {
        this.#place = this.#watched.log.after(this.#catchUp.revision);
        this.#catchUp.stop();
        this.#catchUp = undefined;
      } else break;
    }
    return looked;
  }

  #takeLogged(events: CacheEvent[], max: number, already: number): void {
    const { changes } = this.#watched.log;
    let looked = already;
    while (this.#place !== undefined && events.length < max && looked < LOOK_AT) {
      if (this.#place < changes.first) {
        this.end('slow');
        return;
      }
      const change = changes.at(this.#place);
      if (!change) {
        this.#place = undefined;
        return;
      }
      const event = change.revision > this.#startRevision ? change.eventFor(this.selection) : undefined;
      if (event) events.push(event);
      this.#place++;
      looked++;
    }
  }

  /** True when everything up to the newest revision was taken. */
  #idle(): boolean {
    return !this.#initial && !this.#catchUp && this.#place === undefined;
  }

  #hasMore(): boolean {
    const { changes } = this.#watched.log;
    return (
      this.#ended !== undefined ||
      this.#initial !== undefined ||
      (this.#catchUp !== undefined && (this.#catchUp.ready || this.#catchUp.revision >= this.#watched.log.since)) ||
      (this.#place !== undefined && this.#place < changes.next) ||
      (this.#bookmarkDue && this.#idle())
    );
  }

  #notify(): void {
    const wake = this.#wake;
    this.#wake = undefined;
    if (wake) this.#watched.wakes.wake(wake);
  }

  #schedule(): void {
    const now = this.#watched.clock.now();
    const end = this.#deadline ?? Number.POSITIVE_INFINITY;
    let next = end;
    if (this.#bookmarks) {
      const bookmark = Math.min(now + BOOKMARK_MS, end - BEFORE_END_MS);
      if (bookmark > now) next = bookmark;
    }
    if (next === Number.POSITIVE_INFINITY) return;
    this.#timer = this.#watched.clock.setTimeout(() => {
      if (next === end) {
        this.end('timeout');
        return;
      }
      this.#bookmarkDue = true;
      this.#notify();
      this.#schedule();
    }, next - now);
  }
}
