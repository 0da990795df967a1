import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { ApiRequest } from '../api-request.js';
import type { Representation } from './representation.js';

const compress = promisify(gzip);
/** Smaller answers cost more to compress than to send. */
const GZIP_MIN_BYTES = 128 * 1024;

/** A whole answer at once; compressed when the client takes it and it is worth it. */
export async function sendBytes(
  request: ApiRequest,
  status: number,
  body: Buffer,
  form: Pick<Representation, 'contentType'>,
): Promise<void> {
  const { response, http } = request;
  if (response.closed) return;
  let bytes = body;
  const headers: Record<string, string | number> = { 'Content-Type': form.contentType };
  if (body.length >= GZIP_MIN_BYTES && takesGzip(http.headers['accept-encoding'])) {
    bytes = await compress(body, { level: 1 });
    headers['Content-Encoding'] = 'gzip';
    headers.Vary = 'Accept-Encoding';
  }
  headers['Content-Length'] = bytes.length;
  response.head(status, request.answerHeaders(headers));
  response.end(http.method === 'HEAD' ? undefined : bytes);
}

export function takesGzip(header: string | string[] | undefined): boolean {
  return header !== undefined && `${header}`.split(',').some((part) => part.trim().split(';')[0] === 'gzip');
}
