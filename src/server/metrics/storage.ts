import {
  type DeleteOptions,
  type DeleteResult,
  type GetResult,
  type PutOptions,
  type PutResult,
  prefixEnd,
  type RangeOptions,
  type RangeResult,
  type ReadOptions,
  type Storage,
} from '../../storage/contract.js';
import { WrappedStorage } from '../../storage/wrapped.js';
import type { Counter, Histogram } from './family.js';
import type { MetricsRegistry } from './registry.js';

/** A stored resource, under the name of its group. */
export interface StoredResource {
  readonly group: string;
  readonly resource: string;
  readonly cache: { readonly prefix: string; readonly size: number };
}

interface Series {
  readonly requests: Counter;
  readonly seconds: Histogram;
  readonly errors: () => Counter;
}

const ROOT = '/registry/';

/**
 * A storage that counts and times what is asked of it, by resource and operation: `etcd_requests_total`,
 * `etcd_request_duration_seconds`, `etcd_request_errors_total`. They have these names whatever the backend is, as
 * dashboards look for them. A write that meets a conflict is no error.
 */
export class MeasuredStorage extends WrappedStorage {
  readonly #registry: MetricsRegistry;
  readonly #resources: () => Iterable<StoredResource>;
  readonly #series = new Map<string, Map<string, Series>>();

  /** `resources`: those that are stored now; keys of others are counted without a name. */
  constructor(inner: Storage, registry: MetricsRegistry, resources: () => Iterable<StoredResource>) {
    super(inner);
    this.#registry = registry;
    this.#resources = resources;
  }

  override get(key: string, options?: ReadOptions): Promise<GetResult> {
    return this.#measured('get', key, () => super.get(key, options));
  }
  override range(options: RangeOptions): Promise<RangeResult> {
    return this.#measured('list', options.start, () => super.range(options));
  }
  override put(key: string, value: Buffer, options?: PutOptions): Promise<PutResult> {
    const operation = options?.expectedModRevision === 0 ? 'create' : 'update';
    return this.#measured(operation, key, () => super.put(key, value, options));
  }
  override delete(key: string, options?: DeleteOptions): Promise<DeleteResult> {
    return this.#measured('delete', key, () => super.delete(key, options));
  }

  async #measured<T>(operation: string, key: string, run: () => Promise<T>): Promise<T> {
    const series = this.#seriesOf(operation, key);
    const started = performance.now();
    try {
      return await run();
    } catch (e) {
      series.errors().inc();
      throw e;
    } finally {
      series.requests.inc();
      series.seconds.observe((performance.now() - started) / 1000);
    }
  }

  #seriesOf(operation: string, key: string): Series {
    // Prefixes have one segment or two (`/registry/services/specs/`, custom resources).
    const first = key.indexOf('/', ROOT.length) + 1;
    const short = key.slice(0, first);
    const long = key.slice(0, key.indexOf('/', first) + 1);
    const known = this.#series.get(short) ?? this.#series.get(long);
    const series = known?.get(operation);
    if (series) return series;
    let found: StoredResource | undefined;
    for (const r of this.#resources()) if (r.cache.prefix === short || r.cache.prefix === long) found = r;
    const labels = [found?.group ?? '', operation, found?.resource ?? ''] as const;
    const made: Series = {
      requests: this.#registry.counter('etcd_requests_total').labels(...labels),
      seconds: this.#registry.histogram('etcd_request_duration_seconds').labels(...labels),
      errors: () => this.#registry.counter('etcd_request_errors_total').labels(...labels),
    };
    if (found) this.#series.set(found.cache.prefix, (known ?? new Map<string, Series>()).set(operation, made));
    return made;
  }
}

/**
 * Fills, when called before a scrape, what is cheaper to look up than to keep: how many objects there are of each
 * resource (`apiserver_storage_objects`, `apiserver_resource_objects`) and `apiserver_storage_size_bytes`.
 */
export function storageMetrics(
  registry: MetricsRegistry,
  storage: Storage,
  resources: () => Iterable<StoredResource>,
): () => Promise<void> {
  const byName = registry.gauge('apiserver_storage_objects');
  const byGroup = registry.gauge('apiserver_resource_objects');
  const size = registry.gauge('apiserver_storage_size_bytes');
  return async () => {
    const counts: [StoredResource, number][] = [];
    for (const r of resources()) {
      const { prefix, size: cached } = r.cache;
      // A cache that is not loaded yet has none.
      const stored = cached || (await storage.range({ start: prefix, end: prefixEnd(prefix), countOnly: true })).count;
      counts.push([r, stored ?? 0]);
    }
    const bytes = await storage.sizeInBytes();
    byName.clear();
    byGroup.clear();
    for (const [{ group, resource }, count] of counts) {
      byName.labels(group === '' ? resource : `${resource}.${group}`).set(count);
      byGroup.labels(group, resource).set(count);
    }
    size.labels('').set(bytes);
  };
}
