import { parseJson } from '../../machinery/codec/json/parse.js';
import type { Status, StatusError } from '../../machinery/errors.js';
import type { JsonObject, KubeObject } from '../../machinery/json.js';
import type { Endpoint } from '../../registry/endpoint.js';
import type { CacheEvent, Watcher } from '../../storage/cacher/cacher.js';
import type { ApiRequest } from '../api-request.js';
import type { WatchMeter } from '../metrics/events.js';
import { encodeValue } from './encode.js';
import { encodeEvent } from './event.js';
import { isVerbatim, itemsOf, partialGvk, partialOf, valuesAt } from './object.js';
import type { Representation } from './representation.js';
import { includeOf, tableValue } from './table.js';

const OBJECT_PREFIX = {
  ADDED: Buffer.from('{"type":"ADDED","object":'),
  MODIFIED: Buffer.from('{"type":"MODIFIED","object":'),
  DELETED: Buffer.from('{"type":"DELETED","object":'),
  BOOKMARK: Buffer.from('{"type":"BOOKMARK","object":'),
};
const END = Buffer.from('}\n');

/** Streams events until the watch ends, the client goes, or the server stops. One encoding serves all watchers. */
export async function sendWatch(
  request: ApiRequest,
  endpoint: Endpoint,
  watcher: Watcher,
  form: Representation,
  meter: WatchMeter,
): Promise<void> {
  const { response, signal } = request;
  const stop = () => watcher.stop();
  signal.addEventListener('abort', stop, { once: true });
  try {
    // First, as it refuses what it can't encode.
    const encode = encoder(request, endpoint, form);
    response.head(200, request.answerHeaders({ 'Content-Type': form.contentType }));
    request.audit?.responseStarted(200);
    response.flush?.();
    while (!response.closed) {
      const events = watcher.take();
      if (events.length === 0) {
        if (watcher.ended) break;
        await watcher.ready();
        continue;
      }
      // Upstream begins such a watch, and ends it when there is an object to make a list of.
      if (form.as === 'PartialObjectMetadataList') break;
      const chunks: Buffer[] = [];
      for (const event of events) {
        const made = encode(event);
        const bytes = made instanceof Buffer ? made : await made;
        meter.sent(bytes.length);
        chunks.push(bytes);
      }
      if (!response.write(chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks))) await response.drained();
    }
    if (watcher.ended === 'slow') meter.terminated();
    response.end();
  } finally {
    signal.removeEventListener('abort', stop);
    watcher.stop();
  }
}

/** One ERROR event, and the end. */
export function sendWatchError(request: ApiRequest, error: StatusError, form: Representation): void {
  const status = encodeValue(
    error.toStatus() as Status & JsonObject,
    { group: '', version: 'v1', kind: 'Status' },
    form,
  );
  request.response.head(200, request.answerHeaders({ 'Content-Type': form.contentType }));
  request.response.end(encodeEvent('ERROR', status, form));
}

type EventEncoder = (event: CacheEvent) => Buffer | Promise<Buffer>;

function encoder(request: ApiRequest, endpoint: Endpoint, form: Representation): EventEncoder {
  if (form.as === 'Table') return tableEvents(request, endpoint, form);
  const name = `${endpoint.version.apiVersion}|${form.format}|${form.as}|${form.asVersion}`;
  if (isVerbatim(endpoint, form) && !endpoint.kind?.stored)
    return (event) => event.form(name, (e) => verbatim(endpoint, e));
  return async (event) => {
    const made = await otherForm(endpoint, event, form);
    return event.form(name, () => made);
  };
}

function verbatim(endpoint: Endpoint, event: CacheEvent): Buffer {
  const json = event.object?.json ?? Buffer.from(endpoint.version.encode(bookmark(event)));
  return Buffer.concat([OBJECT_PREFIX[event.type], json, END]);
}

/** An empty object that carries nothing but the revision. */
function bookmark(event: CacheEvent): KubeObject {
  const metadata: KubeObject['metadata'] = { resourceVersion: `${event.revision}` };
  if (event.initialEventsEnd) metadata.annotations = { 'k8s.io/initial-events-end': 'true' };
  return { metadata };
}

async function otherForm(endpoint: Endpoint, event: CacheEvent, form: Representation): Promise<Buffer> {
  const { group, version, kind } = endpoint.version;
  const partial = form.as !== '';
  const gvk = partial ? partialGvk(form) : { group, version, kind };
  const item = event.object && (await itemsOf(endpoint, [event.object]))[0];
  if (item && isVerbatim(endpoint, form)) return encodeEvent(event.type, item.json, form);
  let value: JsonObject;
  if (!item) value = bookmark(event);
  else if (partial) value = partialOf(endpoint, parseJson(item.json) as KubeObject);
  else value = await valuesAt(endpoint, item);
  return encodeEvent(event.type, encodeValue(value, gvk, form), form);
}

/** Only the first table of a stream carries the column definitions. */
function tableEvents(request: ApiRequest, endpoint: Endpoint, form: Representation): EventEncoder {
  const include = includeOf(request.query);
  let first = true;
  return async (event) => {
    const columns = first;
    first = false;
    const item = event.object
      ? (await itemsOf(endpoint, [event.object]))[0]!
      : { json: Buffer.from(endpoint.version.encode(bookmark(event))) };
    const table = await tableValue(endpoint, item, form, include, columns);
    return encodeEvent(event.type, encodeValue(table, partialGvk(form), form), form);
  };
}
