import type { Controller } from '../../controllers/contract.js';
import { WorkQueue } from '../../controllers/work-queue.js';
import { parseJson } from '../../machinery/codec/json/parse.js';
import type { JsonObject } from '../../machinery/json.js';
import type { OpenApiPart, OpenApiSource } from '../../server/openapi/contract.js';
import type { ApiServices } from './api-services.js';
import type { Backend } from './backend.js';
import { downloadOpenApi, type OpenApiDocuments } from './openapi-download.js';

export interface OpenApiParts {
  readonly services: ApiServices;
  log(level: 'info' | 'warning' | 'error', message: string): void;
}

const REFRESH_MS = 60_000;
const FIRST_RETRY_MS = 1_000;
const LAST_RETRY_MS = 600_000;
const WORKERS = 2;

/** OpenAPI documents of aggregated servers. The last good ones are kept while a server does not answer. */
export class AggregatedOpenApi implements OpenApiSource {
  readonly #services: ApiServices;
  readonly #heard = new Map<string, { backend: Backend; documents: OpenApiDocuments }>();
  readonly #queue: WorkQueue;
  readonly #ending = new AbortController();
  #parts: readonly OpenApiPart[] | undefined;

  constructor({ services, log }: OpenApiParts) {
    this.#services = services;
    this.#queue = new WorkQueue({
      workers: WORKERS,
      firstRetryMs: FIRST_RETRY_MS,
      lastRetryMs: LAST_RETRY_MS,
      work: (name) => this.#refresh(name),
      failed: (name, e) => log('info', `OpenAPI of APIService ${name}: ${e instanceof Error ? e.message : String(e)}`),
    });
    services.onChange((name) => this.#queue.add(name));
  }

  readonly controller: Controller = {
    name: 'apiservice-openapi-controller',
    start: async () => {},
    stop: async () => {
      this.#ending.abort();
      await this.#queue.close();
    },
  };

  parts(): readonly OpenApiPart[] {
    this.#parts ??= [...this.#heard].flatMap(([name, { documents }]) => {
      const api = this.#services.get(name);
      return api && documents.v3 ? [partOf(api.group, api.version, documents)] : [];
    });
    return this.#parts;
  }

  async #refresh(name: string): Promise<number | undefined> {
    const remote = this.#services.remote(name);
    if (!remote) {
      if (this.#heard.delete(name)) this.#parts = undefined;
      return undefined;
    }
    if (!remote.available) return undefined;
    const { api, backend } = remote;
    const before = this.#heard.get(name);
    const known = before?.backend === backend ? before.documents : undefined;
    const documents = await downloadOpenApi(backend, api.group, api.version, known, this.#ending.signal);
    if (this.#ending.signal.aborted || this.#services.remote(name)?.backend !== backend) return undefined;
    this.#heard.set(name, { backend, documents });
    if (before?.documents.revision !== documents.revision) this.#parts = undefined;
    return REFRESH_MS;
  }
}

function partOf(group: string, version: string, { v2, v3, revision }: OpenApiDocuments): OpenApiPart {
  return {
    key: group === '' ? `api/${version}` : `apis/${group}/${version}`,
    revision,
    paths: () => new Map(),
    foreign(dialect) {
      const text = dialect === 2 ? v2 : v3;
      return text && (parseJson(text) as JsonObject);
    },
  };
}
