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
