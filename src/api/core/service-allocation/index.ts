import type { KubeObject } from '../../../machinery/json.js';
import type { Reservation, Strategy, StrategyContext } from '../../strategy.js';
import { keepAllocated, normalizeClusterIPs } from '../service/fields.js';
import { service as plainService } from '../service/index.js';
import type { AddressAllocator } from './address-allocator.js';
import type { Family } from './address-range.js';
import { changeClusterIPs, heldAddresses, takeClusterIPs } from './cluster-ips.js';
import { fillFamilies } from './ip-families.js';
import { changeNodePorts, takeNodePorts } from './node-ports.js';
import { type PortAllocator, portTaker } from './port-allocator.js';

export interface ServiceAllocation {
  readonly addresses: AddressAllocator;
  readonly ports: PortAllocator;
  /** Of the cluster, the primary one first. */
  readonly families: readonly Family[];
  /** Endpoints go with their service, so that another one of that name does not inherit them. Does not reject. */
  removeEndpoints(namespace: string, name: string): Promise<void>;
  /** An address could not be given back; whoever repairs the ranges will. */
  failed(service: KubeObject, error: unknown): void;
}

/**
 * The strategy of services with addresses and node ports from the cluster's ranges. An address is taken before the
 * service is written and given back after it is gone; node ports are in use as long as a stored service has them.
 */
export function allocatingService(allocation: ServiceAllocation): Strategy {
  return {
    ...plainService,
    reserve(ctx, service, old) {
      return ctx.subresource === '' ? reserve(allocation, ctx, service, old) : undefined;
    },
    async released(service) {
      await giveBack(allocation, service, heldAddresses(service));
      await allocation.removeEndpoints(service.metadata.namespace ?? '', service.metadata.name ?? '');
    },
  };
}

async function reserve(
  allocation: ServiceAllocation,
  ctx: StrategyContext,
  service: KubeObject,
  old: KubeObject | undefined,
): Promise<Reservation> {
  const { addresses, families } = allocation;
  const taken: string[] = [];
  let unneeded: readonly string[] = [];
  const ports = portTaker(allocation.ports, ctx.dryRun);
  const rollback = async () => {
    ports.settle();
    await giveBack(allocation, service, taken);
  };
  try {
    if (old) keepAllocated(service, old);
    normalizeClusterIPs(service, old);
    fillFamilies(service, old, families, ctx.gate);
    if (old) unneeded = await changeClusterIPs(addresses, service, old, ctx.dryRun, taken);
    else await takeClusterIPs(addresses, service, ctx.dryRun, taken);
    if (old) changeNodePorts(service, old, ports);
    else takeNodePorts(service, ports);
  } catch (e) {
    await rollback();
    throw e;
  }
  return {
    rollback,
    async commit() {
      ports.settle();
      await giveBack(allocation, service, unneeded);
    },
  };
}

async function giveBack(
  { addresses, failed }: ServiceAllocation,
  service: KubeObject,
  unneeded: readonly string[],
): Promise<void> {
  for (const address of unneeded) {
    try {
      await addresses.release(address);
    } catch (e) {
      failed(service, e);
    }
  }
}
