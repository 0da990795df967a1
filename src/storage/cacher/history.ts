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
      const mid = Math.floor((low + high) / 2);
      if (this.changes.at(mid)!.revision <= revision) low = mid + 1;
      else high = mid;
    }
    return low;
  }
}

/** What a change costs besides the state it replaced: the newest states live in the cache anyhow. */
const OVERHEAD = 400;

/** The changes of all resources within a bound on memory. Watchers read them; slow ones lose them. */
export class History {
  readonly #maxBytes: number;
  /** One entry a change, in the order they were added: whose oldest change is to go next. */
  readonly #order = new Fifo<ResourceLog>();
  #bytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  add(log: ResourceLog, change: Change): void {
    log.changes.push(change);
    this.#order.push(log);
    this.#bytes += cost(change);
    while (this.#bytes > this.#maxBytes && this.#order.length > 1) this.#forgetOldest();
  }

  /** Whether so many bytes of old changes may be added. They must not push out newer ones, so there is little room. */
  hasRoomFor(bytes: number): boolean {
    return bytes <= this.#maxBytes / 4 && this.#bytes + bytes <= this.#maxBytes;
  }

  /** Adds changes from before the log begins: all of those after the revision `since`. */
  prepend(log: ResourceLog, changes: readonly Change[], since: number): void {
    log.changes.unshift(changes);
    log.since = since;
    for (const change of changes) {
      this.#order.push(log);
      this.#bytes += cost(change);
    }
  }

  /** The log is used no more. */
  drop(log: ResourceLog): void {
    for (let change = log.changes.shift(); change; change = log.changes.shift()) this.#bytes -= cost(change);
  }

  #forgetOldest(): void {
    const log = this.#order.shift()!;
    const change = log.changes.shift();
    if (!change) return; // dropped
    this.#bytes -= cost(change);
    log.since = change.revision;
  }
}

/** About how much memory a change takes, beside the newest states that live in the cache anyhow. */
export function cost({ object, previous }: Change): number {
  // Of what is removed there is a second copy, with the revision of the removal.
  return OVERHEAD + (previous?.json.length ?? 0) * (object ? 1 : 2);
}
