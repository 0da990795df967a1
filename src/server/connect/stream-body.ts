import type { IncomingMessage } from 'node:http';
import type { HttpResponse } from '../http.js';

/**
 * Passes a backend's body on as it comes, no faster than the client reads. A body that breaks off breaks the answer
 * off, too: half of it must not look like all of it.
 */
export async function streamBody(
  incoming: AsyncIterable<Buffer> & { destroy(): unknown },
  response: HttpResponse,
): Promise<void> {
  response.flush?.();
  try {
    for await (const chunk of incoming) {
      if (response.closed) return;
      if (!response.write(chunk)) await response.drained();
    }
    response.end();
  } catch {
    response.abort();
  } finally {
    incoming.destroy();
  }
}

/** The beginning of a body as text. */
export async function readText(incoming: IncomingMessage, limit: number): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of incoming as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    length += chunk.length;
    if (length >= limit) break;
  }
  incoming.destroy();
  return Buffer.concat(chunks).subarray(0, limit).toString('utf8');
}
