import { parseDuration } from '../machinery/cel/values/time.js';
import { badRequest, timeoutError } from '../machinery/errors.js';
import { goQuote } from '../machinery/go-format.js';
import type { ApiRequest } from './api-request.js';
import { sendText } from './respond/text.js';

/** Longer texts are no duration that fits. */
const MAX_TEXT = 64;
const UNFINISHED = timeoutError('request did not complete within the allotted timeout');

/**
 * How long a request may take: what its client asks for with `timeout`, a Go duration, but never more than `maxMs`.
 * Nothing and anything not above zero mean `maxMs`.
 *
 * @returns milliseconds
 * @throws 400 for what is no duration
 */
export function requestTimeout({ query }: ApiRequest, maxMs: number): number {
  const text = query.get('timeout');
  if (!text) return maxMs;
  const parsed = text.length > MAX_TEXT ? undefined : parseDuration(text);
  if (!parsed) {
    throw badRequest(`invalid timeout specified in the request URL - time: invalid duration ${goQuote(text)}`);
  }
  const ms = Number(parsed.nanos / 1_000_000n);
  return ms > 0 ? Math.min(ms, maxMs) : maxMs;
}

/** The time of a request is up. */
export class TimeUp extends Error {}

/** Rejects with TimeUp when the work takes longer. The work goes on, but its answer has nowhere to go. */
export function within<T>(ms: number, work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new TimeUp()), ms);
    work.then(
      (value) => {
        clearTimeout(timer);
        resolve(value);
      },
      (error: unknown) => {
        clearTimeout(timer);
        reject(error);
      },
    );
  });
}

/**
 * Ends a request whose time is up, and what still works on it. Upstream writes the Status without its kind and as plain
 * text, since nobody knows any more what the client takes.
 */
export function sendTimeUp(request: ApiRequest): void {
  const { http, response } = request;
  if (response.headersSent) response.abort();
  else {
    const { message, reason, code } = UNFINISHED;
    const status = { metadata: {}, status: 'Failure', message, reason, details: {}, code };
    sendText(request, code, `${JSON.stringify(status)}\n`);
  }
  http.interrupt?.();
}
