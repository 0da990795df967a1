import type { ApiRequest } from './api-request.js';
import { isLongRunning } from './long-running.js';

/** Requests that are being answered, without watches and tunnels, which have no end of their own. */
export class InFlight {
  #count = 0;
  #waiting: (() => void)[] = [];

  /** What it gives is to be called once, when the answer is complete. */
  enter(request: ApiRequest): () => void {
    if (isLongRunning(request.info)) return () => {};
    this.#count++;
    return () => {
      if (--this.#count > 0) return;
      for (const resolve of this.#waiting.splice(0)) resolve();
    };
  }

  /** Settles when there are none, or when the time is up. */
  async idle(timeoutMs: number): Promise<void> {
    if (this.#count === 0) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, timeoutMs);
      this.#waiting.push(() => {
        clearTimeout(timer);
        resolve();
      });
    });
  }
}
