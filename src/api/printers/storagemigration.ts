import { list, obj, str } from '../access.js';
import type { GroupPrinters } from './contract.js';
import { nameOf, qualified } from './text.js';

export const storagemigration: GroupPrinters = {
  StorageVersionMigration: {
    cells(object) {
      const resource = obj(obj(object, 'spec'), 'resource');
      const state = list(obj(object, 'status'), 'conditions')
        .filter((c) => str(c, 'status') === 'True')
        .map((c) => str(c, 'type'))
        .findLast((type) => ['Running', 'Failed', 'Succeeded'].includes(type));
      return [nameOf(object), qualified(str(resource, 'resource'), str(resource, 'group')), state ?? 'Unknown'];
    },
  },
};
