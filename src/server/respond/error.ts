import type { OutgoingHttpHeaders } from 'node:http';
import { isStatusError, type Status, StatusError } from '../../machinery/errors.js';
import type { JsonObject } from '../../machinery/json.js';
import { isStorageError } from '../../storage/contract.js';
import type { ApiRequest } from '../api-request.js';
import { encodeObject } from './encode.js';
import { statusRepresentation } from './negotiate.js';

const STATUS = { group: '', version: 'v1', kind: 'Status' };

/** Ends a request with the Status of what went wrong. Never throws: a client that is gone hears nothing. */
export async function sendError(request: ApiRequest, error: unknown): Promise<void> {
  const { response } = request;
  if (response.closed) return;
  if (response.headersSent) {
    // Half an answer must not look like a whole one.
    response.abort();
    return;
  }
  const failure = asStatusError(error);
  if (failure.code === 429 && failure.headers['Retry-After']) return sendPlain(request, failure);
  const status = failure.toStatus() as Status & JsonObject;
  request.audit?.responseObject(status);
  const form = statusRepresentation(request.http.headers, request.query);
  const body = encodeObject(status, STATUS, form);
  const headers: OutgoingHttpHeaders = {
    ...failure.headers,
    'Content-Type': form.contentType,
    'Content-Length': body.length,
  };
  const retryAfter = failure.details?.retryAfterSeconds;
  if (retryAfter) headers['Retry-After'] = `${retryAfter}`;
  response.head(failure.code, request.answerHeaders(headers));
  response.end(request.http.method === 'HEAD' ? undefined : body);
}

/** Too many requests: sent as plain text upstream, as whoever sends it has not even looked at the Accept header. */
function sendPlain(request: ApiRequest, failure: StatusError): void {
  const body = Buffer.from(`${failure.message}\n`);
  const headers = { ...failure.headers, 'Content-Type': 'text/plain; charset=utf-8', 'Content-Length': body.length };
  request.response.head(failure.code, request.answerHeaders(headers));
  request.response.end(body);
}

/** Neither a refusal nor a storage that is full or closed, nor a client that went away. */
export function isUnexpected(error: unknown): boolean {
  const gone = error instanceof Error && error.name === 'AbortError';
  return !gone && !isStatusError(error) && !isStorageError(error);
}

/** What nobody threw on purpose is a 500 that tells nothing of the inside. */
export function asStatusError(error: unknown): StatusError {
  if (isStatusError(error)) return error;
  if (isStorageError(error)) return storageFault(error.code, error.message);
  if (error instanceof Error && error.name === 'AbortError') {
    return new StatusError(504, 'Timeout', 'Timeout: request was cancelled', {});
  }
  return new StatusError(500, 'InternalError', 'Internal error occurred: the server hit an unexpected condition', {
    causes: [{ message: 'the server hit an unexpected condition' }],
  });
}

function storageFault(code: string, message: string): StatusError {
  const full = code === 'NoSpace';
  return new StatusError(
    full ? 507 : 500,
    '',
    full ? 'the data directory has no space left' : `etcdserver: ${message}`,
  );
}
