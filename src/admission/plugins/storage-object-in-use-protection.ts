import type { AdmissionAttributes, AdmissionPlugin } from '../contract.js';

const FINALIZERS: Readonly<Record<string, string>> = {
  '/persistentvolumes': 'kubernetes.io/pv-protection',
  '/persistentvolumeclaims': 'kubernetes.io/pvc-protection',
  'storage.k8s.io/volumeattributesclasses': 'kubernetes.io/vac-protection',
};

/** Storage objects get a finalizer, so that they outlive the pods, claims and volumes that use them. */
export function storageObjectInUseProtection(): AdmissionPlugin {
  return {
    name: 'StorageObjectInUseProtection',
    handles: (operation) => operation === 'CREATE',
    admit(a) {
      if (a.subresource === '') addFinalizer(a, FINALIZERS[`${a.resource.group}/${a.resource.resource}`]);
    },
  };
}

/** Appends a finalizer to the new object, unless it has it. */
export function addFinalizer(a: AdmissionAttributes, finalizer: string | undefined): void {
  if (!finalizer || !a.object) return;
  const { finalizers = [] } = a.object.metadata;
  if (!finalizers.includes(finalizer)) a.object.metadata.finalizers = [...finalizers, finalizer];
}
