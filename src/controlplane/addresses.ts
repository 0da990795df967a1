import { isIPv6 } from 'node:net';
import { networkInterfaces } from 'node:os';

/**
 * The address that clients in the cluster are told: the given one, else the one that is bound if others can reach it,
 * else the host's first. Undefined on a host that has none but loopback; then the server has no endpoints.
 */
export function advertisedAddress(given: string | undefined, bound: string): string | undefined {
  if (given) return given;
  if (!/^(127\.|::1$|0\.0\.0\.0$|::$|localhost$)/.test(bound)) return bound;
  for (const addresses of Object.values(networkInterfaces())) {
    const usable = addresses?.find((a) => !a.internal && a.family === 'IPv4' && !a.address.startsWith('169.254.'));
    if (usable) return usable.address;
  }
  return undefined;
}

/** host:port, as URLs have it; the host may bring a port of its own. */
export function hostPort(host: string, port: number): string {
  if (isIPv6(host)) return `[${host}]:${port}`;
  return host.includes(':') ? host : `${host}:${port}`;
}

/** Nobody else reaches such an address; Endpoints may not hold it. */
export function isLoopback(address: string): boolean {
  return /^(127\.|::1$)/.test(address);
}
