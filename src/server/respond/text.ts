import type { OutgoingHttpHeaders } from 'node:http';
import type { ApiRequest } from '../api-request.js';

/** A short answer in plain text, as health checks and Go's router give it. */
export function sendText(request: ApiRequest, status: number, text: string, headers: OutgoingHttpHeaders = {}): void {
  const { response, http } = request;
  if (response.closed) return;
  const body = Buffer.from(text);
  const head = { 'Content-Type': 'text/plain; charset=utf-8', 'Content-Length': body.length, ...headers };
  response.head(status, request.answerHeaders(head));
  response.end(http.method === 'HEAD' ? undefined : body);
}
