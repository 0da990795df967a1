const LONGEST_SECONDS = 32;

/**
 * What clients of an overloaded priority level are told to wait. Doubles while refusals go on at three a second or more,
 * and comes down one second at a time when there is less than one a second.
 */
export class RetryAfter {
  #seconds = 1;
  #raisedAt = 0;
  /** Second → refusals in it, oldest first, the running second last. */
  readonly #refusals = new Map<number, number>();

  get seconds(): number {
    return this.#seconds;
  }

  /** Counts a refusal. */
  refused(nowMs: number): void {
    const second = Math.floor(nowMs / 1000);
    const count = this.#refusals.get(second);
    if (count === undefined) this.#adapt(second);
    this.#refusals.set(second, (count ?? 0) + 1);
  }

  #adapt(second: number): void {
    let recent = 0;
    for (const [at, count] of this.#refusals) {
      if (at < second - LONGEST_SECONDS) this.#refusals.delete(at);
      else if (at >= second - this.#seconds && at < second) recent += count;
    }
    if (recent >= 3 * this.#seconds && second - this.#raisedAt >= this.#seconds) {
      this.#seconds = Math.min(2 * this.#seconds, LONGEST_SECONDS);
      this.#raisedAt = second;
    } else if (recent < this.#seconds && this.#seconds > 1) this.#seconds--;
  }
}
