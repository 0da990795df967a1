import { list, obj, str, strings } from '../api/access.js';
import { type AddressRange, addressRange, inRange, readAddress } from '../api/core/service-allocation/address-range.js';
import type { JsonObject, KubeObject } from '../machinery/json.js';
import { metaTime } from '../registry/context.js';
import type { Controller, ControllerParts } from './contract.js';
import { IP_ADDRESSES } from './service-addresses.js';
import { WorkQueue } from './work-queue.js';

const SERVICE_CIDRS = { group: 'networking.k8s.io', resource: 'servicecidrs' };
const FINALIZER = 'networking.k8s.io/service-cidr-finalizer';
const MANAGED_BY = 'ipaddress.kubernetes.io/managed-by';
const ALLOCATOR = 'ipallocator.k8s.io';
const NAME = 'service-cidr-controller';
/** Other servers on the same store may not have seen yet that nothing may be taken from the network any more. */
const GRACE_MS = 10_000;

/**
 * Says that networks of service addresses are ready, and holds those that are deleted as long as an address is in no
 * other network, so that no service is left outside of all.
 */
export function serviceCidrController(parts: ControllerParts): Controller {
  const { client, log } = parts;
  const stops: (() => void)[] = [];
  const leaving = new Set<string>();
  const queue = new WorkQueue({
    workers: 1,
    work: (name) => syncNetwork(parts, name),
    failed: (name, e) => log('warning', `service CIDR ${name}: ${String(e)}`),
  });
  const lookAgain = () => {
    for (const name of leaving) queue.add(name);
  };
  return {
    name: NAME,
    async start() {
      stops.push(
        await client.subscribe(SERVICE_CIDRS, ({ type, object }) => {
          const { name = '', deletionTimestamp } = object.metadata;
          if (type !== 'DELETED' && deletionTimestamp) leaving.add(name);
          else leaving.delete(name);
          if (type === 'DELETED') return;
          queue.add(name);
          // It may hold what another one was waiting for.
          if (type === 'ADDED') lookAgain();
        }),
        await client.subscribe(IP_ADDRESSES, ({ type }) => {
          if (type === 'DELETED') lookAgain();
        }),
      );
    },
    async stop() {
      for (const stop of stops) stop();
      await queue.close();
    },
  };
}

/** A number: to be looked at again after so many ms. */
async function syncNetwork({ client, env }: ControllerParts, name: string): Promise<number | undefined> {
  const cidr = await client.get(SERVICE_CIDRS, '', name);
  if (!cidr) return undefined;
  const settings = { manager: NAME };
  const report = async (ready: JsonObject): Promise<void> => {
    if (isSaid(cidr, ready)) return;
    const conditions = [{ ...ready, lastTransitionTime: metaTime(env.now()) }];
    const config = {
      apiVersion: 'networking.k8s.io/v1',
      kind: 'ServiceCIDR',
      metadata: { name },
      status: { conditions },
    };
    await client.apply(SERVICE_CIDRS, config, { ...settings, subresource: 'status' });
  };
  const { deletionTimestamp, finalizers = [] } = cidr.metadata;
  if (!deletionTimestamp) {
    const held = (o: KubeObject) => o.metadata.finalizers?.includes(FINALIZER) === true;
    await client.update(SERVICE_CIDRS, '', name, (o) => (held(o) ? undefined : withFinalizer(o)), settings);
    await report(READY);
    return undefined;
  }
  if (!finalizers.includes(FINALIZER)) return undefined;
  const others = (await client.list(SERVICE_CIDRS)).filter((o) => o.metadata.name !== name);
  if (orphans(rangesOf(cidr), others.flatMap(rangesOf), await client.list(IP_ADDRESSES))) {
    await report(TERMINATING);
    return undefined;
  }
  const left = Date.parse(deletionTimestamp) + GRACE_MS - env.now().getTime();
  if (left > 0) return left;
  await client.update(SERVICE_CIDRS, '', name, withoutFinalizer, settings);
  return undefined;
}

const READY = { type: 'Ready', status: 'True', message: 'Kubernetes Service CIDR is ready' };
const TERMINATING = {
  type: 'Ready',
  status: 'False',
  reason: 'Terminating',
  message: 'There are still IPAddresses referencing the ServiceCIDR, please remove them or create a new ServiceCIDR',
};

function isSaid(cidr: KubeObject, ready: JsonObject): boolean {
  const conditions = list(obj(cidr, 'status'), 'conditions');
  return conditions.some((c) => str(c, 'type') === 'Ready' && c.status === ready.status);
}

function withFinalizer(cidr: KubeObject): KubeObject {
  return { ...cidr, metadata: { ...cidr.metadata, finalizers: [...(cidr.metadata.finalizers ?? []), FINALIZER] } };
}

function withoutFinalizer(cidr: KubeObject): KubeObject {
  const finalizers = (cidr.metadata.finalizers ?? []).filter((f) => f !== FINALIZER);
  return { ...cidr, metadata: { ...cidr.metadata, finalizers } };
}

function rangesOf(cidr: KubeObject): AddressRange[] {
  return strings(obj(cidr, 'spec'), 'cidrs').flatMap((text) => addressRange(text) ?? []);
}

/** Whether an address in use would be in no network any more. */
function orphans(going: readonly AddressRange[], staying: readonly AddressRange[], records: KubeObject[]): boolean {
  return records.some(({ metadata }) => {
    if (metadata.labels?.[MANAGED_BY] !== ALLOCATOR) return false;
    const address = readAddress(metadata.name ?? '');
    const within = (range: AddressRange) =>
      address !== undefined && range.family === address.family && inRange(range, address.value);
    return going.some(within) && !staying.some(within);
  });
}
