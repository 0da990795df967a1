import { obj, str } from '../../api/access.js';
import type { KubeObject } from '../../machinery/json.js';
import { Quantity } from '../../machinery/quantity.js';
import type { AdmissionPlugin } from '../contract.js';
import { rejectedBy } from '../errors.js';
import { concerns, type Objects } from './concerns.js';
import { CLASS_ANNOTATION } from './default-storage-class.js';
import { resourceList } from './resource-list.js';

/** A claim grows only when it is bound and its class can expand volumes. */
export function persistentVolumeClaimResize(objects: Objects): AdmissionPlugin {
  const mayGrow = async (claim: KubeObject, old: KubeObject): Promise<boolean> => {
    const name = classOf(claim);
    if (name === '' || name !== classOf(old)) return false;
    const found = await objects.get({ group: 'storage.k8s.io', resource: 'storageclasses' }, '', name);
    return found?.allowVolumeExpansion === true;
  };
  return {
    name: 'PersistentVolumeClaimResize',
    handles: (operation) => operation === 'UPDATE',
    async validate(a) {
      if (!a.object || !a.oldObject || !concerns(a, '/persistentvolumeclaims')) return;
      if (requested(a.object).compare(requested(a.oldObject)) <= 0) return;
      if (str(obj(a.oldObject, 'status'), 'phase') !== 'Bound') {
        throw rejectedBy(a, 'Only bound persistent volume claims can be expanded');
      }
      if (await mayGrow(a.object, a.oldObject)) return;
      throw rejectedBy(
        a,
        'only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must support resize',
      );
    },
  };
}

const requested = (claim: KubeObject): Quantity =>
  resourceList(obj(obj(obj(claim, 'spec'), 'resources'), 'requests')).get('storage') ?? Quantity.of(0);

/** The class of a claim; '' for none. */
export function classOf(claim: KubeObject): string {
  return claim.metadata.annotations?.[CLASS_ANNOTATION] ?? str(obj(claim, 'spec'), 'storageClassName');
}
