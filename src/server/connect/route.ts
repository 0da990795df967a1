import { posix } from 'node:path';
import type { AdmissionChain } from '../../admission/chain.js';
import type { FrontProxyHeaders } from '../../auth/authentication/headers.js';
import type { Authorizer } from '../../auth/contract.js';
import { badRequest, forbidden, type GroupResource, notFound } from '../../machinery/errors.js';
import type { JsonObject, KubeObject } from '../../machinery/json.js';
import type { ApiRequest } from '../api-request.js';
import type { Route } from '../request-path.js';
import { methodNotAllowed } from '../resource-route.js';
import type { AddressRule } from './addresses.js';
import { wantsUpgrade } from './headers.js';
import type { Kubelets } from './kubelets.js';
import { type LocateParts, locateNode, locatePod, locateService } from './locate.js';
import { sendLog } from './log.js';
import { portForwardOptions, proxyOptions, streamOptions } from './options.js';
import { chooseContainer, nodeOf } from './pod.js';
import { proxy } from './proxy.js';
import type { Location, Target } from './target.js';
import { tunnel } from './tunnel.js';

export interface ConnectParts {
  get(resource: GroupResource, namespace: string, name: string): Promise<KubeObject | undefined>;
  readonly admission: Pick<AdmissionChain, 'admit' | 'validate'>;
  readonly authorizer: Authorizer;
  readonly kubelets: Kubelets;
  /** Addresses of pods and nodes that may be proxied to. */
  readonly allowed: AddressRule;
  readonly frontProxy: FrontProxyHeaders | undefined;
  gate(name: string): boolean;
  /** 0 ≤ x < 1. */
  random(): number;
  /** How long opening a connection may take. */
  readonly dialTimeoutMs: number;
  /** How fast tunnels may be each way; 0: as fast as they can. */
  readonly bytesPerSecond: number;
}

const PODS = { group: '', resource: 'pods' };
const STREAMING = ['GET', 'POST'];
const PROXIED = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS'];

/** What one kind of connection is. */
interface Connection {
  readonly methods: readonly string[];
  /** Further segments of the path belong to it. */
  readonly subpath?: boolean;
  answer(request: ApiRequest, parts: ConnectParts): Promise<void>;
}

/** Logs, exec, attach, port-forward and proxies: requests that this server passes on to kubelets, pods and services. */
export function connectRoute(parts: ConnectParts): Route {
  return async (request) => {
    const { info, http } = request;
    if (!info.isResourceRequest || info.group !== '' || info.version !== 'v1' || info.subresource === '') return false;
    const connections = CONNECTIONS[info.resource];
    const connection = connections && Object.hasOwn(connections, info.subresource) && connections[info.subresource];
    if (!connection) return false;
    if ((info.namespace === '') !== (info.resource === 'nodes')) return false;
    if (info.parts.length > 3 && !connection.subpath) return false;
    if (!connection.methods.includes(http.method)) throw methodNotAllowed();
    await connection.answer(request, parts);
    return true;
  };
}

const exec: Connection = {
  methods: STREAMING,
  answer: (request, parts) => stream(request, parts, 'PodExecOptions', streamOptions(request.query, true), 'exec'),
};
const attach: Connection = {
  methods: STREAMING,
  answer: (request, parts) => stream(request, parts, 'PodAttachOptions', streamOptions(request.query, false), 'attach'),
};
const portForward: Connection = {
  methods: STREAMING,
  answer: (request, parts) =>
    stream(request, parts, 'PodPortForwardOptions', portForwardOptions(request.query), 'portForward'),
};
const log: Connection = {
  methods: ['GET'],
  answer: (request, { get, kubelets, dialTimeoutMs, gate }) =>
    sendLog(request, {
      pod: (namespace, name) => get(PODS, namespace, name),
      kubelets,
      dialTimeoutMs,
      splitStreams: gate('PodLogsQuerySplitStreams'),
    }),
};

