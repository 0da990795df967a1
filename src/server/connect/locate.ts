import { list, num, obj, ptr, str } from '../../api/access.js';
import type { GroupResource } from '../../machinery/errors.js';
import { badRequest, notFound, serviceUnavailable } from '../../machinery/errors.js';
import type { JsonObject, KubeObject } from '../../machinery/json.js';
import { type AddressRule, allowedAddress } from './addresses.js';
import type { Kubelets } from './kubelets.js';
import { firstAddress } from './pod.js';
import { splitSchemeNamePort, type Target, UNCHECKED } from './target.js';

export interface LocateParts {
  get(resource: GroupResource, namespace: string, name: string): Promise<KubeObject | undefined>;
  readonly kubelets: Kubelets;
  readonly allowed: AddressRule;
  /** 0 ≤ x < 1. */
  random(): number;
}

const PODS = { group: '', resource: 'pods' };
const SERVICES = { group: '', resource: 'services' };
const ENDPOINTS = { group: '', resource: 'endpoints' };

/**
 * Where `pods/<id>/proxy` goes: the pod's address and the named port, else its first.
 *
 * @throws 400, 404
 */
export async function locatePod(parts: LocateParts, namespace: string, id: string): Promise<Target> {
  const { scheme, name, port } = split(id, 'pod');
  const pod = await parts.get(PODS, namespace, name);
  if (!pod) throw notFound(PODS, name);
  const address = firstAddress(pod);
  if (!parts.allowed(address)) throw badRequest('address not allowed');
  const declared = list(obj(pod, 'spec'), 'containers').flatMap((c) => list(c, 'ports'))[0];
  const wanted = port || (declared ? `${num(declared, 'containerPort')}` : '');
  return target(scheme, address, wanted);
}

/**
 * Where `services/<id>/proxy` goes: an endpoint of the service that is a pod's. The port is that of the service, by name
 * or number.
 *
 * @throws 400, 404, 503
 */
export async function locateService(parts: LocateParts, namespace: string, id: string): Promise<Target> {
  const { scheme, name, port } = split(id, 'service');
  const portName = /^[+-]?\d+$/.test(port) ? await nameOfPort(parts, namespace, name, Number(port)) : port;
  const endpoints = await parts.get(ENDPOINTS, namespace, name);
  // Upstream names the resource of the request here, too.
  if (!endpoints) throw notFound(SERVICES, name);
  const subsets = list(endpoints, 'subsets');
  if (subsets.length === 0) throw serviceUnavailable(`no endpoints available for service "${name}"`);
  for (const subset of rotated(subsets, parts.random())) {
    const match = list(subset, 'ports').find((p) => str(p, 'name') === portName);
    if (!match) continue;
    for (const address of rotated(list(subset, 'addresses'), parts.random())) {
      const ip = str(address, 'ip');
      if (await isPods(parts, namespace, ip, ptr(address, 'targetRef')))
        return target(scheme, ip, `${num(match, 'port')}`);
    }
  }
  throw serviceUnavailable(`no endpoints available for service "${id}"`);
}

/**
 * Where `nodes/<id>/proxy` goes: the node's kubelet, or another port of the node.
 *
 * @throws 400, 404, 500
 */
export async function locateNode(parts: LocateParts, id: string): Promise<Target> {
  const { scheme, name, port } = split(id, 'node');
  const kubelet = await parts.kubelets.find(name, { group: '', resource: 'nodes' });
  const host = await allowedAddress(kubelet.host, parts.allowed);
  if (port === '' || port === `${kubelet.port}`) return { ...kubelet, host };
  return target(scheme, host, port);
}

function split(id: string, noun: string) {
  const found = splitSchemeNamePort(id);
  if (!found) throw badRequest(`invalid ${noun} request ${JSON.stringify(id)}`);
  return found;
}

async function nameOfPort(parts: LocateParts, namespace: string, name: string, port: number): Promise<string> {
  const service = await parts.get(SERVICES, namespace, name);
  if (!service) throw notFound(SERVICES, name);
  const found = list(obj(service, 'spec'), 'ports').find((p) => num(p, 'port') === port);
  if (!found) throw serviceUnavailable(`no service port ${port} found for service "${name}"`);
  return str(found, 'name');
}

/** An endpoint counts only if it is the address of the pod that it says it is: endpoints are written by users. */
async function isPods(
  parts: LocateParts,
  namespace: string,
  ip: string,
  targetRef: JsonObject | undefined,
): Promise<boolean> {
  if (!targetRef || str(targetRef, 'namespace') !== namespace) return false;
  const pod = await parts.get(PODS, namespace, str(targetRef, 'name'));
  return list(obj(pod, 'status'), 'podIPs').some((one) => str(one, 'ip') === ip);
}

function rotated<T>(all: readonly T[], random: number): T[] {
  const start = Math.floor(random * all.length);
  return [...all.slice(start), ...all.slice(0, start)];
}

const NAMED_PORTS: Readonly<Record<string, number>> = { http: 80, https: 443 };

function target(scheme: '' | 'http' | 'https', host: string, port: string): Target {
  const known = port === '' ? NAMED_PORTS[scheme || 'http'] : (NAMED_PORTS[port] ?? Number(port));
  if (known === undefined || !/^\d+$/.test(`${known}`) || known > 65535)
    throw serviceUnavailable(`error trying to reach service: dial tcp: lookup tcp/${port}: unknown port`);
  return { scheme: scheme || 'http', host, port: known, tls: UNCHECKED };
}
