import { isIPv6 } from 'node:net';

/** TLS side of a connection to a backend; PEM. */
export interface BackendTls {
  readonly ca?: Buffer;
  readonly cert?: Buffer;
  readonly key?: Buffer;
  /** Whoever answers is believed. */
  readonly insecure: boolean;
}

/** Where a tunnel, a log or a proxied request goes. */
export interface Target {
  readonly scheme: 'http' | 'https';
  /** Name or address, IPv6 without brackets. */
  readonly host: string;
  readonly port: number;
  readonly tls: BackendTls;
}

/** A target with a request on it. */
export interface Location extends Target {
  /** Decoded; '' or with a leading slash. */
  readonly path: string;
  /** Encoded, without `?`. */
  readonly query: string;
}

/** Certificates of pods and services are their own: upstream checks none of them. */
export const UNCHECKED: BackendTls = { insecure: true };

/** `host:port` as URLs and messages write it. */
export function hostPort({ host, port }: Pick<Target, 'host' | 'port'>): string {
  return `${isIPv6(host) ? `[${host}]` : host}:${port}`;
}

/** A decoded path as it goes on the wire; what Go's net/url leaves alone is left alone. */
export function escapePath(path: string): string {
  let out = '';
  for (const byte of Buffer.from(path, 'utf8')) {
    const c = String.fromCharCode(byte);
    out += /[A-Za-z0-9\-._~$&+,/:;=@]/.test(c) ? c : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  }
  return out;
}

export function urlOf(location: Location): string {
  const query = location.query && `?${location.query}`;
  return `${location.scheme}://${hostPort(location)}${escapePath(location.path)}${query}`;
}

/** `name`, `name:port` or `scheme:name:port`, where the name is not empty; undefined for anything else. */
export function splitSchemeNamePort(
  id: string,
): { scheme: '' | 'http' | 'https'; name: string; port: string } | undefined {
  const parts = id.split(':');
  if (parts.length > 3) return undefined;
  const [scheme, name, port] = parts.length === 3 ? parts : ['', ...parts];
  if (!name || (scheme !== '' && scheme !== 'http' && scheme !== 'https')) return undefined;
  return { scheme, name, port: port ?? '' };
}
