import { equalJson, type JsonObject, type KubeObject } from '../../../machinery/json.js';
import { edit, list, num, obj, str, strings } from '../../access.js';

// What a service needs follows from its type; one that no longer needs something loses it, unless the client holds on.

export const specOf = (service: KubeObject | undefined): JsonObject => obj(service, 'spec');
export const typeOf = (service: KubeObject): string => str(specOf(service), 'type');

export const isHeadless = (service: KubeObject): boolean => {
  const ips = strings(specOf(service), 'clusterIPs');
  return ips.length === 1 && ips[0] === 'None';
};
export const needsClusterIP = (service: KubeObject): boolean => typeOf(service) !== 'ExternalName';
const mayHaveNodePorts = (service: KubeObject): boolean => ['NodePort', 'LoadBalancer'].includes(typeOf(service));
export const needsHealthCheckPort = (service: KubeObject): boolean =>
  typeOf(service) === 'LoadBalancer' && str(specOf(service), 'externalTrafficPolicy') === 'Local';
export const isExternallyAccessible = (service: KubeObject): boolean =>
  ['LoadBalancer', 'NodePort'].includes(typeOf(service)) ||
  (typeOf(service) === 'ClusterIP' && strings(specOf(service), 'externalIPs').length > 0);

const same = (a: KubeObject, b: KubeObject, field: string): boolean => equalJson(specOf(a)[field], specOf(b)[field]);
const nodePorts = (service: KubeObject): Set<number> =>
  new Set(
    list(specOf(service), 'ports')
      .map((p) => num(p, 'nodePort'))
      .filter((n) => n !== 0),
  );

/** Keeps `clusterIP` and `clusterIPs` in step where a client wrote one of them only. */
export function normalizeClusterIPs(service: KubeObject, old?: KubeObject): void {
  const spec = service.spec as JsonObject | undefined;
  if (!spec) return;
  const ip = str(spec, 'clusterIP');
  if (!old) {
    if (ip && strings(spec, 'clusterIPs').length === 0) spec.clusterIPs = [ip];
    return;
  }
  const before = specOf(old);
  const oldIPs = strings(before, 'clusterIPs');
  if (oldIPs.length > 0 && strings(spec, 'clusterIPs').length === 0 && str(before, 'clusterIP') === ip)
    spec.clusterIPs = [...oldIPs];
  if (str(before, 'clusterIP') === ip || !equalJson(strings(spec, 'clusterIPs'), oldIPs)) return;
  if (ip === '') delete spec.clusterIPs;
  else spec.clusterIPs = [ip];
}

/** Takes over what the server allocated before and the client, that perhaps never saw it, left out. */
export function keepAllocated(service: KubeObject, old: KubeObject): void {
  const spec = service.spec as JsonObject | undefined;
  if (!spec) return;
  const before = specOf(old);
  if (needsClusterIP(old) && needsClusterIP(service)) {
    if (str(spec, 'clusterIP') === '' && before.clusterIP !== undefined) spec.clusterIP = before.clusterIP;
    if (strings(spec, 'clusterIPs').length === 0 && strings(before, 'clusterIPs').length > 0)
      spec.clusterIPs = [...strings(before, 'clusterIPs')];
  }
  if (mayHaveNodePorts(old) && mayHaveNodePorts(service)) {
    const given = nodePorts(service);
    const byName = new Map(list(before, 'ports').map((p) => [str(p, 'name'), num(p, 'nodePort')]));
    for (const port of list(spec, 'ports')) {
      const known = byName.get(str(port, 'name')) ?? 0;
      if (num(port, 'nodePort') === 0 && known !== 0 && !given.has(known)) port.nodePort = known;
    }
  }
  if (needsHealthCheckPort(old) && needsHealthCheckPort(service) && num(spec, 'healthCheckNodePort') === 0)
    spec.healthCheckNodePort = before.healthCheckNodePort;
}

/** Drops what the new type has no use for and the client did not touch. */
export function dropTypeDependent(service: KubeObject, old: KubeObject): void {
  const spec = service.spec as JsonObject | undefined;
  if (!spec) return;
  const drop = (...fields: string[]) => {
    for (const field of fields) delete spec[field];
  };
  if (needsClusterIP(old) && !needsClusterIP(service)) {
    if (same(service, old, 'clusterIP') && same(service, old, 'clusterIPs')) drop('clusterIP', 'clusterIPs');
    for (const field of ['ipFamilies', 'ipFamilyPolicy']) if (same(service, old, field)) drop(field);
  }
  if (mayHaveNodePorts(old) && !mayHaveNodePorts(service)) {
    const known = nodePorts(old);
    if ([...nodePorts(service)].every((n) => known.has(n)))
      for (const port of list(spec, 'ports')) delete port.nodePort;
  }
  if (needsHealthCheckPort(old) && !needsHealthCheckPort(service) && same(service, old, 'healthCheckNodePort'))
    drop('healthCheckNodePort');
  if (typeOf(old) === 'LoadBalancer' && typeOf(service) !== 'LoadBalancer')
    for (const field of ['allocateLoadBalancerNodePorts', 'loadBalancerClass'])
      if (specOf(old)[field] !== undefined && same(service, old, field)) drop(field);
  if (isExternallyAccessible(old) && !isExternallyAccessible(service) && same(service, old, 'externalTrafficPolicy'))
    drop('externalTrafficPolicy');
  if (typeOf(service) !== 'LoadBalancer') edit(service, 'status', (status) => delete status.loadBalancer);
}

/** Of no use to ExternalName, and defaulted all the same in the past. */
export function dropUnusedTrafficPolicy(service: KubeObject): void {
  if (typeOf(service) === 'ExternalName') edit(service, 'spec', (spec) => delete spec.internalTrafficPolicy);
}
