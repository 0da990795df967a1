import { obj } from '../../../api/access.js';
import { conflict, type GroupResource, isStatusError } from '../../../machinery/errors.js';
import { compareBytes } from '../../../machinery/go-format.js';
import type { KubeObject } from '../../../machinery/json.js';
import type { AdmissionAttributes, AdmissionPlugin } from '../../contract.js';
import { ObjectIndex } from '../object-index.js';
import { equalLists, type ResourceList, toJson } from '../resource-list.js';
import { checkRequest, type QuotaRequest } from './check-request.js';
import type { LimitedResource } from './configuration.js';
import { type QuotaState, quotaState } from './quota-state.js';
import type { QuotaObjects, QuotaRegistry } from './registry.js';
import type { Reservations } from './reservations.js';

const QUOTAS = { group: '', resource: 'resourcequotas' };
/** Rounds that other writers may win before requests are refused. */
const ATTEMPTS = 10;

export interface ResourceQuotaDependencies {
  readonly objects: QuotaObjects & {
    update(
      resource: GroupResource,
      namespace: string,
      name: string,
      change: (object: KubeObject) => KubeObject | undefined,
      settings: { manager: string; subresource?: string },
    ): Promise<unknown>;
  };
  readonly registry: QuotaRegistry;
  readonly reservations: Reservations;
  readonly limited: readonly LimitedResource[];
}

interface Waiter {
  readonly request: QuotaRequest;
  admit(): void;
  reject(e: unknown): void;
}

/**
 * Lets a write through when it fits into every quota of its namespace, and charges it to their status first, by
 * compare-and-swap: however many writes come at once, they never get more than there is. The writes of a namespace that
 * come together are decided together, so that a burst costs few updates.
 */
export class ResourceQuota implements AdmissionPlugin {
  readonly name = 'ResourceQuota';
  readonly #d: ResourceQuotaDependencies;
  readonly #quotas: ObjectIndex;
  /** Those that wait for the decisions being made in their namespace. */
  readonly #waiting = new Map<string, Waiter[]>();

  constructor(dependencies: ResourceQuotaDependencies) {
    this.#d = dependencies;
    this.#quotas = new ObjectIndex(dependencies.objects, QUOTAS);
  }

  handles(operation: AdmissionAttributes['operation']): boolean {
    return operation === 'CREATE' || operation === 'UPDATE';
  }

  async validate(a: AdmissionAttributes): Promise<void> {
    const { object } = a;
    if (!object || a.namespace === '' || (a.kind.kind === 'Namespace' && a.kind.group === '')) return;
    const evaluator = this.#d.registry.evaluator(a.resource);
    if (!evaluator?.handles(a)) return;
    if ((await this.#quotas.in(a.namespace)).length === 0 && this.#d.limited.length === 0) return;
    await evaluator.load?.();
    const usage = await evaluator.usage(object);
    const usageBefore = a.oldObject && (await evaluator.usage(a.oldObject));
    await this.#decide({ attributes: a, object, evaluator, usage, usageBefore });
  }

  #decide(request: QuotaRequest): Promise<void> {
    return new Promise((admit, reject) => {
      const { namespace } = request.attributes;
      const waiter = { request, admit, reject };
      const others = this.#waiting.get(namespace);
      if (others) others.push(waiter);
      else {
        this.#waiting.set(namespace, [waiter]);
        void this.#decideAll(namespace);
      }
    });
  }

  async #decideAll(namespace: string): Promise<void> {
    for (;;) {
      const waiters = this.#waiting.get(namespace) ?? [];
      if (waiters.length === 0) break;
      this.#waiting.set(namespace, []);
      try {
        await this.#decideBatch(namespace, waiters);
      } catch (e) {
        for (const waiter of waiters) waiter.reject(e);
      }
    }
    this.#waiting.delete(namespace);
  }

  async #decideBatch(namespace: string, batch: readonly Waiter[]): Promise<void> {
    let waiters = batch;
    let only: ReadonlySet<string> | undefined;
    for (let attempt = 1; waiters.length > 0; attempt++) {
      const quotas = this.#quotas.now(namespace).map(quotaState);
      const looked = quotas.filter((q) => !only || only.has(q.name)).sort((x, y) => compareBytes(x.name, y.name));
      const { charged, states } = this.#charge(waiters, looked, only ? [] : this.#d.limited);
      const changed = states.filter((state, i) => !equalLists(state.used, looked[i]!.used));
      const written = await Promise.all(changed.map((state) => this.#write(namespace, state)));
      const failed = changed.filter((_, i) => !written[i]);
      if (failed.length === 0) {
        for (const waiter of charged) waiter.admit();
        return;
      }
      // What was charged to the other quotas stays so; only these are looked at again.
      waiters = charged;
      only = new Set(failed.map((q) => q.name));
      if (attempt < ATTEMPTS) continue;
      const text = 'the object has been modified; please apply your changes to the latest version and try again';
      for (const waiter of waiters) this.#refuse(waiter, conflict(QUOTAS, failed[0]!.name, text));
      return;
    }
  }

  /** Decides one after the other; those that are charged to a quota are let through when that is written. */
  #charge(
    waiters: readonly Waiter[],
    quotas: readonly QuotaState[],
    limited: readonly LimitedResource[],
  ): { charged: Waiter[]; states: QuotaState[] } {
    const charged: Waiter[] = [];
    let states = [...quotas];
    for (const waiter of waiters) {
      const { attributes: a, object } = waiter.request;
      let used: Map<string, ResourceList>;
      try {
        used = checkRequest(waiter.request, states, limited);
      } catch (e) {
        this.#refuse(waiter, e);
        continue;
      }
      if (a.dryRun || used.size === 0) waiter.admit();
      else {
        states = states.map((state) => ({ ...state, used: used.get(state.name) ?? state.used }));
        this.#d.reservations.add(a.resource, a.namespace, nameOf(a), object);
        charged.push(waiter);
      }
    }
    return { charged, states };
  }

  #refuse({ request: { attributes: a }, reject }: Waiter, reason: unknown): void {
    this.#d.reservations.settle(a.resource, a.namespace, nameOf(a));
    reject(reason);
  }

  /** False: somebody else wrote the quota since it was read. */
  async #write(namespace: string, { name, revision, used }: QuotaState): Promise<boolean> {
    let current = true;
    const change = (quota: KubeObject): KubeObject | undefined => {
      current = quota.metadata.resourceVersion === revision;
      if (!current) return undefined;
      return { ...quota, status: { ...obj(quota, 'status'), used: toJson(used) } };
    };
    const settings = { manager: 'kube-apiserver', subresource: 'status' };
    try {
      await this.#d.objects.update(QUOTAS, namespace, name, change, settings);
    } catch (e) {
      if (!isStatusError(e, 'NotFound') && !isStatusError(e, 'Conflict')) throw e;
      return false;
    }
    return current;
  }
}

const nameOf = (a: AdmissionAttributes): string => a.name || (a.object?.metadata.name ?? '');
