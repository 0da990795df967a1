import { bool, list, obj, str, strings } from '../access.js';
import { age } from './age.js';
import type { GroupPrinters } from './contract.js';
import { annotations, nameOf, orNone, strOr } from './text.js';

const DEFAULT_CLASS = [
  'storageclass.kubernetes.io/is-default-class',
  'storageclass.beta.kubernetes.io/is-default-class',
];

export const storage: GroupPrinters = {
  CSIDriver: {
    cells(object, now) {
      const spec = obj(object, 'spec');
      const tokens = list(spec, 'tokenRequests');
      return [
        nameOf(object),
        spec.attachRequired !== false,
        bool(spec, 'podInfoOnMount'),
        bool(spec, 'storageCapacity'),
        tokens.length === 0 ? '<unset>' : tokens.map((t) => str(t, 'audience')).join(','),
        bool(spec, 'requiresRepublish'),
        orNone(strings(spec, 'volumeLifecycleModes').join(',')),
        age(object, now),
      ];
    },
  },
  CSINode: {
    cells: (object, now) => [nameOf(object), list(obj(object, 'spec'), 'drivers').length, age(object, now)],
  },
  StorageClass: {
    cells(object, now) {
      const isDefault = DEFAULT_CLASS.some((name) => annotations(object)[name] === 'true');
      return [
        `${nameOf(object)}${isDefault ? ' (default)' : ''}`,
        str(object, 'provisioner'),
        strOr(object, 'reclaimPolicy', 'Delete'),
        strOr(object, 'volumeBindingMode', 'Immediate'),
        bool(object, 'allowVolumeExpansion'),
        age(object, now),
      ];
    },
  },
  VolumeAttachment: {
    cells(object, now) {
      const spec = obj(object, 'spec');
      return [
        nameOf(object),
        str(spec, 'attacher'),
        str(obj(spec, 'source'), 'persistentVolumeName'),
        str(spec, 'nodeName'),
        bool(obj(object, 'status'), 'attached'),
        age(object, now),
      ];
    },
  },
  VolumeAttributesClass: {
    cells: (object, now) => [nameOf(object), str(object, 'driverName'), age(object, now)],
  },
};
