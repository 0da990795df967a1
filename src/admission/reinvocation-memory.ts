import { cloneJson, equalJson, type KubeObject } from '../machinery/json.js';

/**
 * Which of a plugin's webhooks or policies are to run again in the second mutating round: those with reinvocation policy
 * IfNeeded that ran before something else changed the object.
 */
export class ReinvocationMemory {
  #lastOutput: KubeObject | undefined;
  #ran = new Set<string>();
  readonly #again = new Set<string>();

  /** Begins the second round; other plugins may have changed the object since. */
  beginAgain(object: KubeObject | undefined): void {
    if (!equalJson(this.#lastOutput, object)) this.changed();
  }
  /** Something changed the object: who ran before does not know it as it is. */
  changed(): void {
    for (const id of this.#ran) this.#again.add(id);
    this.#ran = new Set();
  }
  /** One that wants to run again if needed has run. */
  ran(id: string): void {
    this.#ran.add(id);
  }
  shouldRunAgain(id: string): boolean {
    return this.#again.has(id);
  }
  /** The plugin is through. */
  end(object: KubeObject | undefined): void {
    this.#lastOutput = cloneJson(object);
  }
}
