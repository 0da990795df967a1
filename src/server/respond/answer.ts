import { parseJson } from '../../machinery/codec/json/parse.js';
import type { JsonObject } from '../../machinery/json.js';
import type { Endpoint } from '../../registry/endpoint.js';
import type { StoredObject } from '../../registry/store/object.js';
import type { VerbAnswer } from '../../registry/verbs/contract.js';
import type { ApiRequest } from '../api-request.js';
import type { WatchMeter } from '../metrics/events.js';
import { encodeObject } from './encode.js';
import { sendList } from './list.js';
import { gvkOf } from './object.js';
import { renderObject } from './render.js';
import type { Representation } from './representation.js';
import { sendBytes } from './send.js';
import type { Listing } from './stream.js';
import { sendWatch, sendWatchError } from './watch.js';

const STATUS = { group: '', version: 'v1', kind: 'Status' };

/** Writes a verb's answer in the form the client asked for. */
export async function sendAnswer(
  request: ApiRequest,
  endpoint: Endpoint,
  answer: VerbAnswer,
  form: Representation,
  watched: () => WatchMeter,
): Promise<void> {
  switch (answer.type) {
    case 'object':
      if (request.audit) request.audit.responseObject(parseJson(answer.object.json) as JsonObject);
      return sendBytes(request, answer.status, await renderObject(endpoint, answer.object, form, request.query), form);
    case 'value': {
      const json = Buffer.from(
        encodeObject(answer.value, gvkOf(answer.version), { ...form, format: 'json', pretty: false }),
      );
      return sendBytes(request, answer.status, await renderObject(endpoint, { json }, form, request.query), form);
    }
    case 'status':
      return sendBytes(request, answer.status, encodeObject(answer.value, STATUS, { ...form, as: '' }), form);
    case 'list':
      return sendList(request, endpoint, answer.list, form);
    case 'objects':
      return sendList(request, endpoint, removed(answer.objects, answer.revision), form);
    case 'watch':
      return sendWatch(request, endpoint, answer.watcher, form, watched());
    case 'watch-error':
      return sendWatchError(request, answer.error, form);
  }
}

function removed(objects: readonly StoredObject[], revision: number): Listing {
  const cached = objects.flatMap((o) => (o.cached ? [o.cached] : []));
  return {
    revision,
    continue: undefined,
    remainingItemCount: undefined,
    async *batches() {
      yield cached;
    },
  };
}
