import { createHash } from 'node:crypto';
import { hostname } from 'node:os';
import { defaultPolicy, type PolicyLookup, planPolicy } from '../auth/authorization/rbac/bootstrap-policy.js';
import { RBAC_GROUP } from '../auth/authorization/rbac/rule.js';
import { type GroupResource, isStatusError } from '../machinery/errors.js';
import type { KubeObject } from '../machinery/json.js';
import { readCatalogFile } from '../machinery/scheme/catalog.js';
import type { LocalClient } from '../registry/local-client.js';
import { isLoopback } from './addresses.js';

export interface BootstrapOptions {
  readonly client: LocalClient;
  /** Undefined: there is none to tell others. */
  readonly advertiseAddress: string | undefined;
  log(level: 'warning', message: string): void;
  readonly securePort: number;
  /** Whether to write that address to the endpoints of the kubernetes service. */
  readonly reconcileEndpoints: boolean;
  /** First range of `--service-cluster-ip-range`, and all of them as the ServiceCIDR lists them. */
  readonly serviceCidrs: readonly string[];
  /** First usable address of the first range. */
  readonly serviceAddress: string;
  /** `--kubernetes-service-node-port`; 0: ClusterIP. */
  readonly serviceNodePort: number;
  readonly rbac: boolean;
  /** data of kube-system/extension-apiserver-authentication. */
  readonly authenticationInfo: Readonly<Record<string, string>>;
  now(): Date;
}

interface Entry {
  path: string;
  managers: string[];
  object: KubeObject;
}

const MANAGER = 'kube-apiserver';
const at = (group: string, resource: string): GroupResource => ({ group, resource });

/** Writes the objects that every cluster has from its start, as far as they are not there. Safe to run at every start. */
export async function ensureBootstrapObjects(options: BootstrapOptions): Promise<void> {
  const entries = JSON.parse(readCatalogFile('bootstrap.json')) as Entry[];
  const of = (path: string): KubeObject[] => entries.filter((e) => e.path === path).map((e) => e.object);
  const { client } = options;
  const ensure = (resource: GroupResource) => (object: KubeObject) =>
    client.ensure(resource, object, { manager: MANAGER });

  await Promise.all(
    of('/api/v1/namespaces')
      .map(metadataOnly)
      .map(ensure(at('', 'namespaces'))),
  );
  await Promise.all([
    ...of('/apis/scheduling.k8s.io/v1/priorityclasses')
      .map(described)
      .map(ensure(at('scheduling.k8s.io', 'priorityclasses'))),
    ensureServiceCidr(options),
    ...configMaps(options).map(ensure(at('', 'configmaps'))),
    ensureIdentityLease(options),
    options.rbac ? ensurePolicy(client) : undefined,
  ]);
  await ensureKubernetesService(options);
}

/** The texts of upstream, which clients show. */
const DESCRIPTIONS: Readonly<Record<string, string>> = {
  'system-node-critical': 'Used for system critical pods that must not be moved from their current node.',
  'system-cluster-critical':
    'Used for system critical pods that must run in the cluster, but can be moved to another node if necessary.',
};

function described(object: KubeObject): KubeObject {
  const description = DESCRIPTIONS[object.metadata.name ?? ''];
  return description === undefined ? object : { ...object, description };
}

/** What the server itself fills in is not sent. */
function metadataOnly({ metadata }: KubeObject): KubeObject {
  return { metadata };
}

function configMaps({ authenticationInfo, now }: BootstrapOptions): KubeObject[] {
  const named = (name: string, data: Readonly<Record<string, string>>): KubeObject => ({
    metadata: { name, namespace: 'kube-system' },
    data: { ...data },
  });
  return [
    named('extension-apiserver-authentication', authenticationInfo),
    named('kube-apiserver-legacy-service-account-token-tracking', { since: now().toISOString().slice(0, 10) }),
  ];
}

/** The networks that the options name. One that was alone may get its second family later; other changes are refused. */
async function ensureServiceCidr({ client, serviceCidrs, now }: BootstrapOptions): Promise<void> {
  const resource = at('networking.k8s.io', 'servicecidrs');
  const name = 'kubernetes';
  const spec = { cidrs: [...serviceCidrs] };
  const made = await client.ensure(resource, { metadata: { name }, spec }, { manager: MANAGER });
  if (!made) {
    const widened = (o: KubeObject) => {
      const [first, second] = (o.spec as { cidrs: string[] }).cidrs;
      return serviceCidrs.length === 2 && second === undefined && first === serviceCidrs[0]
        ? { ...o, spec }
        : undefined;
    };
    await client.update(resource, '', name, widened, { manager: MANAGER });
    return;
  }
  const lastTransitionTime = `${now().toISOString().slice(0, 19)}Z`;
  const message = 'Kubernetes default Service CIDR is ready';
  const conditions = [{ type: 'Ready', status: 'True', message, lastTransitionTime }];
  await client.apply(
    resource,
    { apiVersion: 'networking.k8s.io/v1', kind: 'ServiceCIDR', metadata: { name }, status: { conditions } },
    { manager: 'kubernetes-service-cidr-controller', subresource: 'status' },
  );
}

