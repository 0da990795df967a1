/** Lets timers and sockets have their turn. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/**
 * Keeps a long loop from blocking the event loop: `if (slice.spent()) await slice.renew();` now and then.
 * The default of 8 ms leaves room for what else happens in one turn within the 50 ms that nothing may stall for.
 */
export class TimeSlice {
  readonly #ms: number;
  #start = performance.now();

  constructor(ms = 8) {
    this.#ms = ms;
  }

  spent(): boolean {
    return performance.now() - this.#start >= this.#ms;
  }

  async renew(): Promise<void> {
    await nextTurn();
    this.#start = performance.now();
  }
}
