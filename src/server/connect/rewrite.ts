/** How URLs that a backend writes are made to lead through this server. */
export interface Rewriting {
  /** Path up to the backend's root. */
  readonly prefix: string;
  /** host:port that the backend is reached at. */
  readonly backendHost: string;
  /** The Host header of the client's request. */
  readonly requestHost: string;
}

/** An absolute path on the backend itself goes under the prefix; relative paths and other hosts stay. */
export function rewriteUrl(text: string, { prefix, backendHost, requestHost }: Rewriting): string {
  const parsed = /^(?:([A-Za-z][A-Za-z0-9+.-]*):)?(?:\/\/([^/?#]*))?([^?#]*)(.*)$/s.exec(text);
  if (!parsed) return text;
  const [, scheme = '', host = '', path = '', rest = ''] = parsed;
  if ((host !== '' && host !== backendHost && host !== requestHost) || !path.startsWith('/')) return text;
  // Of the request's own host scheme and host stay; those of the backend mean nothing to the client.
  const origin = host !== '' && host === requestHost ? `${scheme && `${scheme}:`}//${host}` : '';
  if (path.startsWith(prefix)) return `${origin}${path}${rest}`;
  const joined = `${prefix}${path}`.replace(/\/{2,}/g, '/');
  return `${origin}${joined}${rest}`;
}
