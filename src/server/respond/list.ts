import { parseJson } from '../../machinery/codec/json/parse.js';
import type { JsonObject, KubeObject } from '../../machinery/json.js';
import type { Endpoint } from '../../registry/endpoint.js';
import type { ApiRequest } from '../api-request.js';
import { encodeObject } from './encode.js';
import {
  type Item,
  isList,
  isVerbatim,
  jsonAt,
  listedItems,
  listKind,
  partialGvk,
  partialOf,
  valuesAt,
} from './object.js';
import type { Representation } from './representation.js';
import { sendBytes } from './send.js';
import { type Listing, type StreamedForm, streamList } from './stream.js';
import { sendTable } from './table.js';

export async function sendList(
  request: ApiRequest,
  endpoint: Endpoint,
  list: Listing,
  form: Representation,
): Promise<void> {
  if (form.as === 'PartialObjectMetadata') throw isList(endpoint);
  if (form.as === 'Table') return sendTable(request, endpoint, list, form, listMeta(list));
  if (form.format === 'json' && form.as === '' && !form.pretty) {
    return streamList(request, list, form, { ...frame(endpoint, list), bodies: itemBodies(endpoint, form) });
  }
  const items: Item[] = [];
  for await (const batch of list.batches()) items.push(...(await listedItems(endpoint, batch)));
  if (form.as !== '') {
    const partial = {
      metadata: listMeta(list),
      items: items.length > 0 ? items.map((o) => partialItem(endpoint, o, form)) : undefined,
    };
    return sendBytes(request, 200, encodeObject(partial, partialGvk(form), form), form);
  }
  const values: JsonObject[] = [];
  for (const item of items) {
    const value = await valuesAt(endpoint, item);
    if (endpoint.version.typed) {
      delete value.kind;
      delete value.apiVersion;
    }
    values.push(value);
  }
  const { group, version, typed } = endpoint.version;
  const gvk = { group, version, kind: listKind(endpoint.version) };
  const metadata = typed ? listMeta(list) : untypedListMeta(list);
  return sendBytes(request, 200, encodeObject({ metadata, items: values }, gvk, form), form);
}

function partialItem(endpoint: Endpoint, item: Item, form: Representation): JsonObject {
  const { metadata } = partialOf(endpoint, parseJson(item.json) as KubeObject);
  // In JSON each item says what it is; protobuf has no room for it.
  if (form.format === 'protobuf') return { metadata };
  return { kind: 'PartialObjectMetadata', apiVersion: `meta.k8s.io/${form.asVersion}`, metadata };
}

export function listMeta(list: Listing): JsonObject {
  // What is only computed has no revision.
  const meta: JsonObject = list.revision === 0 ? {} : { resourceVersion: `${list.revision}` };
  if (list.continue !== undefined) meta.continue = list.continue;
  if (list.remainingItemCount !== undefined) meta.remainingItemCount = list.remainingItemCount;
  return meta;
}

/** Stored bytes as they are, wherever the client speaks the stored version. */
function itemBodies(endpoint: Endpoint, form: Representation): StreamedForm['bodies'] {
  if (isVerbatim(endpoint, form) && endpoint.version.typed) {
    return (objects) => objects.map((object) => object.json.subarray(object.bodyStart));
  }
  return async (objects) => {
    const bodies: Buffer[] = [];
    for (const item of await listedItems(endpoint, objects)) bodies.push(await itemBody(endpoint, item));
    return bodies;
  };
}

/** What follows the `{` of an item: typed lists leave out each item's TypeMeta. */
async function itemBody(endpoint: Endpoint, item: Item): Promise<Buffer> {
  const text = await jsonAt(endpoint, item);
  const { kind, apiVersion, typed } = endpoint.version;
  const meta = `{${typed ? `"kind":${JSON.stringify(kind)},"apiVersion":${JSON.stringify(apiVersion)},` : ''}`;
  return Buffer.from(text.slice(meta.length));
}

/** Members in Go's order for built-in lists, sorted for custom resources. */
function frame(endpoint: Endpoint, list: Listing): { head: string; tail: string } {
  const { apiVersion, typed } = endpoint.version;
  const meta = JSON.stringify(typed ? listMeta(list) : untypedListMeta(list));
  const kindText = JSON.stringify(listKind(endpoint.version));
  const versionText = JSON.stringify(apiVersion);
  return typed
    ? { head: `{"kind":${kindText},"apiVersion":${versionText},"metadata":${meta},"items":[`, tail: ']}\n' }
    : { head: `{"apiVersion":${versionText},"items":[`, tail: `],"kind":${kindText},"metadata":${meta}}\n` };
}

/** Lists of custom resources always say `continue`. Members sorted. */
function untypedListMeta(list: Listing): JsonObject {
  const { resourceVersion = '', remainingItemCount } = listMeta(list);
  const meta: JsonObject = { continue: list.continue ?? '' };
  if (remainingItemCount !== undefined) meta.remainingItemCount = remainingItemCount;
  return { ...meta, resourceVersion };
}
