import type { Clock } from '../clock.js';
import type { Storage, StorageError, WatchEvent } from '../contract.js';
import type { Cacher, CacherHooks, ResourceCache, ResourceOptions } from './cacher.js';
import { Feed } from './feed.js';
import { FormCache } from './forms.js';
import { History } from './history.js';
import { LeasePool } from './leases.js';
import { ObjectScope } from './object.js';
import { CachedResource, type Shared } from './resource.js';
import { WakeQueue } from './wake.js';

export interface CacherOptions {
  storage: Storage;
  clock: Clock;
  hooks: CacherHooks;
  /** What all resources' prefixes start with. Default `/registry/`. */
  prefix?: string;
  /** Bound on old states kept for watchers and for paging; older ones are read from the storage. Default 32 MiB. */
  historyBytes?: number;
  /** Bound on kept encodings (`form`). Default 16 MiB. */
  formBytes?: number;
}

/** Starts a cache on a storage. Resources load at their first use. */
export function createCacher(options: CacherOptions): Cacher {
  const { storage, clock, hooks, prefix = '/registry/' } = options;
  const forms = new FormCache(options.formBytes ?? 16 * 2 ** 20);
  const resources = new Map<string, CachedResource>();
  /** How many resources there are below a prefix. */
  const below = new Map<string, number>();
  let closed = false;

  const changed = (event: WatchEvent) => resourceOf(event.kv.key)?.changed(event);
  const lost = (error: StorageError) => {
    if (closed) return;
    feed = error.code === 'Closed' ? feed : startFeed();
    for (const resource of resources.values()) resource.reset();
  };
  const startFeed = () => new Feed(storage, clock, prefix, changed, lost);
  let feed = startFeed();

  const shared: Shared = {
    storage,
    clock,
    history: new History(options.historyBytes ?? 32 * 2 ** 20),
    leases: new LeasePool(storage, clock),
    wakes: new WakeQueue(),
    feed: () => feed,
  };

  /** Resources' prefixes have different depths: /registry/pods/, /registry/services/specs/, /registry/<group>/<name>/. */
  function resourceOf(key: string): CachedResource | undefined {
    for (let slash = key.indexOf('/', prefix.length); slash >= 0; slash = key.indexOf('/', slash + 1)) {
      const resource = resources.get(key.slice(0, slash + 1));
      if (resource) return resource;
    }
    return undefined;
  }

  function count(of: string, by: number): void {
    for (let slash = of.indexOf('/', prefix.length); slash >= 0; slash = of.indexOf('/', slash + 1)) {
      const upper = of.slice(0, slash + 1);
      const left = (below.get(upper) ?? 0) + by;
      if (left > 0) below.set(upper, left);
      else below.delete(upper);
    }
  }

  return {
    storage,
    currentRevision: () => storage.currentRevision(),
    resource(resourceOptions: ResourceOptions): ResourceCache {
      const wanted = resourceOptions.prefix;
      if (!wanted.startsWith(prefix) || !wanted.endsWith('/')) throw new Error(`${wanted} is not below ${prefix}`);
      const other = resourceOf(wanted)?.prefix;
      if (other || below.has(wanted)) throw new Error(`${wanted} overlaps with ${other ?? 'what is below it'}`);
      const resource = new CachedResource(shared, new ObjectScope(resourceOptions, hooks, forms));
      resources.set(wanted, resource);
      count(wanted, 1);
      return resource;
    },
    release(cache: ResourceCache): void {
      const resource = resources.get(cache.prefix);
      if (resource !== cache) return;
      resources.delete(cache.prefix);
      count(cache.prefix, -1);
      resource?.release();
    },
    close(): void {
      closed = true;
      feed.stop();
      for (const resource of resources.values()) resource.release();
      resources.clear();
    },
  };
}
