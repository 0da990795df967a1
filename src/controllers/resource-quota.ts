import { equalLists, resourceList, toJson } from '../admission/plugins/resource-list.js';
import type { QuotaRegistry } from '../admission/plugins/resource-quota/registry.js';
import type { Reservations } from '../admission/plugins/resource-quota/reservations.js';
import { obj } from '../api/access.js';
import { type GroupResource, isStatusError } from '../machinery/errors.js';
import { equalJson, type KubeObject } from '../machinery/json.js';
import type { Kind } from '../registry/kind.js';
import type { CachedObject, Subscription } from '../storage/cacher/cacher.js';
import type { Controller, ControllerParts } from './contract.js';
import { UsageCounter } from './quota-usage.js';
import { WorkQueue } from './work-queue.js';

const QUOTAS = { group: '', resource: 'resourcequotas' };
const SETTINGS = { manager: 'kube-controller-manager', subresource: 'status' };
/** What was charged for a write that then failed is found out when it is counted again after this time. */
const RECOUNT_MS = 10_000;
/** Pods stop counting by time alone when their node is lost. */
const RECOUNT_ALL_MS = 5 * 60_000;

export interface ResourceQuotaOptions extends ControllerParts {
  readonly quota: { readonly registry: QuotaRegistry; readonly reservations: Reservations };
}

/**
 * Counts what is used of each quota: when the quota changes, and when something that it counts goes or shrinks. What
 * comes and grows was charged by admission.
 */
export function resourceQuotaController(options: ResourceQuotaOptions): Controller {
  const { client, table, log } = options;
  const { registry, reservations } = options.quota;
  /** Names of the quotas of each namespace. */
  const quotas = new Map<string, Map<string, KubeObject>>();
  const followed = new Map<string, { kind: Kind; subscription: Promise<Subscription> }>();
  const counter = new UsageCounter({ table, registry, reservations });
  const stops: (() => void)[] = [];
  const queue = new WorkQueue({
    workers: 4,
    async work(key) {
      const [namespace = '', name = ''] = key.split('/');
      if (!quotas.get(namespace)?.has(name)) return undefined;
      if (await sync(namespace, name)) return reservations.pendingMs(namespace);
      return 0;
    },
    failed: (key, e) => log('warning', `resource quota ${key}: ${String(e)}`),
  });

  function changed(resource: GroupResource, now: CachedObject | undefined, before: CachedObject | undefined): void {
    const { namespace, name } = (now ?? before)!;
    reservations.settle(resource, namespace, name);
    const present = quotas.get(namespace);
    if (!present || !before) return;
    const evaluator = registry.evaluator(resource);
    if (!evaluator || (now && !evaluator.frees?.(now.parsed(), before.parsed()))) return;
    for (const [quota, object] of present) {
      if (evaluator.counts(Object.keys(obj(obj(object, 'spec'), 'hard'))).length > 0)
        queue.add(`${namespace}/${quota}`);
    }
  }

  /** Follows every resource that some quota counts, as it is served now. */
  async function follow(): Promise<void> {
    const names = new Set<string>();
    for (const present of quotas.values()) {
      for (const quota of present.values())
        for (const name of Object.keys(obj(obj(quota, 'spec'), 'hard'))) names.add(name);
    }
    const wanted = new Map(registry.counting([...names]).map(({ resource }) => [keyOf(resource), resource]));
    for (const [key, { kind, subscription }] of followed) {
      const resource = wanted.get(key);
      if (resource && kindOf(resource) === kind) continue;
      followed.delete(key);
      (await subscription).cancel();
    }
    for (const [key, resource] of wanted) {
      const kind = kindOf(resource);
      if (!kind || followed.has(key)) continue;
      const subscriber = { changed: (now?: CachedObject, before?: CachedObject) => changed(resource, now, before) };
      followed.set(key, { kind, subscription: kind.cache.subscribe(subscriber) });
    }
    await Promise.all([...followed.values()].map((f) => f.subscription));
  }

  const kindOf = ({ group, resource }: GroupResource): Kind | undefined => table.preferred(group, resource)?.stored;
  const followLater = () => void follow().catch((e) => log('warning', `resource quota: ${String(e)}`));

  function quotaChanged(type: string, quota: KubeObject, old: KubeObject | undefined): void {
    const { namespace = '', name = '' } = quota.metadata;
    const present = quotas.get(namespace) ?? new Map<string, KubeObject>();
    if (type === 'DELETED') present.delete(name);
    else present.set(name, quota);
    if (present.size > 0) quotas.set(namespace, present);
    else quotas.delete(namespace);
    const key = `${namespace}/${name}`;
    const { hard } = obj(quota, 'spec');
    const asked = type !== 'DELETED' && !(old && equalJson(hard, obj(old, 'spec').hard));
    if (asked || type === 'DELETED') followLater();
    if (asked || (type !== 'DELETED' && !equalJson(hard, obj(quota, 'status').hard))) queue.add(key);
    else if (old && !equalJson(obj(quota, 'status').used, obj(old, 'status').used)) queue.addAfter(key, RECOUNT_MS);
  }

  /** False: it was written meanwhile, and must be looked at again. */
  async function sync(namespace: string, name: string): Promise<boolean> {
    const quota = await client.get(QUOTAS, namespace, name);
    if (!quota) return true;
    const hard = resourceList(obj(obj(quota, 'spec'), 'hard'));
    const status = obj(quota, 'status');
    const before = resourceList(obj(status, 'used'));
    const used = new Map([...before].filter(([resource]) => hard.has(resource)));
    for (const [resource, q] of await counter.count(quota, [...hard.keys()])) used.set(resource, q);
    const clean = equalLists(resourceList(obj(status, 'hard')), hard) && equalLists(used, before);
    if (clean && status.hard !== undefined && status.used !== undefined) return true;
    let current = true;
    const change = (object: KubeObject): KubeObject | undefined => {
      current = object.metadata.resourceVersion === quota.metadata.resourceVersion;
      return current ? { ...object, status: { hard: toJson(hard), used: toJson(used) } } : undefined;
    };
    try {
      await client.update(QUOTAS, namespace, name, change, SETTINGS);
    } catch (e) {
      if (!isStatusError(e, 'NotFound')) throw e;
    }
    return current;
  }

  return {
    name: 'resourcequota-controller',
    async start() {
      stops.push(
        table.onChange(followLater),
        await client.subscribe(QUOTAS, ({ type, object, old }) => quotaChanged(type, object, old)),
      );
      const timer = setInterval(() => {
        for (const [namespace, present] of quotas) for (const name of present.keys()) queue.add(`${namespace}/${name}`);
      }, RECOUNT_ALL_MS);
      timer.unref();
      stops.push(() => clearInterval(timer));
      await follow();
    },
    async stop() {
      for (const stop of stops) stop();
      for (const { subscription } of followed.values()) (await subscription).cancel();
      await queue.close();
    },
  };
}

const keyOf = ({ group, resource }: GroupResource): string => `${group}/${resource}`;
