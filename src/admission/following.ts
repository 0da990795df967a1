import { type GroupResource, isStatusError } from '../machinery/errors.js';
import type { KubeObject } from '../machinery/json.js';

/** Where plugins learn of the objects that configure them. */
export interface Feed {
  /** First every object there is, then each change before its writer hears of success. */
  subscribe(
    resource: GroupResource,
    observer: (change: { readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'; readonly object: KubeObject }) => void,
  ): Promise<() => void>;
}

/**
 * Something made of each object of a resource, up to date from the moment a write is acknowledged. Following begins with
 * the first use. A resource that is not served has no objects.
 */
export class Following<T> {
  readonly #feed: Feed;
  readonly #resource: GroupResource;
  readonly #make: (object: KubeObject, previous: T | undefined) => T;
  readonly #changed: () => void;
  readonly #byName = new Map<string, T>();
  #sorted: readonly T[] | undefined;
  #started: Promise<void> | undefined;
  #cancel: (() => void) | undefined;
  #ready = false;
  #closed = false;

  /** @param make may return what it made before, when the change does not concern it */
  constructor(
    feed: Feed,
    resource: GroupResource,
    make: (object: KubeObject, previous: T | undefined) => T,
    changed: () => void = () => {},
  ) {
    this.#feed = feed;
    this.#resource = resource;
    this.#make = make;
    this.#changed = changed;
  }

  /** Waits for the objects there are; undefined when they are there already. */
  ready(): Promise<void> | undefined {
    if (this.#ready) return undefined;
    this.#started ??= this.#start().catch((e: unknown) => {
      this.#started = undefined;
      throw e;
    });
    return this.#started;
  }

  async #start(): Promise<void> {
    try {
      const cancel = await this.#feed.subscribe(this.#resource, ({ type, object }) => {
        const name = object.metadata.name ?? '';
        if (type === 'DELETED') this.#byName.delete(name);
        else this.#byName.set(name, this.#make(object, this.#byName.get(name)));
        this.#sorted = undefined;
        this.#changed();
      });
      if (this.#closed) cancel();
      else this.#cancel = cancel;
    } catch (e) {
      if (!isStatusError(e, 'NotFound')) throw e;
    }
    this.#ready = true;
  }

  get(name: string): T | undefined {
    return this.#byName.get(name);
  }

  /** In the order of the objects' names. */
  all(): readonly T[] {
    this.#sorted ??= [...this.#byName].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, made]) => made);
    return this.#sorted;
  }

  close(): void {
    this.#closed = true;
    this.#cancel?.();
  }
}
