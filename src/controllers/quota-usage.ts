import { addInto, type ResourceList, raiseInto } from '../admission/plugins/resource-list.js';
import type { Evaluator } from '../admission/plugins/resource-quota/evaluator.js';
import { inScopes, scopesOf } from '../admission/plugins/resource-quota/quota-state.js';
import type { QuotaRegistry } from '../admission/plugins/resource-quota/registry.js';
import type { Reservations } from '../admission/plugins/resource-quota/reservations.js';
import type { KubeObject } from '../machinery/json.js';
import { Quantity } from '../machinery/quantity.js';
import type { ResourceTable } from '../registry/resource-table.js';
import type { CachedObject } from '../storage/cacher/cacher.js';

const ZERO = Quantity.of(0);

export interface UsageCounterDependencies {
  readonly table: ResourceTable;
  readonly registry: QuotaRegistry;
  readonly reservations: Reservations;
}

/** Sums up what a namespace's objects use. */
export class UsageCounter {
  readonly #d: UsageCounterDependencies;
  /** Objects in the cache never change, so that each is looked at once. */
  readonly #known = new WeakMap<CachedObject, ResourceList>();

  constructor(dependencies: UsageCounterDependencies) {
    this.#d = dependencies;
  }

  /** Usage of those resource names of a quota that are counted at all. */
  async count(quota: KubeObject, names: readonly string[]): Promise<ResourceList> {
    const { registry } = this.#d;
    await registry.load();
    const total: ResourceList = new Map();
    for (const evaluator of registry.counting(names)) {
      const counted = new Set(evaluator.counts(names));
      const sum: ResourceList = new Map([...counted].map((name) => [name, ZERO]));
      for (const usage of await this.#usages(evaluator, quota)) {
        addInto(sum, new Map([...usage].filter(([name]) => counted.has(name))));
      }
      addInto(total, sum);
    }
    return total;
  }

  async #usages(evaluator: Evaluator, quota: KubeObject): Promise<ResourceList[]> {
    const { table, reservations } = this.#d;
    const { namespace = '' } = quota.metadata;
    const { group, resource } = evaluator.resource;
    const scopes = scopesOf(quota);
    // Read first: what is written meanwhile is in the list then.
    const open = new Map(
      reservations
        .in(namespace)
        .filter((r) => r.resource.group === group && r.resource.resource === resource)
        .map((r) => [r.name, r.object]),
    );
    const usages: ResourceList[] = [];
    const kind = table.preferred(group, resource)?.stored;
    const found = await kind?.cache.list({ namespace });
    for await (const batch of found?.batches() ?? []) {
      for (const object of batch) {
        const coming = open.get(object.name);
        open.delete(object.name);
        if (scopes.length > 0 && !inScopes(evaluator, scopes, object.parsed())) continue;
        const usage = this.#known.get(object) ?? (await this.#measure(evaluator, object));
        usages.push(coming ? more(usage, await evaluator.usage(coming)) : usage);
      }
    }
    for (const object of open.values()) {
      if (inScopes(evaluator, scopes, object)) usages.push(await evaluator.usage(object));
    }
    return usages;
  }

  async #measure(evaluator: Evaluator, object: CachedObject): Promise<ResourceList> {
    const values = object.parsed();
    const usage = await evaluator.usage(values);
    if (!evaluator.fleeting?.(values)) this.#known.set(object, usage);
    return usage;
  }
}

/** An object that is about to grow counts as grown; one that is about to shrink does not. */
function more(usage: ResourceList, coming: ResourceList): ResourceList {
  const most = new Map(usage);
  raiseInto(most, coming);
  return most;
}