const proxyTo = (
  kind: string,
  locate: (parts: LocateParts, namespace: string, id: string) => Promise<Target>,
): Connection => ({
  methods: PROXIED,
  subpath: true,
  async answer(request, parts) {
    const { info, http } = request;
    const path = subpathOf(request);
    await admit(request, parts, kind, proxyOptions(path));
    const target = await locate(parts, info.namespace, info.name);
    const location: Location = { ...target, path: path && posix.normalize(path), query: http.query };
    await (wantsUpgrade(http) ? tunnel : proxy)(request, location, parts);
  },
});

const CONNECTIONS: Readonly<Record<string, Readonly<Record<string, Connection>>>> = {
  pods: { exec, attach, portforward: portForward, log, proxy: proxyTo('PodProxyOptions', locatePod) },
  services: { proxy: proxyTo('ServiceProxyOptions', locateService) },
  nodes: { proxy: proxyTo('NodeProxyOptions', (parts, _namespace, id) => locateNode(parts, id)) },
};

/** exec, attach and port-forward: a tunnel to the pod's kubelet. */
async function stream(
  request: ApiRequest,
  parts: ConnectParts,
  kind: string,
  options: JsonObject,
  endpoint: 'exec' | 'attach' | 'portForward',
): Promise<void> {
  const { info, http } = request;
  await admit(request, parts, kind, options);
  await mayCreate(request, parts);
  const pod = await parts.get(PODS, info.namespace, info.name);
  if (!pod) throw notFound(PODS, info.name);
  const container = endpoint === 'portForward' ? '' : `/${chooseContainer(pod, `${options.container ?? ''}`)}`;
  const node = nodeOf(pod);
  if (node === '') throw badRequest(`pod ${info.name} does not have a host assigned`);
  const kubelet = await parts.kubelets.find(node, PODS);
  if (!wantsUpgrade(http)) throw badRequest('Upgrade request required');
  const path = `/${endpoint}/${info.namespace}/${info.name}${container}`;
  await tunnel(request, { ...kubelet, path, query: kubeletQuery(options) }, parts);
}

/** Browsers and WebSocket clients can only GET, but what they do is no reading. */
async function mayCreate(request: ApiRequest, { authorizer, gate }: ConnectParts): Promise<void> {
  const { info } = request;
  if (info.verb === 'create' || !gate('AuthorizePodWebsocketUpgradeCreatePermission')) return;
  const { verdict, reason } = await authorizer.authorize({ ...request.attributes, verb: 'create' });
  if (verdict !== 'Allow') throw forbidden({ group: info.group, resource: info.resource }, info.name, reason);
}

/** The kubelet's names of the options. */
const KUBELET_NAMES: Readonly<Record<string, string>> = {
  stdin: 'input',
  stdout: 'output',
  stderr: 'error',
  tty: 'tty',
};

function kubeletQuery(options: JsonObject): string {
  const query = new URLSearchParams();
  for (const [field, name] of Object.entries(KUBELET_NAMES)) if (options[field] === true) query.set(name, '1');
  for (const part of (options.command ?? []) as string[]) query.append('command', part);
  if (Array.isArray(options.ports) && options.ports.length > 0) query.set('port', options.ports.join(','));
  query.sort();
  return query.toString();
}

/** Path behind `/proxy`, with the slash at the end that the request has. */
function subpathOf({ info }: ApiRequest): string {
  const rest = info.parts.slice(3).join('/');
  const path = rest && `/${rest}`;
  return info.path.endsWith('/') && !path.endsWith('/') ? `${path}/` : path;
}

/** CONNECT admission, on the options as an object. */
async function admit(
  request: ApiRequest,
  { admission }: ConnectParts,
  kind: string,
  options: JsonObject,
): Promise<void> {
  const { info } = request;
  const attributes = {
    operation: 'CONNECT' as const,
    kind: { group: '', version: 'v1', kind },
    resource: { group: '', version: 'v1', resource: info.resource },
    subresource: info.subresource,
    namespace: info.namespace,
    name: info.name,
    object: { kind, apiVersion: 'v1', ...options } as KubeObject,
    oldObject: undefined,
    options: undefined,
    dryRun: false,
    user: request.user,
    namespaced: info.namespace !== '',
    warn: (text: string) => request.warn(text),
    annotate: (key: string, value: string) => request.annotate(key, value),
    signal: () => request.signal,
  };
  await admission.admit(attributes);
  await admission.validate(attributes);
}
