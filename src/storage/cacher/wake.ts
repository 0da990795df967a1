import { Fifo } from '../fifo.js';

/** Readers woken in one turn of the event loop. What they do then, encoding and writing, is most of the work. */
const PER_TURN = 32;

/** Wakes the readers of a change that thousands watch a few at a time, so that nothing else has to wait for all. */
export class WakeQueue {
  readonly #waiting = new Fifo<() => void>();
  #left = PER_TURN;
  #scheduled = false;

  wake(reader: () => void): void {
    if (this.#left > 0) {
      this.#left--;
      reader();
    } else this.#waiting.push(reader);
    this.#schedule();
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.#left = PER_TURN;
      for (; this.#left > 0; this.#left--) {
        const reader = this.#waiting.shift();
        if (!reader) return;
        reader();
      }
      this.#schedule();
    });
  }
}
