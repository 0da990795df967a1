import { goQuote } from '../../../machinery/go-format.js';
import { isJsonObject, type JsonValue } from '../../../machinery/json.js';

const TEXTS: Record<number, string> = {
  400: 'the server rejected our request for an unknown reason',
  401: 'the server has asked for the client to provide credentials',
  404: 'the server could not find the requested resource',
  405: 'the server does not allow this method on the requested resource',
  409: 'the server reported a conflict',
  422: 'the server rejected our request due to an error in our request',
  429: 'the server has received too many requests and has asked us to try again later',
  503: 'the server is currently unable to handle the request',
  504: 'the server was unable to return a response in the time allotted, but may still be processing the request',
};

/**
 * What an answer that is no success means, in the words of client-go: that of a Status in its body, else by its code.
 *
 * @param contentType '' when there is none
 */
export function responseError(code: number, contentType: string, body: string): string {
  const said = statusMessage(body);
  if (said !== undefined) return said;
  const text = contentType === '' || /^text\//i.test(contentType) ? body.trim() : 'unknown';
  switch (code) {
    case 403:
    case 415:
      return text;
    case 406:
      return text === '' || text === 'unknown'
        ? 'the server was unable to respond with a content type that the client supports'
        : text;
  }
  const known = TEXTS[code];
  if (known) return known;
  if (code >= 500) return `an error on the server (${goQuote(text)}) has prevented the request from succeeding`;
  return `the server responded with the status code ${code} but did not return more information`;
}

function statusMessage(body: string): string | undefined {
  let value: JsonValue;
  try {
    value = JSON.parse(body) as JsonValue;
  } catch {
    return undefined;
  }
  if (!isJsonObject(value) || (value.kind ?? 'Status') !== 'Status' || value.status !== 'Failure') return undefined;
  return typeof value.message === 'string' ? value.message : '';
}
