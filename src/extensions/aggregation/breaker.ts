import type { Clock } from '../../storage/clock.js';

/** So many connections that failed in a row open the breaker. */
const FAILURES = 5;
/** A request that waits longer for the first byte counts as stuck. */
export const STUCK_MS = 5_000;
/** So many of them open it, too. */
const STUCK = 20;
/** How often a request is let through to an open breaker, to see. */
const PROBE_MS = 1_000;

/**
 * Keeps requests from piling up in front of a server that does not answer. Failures to connect and requests that get no
 * answer open it: requests are refused at once then, but for one a second; the first answer closes it.
 */
export class Breaker {
  readonly #clock: Clock;
  readonly #opened: () => void;
  #failures = 0;
  #stuck = 0;
  #nextProbe = 0;

  /** @param opened called each time when it opens: somebody should look at the server */
  constructor(clock: Clock, opened: () => void) {
    this.#clock = clock;
    this.#opened = opened;
  }

  get open(): boolean {
    return this.#failures >= FAILURES || this.#stuck >= STUCK;
  }

  /** False: the request must not be sent. */
  admit(): boolean {
    if (!this.open) return true;
    const now = this.#clock.now();
    if (now < this.#nextProbe) return false;
    this.#nextProbe = now + PROBE_MS;
    return true;
  }

  /** A request is on its way. Exactly one of the two must be called; more calls do nothing. */
  begin(): { answered(): void; failed(atConnect: boolean): void } {
    let over = false;
    let stuck = false;
    const timer = this.#clock.setTimeout(() => {
      stuck = true;
      this.#change(() => this.#stuck++);
    }, STUCK_MS);
    const end = (change: () => void) => {
      if (over) return;
      over = true;
      timer.cancel();
      if (stuck) this.#stuck--;
      this.#change(change);
    };
    return {
      answered: () =>
        end(() => {
          this.#failures = 0;
        }),
      failed: (atConnect) =>
        end(() => {
          if (atConnect) this.#failures++;
        }),
    };
  }

  #change(change: () => void): void {
    const before = this.open;
    change();
    if (before || !this.open) return;
    this.#nextProbe = this.#clock.now() + PROBE_MS;
    this.#opened();
  }
}
