import type { GroupResource } from '../../machinery/errors.js';
import type { KubeObject } from '../../machinery/json.js';
import type { ObjectChange, ObjectFeed, ObjectLookup } from './feed.js';

/** Objects in memory with the promises of a feed: for tests of what follows one. */
export class MemoryFeed implements ObjectFeed, ObjectLookup {
  readonly #objects = new Map<string, Map<string, KubeObject>>();
  readonly #observers = new Map<string, Set<(change: ObjectChange) => void>>();

  async subscribe(resource: GroupResource, observer: (change: ObjectChange) => void): Promise<() => void> {
    const key = keyOf(resource);
    for (const object of this.#of(key).values()) observer({ type: 'ADDED', object });
    const observers = this.#observers.get(key) ?? new Set();
    this.#observers.set(key, observers.add(observer));
    return () => void observers.delete(observer);
  }

  get(resource: GroupResource, namespace: string, name: string): KubeObject | undefined {
    return this.#of(keyOf(resource)).get(`${namespace}/${name}`);
  }

  list(resource: GroupResource): KubeObject[] {
    return [...this.#of(keyOf(resource)).values()];
  }

  put(resource: GroupResource, object: KubeObject): void {
    const objects = this.#of(keyOf(resource));
    const key = `${object.metadata.namespace ?? ''}/${object.metadata.name}`;
    const old = objects.get(key);
    objects.set(key, object);
    this.#tell(resource, old ? { type: 'MODIFIED', object, old } : { type: 'ADDED', object });
  }

  remove(resource: GroupResource, namespace: string, name: string): void {
    const objects = this.#of(keyOf(resource));
    const old = objects.get(`${namespace}/${name}`);
    if (!old) return;
    objects.delete(`${namespace}/${name}`);
    this.#tell(resource, { type: 'DELETED', object: old, old });
  }

  #of(key: string): Map<string, KubeObject> {
    const objects = this.#objects.get(key) ?? new Map<string, KubeObject>();
    this.#objects.set(key, objects);
    return objects;
  }

  #tell(resource: GroupResource, change: ObjectChange): void {
    for (const observer of this.#observers.get(keyOf(resource)) ?? []) observer(change);
  }
}

function keyOf({ group, resource }: GroupResource): string {
  return `${group}/${resource}`;
}
