import type { IncomingHttpHeaders } from 'node:http';

/** Repeated lines of these make one comma list. */
const LISTS = new Set(['connection', 'sec-websocket-protocol', 'sec-websocket-extensions', 'te', 'upgrade', 'via']);
/** Of these the first line counts, which is what Go's `Header.Get` sees. */
const SINGLE =
  /^(accept|accept-.*|access-control-.*|authorization|content-.*|date|etag|expect|expires|from|host|if-.*|last-modified|location|max-forwards|origin|pragma|range|referer|transfer-encoding|user-agent)$/;

/**
 * Headers from their raw lines, names lower-cased. HTTP/2 pseudo headers are left out, `:authority` becomes `host`.
 * Repeated lines of anything that HTTP does not define as single or as a list give an array: identity headers
 * (`impersonate-group`, `x-remote-group` or whatever the front proxy was told to use) may hold commas.
 */
export function collectHeaders(raw: readonly string[]): IncomingHttpHeaders {
  const headers: IncomingHttpHeaders = Object.create(null);
  for (let i = 0; i + 1 < raw.length; i += 2) {
    let name = raw[i]!.toLowerCase();
    const value = raw[i + 1]!;
    if (name.charCodeAt(0) === 58) {
      if (name !== ':authority' || headers.host !== undefined) continue;
      name = 'host';
    }
    const before = headers[name];
    if (before === undefined) headers[name] = value;
    else if (Array.isArray(before)) before.push(value);
    else if (name === 'cookie') headers.cookie = `${before}; ${value}`;
    else if (LISTS.has(name)) headers[name] = `${before}, ${value}`;
    else if (!SINGLE.test(name)) headers[name] = [before, value];
  }
  return headers;
}

const PLAIN = /^[\t\x20-\x7e]*$/;
const CONTROL = /(?!\t)\p{Cc}/gu;

/** A response header's value as it may go on the wire: UTF-8 bytes, line breaks turned to blanks as Go does. */
export function headerValue(value: string): string {
  // Node writes header text one byte a character.
  return PLAIN.test(value) ? value : Buffer.from(value.replace(CONTROL, ' '), 'utf8').toString('latin1');
}

/** A copy that is safe to write; numbers and arrays stay what they are. */
export function cleanHeaders<T extends Readonly<Record<string, number | string | readonly string[] | undefined>>>(
  headers: T,
): Record<string, number | string | string[]> {
  const out: Record<string, number | string | string[]> = {};
  for (const name of Object.keys(headers)) {
    const value = headers[name];
    if (typeof value === 'string') out[name] = headerValue(value);
    else if (typeof value === 'number') out[name] = value;
    else if (value !== undefined) out[name] = value.map(headerValue);
  }
  return out;
}
