import type { Controller } from '../../controllers/contract.js';
import { WorkQueue } from '../../controllers/work-queue.js';
import { compareBytes } from '../../machinery/go-format.js';
import type { ResourceTable } from '../../registry/resource-table.js';
import type { DiscoverySource, ServedGroup, ServedVersion } from '../../server/discovery/contract.js';
import { API_SERVICES, type ApiService, groupsByPriority, type Ranked } from './api-service.js';
import type { ApiServices, Served } from './api-services.js';
import type { Backend } from './backend.js';
import { type DiscoveryDocument, downloadDiscovery } from './discovery-download.js';
import { nameOf, rankOf } from './priorities.js';

export interface DiscoveryParts {
  readonly table: ResourceTable;
  readonly services: ApiServices;
  log(level: 'info' | 'warning' | 'error', message: string): void;
}

/** A group version with its place among the others. */
interface Member extends Ranked {
  readonly served: ServedVersion;
  /** Of what this server answers: not compiled in. */
  readonly dynamic?: boolean;
}

/** What is known of an aggregated server's group version. */
interface Heard {
  readonly backend: Backend;
  readonly document: DiscoveryDocument | undefined;
  /** It did not answer when it was last asked. */
  readonly stale: boolean;
}

const REFRESH_MS = 60_000;
const FIRST_RETRY_MS = 500;
const WORKERS = 2;

/**
 * What this server and the aggregated ones serve, as one. What another server said last is kept while it does not
 * answer, and marked as stale.
 */
export class AggregatedDiscovery implements DiscoverySource {
  readonly #parts: DiscoveryParts;
  readonly #heard = new Map<string, Heard>();
  readonly #queue: WorkQueue;
  readonly #ending = new AbortController();
  #groups: readonly ServedGroup[] | undefined;
  #aggregated: readonly ServedGroup[] | undefined;

  constructor(parts: DiscoveryParts) {
    this.#parts = parts;
    this.#queue = new WorkQueue({
      workers: WORKERS,
      firstRetryMs: FIRST_RETRY_MS,
      lastRetryMs: REFRESH_MS,
      work: (name) => this.#refresh(name),
      failed: (name, e) => parts.log('info', `discovery of APIService ${name}: ${e instanceof Error ? e.message : e}`),
    });
    parts.table.onChange(() => this.#forget());
    parts.services.onChange((name) => {
      this.#forget();
      this.#queue.add(name);
    });
  }

  readonly controller: Controller = {
    name: 'apiservice-discovery-controller',
    start: async () => {},
    stop: async () => {
      this.#ending.abort();
      await this.#queue.close();
    },
  };

  /** As `/apis` lists them: everything that an APIService stands for, even when nobody answers it. */
  groups(): readonly ServedGroup[] {
    this.#groups ??= this.#listed();
    return this.#groups;
  }

  /** In the aggregated form only what somebody answers. Groups of equal priority go by name. */
  aggregated(): readonly ServedGroup[] {
    this.#aggregated ??= this.#answered();
    return this.#aggregated;
  }

  #forget(): void {
    this.#groups = undefined;
    this.#aggregated = undefined;
  }

  /** What this server answers, by name of the APIService that stands for it. */
  #local(): Map<string, Member> {
    const { table, services } = this.#parts;
    const found = new Map<string, Member>();
    for (const { group, versions, dynamic } of table.groups()) {
      for (const served of versions) {
        const name = nameOf(group, served.version);
        found.set(name, { ...(services.get(name) ?? rankOf(group, served.version)), served, dynamic });
      }
    }
    return found;
  }

  #listed(): ServedGroup[] {
    const { services } = this.#parts;
    const members = this.#local();
    for (const api of services.all()) {
      const known = members.get(api.name);
      if (known && !services.remote(api.name)) continue;
      members.set(api.name, { ...api, served: { version: api.version, resources: [], aggregated: true } });
    }
    return ownGroupFirst(groupsByPriority(members.values())).map(groupOf);
  }

  #answered(): ServedGroup[] {
    const { services } = this.#parts;
    const members = this.#local();
    for (const api of services.all()) if (services.remote(api.name)) members.set(api.name, this.#remote(api));
    const groups = groupsByPriority(members.values());
    const priority = (group: readonly Member[]) => Math.max(...group.map((m) => m.groupPriority));
    groups.sort((a, b) => priority(b) - priority(a) || compareBytes(a[0]!.group, b[0]!.group));
    return ownGroupFirst(groups).map(groupOf);
  }

  #remote(api: ApiService): Member {
    const heard = this.#heard.get(api.name);
    const served: ServedVersion = {
      version: api.version,
      resources: [],
      aggregated: true,
      document: heard?.document?.resources,
      freshness: !heard || heard.stale ? 'Stale' : 'Current',
    };
    return { ...api, served };
  }

  async #refresh(name: string): Promise<number | undefined> {
    const remote = this.#parts.services.remote(name);
    if (!remote) {
      if (this.#heard.delete(name)) this.#forget();
      return undefined;
    }
    const { api, available, backend } = remote;
    const before = this.#heard.get(name);
    const known = before?.document;
    // Another change of it brings it back here.
    if (!available) {
      this.#set(name, { backend, document: known, stale: true });
      return undefined;
    }
    try {
      const same = before?.backend === backend ? known : undefined;
      const document = await downloadDiscovery(backend, api.group, api.version, same, this.#ending.signal);
      if (!this.#isCurrent(name, remote)) return undefined;
      this.#set(name, { backend, document, stale: false });
      return REFRESH_MS;
    } catch (e) {
      if (!this.#isCurrent(name, remote)) return undefined;
      this.#set(name, { backend, document: known, stale: true });
      throw e;
    }
  }

  #isCurrent(name: string, { backend }: Served): boolean {
    return !this.#ending.signal.aborted && this.#parts.services.remote(name)?.backend === backend;
  }

  #set(name: string, heard: Heard): void {
    const old = this.#heard.get(name);
    this.#heard.set(name, heard);
    if (!old || old.stale !== heard.stale || old.document !== heard.document) this.#forget();
  }
}

function groupOf(members: readonly Member[]): ServedGroup {
  const local = members.find((m) => !m.served.aggregated);
  return {
    group: members[0]!.group,
    versions: members.map((m) => m.served),
    dynamic: local ? local.dynamic : true,
  };
}

/** The core group, then the one of APIServices themselves, which no APIService stands for. */
function ownGroupFirst<T extends { readonly group: string }>(groups: readonly T[][]): T[][] {
  const first = (members: T[]) => members[0]!.group === '' || members[0]!.group === API_SERVICES.group;
  const own = groups.filter(first).sort((a, b) => compareBytes(a[0]!.group, b[0]!.group));
  return [...own, ...groups.filter((g) => !first(g))];
}
