import type { HeaderValues } from '../contract.js';

/** Values of a header in the order they came. Header bytes are UTF-8 to Kubernetes; Node hands them out as Latin-1. */
export function headerValues(headers: HeaderValues, name: string): readonly string[] {
  const value = Object.hasOwn(headers, name) ? headers[name] : undefined;
  if (value === undefined) return [];
  return typeof value === 'string' ? [utf8(value)] : value.map(utf8);
}

/** The first value, '' when there is none. */
export function headerValue(headers: HeaderValues, name: string): string {
  return headerValues(headers, name)[0] ?? '';
}

function utf8(text: string): string {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code > 0x7f) return code > 0xff ? text : Buffer.from(text, 'latin1').toString('utf8');
  }
  return text;
}

/** Headers whose name begins with `prefix` (lower case), by the decoded and lower-cased rest of the name. */
export function headersWithPrefix(headers: HeaderValues, prefix: string): Map<string, readonly string[]> {
  const found = new Map<string, readonly string[]>();
  for (const name of Object.keys(headers)) {
    if (!name.startsWith(prefix)) continue;
    const key = unescapeKey(name.slice(prefix.length).toLowerCase());
    found.set(key, [...(found.get(key) ?? []), ...headerValues(headers, name)]);
  }
  return found;
}

/** Percent-decoding of the key of an extra value; a key that is not well encoded stays as it is. */
function unescapeKey(key: string): string {
  if (!key.includes('%')) return key;
  if (/%(?![0-9a-f]{2})/i.test(key)) return key;
  return Buffer.from(
    key.replace(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16))),
    'latin1',
  ).toString('utf8');
}

/** Removes credentials and everything that names users from headers before they go on to another server. */
export function withoutCredentials<T extends object>(headers: T, frontProxy: FrontProxyHeaders | undefined): T {
  const names = new Set([
    'authorization',
    'x-remote-user',
    'x-remote-uid',
    'x-remote-group',
    ...(frontProxy ? namesOf(frontProxy) : []),
  ]);
  const prefixes = [
    'x-remote-extra-',
    'impersonate-',
    ...(frontProxy?.extraHeadersPrefix ?? []).map((p) => p.toLowerCase()),
  ];
  const kept = Object.entries(headers).filter(([name]) => {
    const lower = name.toLowerCase();
    return !names.has(lower) && !prefixes.some((prefix) => lower.startsWith(prefix));
  });
  return Object.fromEntries(kept) as T;
}

/** Names of the headers that a front proxy writes users into. */
export interface FrontProxyHeaders {
  readonly usernameHeaders: readonly string[];
  readonly uidHeaders: readonly string[];
  readonly groupHeaders: readonly string[];
  readonly extraHeadersPrefix: readonly string[];
}

const namesOf = (proxy: FrontProxyHeaders): string[] =>
  [...proxy.usernameHeaders, ...proxy.uidHeaders, ...proxy.groupHeaders].map((name) => name.toLowerCase());
