import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { parseIP } from '../../api/validation/index.js';
import { badRequest } from '../../machinery/errors.js';

/** Whether requests of users may be sent to an address. */
export type AddressRule = (ip: string) => boolean;

/**
 * The rule of upstream: addresses of this host and of its link are none of a user's business, be they named by a pod, by
 * a node or by DNS.
 */
export const globalUnicast: AddressRule = (text) => {
  const ip = parseIP(text);
  if (!ip) return false;
  const b = ip.bytes;
  if (b.every((x) => x === 0)) return false;
  if (ip.family === 4) {
    const broadcast = b.every((x) => x === 255);
    const multicast = b[0]! >= 224 && b[0]! < 240;
    return !broadcast && !multicast && b[0] !== 127 && !(b[0] === 169 && b[1] === 254);
  }
  const loopback = b.subarray(0, 15).every((x) => x === 0) && b[15] === 1;
  const linkLocal = b[0] === 0xfe && (b[1]! & 0xc0) === 0x80;
  return !loopback && !linkLocal && b[0] !== 0xff;
};

/**
 * The address to reach a host at, once every address it has was found allowed. What is checked is what is used, so that
 * no second answer of DNS can lead elsewhere.
 *
 * @throws 400
 */
export async function allowedAddress(host: string, allowed: AddressRule): Promise<string> {
  const addresses = isIP(host) ? [host] : await resolve(host);
  if (!addresses.every(allowed)) throw badRequest('address not allowed');
  return addresses[0]!;
}

async function resolve(host: string): Promise<string[]> {
  try {
    const found = await lookup(host, { all: true });
    if (found.length > 0) return found.map((a) => a.address);
  } catch {
    // said below
  }
  throw badRequest(`lookup ${host}: no such host`);
}
