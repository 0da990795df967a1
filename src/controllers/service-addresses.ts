import { obj, str } from '../api/access.js';
import { readAddress } from '../api/core/service-allocation/address-range.js';
import { heldAddresses } from '../api/core/service-allocation/cluster-ips.js';
import { isStatusError } from '../machinery/errors.js';
import type { KubeObject } from '../machinery/json.js';
import type { LocalClient } from '../registry/local-client.js';
import type { Controller, ControllerParts } from './contract.js';
import { WorkQueue } from './work-queue.js';

export const IP_ADDRESSES = { group: 'networking.k8s.io', resource: 'ipaddresses' };
const SERVICES = { group: '', resource: 'services' };
const MANAGED_BY = 'ipaddress.kubernetes.io/managed-by';
const FAMILY = 'ipaddress.kubernetes.io/ip-family';
/** What this server made is its own to remove. */
const ALLOCATOR = 'ipallocator.k8s.io';
const SETTINGS = { manager: 'kube-apiserver' };
const EVERY_MS = 3 * 60_000;
/** The service of a younger address may still be on its way into the store. */
const GRACE_MS = 60_000;

/** The record that an address belongs to a service, as kube-apiserver keeps it. */
function ipAddressOf(address: string, namespace: string, name: string): KubeObject {
  const family = readAddress(address)?.family ?? '';
  return {
    metadata: { name: address, labels: { [FAMILY]: family, [MANAGED_BY]: ALLOCATOR } },
    spec: { parentRef: { resource: 'services', namespace, name } },
  };
}

/** False: there is one already. */
export async function createIPAddress(
  client: LocalClient,
  address: string,
  namespace: string,
  name: string,
): Promise<boolean> {
  try {
    await client.create(IP_ADDRESSES, ipAddressOf(address, namespace, name), SETTINGS);
    return true;
  } catch (e) {
    if (isStatusError(e, 'AlreadyExists')) return false;
    throw e;
  }
}

export async function removeIPAddress(client: LocalClient, address: string): Promise<void> {
  try {
    await client.delete(IP_ADDRESSES, '', address, {}, SETTINGS);
  } catch (e) {
    if (!isStatusError(e, 'NotFound')) throw e;
  }
}

type RepairParts = Pick<ControllerParts, 'client' | 'env' | 'log'>;

/**
 * Keeps services and the records of their addresses in step: every address of a service has its record, and no record
 * outlives its service. Looks at all of them at its start and every few minutes, and at a record when it goes.
 */
export function serviceAddresses(parts: RepairParts): Controller {
  const { client, log } = parts;
  let stopWatching: (() => void) | undefined;
  const queue = new WorkQueue({
    workers: 1,
    async work(key) {
      if (key !== '') {
        const [namespace = '', name = ''] = key.split('/');
        const service = await client.get(SERVICES, namespace, name);
        if (service) await ensureRecords(parts, service);
        return undefined;
      }
      await repairAddresses(parts);
      return EVERY_MS;
    },
    failed: (key, e) => log('warning', `service addresses${key && ` of ${key}`}: ${String(e)}`),
  });
  return {
    name: 'service-address-repair',
    async start() {
      await repairAddresses(parts);
      queue.addAfter('', EVERY_MS);
      stopWatching = await client.subscribe(IP_ADDRESSES, ({ type, object }) => {
        const parent = parentOf(object);
        if (type === 'DELETED' && parent) queue.add(`${parent.namespace}/${parent.name}`);
      });
    },
    async stop() {
      stopWatching?.();
      await queue.close();
    },
  };
}

/** Brings all records in line with what the services say; who has an address first keeps it. */
async function repairAddresses(parts: RepairParts): Promise<void> {
  const { client, env, log } = parts;
  const owners = new Map<string, KubeObject>();
  for (const service of await client.list(SERVICES)) {
    for (const address of heldAddresses(service)) {
      const other = owners.get(address);
      if (other) log('error', `${address} is the address of ${nameOf(other)} and of ${nameOf(service)}`);
      else owners.set(address, service);
    }
    await ensureRecords(parts, service);
  }
  for (const record of await client.list(IP_ADDRESSES)) {
    const { name = '', creationTimestamp = '', labels = {} } = record.metadata;
    if (labels[MANAGED_BY] !== ALLOCATOR || owners.has(name)) continue;
    if (env.now().getTime() - Date.parse(creationTimestamp) < GRACE_MS) continue;
    log('info', `IPAddress ${name} belongs to no service and is removed`);
    await removeIPAddress(client, name);
  }
}

async function ensureRecords({ client, log }: RepairParts, service: KubeObject): Promise<void> {
  const { namespace = '', name = '' } = service.metadata;
  for (const address of heldAddresses(service)) {
    const record = await client.get(IP_ADDRESSES, '', address);
    const parent = record && parentOf(record);
    if (parent?.namespace === namespace && parent.name === name) continue;
    if (parent) {
      const other = await client.get(SERVICES, parent.namespace, parent.name);
      if (other && heldAddresses(other).includes(address)) continue;
      // The parent of a record can't be changed.
      await removeIPAddress(client, address);
    }
    log('warning', `the address ${address} of service ${namespace}/${name} was on nobody's record`);
    await createIPAddress(client, address, namespace, name);
  }
}

function parentOf(record: KubeObject): { namespace: string; name: string } | undefined {
  const parent = obj(obj(record, 'spec'), 'parentRef');
  if (str(parent, 'resource') !== 'services' || str(parent, 'group') !== '') return undefined;
  return { namespace: str(parent, 'namespace'), name: str(parent, 'name') };
}

const nameOf = ({ metadata }: KubeObject): string => `service ${metadata.namespace}/${metadata.name}`;
