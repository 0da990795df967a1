import type { AdmissionPlugin } from '../contract.js';
import { concerns } from './concerns.js';
import { addFinalizer } from './storage-object-in-use-protection.js';

/** A pod group stays as long as it has pods (KEP-4671). */
export function podGroupProtection(gate: (name: 'GenericWorkload') => boolean): AdmissionPlugin {
  return {
    name: 'PodGroupProtection',
    handles: (operation) => operation === 'CREATE',
    admit(a) {
      if (gate('GenericWorkload') && concerns(a, 'scheduling.k8s.io/podgroups'))
        addFinalizer(a, 'scheduling.k8s.io/podgroup-protection');
    },
  };
}
