import { list, obj, str, strings } from '../api/access.js';
import { AddressAllocator } from '../api/core/service-allocation/address-allocator.js';
import { addressRange, addressText, type Family } from '../api/core/service-allocation/address-range.js';
import { allocatingService } from '../api/core/service-allocation/index.js';
import { heldPorts } from '../api/core/service-allocation/node-ports.js';
import { PortAllocator, parsePortRange } from '../api/core/service-allocation/port-allocator.js';
import type { Strategy } from '../api/strategy.js';
import { createIPAddress, IP_ADDRESSES, removeIPAddress } from '../controllers/service-addresses.js';
import { isStatusError } from '../machinery/errors.js';
import type { KubeObject } from '../machinery/json.js';
import type { LocalClient } from '../registry/local-client.js';
import type { ControlPlaneOptions } from './options.js';

const SERVICES = { group: '', resource: 'services' };
const ENDPOINTS = { group: '', resource: 'endpoints' };
const SERVICE_CIDRS = { group: 'networking.k8s.io', resource: 'servicecidrs' };

export interface ServiceParts {
  readonly options: ControlPlaneOptions;
  readonly log: NonNullable<ControlPlaneOptions['log']>;
  /** 0 ≤ x < 1. */
  readonly random: () => number;
  /** Asked when the first service is written. */
  client(): LocalClient;
}

export interface Services {
  readonly strategy: Strategy;
  /** As configured, the first decides the primary family. */
  readonly cidrs: readonly string[];
  /** Of the service default/kubernetes: the first of the first network. */
  readonly apiServerAddress: string;
  /** Learns what is in use. No service can be written before. */
  start(): Promise<void>;
  stop(): void;
}

/**
 * Addresses and node ports of services.
 *
 * @throws Error for ranges that are none, more than one of a family, or more than two
 */
export function openServices(parts: ServiceParts): Services {
  const { options, log, random, client } = parts;
  const cidrs = options.serviceClusterIpRanges ?? ['10.0.0.0/24'];
  const ranges = cidrs.map((cidr) => {
    const range = addressRange(cidr);
    if (!range) throw new Error(`${JSON.stringify(cidr)} is no network for service addresses`);
    return range;
  });
  const families: Family[] = ranges.map((range) => range.family);
  if (ranges.length < 1 || ranges.length > 2 || families[0] === families[1]) {
    throw new Error('service addresses need one network, or two of different families');
  }
  const addresses = new AddressAllocator(
    {
      create: (address, _family, { namespace, name }) => createIPAddress(client(), address, namespace, name),
      remove: (address) => removeIPAddress(client(), address),
    },
    random,
  );
  const ports = new PortAllocator(parsePortRange(options.serviceNodePortRange ?? '30000-32767'), random);
  const strategy = allocatingService({
    addresses,
    ports,
    families,
    async removeEndpoints(namespace, name) {
      try {
        await client().delete(ENDPOINTS, namespace, name);
      } catch (e) {
        if (!isStatusError(e, 'NotFound')) log('warning', `endpoints of service ${namespace}/${name}: ${String(e)}`);
      }
    },
    failed: ({ metadata }, e) =>
      log('warning', `address of service ${metadata.namespace}/${metadata.name} was not given back: ${String(e)}`),
  });
  const stops: (() => void)[] = [];
  return {
    strategy,
    cidrs,
    apiServerAddress: addressText(ranges[0]!.family, ranges[0]!.first),
    async start() {
      stops.push(
        await client().subscribe(SERVICE_CIDRS, ({ type, object }) => {
          const { name = '' } = object.metadata;
          if (type === 'DELETED') addresses.removeNetworks(name);
          else addresses.setNetworks(name, strings(obj(object, 'spec'), 'cidrs'), isReady(object));
        }),
        await client().subscribe(IP_ADDRESSES, ({ type, object }) => {
          const { name = '' } = object.metadata;
          if (type === 'DELETED') addresses.recordRemoved(name);
          else addresses.recordAdded(name);
        }),
        await client().subscribe(SERVICES, ({ type, object, old }) => {
          if (type !== 'DELETED') for (const port of heldPorts(object)) ports.portUsed(port);
          if (old) for (const port of heldPorts(old)) ports.portFreed(port);
        }),
      );
    },
    stop() {
      for (const stop of stops) stop();
    },
  };
}

/** A network counts as ready unless a loop says otherwise, so that no loop is needed. */
function isReady(cidr: KubeObject): boolean {
  if (cidr.metadata.deletionTimestamp) return false;
  const ready = list(obj(cidr, 'status'), 'conditions').find((condition) => str(condition, 'type') === 'Ready');
  return !ready || str(ready, 'status') === 'True';
}
