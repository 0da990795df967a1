import { bool, list, obj, str } from '../../api/access.js';
import type { Controller } from '../../controllers/contract.js';
import { WorkQueue } from '../../controllers/work-queue.js';
import { isStatusError } from '../../machinery/errors.js';
import { equalJson, type JsonObject, type KubeObject } from '../../machinery/json.js';
import type { LocalClient } from '../../registry/local-client.js';
import type { ResourceTable } from '../../registry/resource-table.js';
import { CRDS } from '../crd/definition.js';
import { API_SERVICES } from './api-service.js';
import type { ApiServices } from './api-services.js';
import { nameOf, rankOf } from './priorities.js';

export interface LocalServicesParts {
  readonly services: ApiServices;
  readonly client: LocalClient;
  readonly table: ResourceTable;
  log(level: 'info' | 'warning' | 'error', message: string): void;
}

const MANAGED = 'kube-aggregator.kubernetes.io/automanaged';
const ON_START = 'onstart';
const ALWAYS = 'true';
const WRITER = { manager: 'kube-apiserver' };
const WORKERS = 5;

/**
 * Keeps an APIService for every group version that this server answers itself. Those of compiled-in groups are made and
 * put right once, at the start, so that a user may change them after; those of custom resources always, as long as they
 * bear the label that says so.
 *
 * | there is | nothing wanted | wanted at start | wanted always |
 * |---|---|---|---|
 * | none | – | make once | make |
 * | without label | – | – | – |
 * | of start, made since | – | – | – |
 * | of start, older | remove once | put right once | put right once |
 * | always | remove | put right once | put right |
 */
export function localApiServices(parts: LocalServicesParts): Controller {
  const { services, client, table, log } = parts;
  const wanted = new Map<string, KubeObject>();
  /** Versions by definition, as it was last seen. */
  const definitions = new Map<string, readonly string[]>();
  const atStart = new Set<string>();
  const settled = new Set<string>();
  const stops: (() => void)[] = [];
  const queue = new WorkQueue({
    workers: WORKERS,
    async work(name) {
      await settle(name);
      settled.add(name);
      return undefined;
    },
    failed: (name, e) => log('warning', `APIService ${name}: ${e instanceof Error ? e.message : String(e)}`),
  });

  async function settle(name: string): Promise<void> {
    const want = wanted.get(name);
    const there = await client.get(API_SERVICES, '', name);
    const once = settled.has(name);
    if (labelOf(want) === ON_START && once) return;
    if (!there) {
      if (want) await client.ensure(API_SERVICES, want, WRITER);
      return;
    }
    const label = labelOf(there);
    if (label !== ON_START && label !== ALWAYS) return;
    if (label === ON_START && (once || !atStart.has(name))) return;
    if (want && equalJson(there.spec, want.spec)) return;
    try {
      if (want) await client.update(API_SERVICES, '', name, (o) => ({ ...o, spec: want.spec as JsonObject }), WRITER);
      else await client.delete(API_SERVICES, '', name, { preconditions: { uid: there.metadata.uid } });
    } catch (e) {
      // Changed or gone meanwhile: that brings it back here.
      if (!isStatusError(e, 'NotFound') && !isStatusError(e, 'Conflict')) throw e;
    }
  }

  /** Which versions custom resources are served at; compiled-in ones are told by `compiledIn`. */
  function define(type: string, definition: KubeObject): void {
    const key = definition.metadata.name ?? '';
    const before = definitions.get(key) ?? [];
    const spec = obj(definition, 'spec');
    const group = str(spec, 'group');
    const served = list(spec, 'versions').filter((v) => bool(v, 'served'));
    const now = type === 'DELETED' ? [] : served.map((v) => nameOf(group, str(v, 'name')));
    if (now.length > 0) definitions.set(key, now);
    else definitions.delete(key);
    for (const name of now) {
      if (!wanted.has(name)) wanted.set(name, apiService(group, name.slice(0, -group.length - 1), ALWAYS));
      queue.add(name);
    }
    for (const name of before) {
      if (now.includes(name) || labelOf(wanted.get(name)) !== ALWAYS) continue;
      if ([...definitions.values()].some((names) => names.includes(name))) continue;
      wanted.delete(name);
      queue.add(name);
    }
  }

  return {
    name: 'autoregister-controller',
    async start() {
      for (const { name } of services.all()) atStart.add(name);
      for (const { group, versions, dynamic } of table.groups()) {
        if (dynamic || group === API_SERVICES.group) continue;
        for (const { version } of versions) wanted.set(nameOf(group, version), apiService(group, version, ON_START));
      }
      stops.push(await client.subscribe(CRDS, ({ type, object }) => define(type, object)));
      services.onChange((name) => queue.add(name));
      await Promise.all(
        [...new Set([...wanted.keys(), ...atStart])].map(async (name) => {
          await settle(name);
          settled.add(name);
        }),
      );
    },
    async stop() {
      for (const stop of stops) stop();
      await queue.close();
    },
  };
}

function apiService(group: string, version: string, managed: string): KubeObject {
  const { name, groupPriority, versionPriority } = rankOf(group, version);
  return {
    metadata: { name, labels: { [MANAGED]: managed } },
    spec: {
      ...(group && { group }),
      version,
      groupPriorityMinimum: groupPriority,
      versionPriority,
    },
  };
}

function labelOf(object: KubeObject | undefined): string | undefined {
  return object?.metadata.labels?.[MANAGED];
}
