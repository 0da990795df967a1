import { list, obj, str } from '../../api/access.js';
import { isMirrorPod } from '../../auth/authorization/node/references.js';
import { notFound } from '../../machinery/errors.js';
import type { JsonObject, KubeObject } from '../../machinery/json.js';
import type { AdmissionAttributes, AdmissionPlugin } from '../contract.js';
import { rejectedBy } from '../errors.js';
import { concerns, type Objects } from './concerns.js';
import { checkMirrorPod, forbiddenSecret } from './mountable-secrets.js';

const MOUNT_PATH = '/var/run/secrets/kubernetes.io/serviceaccount';
const VOLUME_PREFIX = 'kube-api-access-';
/** Tokens live for an hour, and a warning's worth of seconds. */
const TOKEN_SECONDS = 3607;

/** A `default` account may be on its way in a namespace that was just made: how long it is waited for. */
const LOOKS = 10;
const PAUSE_MS = 150;

export interface ServiceAccountDependencies {
  readonly objects: Objects;
  /** Five random characters. */
  nameSuffix(): string;
  /** Settles after so many milliseconds. */
  pause(ms: number): Promise<void>;
}

/**
 * Every pod runs as a service account, `default` unless it says otherwise: which must be there, whose pull secrets it
 * takes over, and whose token, with the cluster's root certificate and the namespace, is mounted into its containers.
 */
export function serviceAccount({ objects, nameSuffix, pause }: ServiceAccountDependencies): AdmissionPlugin {
  const accountOf = async (a: AdmissionAttributes, name: string): Promise<KubeObject> => {
    const looks = name === 'default' ? LOOKS : 1;
    for (let look = 1; ; look++) {
      const found = await objects.get({ group: '', resource: 'serviceaccounts' }, a.namespace, name);
      if (found) return found;
      if (look >= looks || a.signal().aborted) break;
      await pause(PAUSE_MS);
    }
    const { message } = notFound({ group: '', resource: 'serviceaccount' }, name);
    throw rejectedBy(a, `error looking up service account ${a.namespace}/${name}: ${message}`);
  };

  const accountOfPod = (a: AdmissionAttributes, pod: KubeObject): Promise<KubeObject> => {
    const name = str(obj(pod, 'spec'), 'serviceAccountName');
    if (name) return accountOf(a, name);
    throw rejectedBy(a, `no service account specified for pod ${a.namespace}/${pod.metadata.name ?? ''}`);
  };

  async function validate(a: AdmissionAttributes): Promise<void> {
    if (!a.object) return;
    if (a.operation === 'CREATE' && concerns(a, '/pods')) {
      if (isMirrorPod(a.object)) return checkMirrorPod(a, a.object);
      const reason = forbiddenSecret(await accountOfPod(a, a.object), a.object, ['initContainers', 'containers']);
      if (reason) throw rejectedBy(a, reason);
    } else if (a.operation === 'UPDATE' && concerns(a, '/pods', 'ephemeralcontainers')) {
      const reason = forbiddenSecret(await accountOfPod(a, a.object), a.object, ['ephemeralContainers']);
      if (reason) throw rejectedBy(a, reason);
    }
  }

  return {
    name: 'ServiceAccount',
    handles: (operation) => operation === 'CREATE' || operation === 'UPDATE',
    async admit(a) {
      if (!a.object || a.operation !== 'CREATE' || !concerns(a, '/pods')) return;
      if (isMirrorPod(a.object)) return validate(a);
      const spec: JsonObject = { ...obj(a.object, 'spec') };
      const name = str(spec, 'serviceAccountName') || 'default';
      const account = await accountOf(a, name);
      Object.assign(spec, { serviceAccountName: name, serviceAccount: name });
      const automount = spec.automountServiceAccountToken ?? account.automountServiceAccountToken ?? true;
      if (automount) mountToken(spec, nameSuffix);
      const pullSecrets = list(account, 'imagePullSecrets').map((s) => ({ name: str(s, 'name') }));
      if (pullSecrets.length > 0 && list(spec, 'imagePullSecrets').length === 0) spec.imagePullSecrets = pullSecrets;
      a.object.spec = spec;
      return validate(a);
    },
    validate,
  };
}

/** Mounts a token volume into every container that has nothing of its own at that path. */
function mountToken(spec: JsonObject, nameSuffix: () => string): void {
  const volumes = list(spec, 'volumes');
  const present = volumes.find((v) => str(v, 'name').startsWith(VOLUME_PREFIX));
  const name = present ? str(present, 'name') : VOLUME_PREFIX + nameSuffix();
  let used = false;
  for (const field of ['initContainers', 'containers']) {
    if (spec[field] === undefined) continue;
    spec[field] = list(spec, field).map((container) => {
      const mounts = list(container, 'volumeMounts');
      if (mounts.some((m) => str(m, 'mountPath') === MOUNT_PATH)) return container;
      used = true;
      return { ...container, volumeMounts: [...mounts, { name, readOnly: true, mountPath: MOUNT_PATH }] };
    });
  }
  if (used && !present) spec.volumes = [...volumes, tokenVolume(name)];
}

function tokenVolume(name: string): JsonObject {
  const namespace = { path: 'namespace', fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.namespace' } };
  const sources = [
    { serviceAccountToken: { expirationSeconds: TOKEN_SECONDS, path: 'token' } },
    { configMap: { name: 'kube-root-ca.crt', items: [{ key: 'ca.crt', path: 'ca.crt' }] } },
    { downwardAPI: { items: [namespace] } },
  ];
  return { name, projected: { sources, defaultMode: 0o644 } };
}
