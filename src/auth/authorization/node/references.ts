import { isJsonObject, type JsonObject, type JsonValue, type KubeObject } from '../../../machinery/json.js';

export const MIRROR_POD_ANNOTATION = 'kubernetes.io/config.mirror';

/** A namespace and name of a secret, `visible` to kubelets or only to controllers. */
export interface SecretOfVolume {
  readonly namespace: string;
  readonly name: string;
  readonly visible: boolean;
}

// Stored objects were validated once, maybe by another release: whatever is not of the expected form counts as absent.
const obj = (v: JsonValue | undefined): JsonObject => (isJsonObject(v) ? v : {});
const list = (v: JsonValue | undefined): JsonObject[] => (Array.isArray(v) ? v.filter(isJsonObject) : []);
const text = (v: JsonValue | undefined): string => (typeof v === 'string' ? v : '');
const nameIn = (v: JsonValue | undefined): string => text(obj(v).name);

export function specOf(object: KubeObject): JsonObject {
  return obj(object.spec);
}

export function nodeNameOf(object: KubeObject): string {
  return text(specOf(object).nodeName);
}

export function isMirrorPod(pod: KubeObject): boolean {
  return Object.hasOwn(pod.metadata.annotations ?? {}, MIRROR_POD_ANNOTATION);
}

function* containersOf(pod: KubeObject): Generator<JsonObject> {
  const spec = specOf(pod);
  for (const field of ['initContainers', 'containers', 'ephemeralContainers']) yield* list(spec[field]);
}

/** Names of all secrets a pod refers to: its containers' environment, image pulls and every kind of volume. */
export function podSecrets(pod: KubeObject): Set<string> {
  const names = new Set<string>();
  const spec = specOf(pod);
  for (const secret of list(spec.imagePullSecrets)) names.add(text(secret.name));
  for (const container of containersOf(pod)) {
    for (const from of list(container.envFrom)) names.add(nameIn(from.secretRef));
    for (const env of list(container.env)) names.add(nameIn(obj(env.valueFrom).secretKeyRef));
  }
  for (const volume of list(spec.volumes)) {
    names.add(text(obj(volume.secret).secretName));
    names.add(text(obj(volume.azureFile).secretName));
    for (const field of ['cephfs', 'cinder', 'flexVolume', 'rbd', 'scaleIO', 'iscsi', 'storageos']) {
      names.add(nameIn(obj(volume[field]).secretRef));
    }
    names.add(nameIn(obj(volume.csi).nodePublishSecretRef));
    for (const source of list(obj(volume.projected).sources)) names.add(nameIn(source.secret));
  }
  names.delete('');
  return names;
}

/** Names of all config maps a pod refers to. */
export function podConfigMaps(pod: KubeObject): Set<string> {
  const names = new Set<string>();
  for (const container of containersOf(pod)) {
    for (const from of list(container.envFrom)) names.add(nameIn(from.configMapRef));
    for (const env of list(container.env)) names.add(nameIn(obj(env.valueFrom).configMapKeyRef));
  }
  for (const volume of list(specOf(pod).volumes)) {
    names.add(nameIn(volume.configMap));
    for (const source of list(obj(volume.projected).sources)) names.add(nameIn(source.configMap));
  }
  names.delete('');
  return names;
}

/** Name of the claim behind a volume of a pod; '' when there is none. */
export function claimOfVolume(pod: KubeObject, volume: JsonObject): string {
  if (isJsonObject(volume.persistentVolumeClaim)) return text(volume.persistentVolumeClaim.claimName);
  return isJsonObject(volume.ephemeral) ? `${pod.metadata.name}-${text(volume.name)}` : '';
}

export function volumesOf(pod: KubeObject): JsonObject[] {
  return list(specOf(pod).volumes);
}

export function podClaims(pod: KubeObject): Set<string> {
  const names = new Set(volumesOf(pod).map((v) => claimOfVolume(pod, v)));
  names.delete('');
  return names;
}

/** Names of a pod's resource claims: given, generated from a template, or made for extended resources. */
export function podResourceClaims(pod: KubeObject): Set<string> {
  const status = obj(pod.status);
  const generated = list(status.resourceClaimStatuses);
  const names = new Set<string>();
  for (const claim of list(specOf(pod).resourceClaims)) {
    const given = text(claim.resourceClaimName);
    names.add(given || text(generated.find((s) => s.name === claim.name)?.resourceClaimName));
  }
  names.add(text(obj(status.extendedResourceClaimStatus).resourceClaimName));
  names.delete('');
  return names;
}

/** The claim that a persistent volume is bound to. */
export function claimRefOf(volume: KubeObject): { namespace: string; name: string } | undefined {
  const ref = specOf(volume).claimRef;
  return isJsonObject(ref) ? { namespace: text(ref.namespace), name: text(ref.name) } : undefined;
}

/** Secrets of a persistent volume. Where its source names no namespace, that of the claim counts. */
export function volumeSecrets(volume: KubeObject): SecretOfVolume[] {
  const spec = specOf(volume);
  const claimNamespace = claimRefOf(volume)?.namespace ?? '';
  const found: SecretOfVolume[] = [];
  const add = (ref: JsonValue | undefined, visible: boolean, fallback = claimNamespace) => {
    if (isJsonObject(ref)) found.push({ namespace: text(ref.namespace) || fallback, name: text(ref.name), visible });
  };
  if (isJsonObject(spec.azureFile)) {
    const { secretName, secretNamespace } = spec.azureFile;
    found.push({ namespace: text(secretNamespace) || claimNamespace, name: text(secretName), visible: true });
  }
  for (const field of ['cephfs', 'flexVolume', 'rbd', 'scaleIO', 'iscsi']) add(obj(spec[field]).secretRef, true);
  for (const field of ['cinder', 'storageos']) add(obj(spec[field]).secretRef, true, '');
  const csi = obj(spec.csi);
  for (const field of ['controllerPublishSecretRef', 'controllerExpandSecretRef']) add(csi[field], false, '');
  for (const field of ['nodePublishSecretRef', 'nodeStageSecretRef', 'nodeExpandSecretRef']) add(csi[field], true, '');
  return found.filter((s) => s.name !== '');
}

/** The fields of a pod that a node's rights follow from; while they stay the same, so do the rights. */
export function grantsTheSame(a: KubeObject, b: KubeObject): boolean {
  const size = (p: KubeObject) => list(specOf(p).ephemeralContainers).length;
  if (a.metadata.uid !== b.metadata.uid || nodeNameOf(a) !== nodeNameOf(b) || size(a) !== size(b)) return false;
  const claims = podResourceClaims(b);
  const before = podResourceClaims(a);
  return claims.size === before.size && [...claims].every((c) => before.has(c)) && isMirrorPod(a) === isMirrorPod(b);
}
