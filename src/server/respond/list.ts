import { parseJson } from '../../machinery/codec/json/parse.js';
import type { JsonObject, KubeObject } from '../../machinery/json.js';
import type { Endpoint } from '../../registry/endpoint.js';
import type { CachedObject, ListResult } from '../../storage/cacher/cacher.js';
import type { ApiRequest } from '../api-request.js';
import { gzipResponse } from '../transport/gzip.js';
import { encodeObject } from './encode.js';
import { type Item, isList, isVerbatim, itemsOf, jsonAt, listKind, partialGvk, valuesAt } from './object.js';
import type { Representation } from './representation.js';
import { sendBytes, takesGzip } from './send.js';
import { tableOf } from './table.js';

/** What is written at once: large enough for few system calls, small enough to keep memory flat. */
const CHUNK = 64 * 1024;

/** A list as far as an answer needs it. */
export type Listing = Pick<ListResult, 'revision' | 'continue' | 'remainingItemCount' | 'batches'>;

export async function sendList(
  request: ApiRequest,
  endpoint: Endpoint,
  list: Listing,
  form: Representation,
): Promise<void> {
  if (form.as === 'PartialObjectMetadata') throw isList(endpoint);
  if (form.format === 'json' && form.as === '' && !form.pretty) return streamJson(request, endpoint, list, form);
  const items: Item[] = [];
  for await (const batch of list.batches()) items.push(...(await itemsOf(endpoint, batch)));
  if (form.as === 'Table') {
    return sendBytes(request, 200, await tableOf(endpoint, items, form, request.query, listMeta(list)), form);
  }
  if (form.as !== '') {
    const partial = { metadata: listMeta(list), items: items.map((o) => partialItem(o, form)) };
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

function partialItem(item: Item, form: Representation): JsonObject {
  const { metadata } = parseJson(item.json) as KubeObject;
  // In JSON each item says what it is; protobuf has no room for it.
  if (form.format === 'protobuf') return { metadata };
  return { kind: 'PartialObjectMetadata', apiVersion: `meta.k8s.io/${form.asVersion}`, metadata };
}

export function listMeta(list: Listing): JsonObject {
  const meta: JsonObject = { resourceVersion: `${list.revision}` };
  if (list.continue !== undefined) meta.continue = list.continue;
  if (list.remainingItemCount !== undefined) meta.remainingItemCount = list.remainingItemCount;
  return meta;
}

/** Stored bytes between a head and a tail, as they come out of the cache: memory does not grow with the list. */
async function streamJson(request: ApiRequest, endpoint: Endpoint, list: Listing, form: Representation): Promise<void> {
  const { http } = request;
  const response = takesGzip(http.headers['accept-encoding']) ? gzipResponse(request.response) : request.response;
  const { head, tail } = frame(endpoint, list);
  const verbatim = isVerbatim(endpoint, form) && endpoint.version.typed;
  let pending: Buffer[] = [Buffer.from(head)];
  let size = 0;
  let first = true;
  let begun = false;
  const flush = async (): Promise<void> => {
    const chunk = Buffer.concat(pending);
    pending = [];
    size = 0;
    if (!begun) {
      begun = true;
      response.head(200, request.answerHeaders({ 'Content-Type': form.contentType }));
    }
    if (!response.write(chunk)) await response.drained();
  };
  for await (const batch of list.batches()) {
    const items = verbatim ? batch : await itemsOf(endpoint, batch);
    for (const [i, object] of batch.entries()) {
      pending.push(first ? OPEN : COMMA_OPEN);
      first = false;
      const body = verbatim ? object.json.subarray(object.bodyStart) : await itemBody(endpoint, items[i]!);
      pending.push(body);
      size += body.length + 2;
      if (size >= CHUNK) await flush();
      if (response.closed) return;
    }
  }
  pending.push(Buffer.from(tail));
  if (begun) {
    response.end(Buffer.concat(pending));
    await response.drained();
  } else await sendBytes(request, 200, Buffer.concat(pending), form);
}

const OPEN = Buffer.from('{');
const COMMA_OPEN = Buffer.from(',{');

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
  const { resourceVersion, remainingItemCount } = listMeta(list);
  const meta: JsonObject = { continue: list.continue ?? '' };
  if (remainingItemCount !== undefined) meta.remainingItemCount = remainingItemCount;
  return { ...meta, resourceVersion };
}
