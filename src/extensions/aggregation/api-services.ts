import type { LocalClient, ObjectChange } from '../../registry/local-client.js';
import { API_SERVICES, ApiService } from './api-service.js';
import { Backend, type BackendDeps } from './backend.js';

export interface ApiServicesDeps extends BackendDeps {
  readonly client: LocalClient;
  log(level: 'info' | 'warning' | 'error', message: string): void;
}

/** A group version that another server answers. */
export interface Served {
  readonly api: ApiService;
  readonly available: boolean;
  readonly backend: Backend;
}

const SERVICES = { group: '', resource: 'services' };
const ENDPOINT_SLICES = { group: 'discovery.k8s.io', resource: 'endpointslices' };
const SERVICE_NAME = 'kubernetes.io/service-name';

/**
 * All APIServices, and the way to each aggregated server. Follows the objects: what a writer was told to be stored is in
 * force. Services and their endpoints are looked at only while an APIService names one.
 */
export class ApiServices {
  readonly #deps: ApiServicesDeps;
  readonly #all = new Map<string, ApiService>();
  readonly #remote = new Map<string, Served>();
  /** By the path below which a server answers. */
  readonly #byPath = new Map<string, Served>();
  readonly #observers: ((name: string) => void)[] = [];
  readonly #stops: (() => void)[] = [];
  #followsServices: Promise<void> | undefined;
  #closed = false;

  constructor(deps: ApiServicesDeps) {
    this.#deps = deps;
  }

  /** Settles when all there are are known. */
  async start(): Promise<void> {
    this.#stops.push(await this.#deps.client.subscribe(API_SERVICES, (change) => this.#observe(change)));
    await this.#followsServices;
  }

  close(): void {
    this.#closed = true;
    for (const stop of this.#stops) stop();
    for (const { backend } of this.#remote.values()) backend.close();
  }

  /** Called with the name of an APIService that is new, has changed or is gone, or whose server has moved or fails. */
  onChange(observer: (name: string) => void): void {
    this.#observers.push(observer);
  }

  all(): Iterable<ApiService> {
    return this.#all.values();
  }
  get(name: string): ApiService | undefined {
    return this.#all.get(name);
  }
  /** Undefined as well when this server answers itself. */
  remote(name: string): Served | undefined {
    return this.#remote.get(name);
  }

  /**
   * Who answers a path instead of this server.
   *
   * @param path decoded
   */
  serving(path: string): Served | undefined {
    if (this.#byPath.size === 0) return undefined;
    const [, prefix = '', group = '', version = ''] = path.split('/', 4);
    if (prefix === 'api') return this.#byPath.get('/api');
    return prefix === 'apis' ? this.#byPath.get(`/apis/${group}/${version}`) : undefined;
  }

  #observe({ type, object }: ObjectChange): void {
    const api = new ApiService(object);
    const { name } = api;
    const old = this.#remote.get(name);
    if (type === 'DELETED') {
      this.#all.delete(name);
      this.#withdraw(name, old);
    } else {
      this.#all.set(name, api);
      if (api.service) this.#serve(api, api.service, old);
      else this.#withdraw(name, old);
    }
    this.#changed(name);
  }

  #serve(api: ApiService, service: NonNullable<ApiService['service']>, old: Served | undefined): void {
    const { name, available } = api;
    let backend = old?.backend;
    if (!backend || !old?.api.sameServer(api)) {
      backend?.retire();
      backend = new Backend(api, service, this.#deps, () => this.#changed(name));
      this.#followsServices ??= this.#follow().catch((e: unknown) => {
        this.#deps.log('warning', `services of APIServices are not followed: ${String(e)}`);
      });
    }
    const served: Served = { api, available, backend };
    this.#remote.set(name, served);
    this.#byPath.set(pathOf(api), served);
  }

  #withdraw(name: string, old: Served | undefined): void {
    if (!old) return;
    old.backend.retire();
    this.#remote.delete(name);
    this.#byPath.delete(pathOf(old.api));
  }

  async #follow(): Promise<void> {
    const { client } = this.#deps;
    const moved = (namespace: string | undefined, service: string | undefined) => {
      for (const { api, backend } of this.#remote.values()) {
        if (backend.service.namespace !== namespace || backend.service.name !== service) continue;
        backend.moved();
        this.#changed(api.name);
      }
    };
    const stops = await Promise.all([
      client.subscribe(SERVICES, ({ object: { metadata } }) => moved(metadata.namespace, metadata.name)),
      client.subscribe(ENDPOINT_SLICES, ({ object: { metadata } }) =>
        moved(metadata.namespace, metadata.labels?.[SERVICE_NAME]),
      ),
    ]);
    if (this.#closed) for (const stop of stops) stop();
    else this.#stops.push(...stops);
  }

  #changed(name: string): void {
    for (const observer of this.#observers) observer(name);
  }
}

/** Of the core group everything is one server's; `v1.` is its only APIService. */
function pathOf({ group, version }: ApiService): string {
  return group === '' ? '/api' : `/apis/${group}/${version}`;
}
