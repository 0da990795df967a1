import { type GroupResource, isStatusError } from '../machinery/errors.js';
import { isJsonObject, type KubeObject } from '../machinery/json.js';
import type { Controller, ControllerParts } from './contract.js';
import { WorkQueue } from './work-queue.js';

const NAMESPACES = { group: '', resource: 'namespaces' };

/** Keeps one object of a name in every namespace that is not being deleted. */
function inEveryNamespace(
  parts: ControllerParts,
  name: string,
  resource: GroupResource,
  objectName: string,
  sync: (namespace: string) => Promise<void>,
): Controller {
  const { client, log } = parts;
  const stops: (() => void)[] = [];
  const queue = new WorkQueue({
    workers: 2,
    async work(namespace) {
      const found = await client.get(NAMESPACES, '', namespace);
      if (!found || found.metadata.deletionTimestamp) return undefined;
      try {
        await sync(namespace);
      } catch (e) {
        // The namespace may be going just now; if it stays, its next change brings it back here.
        if (!isStatusError(e, 'NotFound') && !isStatusError(e, 'Forbidden')) throw e;
      }
      return undefined;
    },
    failed: (namespace, e) => log('warning', `${name} ${namespace}: ${String(e)}`),
  });
  return {
    name,
    async start() {
      stops.push(
        await client.subscribe(NAMESPACES, (change) => {
          if (change.type !== 'DELETED') queue.add(change.name);
        }),
        await client.subscribe(resource, ({ type, name, namespace }) => {
          if (name === objectName && type !== 'ADDED') queue.add(namespace);
        }),
      );
    },
    async stop() {
      for (const stop of stops) stop();
      await queue.close();
    },
  };
}

/** A `default` service account in every namespace. */
export function serviceAccountController(parts: ControllerParts): Controller {
  const resource = { group: '', resource: 'serviceaccounts' };
  return inEveryNamespace(parts, 'serviceaccount-controller', resource, 'default', async (namespace) => {
    await parts.client.ensure(
      resource,
      { metadata: { name: 'default', namespace } },
      {
        manager: 'kube-controller-manager',
      },
    );
  });
}

const ROOT_CA = 'kube-root-ca.crt';
const ROOT_CA_NOTE =
  'Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such as the internal service IP or kubernetes.default.svc. No other usage is guaranteed across distributions of Kubernetes clusters.';

/** The authority of this server in every namespace, where pods mount it from. */
export function rootCaPublisher(parts: ControllerParts, caPem: string): Controller {
  const resource = { group: '', resource: 'configmaps' };
  const settings = { manager: 'kube-controller-manager' };
  const wanted = (namespace: string): KubeObject => ({
    metadata: { name: ROOT_CA, namespace, annotations: { 'kubernetes.io/description': ROOT_CA_NOTE } },
    data: { 'ca.crt': caPem },
  });
  return inEveryNamespace(parts, 'root-ca-certificate-publisher-controller', resource, ROOT_CA, async (namespace) => {
    const found = await parts.client.get(resource, namespace, ROOT_CA);
    if (!found) await parts.client.ensure(resource, wanted(namespace), settings);
    else if (!isJsonObject(found.data) || found.data['ca.crt'] !== caPem) {
      await parts.client.update(resource, namespace, ROOT_CA, (o) => ({ ...o, data: { 'ca.crt': caPem } }), settings);
    }
  });
}