/** Tells which servers there are; kube-system/apiserver-<hash>. */
async function ensureIdentityLease({ client, advertiseAddress, securePort, now }: BootstrapOptions): Promise<void> {
  const host = hostname();
  const hash = createHash('sha256').update(host).digest('hex').slice(0, 26);
  const renewTime = now().toISOString().replace('Z', '000Z');
  await client.ensure(
    at('coordination.k8s.io', 'leases'),
    {
      metadata: {
        name: `apiserver-${hash}`,
        namespace: 'kube-system',
        labels: { 'apiserver.kubernetes.io/identity': MANAGER, 'kubernetes.io/hostname': host.toLowerCase() },
        annotations: { 'kubernetes.io/peer-advertise-address': `${advertiseAddress ?? ''}:${securePort}` },
      },
      spec: { holderIdentity: `apiserver-${hash}_${process.pid}`, leaseDurationSeconds: 3600, renewTime },
    },
    { manager: MANAGER },
  );
}

/** Roles and bindings of the default policy; rules that were taken out come back, what users added stays. */
async function ensurePolicy(client: LocalClient): Promise<void> {
  const resources = ['clusterroles', 'clusterrolebindings', 'roles', 'rolebindings'] as const;
  for (let attempt = 0; attempt < 3; attempt++) {
    const stored = new Map<string, KubeObject>();
    for (const resource of resources) {
      for (const o of await client.list(at(RBAC_GROUP, resource))) {
        stored.set(`${resource}/${o.metadata.namespace ?? ''}/${o.metadata.name}`, o);
      }
    }
    const lookup: PolicyLookup = (resource, namespace, name) => stored.get(`${resource}/${namespace}/${name}`);
    const changes = planPolicy(defaultPolicy(), lookup);
    try {
      for (const resource of resources) {
        await Promise.all(changes.filter((c) => c.resource === resource).map((c) => applyPolicyChange(client, c)));
      }
      return;
    } catch (e) {
      if (!isStatusError(e, 'Conflict') && !isStatusError(e, 'AlreadyExists')) throw e;
    }
  }
}

async function applyPolicyChange(client: LocalClient, change: ReturnType<typeof planPolicy>[number]): Promise<void> {
  const resource = at(RBAC_GROUP, change.resource);
  const { namespace = '', name = '' } = change.object.metadata;
  const settings = { manager: MANAGER };
  if (change.operation === 'create') await client.create(resource, change.object, settings);
  else if (change.operation === 'update') await client.update(resource, namespace, name, () => change.object, settings);
  else await client.delete(resource, namespace, name);
}

/** default/kubernetes with its endpoints: how clients inside the cluster find this server. */
async function ensureKubernetesService(options: BootstrapOptions): Promise<void> {
  const { client, advertiseAddress, securePort, serviceAddress, serviceNodePort } = options;
  const settings = { manager: MANAGER };
  const metadata = { name: 'kubernetes', namespace: 'default' };
  await client.ensure(
    at('', 'services'),
    {
      metadata: { ...metadata, labels: { component: 'apiserver', provider: 'kubernetes' } },
      spec: {
        type: serviceNodePort ? 'NodePort' : 'ClusterIP',
        clusterIP: serviceAddress,
        ipFamilyPolicy: 'SingleStack',
        sessionAffinity: 'None',
        ports: [
          {
            name: 'https',
            protocol: 'TCP',
            port: 443,
            targetPort: securePort,
            ...(serviceNodePort ? { nodePort: serviceNodePort } : {}),
          },
        ],
      },
    },
    settings,
  );
  if (!advertiseAddress || !options.reconcileEndpoints) return;
  if (isLoopback(advertiseAddress)) {
    const text = `--advertise-address ${advertiseAddress} is of this host alone: default/kubernetes gets no endpoints`;
    options.log('warning', text);
    return;
  }
  const ports = [{ name: 'https', port: securePort, protocol: 'TCP' }];
  const endpoints: KubeObject = {
    metadata: { ...metadata, labels: { 'endpointslice.kubernetes.io/skip-mirror': 'true' } },
    subsets: [{ addresses: [{ ip: advertiseAddress }], ports }],
  };
  const slice: KubeObject = {
    metadata: { ...metadata, labels: { 'kubernetes.io/service-name': 'kubernetes' } },
    addressType: advertiseAddress.includes(':') ? 'IPv6' : 'IPv4',
    endpoints: [{ addresses: [advertiseAddress], conditions: { ready: true } }],
    ports: [{ name: 'https', protocol: 'TCP', port: securePort }],
  };
  await Promise.all([
    put(client, at('', 'endpoints'), endpoints),
    put(client, at('discovery.k8s.io', 'endpointslices'), slice),
  ]);
}

/** Creates, or makes what is there look like this: address and port may have changed since the last start. */
async function put(client: LocalClient, resource: GroupResource, object: KubeObject): Promise<void> {
  const settings = { manager: MANAGER };
  if (await client.ensure(resource, object, settings)) return;
  const { namespace = '', name = '' } = object.metadata;
  const { metadata: _metadata, ...rest } = object;
  await client.update(resource, namespace, name, (old) => ({ ...old, ...rest }), settings);
}
