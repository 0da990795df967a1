import type { Exchange } from './exchange.js';

/**
 * The exchanges that are under way. No Set: one that many thousands a second enter and leave makes itself anew all the
 * time, and each of its former selves keeps the next one, with all that was in it, until the next full collection.
 */
export class ActiveExchanges {
  readonly #all: Exchange[] = [];

  get size(): number {
    return this.#all.length;
  }

  /** A copy: those that are visited may leave. */
  [Symbol.iterator](): Iterator<Exchange> {
    return [...this.#all][Symbol.iterator]();
  }

  add(exchange: Exchange): void {
    exchange.slot = this.#all.push(exchange) - 1;
  }

  /** Does nothing when it is not under way any more. */
  delete(exchange: Exchange): void {
    const { slot } = exchange;
    if (slot < 0) return;
    const last = this.#all.pop()!;
    if (last !== exchange) {
      this.#all[slot] = last;
      last.slot = slot;
    }
    exchange.slot = -1;
  }
}
