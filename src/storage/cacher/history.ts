import { Fifo } from '../fifo.js';
import type { Change } from './change.js';

/** The recent changes of one resource, numbered. Filled and emptied by `History`. */
export class ResourceLog {
  readonly changes = new Fifo<Change>();
  /** All changes after this revision are here. */
  since: number;

  constructor(since: number) {
    this.since = since;
  }

  /** Number of the first change after a revision that is not before `since`. */
  after(revision: number): number {
    let low = this.changes.first;
    let high = this.changes.next;
    while (low < high) {
      const mid = (low + high) >>> 1;
      if (this.changes.at(mid)!.revision <= revision) low = mid + 1;
      else high = mid;
    }
    return low;
  }
}

/** What a change costs besides the state it replaced: the newest states live in the cache anyhow. */
const OVERHEAD = 400;

/** The changes of all resources, oldest first, within a bound on memory. Watchers read them; slow ones lose them. */
export class History {
  readonly #maxBytes: number;
  readonly #all = new Fifo<{ log: ResourceLog; change: Change }>();
  readonly #dropped = new WeakSet<ResourceLog>();
  #bytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  add(log: ResourceLog, change: Change): void {
    log.changes.push(change);
    this.#all.push({ log, change });
    this.#bytes += cost(change);
    while (this.#bytes > this.#maxBytes && this.#all.length > 1) this.#forgetOldest();
  }

  /** The log is used no more. */
  drop(log: ResourceLog): void {
    log.changes.clear();
    this.#dropped.add(log);
  }

  #forgetOldest(): void {
    const { log, change } = this.#all.shift()!;
    this.#bytes -= cost(change);
    if (this.#dropped.has(log)) return;
    log.changes.shift();
    log.since = change.revision;
  }
}

function cost({ object, previous }: Change): number {
  // Of what is removed there is a second copy, with the revision of the removal.
  return OVERHEAD + (previous?.json.length ?? 0) * (object ? 1 : 2);
}
