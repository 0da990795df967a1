import type { JsonObject, JsonValue } from '../../machinery/json.js';
import { isJsonObject, setOwn } from '../../machinery/json.js';
import type { Field, SchemaNode, Type } from '../../machinery/scheme/type.js';
import { typeNamed } from './check.js';

// A fault shows the value that is wrong. The real server prints its internal structs there, whose JSON has the Go names
// of all fields, unset ones included: {"Name":"c","Command":null}. Types of the meta group and those of groups without
// internal versions keep their published form.

/** Go names that are not the JSON name with a capital. */
const GO_NAMES: Record<string, string> = {
  apiGroup: 'APIGroup',
  apiGroups: 'APIGroups',
  apiVersion: 'APIVersion',
  apiVersions: 'APIVersions',
  uid: 'UID',
  tty: 'TTY',
  os: 'OS',
  ip: 'IP',
  ips: 'IPs',
  iqn: 'IQN',
  url: 'URL',
  cidr: 'CIDR',
  cidrs: 'CIDRs',
  csi: 'CSI',
  cel: 'CEL',
  nfs: 'NFS',
  fc: 'FC',
  rbd: 'RBD',
  iscsi: 'ISCSI',
  cephfs: 'CephFS',
  storageos: 'StorageOS',
  id: 'ID',
  tls: 'TLS',
  http: 'HTTP',
  httpGet: 'HTTPGet',
  httpHeaders: 'HTTPHeaders',
  tcpSocket: 'TCPSocket',
  grpc: 'GRPC',
  dnsPolicy: 'DNSPolicy',
  dnsConfig: 'DNSConfig',
  clusterIP: 'ClusterIP',
  clusterIPs: 'ClusterIPs',
  clientIP: 'ClientIP',
  ipFamilies: 'IPFamilies',
  ipFamilyPolicy: 'IPFamilyPolicy',
  ipMode: 'IPMode',
  ipBlock: 'IPBlock',
  seLinuxOptions: 'SELinuxOptions',
  seLinuxChangePolicy: 'SELinuxChangePolicy',
  fsGroup: 'FSGroup',
  fsGroupChangePolicy: 'FSGroupChangePolicy',
  fsType: 'FSType',
  jsonPath: 'JSONPath',
  caBundle: 'CABundle',
  gcePersistentDisk: 'GCEPersistentDisk',
  awsElasticBlockStore: 'AWSElasticBlockStore',
  downwardAPI: 'DownwardAPI',
  nonResourceURLs: 'NonResourceURLs',
  ttlSecondsAfterFinished: 'TTLSecondsAfterFinished',
};

/** Field orders of internal types that differ from the published ones. Fields that are not named are left out. */
const ORDER: Readonly<Record<string, readonly string[]>> = {
  'io.k8s.api.core.v1.PodSpec': [
    ...['volumes', 'initContainers', 'containers', 'ephemeralContainers', 'restartPolicy'],
    ...['terminationGracePeriodSeconds', 'activeDeadlineSeconds', 'dnsPolicy', 'nodeSelector', 'serviceAccountName'],
    ...['automountServiceAccountToken', 'nodeName', 'securityContext', 'imagePullSecrets', 'hostname', 'subdomain'],
    ...['setHostnameAsFQDN', 'affinity', 'schedulerName', 'tolerations', 'hostAliases', 'priorityClassName'],
    ...['priority', 'preemptionPolicy', 'dnsConfig', 'readinessGates', 'runtimeClassName', 'overhead'],
    ...['enableServiceLinks', 'topologySpreadConstraints', 'os', 'schedulingGates', 'resourceClaims', 'resources'],
    ...['hostnameOverride', 'schedulingGroup'],
  ],
  'io.k8s.api.core.v1.Volume': [
    ...['name', 'hostPath', 'emptyDir', 'gcePersistentDisk', 'awsElasticBlockStore', 'gitRepo', 'secret', 'nfs'],
    ...['iscsi', 'glusterfs', 'persistentVolumeClaim', 'rbd', 'quobyte', 'flexVolume', 'cinder', 'cephfs', 'flocker'],
    ...['downwardAPI', 'fc', 'azureFile', 'configMap', 'vsphereVolume', 'azureDisk', 'photonPersistentDisk'],
    ...['projected', 'portworxVolume', 'scaleIO', 'storageos', 'csi', 'ephemeral', 'image'],
  ],
  'io.k8s.api.core.v1.PersistentVolumeSource': [
    ...['gcePersistentDisk', 'awsElasticBlockStore', 'hostPath', 'glusterfs', 'nfs', 'rbd', 'quobyte', 'iscsi'],
    ...['flexVolume', 'cinder', 'cephfs', 'fc', 'flocker', 'azureFile', 'vsphereVolume', 'azureDisk'],
    ...['photonPersistentDisk', 'portworxVolume', 'scaleIO', 'local', 'storageos', 'csi'],
  ],
  'io.k8s.api.core.v1.PodSecurityContext': [
    ...['seLinuxOptions', 'windowsOptions', 'runAsUser', 'runAsGroup', 'runAsNonRoot', 'supplementalGroups'],
    ...['supplementalGroupsPolicy', 'fsGroup', 'fsGroupChangePolicy', 'sysctls', 'seccompProfile'],
    ...['appArmorProfile', 'seLinuxChangePolicy'],
  ],
};

