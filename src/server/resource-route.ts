import type { Attributes } from '../auth/contract.js';
import { mediaOffers } from '../machinery/codec/negotiate.js';
import { methodNotSupported, notFound, StatusError } from '../machinery/errors.js';
import type { Endpoint } from '../registry/endpoint.js';
import type { ResourceTable, ServedEntry } from '../registry/resource-table.js';
import type { VerbAnswer, VerbRequest, VerbServices } from '../registry/verbs/contract.js';
import { create } from '../registry/verbs/create.js';
import { remove, removeCollection } from '../registry/verbs/delete.js';
import { checkPatchRoute, patch } from '../registry/verbs/patch.js';
import { get, list, watch } from '../registry/verbs/read.js';
import { update } from '../registry/verbs/update.js';
import type { ApiRequest } from './api-request.js';
import type { WatchMeter } from './metrics/events.js';
import type { Route } from './request-path.js';
import { sendAnswer } from './respond/answer.js';
import { objectRepresentation } from './respond/negotiate.js';
import { bracket } from './trace.js';

export interface ResourceRouteParts {
  readonly table: ResourceTable;
  readonly services: VerbServices;
  /** Throws the 403 when the user may not. */
  readonly authorize: (attributes: Attributes) => Promise<void>;
  readonly maxBodyBytes: number;
  /** Gate CBORServingAndStorage. */
  readonly cbor: boolean;
  /** How long a watch may live, from its timeoutSeconds. */
  readonly watchTimeoutMs: (seconds: number | undefined) => number;
  readonly watched: (group: string, version: string, resource: string) => WatchMeter;
}

/** Requests about resources this server stores or computes. */
export function resourceRoute(parts: ResourceRouteParts): Route {
  return async (request) => {
    const { info } = request;
    if (!info.isResourceRequest) return false;
    // The proxy of old is no verb of any resource.
    if (info.verb === 'proxy') return false;
    const entry = parts.table.find(info.group, info.version, info.resource);
    if (!entry || !fitsScope(entry, request)) return false;
    const endpoint = endpointOf(entry, request);
    if (!endpoint) return undefinedSubresource(entry, request);
    const run = verbOf(endpoint, request, parts);
    if (!run) {
      if (!answersPath(endpoint, request)) return false;
      throw isCustom(entry) ? methodNotSupported(endpoint.resource, info.verb) : methodNotAllowed();
    }
    if (info.verb === 'patch') checkPatchRoute(request.http.headers['content-type'] ?? '', endpoint.version);
    if (endpoint.warning) request.warn(endpoint.warning);
    const form = objectRepresentation(endpoint, info.verb, {
      headers: request.http.headers,
      query: request.query,
      cbor: parts.cbor,
    });
    const answer = await bracket(request, 'verb', () => run(verbRequest(request, endpoint, parts)));
    const watched = () => parts.watched(info.group, info.version, info.resource);
    await bracket(request, 'respond', () => sendAnswer(request, endpoint, answer, form, watched));
    return true;
  };
}

function fitsScope({ namespaced }: ServedEntry, { info }: ApiRequest): boolean {
  const itself = info.resource === 'namespaces' && info.parts[1] === info.namespace;
  if (!namespaced) return info.namespace === '' || itself;
  return info.namespace !== '' || info.parts.length === 1;
}

/** What a path means: the resource or a subresource, nothing left over. */
function endpointOf(entry: ServedEntry, { info }: ApiRequest): Endpoint | undefined {
  if (info.subresource === '') return entry.endpoint;
  if (info.parts.length > 3) return undefined;
  return entry.subresources.find((s) => s.name === info.subresource)?.endpoint;
}

/** Paths of built-in kinds are routes; one handler has all of a custom resource, and tells what it does not have itself. */
function undefinedSubresource(entry: ServedEntry, { info }: ApiRequest): false {
  if (isCustom(entry)) throw notFound(entry.endpoint.resource, info.name);
  return false;
}

function isCustom({ endpoint }: ServedEntry): boolean {
  return !endpoint.version.typed;
}

/** Some method is served on this path: then another one is 405, else the path is no path at all. */
function answersPath(endpoint: Endpoint, { info }: ApiRequest): boolean {
  const collection = info.parts.length === 1;
  if (endpoint.subresource !== '') return true;
  return collection || Boolean(endpoint.get ?? endpoint.update ?? endpoint.remove);
}

type Run = (request: VerbRequest) => Promise<VerbAnswer>;

function verbOf(endpoint: Endpoint, request: ApiRequest, parts: ResourceRouteParts): Run | undefined {
  // kube-apiserver has no HEAD on resources.
  if (request.http.method === 'HEAD') return undefined;
  const { services, watchTimeoutMs } = parts;
  const { info } = request;
  const collection = info.parts.length === 1;
  // Across all namespaces one can only look.
  const everywhere = endpoint.namespaced && info.namespace === '';
  switch (info.verb) {
    case 'get':
      return endpoint.get && !collection ? get : undefined;
    case 'list':
      return (endpoint.list || endpoint.kind) && endpoint.verbs.has('list') && collection ? list : undefined;
    case 'watch':
      return endpoint.kind && endpoint.verbs.has('watch') ? (r) => watch(r, watchTimeoutMs) : undefined;
    case 'create':
      return endpoint.create && !everywhere && (endpoint.subresource === '') === collection
        ? (r) => create(r, services)
        : undefined;
    case 'update':
      return endpoint.update && !collection ? (r) => update(r, services) : undefined;
    case 'patch':
      return endpoint.update && !collection ? (r) => patch(r, services) : undefined;
    case 'delete':
      return endpoint.remove && !collection ? (r) => remove(r, services) : undefined;
    case 'deletecollection':
      return endpoint.verbs.has('deletecollection') && !everywhere ? (r) => removeCollection(r, services) : undefined;
    default:
      return undefined;
  }
}

function verbRequest(request: ApiRequest, endpoint: Endpoint, parts: ResourceRouteParts): VerbRequest {
  const { info, http } = request;
  return {
    endpoint,
    ctx: request,
    namespace: endpoint.namespaced ? info.namespace : '',
    name: info.name,
    query: request.query,
    contentType: http.headers['content-type'] ?? '',
    offers: mediaOffers({ cbor: parts.cbor }),
    body: () => http.readBody(parts.maxBodyBytes),
    mayCreate: () => parts.authorize({ ...request.attributes, verb: 'create' }),
    stage: (stage, run) => bracket(request, stage, run),
    recordBody: (object, patched) => {
      if (object) request.audit?.requestObject(object);
      else request.audit?.patch(patched);
    },
  };
}

export function methodNotAllowed(): StatusError {
  return new StatusError(
    405,
    'MethodNotAllowed',
    'the server does not allow this method on the requested resource',
    {},
  );
}
