import type { GroupResource } from '../../../machinery/errors.js';
import type { KubeObject } from '../../../machinery/json.js';

/** A write that was charged to a quota and is not in the store yet. */
export interface Reservation {
  readonly resource: GroupResource;
  readonly namespace: string;
  readonly name: string;
  readonly object: KubeObject;
  readonly until: number;
}

/** A write takes milliseconds; one that is not seen after this time has failed. */
const MAX_AGE_MS = 10_000;

/**
 * What admission has let through and the store does not show yet. Between the two, usage that is counted from the store
 * alone would give the same room away twice.
 */
export class Reservations {
  readonly #now: () => number;
  /** In the order of their end. */
  readonly #open = new Map<string, Reservation>();

  /** @param now milliseconds of a clock that only goes forward */
  constructor(now: () => number) {
    this.#now = now;
  }

  add(resource: GroupResource, namespace: string, name: string, object: KubeObject): void {
    this.#forgetOld();
    const key = keyOf(resource, namespace, name);
    this.#open.delete(key);
    this.#open.set(key, { resource, namespace, name, object, until: this.#now() + MAX_AGE_MS });
  }

  /** The store shows the object, or the write will not happen. */
  settle(resource: GroupResource, namespace: string, name: string): void {
    this.#open.delete(keyOf(resource, namespace, name));
  }

  in(namespace: string): Reservation[] {
    this.#forgetOld();
    return [...this.#open.values()].filter((r) => r.namespace === namespace);
  }

  /** Milliseconds until the last of a namespace is given up; undefined when it has none. */
  pendingMs(namespace: string): number | undefined {
    const last = this.in(namespace).at(-1);
    return last && Math.ceil(last.until - this.#now()) + 1;
  }

  #forgetOld(): void {
    const now = this.#now();
    for (const [key, { until }] of this.#open) {
      if (until > now) return;
      this.#open.delete(key);
    }
  }
}

function keyOf({ group, resource }: GroupResource, namespace: string, name: string): string {
  return `${group}/${resource}/${namespace}/${name}`;
}
