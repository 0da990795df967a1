import type { UserInfo } from '../auth/contract.js';
import { encodePlain } from '../machinery/codec/json/encode.js';
import { parseJson } from '../machinery/codec/json/parse.js';
import { mediaOffers } from '../machinery/codec/negotiate.js';
import { type GroupResource, isStatusError, notFound } from '../machinery/errors.js';
import { cloneJson, type JsonObject, type KubeObject } from '../machinery/json.js';
import type { CachedObject } from '../storage/cacher/cacher.js';
import type { Endpoint } from './endpoint.js';
import type { ResourceTable } from './resource-table.js';
import type { VerbAnswer, VerbRequest, VerbServices } from './verbs/contract.js';
import { create } from './verbs/create.js';
import { remove } from './verbs/delete.js';
import { APPLY_PATCH, patch } from './verbs/patch.js';
import { update } from './verbs/update.js';

/** One change of one object, at its hub version. */
export interface ObjectChange {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  readonly namespace: string;
  readonly name: string;
  /** After the change; the last state for DELETED. Shared: never change it. */
  readonly object: KubeObject;
  /** Before the change; undefined for ADDED. */
  readonly old?: KubeObject;
}

export interface WriteSettings {
  /** Name in managedFields. */
  manager: string;
  subresource?: string;
  user?: UserInfo;
}

const SELF: UserInfo = { name: 'system:apiserver', groups: ['system:masters', 'system:authenticated'] };
const ATTEMPTS = 20;
const NEVER = new AbortController().signal;

/**
 * The server's own way to its objects: controllers, authorizers' indexes and bootstrap go through the same verbs as
 * clients, admission included, without a socket. Objects are at the preferred version as JSON holds them.
 */
export class LocalClient {
  readonly #table: ResourceTable;
  readonly #services: VerbServices;

  constructor(table: ResourceTable, services: VerbServices) {
    this.#table = table;
    this.#services = services;
  }

  /** Undefined when there is no such object, or no such resource. */
  async get(resource: GroupResource, namespace: string, name: string): Promise<KubeObject | undefined> {
    const kind = this.#table.preferred(resource.group, resource.resource)?.stored;
    return (await kind?.cache.get(kind.cache.key(namespace, name)))?.parsed();
  }

  /** All objects, of one namespace or ('') of all. */
  async list(resource: GroupResource, namespace = ''): Promise<KubeObject[]> {
    const kind = this.#table.preferred(resource.group, resource.resource)?.stored;
    if (!kind) return [];
    const found = await kind.cache.list(namespace ? { namespace } : {});
    return (await found.items()).map((o) => o.parsed());
  }

  /**
   * First every object there is as ADDED, then each change in the order of writes, before its writer hears of success.
   * Settles when the objects there are have been delivered; gives the function that ends it.
   */
  async subscribe(resource: GroupResource, observer: (change: ObjectChange) => void): Promise<() => void> {
    const kind = this.#table.preferred(resource.group, resource.resource)?.stored;
    if (!kind) throw notFound(resource, '');
    const subscription = await kind.cache.subscribe({
      changed(object, previous) {
        if (object) observer(new Change(previous ? 'MODIFIED' : 'ADDED', object, previous));
        else if (previous) observer(new Change('DELETED', previous, previous));
      },
    });
    return () => subscription.cancel();
  }

