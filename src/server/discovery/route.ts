import {
  type AllowsTransform,
  type Negotiated,
  negotiate,
  noTransform,
  notAcceptable,
  routeNotAcceptable,
  routeProduces,
} from '../../machinery/codec/negotiate.js';
import { StatusError } from '../../machinery/errors.js';
import type { ApiRequest } from '../api-request.js';
import type { Route } from '../request-path.js';
import { sendBytes } from '../respond/send.js';
import type { DiscoverySource, ServedGroup } from './contract.js';
import { Document, MEDIA_TYPES, OFFERS } from './document.js';
import { apiGroup, apiGroupDiscoveryList, apiGroupList, apiResourceList, apiVersions } from './documents.js';
import type { VersionInfo } from './version.js';

export interface DiscoveryOptions {
  readonly source: DiscoverySource;
  readonly version: VersionInfo;
  /** host:port at which clients outside should ask. */
  serverAddress(): string;
  /** Paths of the index at `/` besides those of the API itself. */
  paths(): readonly string[];
}

/** Answers `/`, `/version` and what `/api` and `/apis` say about the resources that are served. */
export function discoveryRoute(options: DiscoveryOptions): Route {
  const discovery = new Discovery(options);
  return (request) => discovery.answer(request);
}

class Discovery {
  readonly #options: DiscoveryOptions;
  #groups: readonly ServedGroup[] = [];
  #documents = new Map<string, Document>();

  constructor(options: DiscoveryOptions) {
    this.#options = options;
  }

  answer(request: ApiRequest): Promise<boolean> | boolean {
    const { path } = request.info;
    if (path === '/' || path === '/index.html') return sendIndented(request, { paths: this.#paths() });
    const parts = path.split('/').slice(1);
    if (parts.at(-1) === '') parts.pop();
    const [prefix, first, second] = parts;
    if (prefix === 'version' && parts.length === 1) return this.#version(request);
    if (prefix === 'api') {
      if (parts.length === 1) return this.#legacyRoot(request);
      return parts.length === 2 && this.#resources(request, '', first!);
    }
    if (prefix !== 'apis') return false;
    if (parts.length === 1) return this.#root(request);
    if (parts.length === 2) return this.#group(request, first!);
    return parts.length === 3 && first !== '' && this.#resources(request, first!, second!);
  }

  #version(request: ApiRequest): Promise<boolean> {
    getOnly(request);
    const produces = ['application/json'];
    if (!routeProduces(request.http.headers.accept, produces)) throw routeNotAcceptable(produces);
    return sendIndented(request, this.#options.version);
  }

  #legacyRoot(request: ApiRequest): Promise<boolean> {
    checkRoute(request);
    const core = this.#current().find((g) => g.group === '');
    const { serverAddress } = this.#options;
    return this.#either(
      request,
      '/api',
      (name) => name === '',
      () => apiVersions(core, serverAddress()),
    );
  }

  #root(request: ApiRequest): Promise<boolean> {
    const groups = this.#current();
    return this.#either(
      request,
      '/apis',
      (name) => name !== '',
      () => apiGroupList(groups),
    );
  }

  /** The aggregated form when the client takes it, else the plain one. */
  async #either(
    request: ApiRequest,
    path: string,
    contains: (group: string) => boolean,
    plain: () => ReturnType<typeof apiGroupList>,
  ): Promise<boolean> {
    const { accept, 'if-none-match': known } = request.http.headers;
    const negotiated = negotiate(accept, OFFERS, aggregatedTransform);
    if (!negotiated?.convert) {
      await this.#document(path, plain).send(request, plainForm(accept));
      return true;
    }
    const document = this.#document(`${path} aggregated`, () => {
      const { source } = this.#options;
      return apiGroupDiscoveryList((source.aggregated?.() ?? source.groups()).filter((g) => contains(g.group)));
    });
    Object.assign(request.headers, { ETag: document.etag, Vary: 'Accept', 'Cache-Control': 'public' });
    if (known === document.etag) {
      request.response.head(304, request.answerHeaders({}));
      request.response.end();
    } else await document.send(request, negotiated);
    return true;
  }

  async #group(request: ApiRequest, name: string): Promise<boolean> {
    const group = this.#find(name);
    if (!group || name === '') return false;
    await this.#document(`/apis/${name}`, () => apiGroup(group)).send(request, plainForm(request.http.headers.accept));
    return true;
  }

  #resources(request: ApiRequest, name: string, version: string): Promise<boolean> | false {
    const group = this.#find(name);
    const served = group?.versions.find((v) => v.version === version);
    if (!group || !served || served.aggregated) return false;
    if (!group.dynamic) checkRoute(request);
    const document = this.#document(`${name}/${version}`, () => apiResourceList(name, served));
    return document.send(request, plainForm(request.http.headers.accept)).then(() => true);
  }

  #find(name: string): ServedGroup | undefined {
    return this.#current().find((g) => g.group === name);
  }

  #current(): readonly ServedGroup[] {
    const groups = this.#options.source.groups();
    if (groups !== this.#groups) {
      this.#groups = groups;
      this.#documents = new Map();
    }
    return groups;
  }

  #document(key: string, build: () => ReturnType<typeof apiGroupList>): Document {
    let document = this.#documents.get(key);
    if (!document) {
      document = new Document(build());
      this.#documents.set(key, document);
    }
    return document;
  }

  #paths(): string[] {
    const paths = new Set(['/api', '/apis', '/apis/', '/version', ...this.#options.paths()]);
    for (const { group, versions } of this.#current()) {
      if (group !== '') paths.add(`/apis/${group}`);
      for (const { version } of versions) paths.add(group === '' ? `/api/${version}` : `/apis/${group}/${version}`);
    }
    return [...paths].sort();
  }
}

const aggregatedTransform: AllowsTransform = (_, target) =>
  target === undefined ||
  (target.group === 'apidiscovery.k8s.io' && target.version === 'v2' && target.kind === 'APIGroupDiscoveryList');

/** @throws 406 */
function plainForm(accept: string | undefined): Negotiated {
  const negotiated = negotiate(accept, OFFERS, noTransform);
  if (!negotiated) throw notAcceptable(OFFERS);
  return negotiated;
}

/** What is compiled in is found by routes that look at method and media type first. */
function checkRoute(request: ApiRequest): void {
  getOnly(request);
  if (!routeProduces(request.http.headers.accept, MEDIA_TYPES)) throw routeNotAcceptable(MEDIA_TYPES);
}

function getOnly(request: ApiRequest): void {
  if (request.http.method === 'GET') return;
  const message = 'the server does not allow this method on the requested resource';
  throw new StatusError(405, 'MethodNotAllowed', message, {});
}

async function sendIndented(request: ApiRequest, value: object): Promise<boolean> {
  const body = Buffer.from(JSON.stringify(value, undefined, 2));
  await sendBytes(request, 200, body, { contentType: 'application/json' });
  return true;
}
