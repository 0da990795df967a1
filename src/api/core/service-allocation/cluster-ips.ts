import { internalError, invalid, isStatusError } from '../../../machinery/errors.js';
import { type FieldError, invalidValue, Path } from '../../../machinery/field.js';
import { equalJson, type JsonObject, type KubeObject } from '../../../machinery/json.js';
import { str, strings } from '../../access.js';
import { isHeadless, needsClusterIP, specOf, typeOf } from '../service/fields.js';
import { type AddressAllocator, AllocationError, type ServiceName } from './address-allocator.js';
import { type Family, readAddress } from './address-range.js';

const KIND = { group: '', kind: 'Service' };
const CLUSTER_IPS = new Path('spec.clusterIPs');

/**
 * Takes the addresses that a service needs and has not, and writes them into it. What was taken so far is in
 * `taken` also when this rejects.
 */
export async function takeClusterIPs(
  allocator: AddressAllocator,
  service: KubeObject,
  dryRun: boolean,
  taken: string[],
): Promise<void> {
  if (!needsClusterIP(service) || isHeadless(service)) return;
  const spec = service.spec as JsonObject;
  const wanted = strings(spec, 'clusterIPs');
  const addresses: string[] = [];
  for (const [i, family] of (strings(spec, 'ipFamilies') as Family[]).entries()) {
    addresses.push(await takeOne(allocator, service, family, wanted[i] ?? '', dryRun, taken));
  }
  spec.clusterIPs = addresses;
  spec.clusterIP = addresses[0];
}

/**
 * The same for a change of a stored service: all addresses when it was none that has any, a second one when it became
 * dual-stack. Gives the addresses that it no longer needs.
 */
export async function changeClusterIPs(
  allocator: AddressAllocator,
  service: KubeObject,
  old: KubeObject,
  dryRun: boolean,
  taken: string[],
): Promise<readonly string[]> {
  if (unchangedPreference(service, old)) return [];
  if (!needsClusterIP(old)) {
    await takeClusterIPs(allocator, service, dryRun, taken);
    return [];
  }
  if (isHeadless(old)) return [];
  const before = strings(specOf(old), 'clusterIPs');
  if (!needsClusterIP(service)) return before;
  const families = strings(specOf(service), 'ipFamilies') as Family[];
  const familiesBefore = strings(specOf(old), 'ipFamilies');
  if (familiesBefore.length === 1 && families.length === 2) {
    const spec = service.spec as JsonObject;
    const [first = '', second = ''] = strings(spec, 'clusterIPs');
    spec.clusterIPs = [first, await takeOne(allocator, service, families[1]!, second, dryRun, taken)];
  }
  return familiesBefore.length === 2 && families.length === 1 ? before.slice(1) : [];
}

/** A service that only prefers two families is not moved to two by a change of something else. */
export function unchangedPreference(service: KubeObject, old: KubeObject): boolean {
  const spec = specOf(service);
  const before = specOf(old);
  return (
    spec.ipFamilyPolicy === 'PreferDualStack' &&
    typeOf(service) === typeOf(old) &&
    needsClusterIP(service) &&
    (before.ipFamilyPolicy === undefined || before.ipFamilyPolicy === 'PreferDualStack') &&
    equalJson(strings(spec, 'clusterIPs'), strings(before, 'clusterIPs')) &&
    equalJson(strings(spec, 'ipFamilies'), strings(before, 'ipFamilies'))
  );
}

/** What a removed service held. */
export function heldAddresses(service: KubeObject): string[] {
  if (!needsClusterIP(service) || isHeadless(service)) return [];
  return strings(specOf(service), 'clusterIPs').filter((ip) => readAddress(ip) !== undefined);
}

async function takeOne(
  allocator: AddressAllocator,
  service: KubeObject,
  family: Family,
  wanted: string,
  dryRun: boolean,
  taken: string[],
): Promise<string> {
  const owner: ServiceName = { namespace: service.metadata.namespace ?? '', name: service.metadata.name ?? '' };
  try {
    if (wanted === '') {
      if (dryRun) return allocator.sample(family);
      const address = await allocator.takeAny(owner, family);
      taken.push(address);
      return address;
    }
    if (dryRun) allocator.check(wanted);
    else {
      await allocator.take(owner, wanted);
      taken.push(wanted);
    }
    return wanted;
  } catch (e) {
    const refused = isStatusError(e, 'Invalid');
    if (!(e instanceof AllocationError) && !refused) throw e;
    if (wanted === '' && !refused) throw internalError(`failed to allocate a serviceIP: ${e.message}`);
    // What is wrong with the address's record (a service without a name) is told in the same words.
    const text = `failed to allocate IP${wanted && ` ${wanted}`}: ${e.message}`;
    const shown = strings(specOf(service), 'clusterIPs');
    throw invalidService(service, [invalidValue(CLUSTER_IPS, shown.length > 0 ? shown : [''], text)]);
  }
}

export const invalidService = (service: KubeObject, errors: readonly FieldError[]) =>
  invalid(KIND, str(service.metadata, 'name'), errors);
