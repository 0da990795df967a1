import type { GroupStrategies } from '../index.js';
import { storageClass, volumeAttributesClass } from './classes.js';
import { csiDriver, csiNode, csiStorageCapacity } from './csi.js';
import { volumeAttachment } from './volume-attachment.js';

export const strategies: GroupStrategies = {
  CSIDriver: csiDriver,
  CSINode: csiNode,
  CSIStorageCapacity: csiStorageCapacity,
  StorageClass: storageClass,
  VolumeAttachment: volumeAttachment,
  VolumeAttributesClass: volumeAttributesClass,
};
