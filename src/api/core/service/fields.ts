import { equalJson, type JsonObject, type KubeObject } from '../../../machinery/json.js';
import { list, num, obj, str, strings } from '../../access.js';

// What a service needs follows from its type; one that no longer needs something loses it, unless the client holds on.

export const specOf = (service: KubeObject | undefined): JsonObject => obj(service, 'spec');
export const typeOf = (service: KubeObject): string => str(specOf(service), 'type');

export const isHeadless = (service: KubeObject): boolean => {
  const ips = strings(specOf(service), 'clusterIPs');
  return ips.length === 1 && ips[0] === 'None';
};
export const needsClusterIP = (service: KubeObject): boolean =>
  ['ClusterIP', 'NodePort', 'LoadBalancer'].includes(typeOf(service));
export const needsNodePort = (service: KubeObject): boolean =>
  typeOf(service) === 'NodePort' ||
  (typeOf(service) === 'LoadBalancer' && specOf(service).allocateLoadBalancerNodePorts !== false);
export const needsHealthCheckPort = (service: KubeObject): boolean =>
  typeOf(service) === 'LoadBalancer' && str(specOf(service), 'externalTrafficPolicy') === 'Local';
export const isExternallyAccessible = (service: KubeObject): boolean =>
  ['LoadBalancer', 'NodePort'].includes(typeOf(service)) ||
  (typeOf(service) === 'ClusterIP' && strings(specOf(service), 'externalIPs').length > 0);

const same = (a: KubeObject, b: KubeObject, field: string): boolean => equalJson(specOf(a)[field], specOf(b)[field]);
const nodePorts = (service: KubeObject): number[] =>
  list(specOf(service), 'ports')
    .map((p) => num(p, 'nodePort'))
    .filter((n) => n !== 0)
    .sort((a, b) => a - b);

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
    if (
      strings(spec, 'clusterIPs').length === 0 &&
      spec.clusterIP === before.clusterIP &&
      before.clusterIPs !== undefined
    )
      spec.clusterIPs = [...strings(before, 'clusterIPs')];
  }
  if (needsNodePort(old) && needsNodePort(service)) {
    const used = new Set(list(spec, 'ports').map((p) => num(p, 'nodePort')));
    const known = list(before, 'ports');
    for (const port of list(spec, 'ports')) {
      if (num(port, 'nodePort') !== 0) continue;
      const match = known.find(
        (p) =>
          str(p, 'protocol') === str(port, 'protocol') &&
          num(p, 'port') === num(port, 'port') &&
          !used.has(num(p, 'nodePort')),
      );
      if (match?.nodePort !== undefined) port.nodePort = match.nodePort;
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
  if (needsNodePort(old) && !needsNodePort(service) && equalJson(nodePorts(service), nodePorts(old)))
    for (const port of list(spec, 'ports')) delete port.nodePort;
  if (needsHealthCheckPort(old) && !needsHealthCheckPort(service) && same(service, old, 'healthCheckNodePort'))
    drop('healthCheckNodePort');
  if (typeOf(old) === 'LoadBalancer' && typeOf(service) !== 'LoadBalancer')
    for (const field of ['allocateLoadBalancerNodePorts', 'loadBalancerClass'])
      if (specOf(old)[field] !== undefined && same(service, old, field)) drop(field);
  if (isExternallyAccessible(old) && !isExternallyAccessible(service) && same(service, old, 'externalTrafficPolicy'))
    drop('externalTrafficPolicy');
}