  async create(resource: GroupResource, object: KubeObject, settings: WriteSettings): Promise<KubeObject> {
    const endpoint = this.#endpoint(resource, settings.subresource);
    const { namespace = '', name = '' } = object.metadata;
    const target = settings.subresource ? name : '';
    const request = this.#request(endpoint, namespace, target, object, settings);
    return values(await create(request, this.#services));
  }

  /** Creates, unless it is there already; undefined then. */
  async ensure(resource: GroupResource, object: KubeObject, settings: WriteSettings): Promise<KubeObject | undefined> {
    const { namespace = '', name = '' } = object.metadata;
    if (await this.get(resource, namespace, name)) return undefined;
    try {
      return await this.create(resource, object, settings);
    } catch (e) {
      if (isStatusError(e, 'AlreadyExists')) return undefined;
      throw e;
    }
  }

  /**
   * Reads, changes and writes back, again when another writer came first. `change` gets a copy; undefined from it means
   * nothing to do.
   *
   * @throws 404 when the object is gone, 409 after twenty lost races
   */
  async update(
    resource: GroupResource,
    namespace: string,
    name: string,
    change: (object: KubeObject) => KubeObject | undefined,
    settings: WriteSettings,
  ): Promise<KubeObject | undefined> {
    const endpoint = this.#endpoint(resource, settings.subresource);
    for (let attempt = 1; ; attempt++) {
      const old = await this.get(resource, namespace, name);
      if (!old) throw notFound(resource, name);
      const changed = change(cloneJson(old));
      if (!changed) return undefined;
      try {
        return values(await update(this.#request(endpoint, namespace, name, changed, settings), this.#services));
      } catch (e) {
        if (!isStatusError(e, 'Conflict') || attempt >= ATTEMPTS) throw e;
      }
    }
  }

  /** Server-side apply: what `config` says is this manager's, conflicts or not. */
  async apply(
    resource: GroupResource,
    config: KubeObject & { apiVersion: string; kind: string },
    settings: WriteSettings,
  ): Promise<KubeObject> {
    const { namespace = '', name = '' } = config.metadata;
    const endpoint = this.#endpoint(resource, settings.subresource);
    const query = new URLSearchParams({ fieldManager: settings.manager, force: 'true' });
    const request = this.#request(endpoint, namespace, name, config, settings);
    return values(await patch({ ...request, query, contentType: APPLY_PATCH }, this.#services));
  }

  /** @throws 404, and 409 when a precondition does not hold */
  async delete(
    resource: GroupResource,
    namespace: string,
    name: string,
    options: JsonObject = {},
    settings: WriteSettings = { manager: 'kube-apiserver' },
  ): Promise<void> {
    const body = { kind: 'DeleteOptions', apiVersion: 'v1', ...options };
    await remove(this.#request(this.#endpoint(resource), namespace, name, body, settings), this.#services);
  }

  #endpoint(resource: GroupResource, subresource = ''): Endpoint {
    const entry = this.#table.preferred(resource.group, resource.resource);
    const endpoint = subresource ? entry?.subresources.find((s) => s.name === subresource)?.endpoint : entry?.endpoint;
    if (!endpoint) throw notFound(resource, subresource);
    return endpoint;
  }

  #request(
    endpoint: Endpoint,
    namespace: string,
    name: string,
    body: JsonObject,
    settings: WriteSettings,
  ): VerbRequest {
    return {
      endpoint,
      ctx: {
        user: settings.user ?? SELF,
        signal: NEVER,
        userAgent: settings.manager,
        warn: () => {},
        annotate: () => {},
      },
      namespace,
      name,
      query: new URLSearchParams(),
      contentType: 'application/json',
      offers: mediaOffers({ cbor: false }),
      body: async () => Buffer.from(encodePlain(body)),
      mayCreate: () => {},
      stage: (_, run) => run(),
      recordBody: () => {},
    };
  }
}

/** Parses the objects of those who look at more than their names. */
class Change implements ObjectChange {
  readonly type: ObjectChange['type'];
  readonly #object: CachedObject;
  readonly #old: CachedObject | undefined;

  constructor(type: ObjectChange['type'], object: CachedObject, old: CachedObject | undefined) {
    this.type = type;
    this.#object = object;
    this.#old = old;
  }

  get namespace(): string {
    return this.#object.namespace;
  }
  get name(): string {
    return this.#object.name;
  }
  get object(): KubeObject {
    return this.#object.parsed();
  }
  get old(): KubeObject | undefined {
    return this.#old?.parsed();
  }
}

function values(answer: VerbAnswer): KubeObject {
  if (answer.type === 'object') return parseJson(answer.object.json) as KubeObject;
  if (answer.type === 'value' || answer.type === 'status') return answer.value as KubeObject;
  throw new Error(`a write was answered with ${answer.type}`);
}
