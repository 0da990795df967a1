import type { JsonObject, KubeObject } from '../../../machinery/json.js';
import { obj, ptr, str, strings } from '../../access.js';
import { age } from '../age.js';
import type { RowPrinter } from '../contract.js';
import { annotations, isDeleted, nameOf, quantity, strOr } from '../text.js';

const MODES = [
  ['ReadWriteOnce', 'RWO'],
  ['ReadOnlyMany', 'ROX'],
  ['ReadWriteMany', 'RWX'],
  ['ReadWriteOncePod', 'RWOP'],
] as const;
const CLASS_ANNOTATION = 'volume.beta.kubernetes.io/storage-class';

export const persistentVolume: RowPrinter = {
  cells(object, now) {
    const spec = obj(object, 'spec');
    const claim = ptr(spec, 'claimRef');
    return [
      nameOf(object),
      quantity(obj(spec, 'capacity'), 'storage'),
      accessModes(spec),
      str(spec, 'persistentVolumeReclaimPolicy'),
      phase(object),
      claim ? `${str(claim, 'namespace')}/${str(claim, 'name')}` : '',
      storageClass(object),
      strOr(spec, 'volumeAttributesClassName', '<unset>'),
      str(obj(object, 'status'), 'reason'),
      age(object, now),
      strOr(spec, 'volumeMode', '<unset>'),
    ];
  },
};

export const persistentVolumeClaim: RowPrinter = {
  cells(object, now) {
    const spec = obj(object, 'spec');
    const status = obj(object, 'status');
    const bound = str(spec, 'volumeName') !== '';
    return [
      nameOf(object),
      phase(object),
      str(spec, 'volumeName'),
      bound ? quantity(obj(status, 'capacity'), 'storage') : '',
      bound ? accessModes(status) : '',
      storageClass(object),
      strOr(spec, 'volumeAttributesClassName', '<unset>'),
      age(object, now),
      strOr(spec, 'volumeMode', '<unset>'),
    ];
  },
};

/** In the order that people know, whatever that of the list is. */
function accessModes(part: JsonObject): string {
  const modes = strings(part, 'accessModes');
  return MODES.flatMap(([mode, short]) => (modes.includes(mode) ? [short] : [])).join(',');
}

const phase = (object: KubeObject): string => (isDeleted(object) ? 'Terminating' : str(obj(object, 'status'), 'phase'));

const storageClass = (object: KubeObject): string =>
  annotations(object)[CLASS_ANNOTATION] ?? str(obj(object, 'spec'), 'storageClassName');
