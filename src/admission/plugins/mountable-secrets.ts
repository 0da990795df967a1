import { list, obj, ptr, str } from '../../api/access.js';
import { podSecrets } from '../../auth/authorization/node/references.js';
import type { JsonObject, KubeObject } from '../../machinery/json.js';
import type { AdmissionAttributes } from '../contract.js';
import { rejectedBy } from '../errors.js';

/** With it, pods of the account may only use the secrets that the account lists. */
const ENFORCE = 'kubernetes.io/enforce-mountable-secrets';
const TRUE = new Set(['1', 't', 'T', 'true', 'TRUE', 'True']);

type Containers = 'initContainers' | 'containers' | 'ephemeralContainers';
const TITLES: Readonly<Record<Containers, string>> = {
  initContainers: 'init container',
  containers: 'container',
  ephemeralContainers: 'ephemeral container',
};

/** Pods that a kubelet makes by itself have no part in the API's credentials. */
export function checkMirrorPod(a: AdmissionAttributes, pod: KubeObject): void {
  const spec = obj(pod, 'spec');
  if (str(spec, 'serviceAccountName')) throw rejectedBy(a, 'a mirror pod may not reference service accounts');
  if (podSecrets(pod).size > 0) throw rejectedBy(a, 'a mirror pod may not reference secrets');
  const sources = list(spec, 'volumes').flatMap((v) => list(obj(v, 'projected'), 'sources'));
  if (sources.some((s) => ptr(s, 'serviceAccountToken'))) {
    throw rejectedBy(a, 'a mirror pod may not use ServiceAccountToken volume projections');
  }
}

/**
 * Why a pod may not run as an account that limits its secrets: undefined when it may. Ephemeral containers are looked
 * at alone, as the rest of their pod was when it was made.
 */
export function forbiddenSecret(
  account: KubeObject,
  pod: KubeObject,
  fields: readonly Containers[],
): string | undefined {
  if (!TRUE.has(account.metadata.annotations?.[ENFORCE] ?? '')) return undefined;
  const spec = obj(pod, 'spec');
  const names = (part: JsonObject, field: string) => new Set(list(part, field).map((s) => str(s, 'name')));
  const mountable = names(account, 'secrets');
  const refused = (what: string, secret = 'secret') =>
    `${what} is not allowed because service account ${account.metadata.name} does not reference that ${secret}`;
  const whole = fields.includes('containers');
  for (const volume of whole ? list(spec, 'volumes') : []) {
    const secret = ptr(volume, 'secret');
    if (!secret || mountable.has(str(secret, 'secretName'))) continue;
    return refused(`volume with secret.secretName="${str(secret, 'secretName')}"`);
  }
  for (const field of fields) {
    for (const container of list(spec, field)) {
      const found = secretOfContainer(container, mountable);
      if (found) return refused(`${TITLES[field]} ${str(container, 'name')} with ${found}`);
    }
  }
  const pullable = names(account, 'imagePullSecrets');
  for (const [i, { name }] of (whole ? list(spec, 'imagePullSecrets') : []).entries()) {
    if (!pullable.has(String(name ?? '')))
      return refused(`imagePullSecrets[${i}].name="${name ?? ''}"`, 'imagePullSecret');
  }
  return undefined;
}

/** The first secret in a container's environment that is not mountable, in words. */
function secretOfContainer(container: JsonObject, mountable: ReadonlySet<string>): string | undefined {
  for (const env of list(container, 'env')) {
    const ref = ptr(obj(env, 'valueFrom'), 'secretKeyRef');
    if (!ref || mountable.has(str(ref, 'name'))) continue;
    return `envVar ${str(env, 'name')} referencing secret.secretName="${str(ref, 'name')}"`;
  }
  for (const from of list(container, 'envFrom')) {
    const ref = ptr(from, 'secretRef');
    if (ref && !mountable.has(str(ref, 'name'))) return `envFrom referencing secret.secretName="${str(ref, 'name')}"`;
  }
  return undefined;
}