/** Fields of a pod that the internal type keeps in its security context. */
const HOST_FIELDS = ['hostNetwork', 'hostPID', 'hostIPC', 'shareProcessNamespace', 'hostUsers'];
const POD_SPEC = 'io.k8s.api.core.v1.PodSpec';

function goName(field: Field): string {
  return GO_NAMES[field.name] ?? field.name.charAt(0).toUpperCase() + field.name.slice(1);
}

const isMeta = (type: Type) => type.name.startsWith('io.k8s.apimachinery.');

function zero(field: Field): JsonValue {
  if (field.pointer) return null;
  const { node } = field;
  switch (node.kind) {
    case 'string':
      return node.format === 'byte' ? null : '';
    case 'integer':
    case 'number':
      return 0;
    case 'boolean':
      return false;
    case 'struct':
      return render(node.type!, {});
    case 'any':
      return node.type?.special === 'Quantity' ? '0' : node.type?.special === 'IntOrString' ? 0 : null;
    default:
      return null;
  }
}

function node(n: SchemaNode, v: JsonValue): JsonValue {
  if (n.kind === 'struct' && isJsonObject(v)) return render(n.type!, v);
  if (n.kind === 'array' && Array.isArray(v)) return v.map((e) => node(n.items!, e));
  if (n.kind === 'map' && isJsonObject(v)) {
    const out: JsonObject = {};
    for (const k of Object.keys(v).sort()) setOwn(out, k, node(n.values!, v[k] ?? null));
    return out;
  }
  return v;
}

function write(out: JsonObject, type: Type, names: readonly string[] | undefined, from: JsonObject): void {
  const fields = names ? names.flatMap((n) => type.field.get(n) ?? []) : type.fields;
  for (const field of fields) {
    const v = from[field.name];
    if (field.name === 'metadata' && field.node.type?.name.endsWith('.ObjectMeta')) {
      if (isJsonObject(v)) Object.assign(out, published(field.node.type, v));
    } else out[goName(field)] = v === undefined ? zero(field) : node(field.node, v);
  }
}

function render(type: Type, value: JsonObject): JsonObject {
  if (isMeta(type)) return published(type, value);
  const out: JsonObject = {};
  write(out, type, ORDER[type.name], value);
  if (type.name === POD_SPEC) {
    const context: JsonObject = {};
    write(context, type, HOST_FIELDS, value);
    out.SecurityContext = { ...context, ...render(type.field.get('securityContext')!.node.type!, podContext(value)) };
  }
  return out;
}
const podContext = (spec: JsonObject): JsonObject => (isJsonObject(spec.securityContext) ? spec.securityContext : {});

const isEmpty = (v: JsonValue) => (Array.isArray(v) ? v.length === 0 : isJsonObject(v) && Object.keys(v).length === 0);

/** Field order of the type, unset fields left out unless they are always written. */
function published(type: Type, value: JsonObject): JsonObject {
  const out: JsonObject = {};
  for (const field of type.fields) {
    const v = value[field.name];
    const empty = !field.pointer && field.zero === undefined && v !== undefined && isEmpty(v);
    if (v !== undefined && !empty) setOwn(out, field.name, node(field.node, v));
    else if (field.zero !== undefined) out[field.name] = field.zero;
  }
  return out;
}

/** The value of a field as a fault prints it. `typeName` as in `struct`. */
export function goForm(typeName: string, value: JsonValue | undefined): JsonValue | undefined {
  if (Array.isArray(value)) return value.map((e) => goForm(typeName, e) ?? null);
  return isJsonObject(value) ? render(typeNamed(typeName), value) : value;
}

/** A map as it is printed: by its keys. */
export function sortedMap(v: JsonValue | undefined): JsonValue | undefined {
  if (!isJsonObject(v)) return v;
  const out: JsonObject = {};
  for (const key of Object.keys(v).sort()) setOwn(out, key, v[key]);
  return out;
}
