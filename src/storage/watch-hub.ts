import {
  ClosedError,
  CompactedError,
  StorageError,
  type WatchEvent,
  type WatchHandle,
  type WatchObserver,
  type WatchOptions,
} from './contract.js';

/** What the hub needs of a backend's history. */
export interface ChangeLog {
  /** Newest visible revision. */
  current(): number;
  compacted(): number;
  /**
   * Visible changes from revision `from` on: about `limit` log entries' worth, those with the prefix. `next` is the
   * revision to go on from, greater than `from`.
   */
  read(from: number, limit: number, options: WatchOptions): { events: WatchEvent[]; next: number };
  /** The event with its prevKv filled in. */
  withPrevious(event: WatchEvent): WatchEvent;
}

interface Watch {
  readonly options: WatchOptions;
  readonly observer: WatchObserver;
  /** First revision the observer has not seen. */
  next: number;
}

const STEP = 1000;

/** The watches on a backend inside this process: lets newcomers catch up from history, then hands them what is new. */
export class WatchHub {
  readonly #log: ChangeLog;
  readonly #live = new Set<Watch>();
  readonly #catchingUp = new Set<Watch>();
  readonly #unpublished: { events: readonly WatchEvent[]; revision: number }[] = [];
  #publishing = false;

  constructor(log: ChangeLog) {
    this.#log = log;
  }

  watch(options: WatchOptions, observer: WatchObserver): WatchHandle {
    const current = this.#log.current();
    const watch: Watch = { options, observer, next: options.startRevision ?? current + 1 };
    if (watch.next > current) this.#live.add(watch);
    else {
      this.#catchingUp.add(watch);
      setImmediate(() => this.#catchUp(watch));
    }
    return {
      cancel: () => {
        this.#live.delete(watch);
        this.#catchingUp.delete(watch);
      },
      requestProgress: () => {
        if (this.#live.has(watch)) observer.events([], this.#log.current());
      },
    };
  }

  /** Hands visible changes, the newest there are, to everybody who has seen all before them. */
  publish(events: readonly WatchEvent[], revision: number): void {
    this.#unpublished.push({ events, revision });
    if (this.#publishing) return; // an observer wrote something: everybody gets the changes before it first
    this.#publishing = true;
    try {
      for (let next = this.#unpublished.shift(); next; next = this.#unpublished.shift()) this.#hand(next);
    } finally {
      this.#publishing = false;
    }
  }

  #hand({ events, revision }: { events: readonly WatchEvent[]; revision: number }): void {
    for (const watch of this.#live) {
      const { prefix, prevKv } = watch.options;
      let mine = events.filter((e) => e.revision >= watch.next && e.kv.key.startsWith(prefix));
      if (prevKv) mine = mine.map((e) => this.#log.withPrevious(e));
      watch.next = Math.max(watch.next, revision + 1);
      this.#tell(watch, mine, revision);
    }
  }

  /** A fault in an observer ends its watch and nothing else: the change is written, and its writer waits. */
  #tell(watch: Watch, events: readonly WatchEvent[], revision: number): void {
    try {
      watch.observer.events(events, revision);
    } catch (cause) {
      this.#live.delete(watch);
      this.#catchingUp.delete(watch);
      watch.observer.error(new StorageError('Unavailable', `the observer failed: ${String(cause)}`, { cause }));
    }
  }

  close(): void {
    const all = [...this.#live, ...this.#catchingUp];
    this.#live.clear();
    this.#catchingUp.clear();
    for (const watch of all) watch.observer.error(new ClosedError());
  }

  #catchUp(watch: Watch): void {
    if (!this.#catchingUp.has(watch)) return;
    if (watch.next <= this.#log.compacted()) {
      this.#catchingUp.delete(watch);
      watch.observer.error(new CompactedError(this.#log.compacted()));
      return;
    }
    const { events, next } = this.#log.read(watch.next, STEP, watch.options);
    watch.next = next;
    if (next > this.#log.current()) {
      this.#catchingUp.delete(watch);
      this.#live.add(watch);
    } else setImmediate(() => this.#catchUp(watch));
    this.#tell(watch, events, next - 1);
  }
}
