import type { ObjectFeed } from '../../auth/authorization/feed.js';
import { type GroupResource, isStatusError } from '../../machinery/errors.js';
import type { KubeObject } from '../../machinery/json.js';

/**
 * The objects of a small resource by namespace, followed from the first question on, so that asking again costs a
 * look-up. A resource that is not served has no objects.
 */
export class ObjectIndex {
  readonly #feed: ObjectFeed;
  readonly #resource: GroupResource;
  readonly #keep: (object: KubeObject) => boolean;
  readonly #namespaces = new Map<string, Map<string, KubeObject>>();
  #loading: Promise<unknown> | undefined;

  /** @param keep which objects matter; the others are not held */
  constructor(feed: ObjectFeed, resource: GroupResource, keep: (object: KubeObject) => boolean = () => true) {
    this.#feed = feed;
    this.#resource = resource;
    this.#keep = keep;
  }

  /** Objects of a namespace ('' for cluster-scoped resources) in no particular order. Shared: never change them. */
  async in(namespace = ''): Promise<KubeObject[]> {
    await this.load();
    return this.now(namespace);
  }

  /** The same, of an index that is loaded. */
  now(namespace = ''): KubeObject[] {
    return [...(this.#namespaces.get(namespace)?.values() ?? [])];
  }

  load(): Promise<unknown> {
    this.#loading ??= this.#feed
      .subscribe(this.#resource, ({ type, object }) => {
        if (type === 'DELETED' || !this.#keep(object)) this.#remove(object);
        else this.#put(object);
      })
      .catch((e: unknown) => {
        // Asked again next time: the resource may come, the storage may recover.
        this.#loading = undefined;
        if (!isStatusError(e, 'NotFound')) throw e;
      });
    return this.#loading;
  }

  #put(object: KubeObject): void {
    const { namespace = '', name = '' } = object.metadata;
    const objects = this.#namespaces.get(namespace) ?? new Map<string, KubeObject>();
    this.#namespaces.set(namespace, objects.set(name, object));
  }

  #remove(object: KubeObject): void {
    const { namespace = '', name = '' } = object.metadata;
    const objects = this.#namespaces.get(namespace);
    if (objects?.delete(name) && objects.size === 0) this.#namespaces.delete(namespace);
  }
}
