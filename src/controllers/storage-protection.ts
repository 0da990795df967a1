import { type GroupResource, isStatusError } from '../machinery/errors.js';
import { isJsonObject, type JsonObject, type KubeObject } from '../machinery/json.js';
import type { Controller, ControllerParts } from './contract.js';
import { WorkQueue } from './work-queue.js';

const CLAIMS = { group: '', resource: 'persistentvolumeclaims' };
const VOLUMES = { group: '', resource: 'persistentvolumes' };
const CLASSES = { group: 'storage.k8s.io', resource: 'volumeattributesclasses' };
const PODS = { group: '', resource: 'pods' };
const RETRY_MS = 1000;

interface Protection {
  readonly name: string;
  readonly resource: GroupResource;
  readonly finalizer: string;
  /** Something still needs the object. */
  inUse(object: KubeObject): Promise<boolean>;
}

/** Lets claims, volumes and attribute classes that are being deleted go when nothing uses them any more. */
export function storageProtection(parts: ControllerParts): Controller[] {
  const { client } = parts;
  return [
    protection(parts, {
      name: 'persistentvolumeclaim-protection-controller',
      resource: CLAIMS,
      finalizer: 'kubernetes.io/pvc-protection',
      async inUse({ metadata: { namespace = '', name = '' } }) {
        return (await client.list(PODS, namespace)).some((pod) => runs(pod) && claimsOf(pod).includes(name));
      },
    }),
    protection(parts, {
      name: 'persistentvolume-protection-controller',
      resource: VOLUMES,
      finalizer: 'kubernetes.io/pv-protection',
      inUse: async (volume) => part(volume, 'status').phase === 'Bound',
    }),
    protection(parts, {
      name: 'volumeattributesclass-protection-controller',
      resource: CLASSES,
      finalizer: 'kubernetes.io/vac-protection',
      async inUse({ metadata: { name } }) {
        const names = (o: KubeObject): boolean =>
          part(o, 'spec').volumeAttributesClassName === name ||
          part(o, 'status').currentVolumeAttributesClassName === name;
        return (await client.list(CLAIMS)).some(names) || (await client.list(VOLUMES)).some(names);
      },
    }),
  ];
}

function protection({ client, log }: ControllerParts, what: Protection): Controller {
  let stopWatching: (() => void) | undefined;
  const queue = new WorkQueue({
    workers: 2,
    async work(key) {
      const [namespace = '', name = ''] = key.split('/');
      const object = await client.get(what.resource, namespace, name);
      if (!object?.metadata.deletionTimestamp || !object.metadata.finalizers?.includes(what.finalizer))
        return undefined;
      if (await what.inUse(object)) return RETRY_MS;
      await client
        .update(what.resource, namespace, name, (o) => without(o, what.finalizer), {
          manager: 'kube-controller-manager',
        })
        .catch((e) => {
          if (!isStatusError(e, 'NotFound')) throw e;
        });
      return undefined;
    },
    failed: (key, e) => log('warning', `${what.name} ${key}: ${String(e)}`),
  });
  return {
    name: what.name,
    async start() {
      stopWatching = await client.subscribe(what.resource, ({ type, object }) => {
        const { namespace = '', name = '', deletionTimestamp } = object.metadata;
        if (type !== 'DELETED' && deletionTimestamp) queue.add(`${namespace}/${name}`);
      });
    },
    async stop() {
      stopWatching?.();
      await queue.close();
    },
  };
}

function part(object: KubeObject, name: string): JsonObject {
  const value = object[name];
  return isJsonObject(value) ? value : {};
}

/** A pod that may still touch its volumes. */
function runs(pod: KubeObject): boolean {
  const { phase } = part(pod, 'status');
  return phase !== 'Succeeded' && phase !== 'Failed';
}

/** Names of the claims a pod mounts, those made for its ephemeral volumes included. */
function claimsOf(pod: KubeObject): string[] {
  const { volumes } = part(pod, 'spec');
  if (!Array.isArray(volumes)) return [];
  return (volumes as JsonObject[]).flatMap((volume) => {
    if (isJsonObject(volume.persistentVolumeClaim)) return [String(volume.persistentVolumeClaim.claimName)];
    return volume.ephemeral === undefined ? [] : [`${pod.metadata.name}-${String(volume.name)}`];
  });
}

function without(object: KubeObject, finalizer: string): KubeObject {
  const kept = object.metadata.finalizers?.filter((f) => f !== finalizer) ?? [];
  const { finalizers: _, ...metadata } = object.metadata;
  return { ...object, metadata: kept.length > 0 ? { ...metadata, finalizers: kept } : metadata };
}
