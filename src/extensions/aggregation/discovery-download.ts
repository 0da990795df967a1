import { bool, list, obj, str, strings } from '../../api/access.js';
import { jsonEncoder } from '../../machinery/codec/json/encode.js';
import { parseJson } from '../../machinery/codec/json/parse.js';
import { decodeTyped } from '../../machinery/codec/typed/decode.js';
import { isJsonObject, type JsonObject } from '../../machinery/json.js';
import { catalog } from '../../machinery/scheme/catalog.js';
import type { Type } from '../../machinery/scheme/type.js';
import type { Backend, BackendDocument } from './backend.js';

/** What an aggregated server says that it serves. */
export interface DiscoveryDocument {
  /** Entries of the aggregated form; undefined: the server does not know the group version. */
  readonly resources: readonly JsonObject[] | undefined;
  /** Of the aggregated document. */
  readonly etag?: string;
}

const AGGREGATOR = { name: 'system:kube-aggregator', groups: ['system:masters'] };
const TIMEOUT_MS = 5_000;
const MAX_BYTES = 8 << 20;
const FORM = 'as=APIGroupDiscoveryList';
const ACCEPT = ['v2', 'v2beta1'].map((v) => `application/json;g=apidiscovery.k8s.io;v=${v};${FORM}`).join(',');

/**
 * Asks for the aggregated form, of v2 or v2beta1, and when the server has none for the resources of the one group
 * version. What is no such document is an error: nothing of it reaches clients.
 *
 * @param known what was heard before: kept when the server says that nothing has changed
 * @throws Error
 */
export async function downloadDiscovery(
  backend: Backend,
  group: string,
  version: string,
  known: DiscoveryDocument | undefined,
  signal: AbortSignal,
): Promise<DiscoveryDocument> {
  const ask = (path: string, headers: Record<string, string>): Promise<BackendDocument> =>
    backend.fetch({ path, headers, user: AGGREGATOR, timeoutMs: TIMEOUT_MS, maxBytes: MAX_BYTES, signal });
  const root = await ask('/apis', { Accept: ACCEPT, ...(known?.etag && { 'If-None-Match': known.etag }) });
  if (root.status === 304 && known) return known;
  if (root.status === 503) throw new Error('the server answers 503');
  if (root.status === 200 && isAggregated(root)) {
    const { etag } = root.headers;
    return { resources: ofVersion(readAs(listType(), root.body), group, version), ...(etag && { etag }) };
  }
  const path = group === '' ? `/api/${version}` : `/apis/${group}/${version}`;
  const legacy = await ask(path, { Accept: 'application/json' });
  if (legacy.status !== 200) throw new Error(`${path} answers ${legacy.status}`);
  return { resources: written({ version, resources: fromLegacy(readAs(legacyType(), legacy.body)) }) };
}

function isAggregated({ headers }: BackendDocument): boolean {
  const [type = '', ...parameters] = `${headers['content-type'] ?? ''}`.split(';').map((p) => p.trim());
  return (
    type === 'application/json' &&
    parameters.includes(FORM) &&
    parameters.includes('g=apidiscovery.k8s.io') &&
    (parameters.includes('v=v2') || parameters.includes('v=v2beta1'))
  );
}

// Both versions of the aggregated form are alike.
const listType = (): Type => catalog().type('io.k8s.api.apidiscovery.v2.APIGroupDiscoveryList');
const versionType = (): Type => catalog().type('io.k8s.api.apidiscovery.v2.APIVersionDiscovery');
const legacyType = (): Type => catalog().type('io.k8s.apimachinery.pkg.apis.meta.v1.APIResourceList');

function readAs(type: Type, body: Buffer): JsonObject {
  const value = parseJson(body);
  if (!isJsonObject(value) || `${value.kind}` !== type.name.split('.').at(-1)) {
    throw new Error(`the answer is no ${type.name.split('.').at(-1)}`);
  }
  return decodeTyped(type, value).object;
}

function ofVersion(document: JsonObject, group: string, version: string): JsonObject[] | undefined {
  const found = list(document, 'items').find((g) => str(obj(g, 'metadata'), 'name') === group);
  const served = found && list(found, 'versions').find((v) => str(v, 'version') === version);
  if (!served) return undefined;
  // Some clients can't do without a kind.
  for (const resource of list(served, 'resources')) {
    resource.responseKind ??= {};
    for (const sub of list(resource, 'subresources')) sub.responseKind ??= {};
  }
  return written(served);
}

/** With the zero values that Go writes. */
function written(version: JsonObject): JsonObject[] {
  const complete = JSON.parse(jsonEncoder(versionType())(version)) as JsonObject;
  return list(complete, 'resources');
}

/** The aggregated form of an APIResourceList: subresources below their resources. */
function fromLegacy(document: JsonObject): JsonObject[] {
  const found = new Map<string, JsonObject>();
  const all = list(document, 'resources');
  const kindOf = (r: JsonObject): JsonObject => ({
    group: str(r, 'group'),
    version: str(r, 'version'),
    kind: str(r, 'kind'),
  });
  const scopeOf = (r: JsonObject): string => (bool(r, 'namespaced') ? 'Namespaced' : 'Cluster');
  for (const r of all) {
    const name = str(r, 'name');
    if (name.includes('/')) continue;
    found.set(name, {
      resource: name,
      responseKind: kindOf(r),
      scope: scopeOf(r),
      singularResource: str(r, 'singularName'),
      verbs: strings(r, 'verbs'),
      ...(strings(r, 'shortNames').length > 0 && { shortNames: strings(r, 'shortNames') }),
      ...(strings(r, 'categories').length > 0 && { categories: strings(r, 'categories') }),
    });
  }
  for (const r of all) {
    const [name = '', ...rest] = str(r, 'name').split('/');
    if (rest.length === 0) continue;
    let parent = found.get(name);
    if (!parent) {
      parent = { resource: name, responseKind: {}, scope: scopeOf(r) };
      found.set(name, parent);
    }
    if (parent.scope !== scopeOf(r)) throw new Error(`${name} and ${str(r, 'name')} differ in scope`);
    const sub = { subresource: rest.join('/'), responseKind: kindOf(r), verbs: strings(r, 'verbs') };
    parent.subresources = [...list(parent, 'subresources'), sub];
  }
  return [...found.values()];
}
