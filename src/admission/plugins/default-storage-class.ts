import { obj } from '../../api/access.js';
import type { AdmissionPlugin } from '../contract.js';
import { concerns, type Objects } from './concerns.js';
import { DefaultClass } from './default-class.js';

/** Predecessor of spec.storageClassName; on a claim it wins over it. */
export const CLASS_ANNOTATION = 'volume.beta.kubernetes.io/storage-class';

/** Claims that leave their class open get the default one, if there is one. An empty class is not open. */
export function defaultStorageClass(objects: Objects): AdmissionPlugin {
  const standard = new DefaultClass(objects, { group: 'storage.k8s.io', resource: 'storageclasses' }, [
    'storageclass.kubernetes.io/is-default-class',
    'storageclass.beta.kubernetes.io/is-default-class',
  ]);
  return {
    name: 'DefaultStorageClass',
    handles: (operation) => operation === 'CREATE',
    async admit(a) {
      if (!a.object || !concerns(a, '/persistentvolumeclaims')) return;
      const spec = obj(a.object, 'spec');
      if (spec.storageClassName !== undefined) return;
      if (Object.hasOwn(a.object.metadata.annotations ?? {}, CLASS_ANNOTATION)) return;
      const storageClassName = await standard.name();
      if (storageClassName) a.object.spec = { ...spec, storageClassName };
    },
  };
}
