import { podConfigMaps, podSecrets, specOf, volumesOf } from '../../auth/authorization/node/references.js';
import { isJsonObject, type JsonObject, type KubeObject } from '../../machinery/json.js';

/** What a pod's volume refers to in the API, beyond secrets and config maps. */
const VOLUMES: readonly [field: string, resource: string][] = [
  ['configMap', 'configmaps (via configmap volumes)'],
  ['secret', 'secrets (via secret volumes)'],
  ['csi', 'csidrivers (via CSI volumes)'],
  ['glusterfs', 'endpoints (via glusterFS volumes)'],
  ['persistentVolumeClaim', 'persistentvolumeclaims'],
  ['ephemeral', 'persistentvolumeclaims (via ephemeral volumes)'],
  ['azureFile', 'secrets (via azureFile volumes)'],
  ['cephfs', 'secrets (via cephFS volumes)'],
  ['cinder', 'secrets (via cinder volumes)'],
  ['flexVolume', 'secrets (via flexVolume volumes)'],
  ['rbd', 'secrets (via RBD volumes)'],
  ['scaleIO', 'secrets (via scaleIO volumes)'],
  ['storageos', 'secrets (via storageOS volumes)'],
  ['iscsi', 'secrets (via iSCSI volumes)'],
];
/** Volumes that refer to a secret only when they say so. */
const WITH_SECRET_REF = new Set(['cephfs', 'cinder', 'flexVolume', 'rbd', 'scaleIO', 'storageos', 'iscsi']);

const SOURCES: readonly [field: string, resource: string][] = [
  ['configMap', 'configmaps (via projected volumes)'],
  ['secret', 'secrets (via projected volumes)'],
  ['serviceAccountToken', 'serviceaccounts (via projected volumes)'],
  ['clusterTrustBundle', 'clustertrustbundles'],
  ['podCertificate', 'podcertificates'],
];

/** The first kind of API object that a pod refers to, in the words of the rejection; undefined: it stands alone. */
export function apiObjectReference(pod: KubeObject): string | undefined {
  const spec = specOf(pod);
  if (spec.serviceAccountName) return 'serviceaccounts';
  if (podSecrets(pod).size > 0) return 'secrets';
  if (podConfigMaps(pod).size > 0) return 'configmaps';
  if (Array.isArray(spec.resourceClaims) && spec.resourceClaims.length > 0) return 'resourceclaims';
  for (const volume of volumesOf(pod)) {
    const found = ofVolume(volume);
    if (found) return found;
  }
  return undefined;
}

function ofVolume(volume: JsonObject): string | undefined {
  for (const [field, resource] of VOLUMES) {
    const source = volume[field];
    if (isJsonObject(source) && (!WITH_SECRET_REF.has(field) || source.secretRef)) return resource;
  }
  const sources = isJsonObject(volume.projected) ? volume.projected.sources : undefined;
  for (const source of Array.isArray(sources) ? sources : []) {
    const found = isJsonObject(source) ? SOURCES.find(([field]) => isJsonObject(source[field])) : undefined;
    if (found) return found[1];
  }
  return undefined;
}
