import type { CachedObject, ListResult } from '../../storage/cacher/cacher.js';
import type { ApiRequest } from '../api-request.js';
import { gzipResponse } from '../transport/gzip.js';
import type { Representation } from './representation.js';
import { sendBytes, takesGzip } from './send.js';

/** What is written at once: large enough for few system calls, small enough to keep memory flat. */
const CHUNK = 64 * 1024;

/** A list as far as an answer needs it. */
export type Listing = Pick<ListResult, 'revision' | 'continue' | 'remainingItemCount' | 'batches'>;

/** How a JSON document is made of a list. */
export interface StreamedForm {
  /** What stands before the objects. */
  readonly head: string;
  readonly tail: string;
  /** The whole document when there are no objects, where that is not head and tail. */
  readonly empty?: string;
  /** JSON of each object, without the `{` it begins with. */
  bodies(objects: readonly CachedObject[]): readonly Buffer[] | Promise<readonly Buffer[]>;
}

const OPEN = Buffer.from('{');
const COMMA_OPEN = Buffer.from(',{');

/** Sends a list as its objects come out of the cache: memory does not grow with the list. */
export async function streamList(
  request: ApiRequest,
  list: Listing,
  form: Representation,
  { head, tail, empty, bodies }: StreamedForm,
): Promise<void> {
  const { http } = request;
  const response = takesGzip(http.headers['accept-encoding']) ? gzipResponse(request.response) : request.response;
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
    for (const body of await bodies(batch)) {
      pending.push(first ? OPEN : COMMA_OPEN, body);
      first = false;
      size += body.length + 2;
      if (size >= CHUNK) await flush();
      if (response.closed) return;
    }
  }
  if (first && empty !== undefined) pending = [Buffer.from(empty)];
  else pending.push(Buffer.from(tail));
  if (begun) {
    response.end(Buffer.concat(pending));
    await response.drained();
  } else await sendBytes(request, 200, Buffer.concat(pending), form);
}
