import type { GroupResource } from '../../../machinery/errors.js';
import { isJsonObject, type JsonObject, type JsonValue, type KubeObject } from '../../../machinery/json.js';

/** Reads the objects that tell where a Service is. */
export interface ServiceObjects {
  get(resource: GroupResource, namespace: string, name: string): Promise<KubeObject | undefined>;
  list(resource: GroupResource, namespace: string): Promise<KubeObject[]>;
}

/** A host name or IP address, and a port. */
export interface Target {
  readonly host: string;
  readonly port: number;
}

/** Where a Service's port can be reached. Rejects with an Error that says why it can't. */
export type ServiceResolver = (namespace: string, name: string, port: number) => Promise<Target>;

const SERVICES = { group: '', resource: 'services' };
const ENDPOINTS = { group: '', resource: 'endpoints' };
const ENDPOINT_SLICES = { group: 'discovery.k8s.io', resource: 'endpointslices' };

/**
 * Finds a ready address behind a Service, by its EndpointSlices or else its Endpoints, so that no proxy on this host is
 * needed. A Service of type ExternalName is the host that it names.
 *
 * @param random 0 ≤ x < 1; chooses among the addresses
 */
export function serviceResolver(objects: ServiceObjects, random: () => number): ServiceResolver {
  return async (namespace, name, port) => {
    const service = await objects.get(SERVICES, namespace, name);
    if (!service) throw new Error(`service ${JSON.stringify(name)} not found`);
    const spec = part(service.spec);
    if (spec.type === 'ExternalName') return { host: String(spec.externalName), port };
    const servicePort = parts(spec.ports).find((p) => p.port === port);
    if (!servicePort) throw new Error(`no service port ${port} found for service ${JSON.stringify(name)}`);
    const portName = typeof servicePort.name === 'string' ? servicePort.name : '';
    const slices = await objects.list(ENDPOINT_SLICES, namespace);
    const own = slices.filter((s) => s.metadata.labels?.['kubernetes.io/service-name'] === name);
    const endpoints = own.length > 0 ? undefined : await objects.get(ENDPOINTS, namespace, name);
    const family = Array.isArray(spec.ipFamilies) ? spec.ipFamilies[0] : undefined;
    const found = own.length > 0 ? fromSlices(own, portName, family) : fromEndpoints(endpoints, portName);
    const chosen = found[Math.floor(random() * found.length)];
    if (!chosen) throw new Error(`no endpoints available for service ${JSON.stringify(name)}`);
    return chosen;
  };
}

/** Ready addresses of the service's first IP family, or of the other when that has none. */
function fromSlices(slices: readonly KubeObject[], portName: string, family: JsonValue | undefined): Target[] {
  const first = slices.filter((s) => s.addressType === family);
  const found = first.flatMap((s) => fromSlice(s, portName));
  return found.length > 0 ? found : slices.flatMap((s) => fromSlice(s, portName));
}

function fromSlice(slice: KubeObject, portName: string): Target[] {
  const port = portNamed(parts(slice.ports), portName);
  if (port === undefined) return [];
  return parts(slice.endpoints)
    .filter((e) => part(e.conditions).ready !== false)
    .flatMap((e) => (Array.isArray(e.addresses) ? [{ host: String(e.addresses[0]), port }] : []));
}

function fromEndpoints(endpoints: KubeObject | undefined, portName: string): Target[] {
  return parts(endpoints?.subsets).flatMap((subset) => {
    const port = portNamed(parts(subset.ports), portName);
    return port === undefined ? [] : parts(subset.addresses).map((a) => ({ host: String(a.ip), port }));
  });
}

function portNamed(ports: readonly JsonObject[], name: string): number | undefined {
  const port = ports.find((p) => (p.name ?? '') === name)?.port;
  return typeof port === 'number' ? port : undefined;
}

function part(value: JsonValue | undefined): JsonObject {
  return isJsonObject(value) ? value : {};
}
function parts(value: JsonValue | undefined): JsonObject[] {
  return Array.isArray(value) ? value.filter(isJsonObject) : [];
}
