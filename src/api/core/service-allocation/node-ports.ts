import { internalError, StatusError } from '../../../machinery/errors.js';
import { invalidValue, Path } from '../../../machinery/field.js';
import type { JsonObject, KubeObject } from '../../../machinery/json.js';
import { list, num, str } from '../../access.js';
import { needsHealthCheckPort, specOf, typeOf } from '../service/fields.js';
import { AllocationError } from './address-allocator.js';
import { invalidService } from './cluster-ips.js';
import type { PortTaker } from './port-allocator.js';

const PORTS = new Path('spec.ports');

const hasNodePorts = (service: KubeObject): boolean => ['NodePort', 'LoadBalancer'].includes(typeOf(service));
/** Ports without a number get one. */
const numbersPorts = (service: KubeObject): boolean =>
  typeOf(service) === 'NodePort' || specOf(service).allocateLoadBalancerNodePorts !== false;

const nodePortsOf = (service: KubeObject): number[] =>
  list(specOf(service), 'ports')
    .map((port) => num(port, 'nodePort'))
    .filter((port) => port !== 0);

/** Every port of the nodes that a service has, each once. */
export function heldPorts(service: KubeObject): Set<number> {
  const ports = new Set(nodePortsOf(service));
  const health = num(specOf(service), 'healthCheckNodePort');
  if (needsHealthCheckPort(service) && health > 0) ports.add(health);
  return ports;
}

/**
 * Node ports of a new service: those it asks for, and new ones for the rest. Ports of one number (TCP and UDP) share
 * their node port.
 *
 * @throws 422, 500 when none is left
 */
export function takeNodePorts(service: KubeObject, ports: PortTaker): void {
  if (hasNodePorts(service)) {
    const all = list(specOf(service), 'ports');
    const byPort = new Map<number, number>();
    all.forEach((port, i) => {
      const own = num(port, 'nodePort');
      if (own === 0 && !numbersPorts(service)) return;
      const shared = byPort.get(num(port, 'port'));
      if (shared !== undefined) {
        if (own === 0) port.nodePort = shared;
        else if (own !== shared) take(service, ports, i, own);
        return;
      }
      const asked = all.find((p) => num(p, 'port') === num(port, 'port') && num(p, 'nodePort') !== 0);
      if (asked) {
        port.nodePort = num(asked, 'nodePort');
        take(service, ports, i, num(port, 'nodePort'));
      } else port.nodePort = takeAny(ports);
      byPort.set(num(port, 'port'), num(port, 'nodePort'));
    });
  }
  if (needsHealthCheckPort(service)) takeHealthCheckPort(service, ports);
}

/** The same for a change; what the service had stays its own. */
export function changeNodePorts(service: KubeObject, old: KubeObject, ports: PortTaker): void {
  if (hasNodePorts(service)) {
    const before = new Set(nodePortsOf(old));
    const taken = new Set<number>();
    const seen = new Set<string>();
    list(specOf(service), 'ports').forEach((port, i) => {
      const own = num(port, 'nodePort');
      if (own === 0) {
        if (!numbersPorts(service)) return;
        port.nodePort = takeAny(ports);
      } else if (!before.has(own) && !taken.has(own)) {
        take(service, ports, i, own);
        taken.add(own);
      }
      const pair = `{${str(port, 'protocol')} ${num(port, 'nodePort')}}`;
      if (seen.has(pair)) throw new StatusError(500, '', `duplicate nodePort: ${pair}`);
      seen.add(pair);
    });
  }
  if (needsHealthCheckPort(service) && !needsHealthCheckPort(old)) takeHealthCheckPort(service, ports);
}

function take(service: KubeObject, ports: PortTaker, i: number, port: number): void {
  try {
    ports.take(port);
  } catch (e) {
    if (!(e instanceof AllocationError)) throw e;
    throw invalidService(service, [invalidValue(PORTS.index(i).child('nodePort'), port, e.message)]);
  }
}

function takeAny(ports: PortTaker): number {
  try {
    return ports.takeAny();
  } catch (e) {
    if (!(e instanceof AllocationError)) throw e;
    throw internalError(`failed to allocate a nodePort: ${e.message}`);
  }
}

function takeHealthCheckPort(service: KubeObject, ports: PortTaker): void {
  const spec = service.spec as JsonObject;
  const wanted = num(spec, 'healthCheckNodePort');
  try {
    if (wanted === 0) spec.healthCheckNodePort = ports.takeAny();
    else ports.take(wanted);
  } catch (e) {
    if (!(e instanceof AllocationError)) throw e;
    const what =
      wanted === 0 ? `allocate a HealthCheck NodePort 0` : `allocate requested HealthCheck NodePort ${wanted}`;
    throw internalError(`failed to ${what}: ${e.message}`);
  }
}
