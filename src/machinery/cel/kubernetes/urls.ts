import { member, type Overload, overload } from '../types/declarations.js';
import { BOOL, listType, mapType, objectType, STRING } from '../types/type.js';
import { makeMap, OpaqueValue } from '../values/containers.js';
import { CelError } from '../values/error.js';
import { hostname, type ParsedURL, parseURL, port, queryValues } from './url-parser.js';

export const URL_TYPE = objectType('kubernetes.URL');

export class URLValue extends OpaqueValue {
  readonly typeName = URL_TYPE.name;
  readonly url: ParsedURL;

  constructor(url: ParsedURL) {
    super();
    this.url = url;
  }
  equals(other: URLValue): boolean {
    return JSON.stringify(this.url) === JSON.stringify(other.url);
  }
}

function toURL(text: string): URLValue {
  try {
    // Only absolute URLs will do, but a fragment may follow.
    parseURL(text, true);
    return new URLValue(parseURL(text, false));
  } catch (e) {
    throw new CelError(`URL parse error during conversion from string: ${(e as Error).message}`);
  }
}

function isURL(text: string): boolean {
  try {
    parseURL(text, true);
    return true;
  } catch {
    return false;
  }
}

function part(id: string, read: (url: ParsedURL) => string): Overload[] {
  return [member(id, [URL_TYPE], STRING, (value: URLValue) => read(value.url))];
}

/** Kubernetes' URL library. */
export const URLS: Record<string, Overload[]> = {
  url: [overload('string_to_url', [STRING], URL_TYPE, toURL)],
  isURL: [overload('is_url_string', [STRING], BOOL, isURL)],
  getScheme: part('url_get_scheme', (url) => url.scheme),
  getHost: part('url_get_host', (url) => url.host),
  getHostname: part('url_get_hostname', hostname),
  getPort: part('url_get_port', port),
  getEscapedPath: part('url_get_escaped_path', (url) => url.escapedPath),
  getQuery: [
    member('url_get_query', [URL_TYPE], mapType(STRING, listType(STRING)), (value: URLValue) =>
      makeMap(queryValues(value.url)),
    ),
  ],
};
