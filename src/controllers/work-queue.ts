/** How long a key waits after failures: 5 ms, doubled each time, a minute at most, unless the options say otherwise. */
const FIRST_RETRY_MS = 5;
const LAST_RETRY_MS = 60_000;

export interface WorkQueueOptions {
  /** Keys worked on at a time. A key is never worked on twice at once. */
  readonly workers: number;
  /** Instead of 5 ms and of a minute. */
  readonly firstRetryMs?: number;
  readonly lastRetryMs?: number;
  /** Brings one key to rest; a rejection tries again later. A number asks to come back after so many ms. */
  work(key: string): Promise<number | undefined>;
  failed(key: string, error: unknown): void;
}

/**
 * Keys that need a look. Adding one that waits already does nothing; one that is being worked on comes again after.
 * Keys that fail come back later and later.
 */
export class WorkQueue {
  readonly #options: WorkQueueOptions;
  readonly #waiting = new Set<string>();
  readonly #running = new Map<string, Promise<void>>();
  readonly #failures = new Map<string, number>();
  readonly #timers = new Map<string, { timer: NodeJS.Timeout; due: number }>();
  #closed = false;

  constructor(options: WorkQueueOptions) {
    this.#options = options;
  }

  add(key: string): void {
    if (this.#closed) return;
    this.#waiting.add(key);
    this.#next();
  }

  /** Of several times that are asked for the first one counts. */
  addAfter(key: string, ms: number): void {
    const due = performance.now() + ms;
    const known = this.#timers.get(key);
    if (this.#closed || (known && known.due <= due)) return;
    clearTimeout(known?.timer);
    const timer = setTimeout(() => {
      this.#timers.delete(key);
      this.add(key);
    }, ms);
    timer.unref();
    this.#timers.set(key, { timer, due });
  }

  /** Takes nothing more, and settles when what is being worked on is done. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#waiting.clear();
    for (const { timer } of this.#timers.values()) clearTimeout(timer);
    this.#timers.clear();
    await Promise.all(this.#running.values());
  }

  #next(): void {
    for (const key of this.#waiting) {
      if (this.#running.size >= this.#options.workers) return;
      if (this.#running.has(key)) continue;
      this.#waiting.delete(key);
      this.#running.set(
        key,
        this.#run(key).finally(() => {
          this.#running.delete(key);
          this.#next();
        }),
      );
    }
  }

  async #run(key: string): Promise<void> {
    // Not in the caller's turn: whoever adds a key is often in the middle of a write.
    await Promise.resolve();
    try {
      const again = await this.#options.work(key);
      this.#failures.delete(key);
      if (again !== undefined) this.addAfter(key, again);
    } catch (e) {
      if (this.#closed) return;
      const failures = this.#failures.get(key) ?? 0;
      this.#failures.set(key, failures + 1);
      this.#options.failed(key, e);
      const { firstRetryMs = FIRST_RETRY_MS, lastRetryMs = LAST_RETRY_MS } = this.#options;
      this.addAfter(key, Math.min(lastRetryMs, firstRetryMs * 2 ** Math.min(failures, 20)));
    }
  }
}
