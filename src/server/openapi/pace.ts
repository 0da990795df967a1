import { setImmediate } from 'node:timers/promises';

/** Steps between two pauses: large enough to be cheap, small enough to be short. */
const STEPS = 25;

/** Lets others have their turn in the middle of long work. */
export class Pace {
  #left = STEPS;

  async step(): Promise<void> {
    if (--this.#left > 0) return;
    this.#left = STEPS;
    await setImmediate();
  }
}
