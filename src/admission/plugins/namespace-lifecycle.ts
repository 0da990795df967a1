import { notFound } from '../../machinery/errors.js';
import type { KubeObject } from '../../machinery/json.js';
import type { AdmissionAttributes, AdmissionPlugin } from '../contract.js';
import { rejectedBy } from '../errors.js';

const IMMORTAL = new Set(['default', 'kube-system', 'kube-public']);

/** Reads the current namespace of that name. */
export type NamespaceReader = (name: string) => Promise<KubeObject | undefined>;

/**
 * Nothing is written into a namespace that does not exist, nothing new into one that is being deleted, and the system
 * namespaces stay.
 */
export function namespaceLifecycle(namespaceOf: NamespaceReader): AdmissionPlugin {
  return {
    name: 'NamespaceLifecycle',
    handles: (operation) => operation !== 'CONNECT',
    async admit(a) {
      if (isNamespace(a)) {
        if (a.operation === 'DELETE' && IMMORTAL.has(a.name)) throw rejectedBy(a, 'this namespace may not be deleted');
        return;
      }
      // Telling about the namespace in an access review would leak whether it exists.
      if (a.namespace === '' || a.operation === 'DELETE' || isAccessReview(a)) return;
      const namespace = await namespaceOf(a.namespace);
      if (!namespace) throw notFound({ group: '', resource: 'namespaces' }, a.namespace);
      if (a.operation === 'CREATE' && isTerminating(namespace)) throw terminating(a);
    },
  };
}

function isNamespace(a: AdmissionAttributes): boolean {
  return a.kind.group === '' && a.kind.kind === 'Namespace';
}

function isAccessReview(a: AdmissionAttributes): boolean {
  return a.resource.group === 'authorization.k8s.io' && a.resource.resource === 'localsubjectaccessreviews';
}

function isTerminating(namespace: KubeObject): boolean {
  const status = namespace.status;
  const phase = typeof status === 'object' && status !== null && !Array.isArray(status) ? status.phase : undefined;
  return phase === 'Terminating' || namespace.metadata.deletionTimestamp !== undefined;
}

function terminating(a: AdmissionAttributes): Error {
  const error = rejectedBy(
    a,
    `unable to create new content in namespace ${a.namespace} because it is being terminated`,
  );
  if (error.details) {
    error.details.causes = [
      {
        reason: 'NamespaceTerminating',
        message: `namespace ${a.namespace} is being terminated`,
        field: 'metadata.namespace',
      },
    ];
  }
  return error;
}
