import { list, obj, str } from '../access.js';
import { age } from './age.js';
import type { GroupPrinters } from './contract.js';
import { firstOf, nameOf, strOr } from './text.js';

const MAX_SHOWN = 3;

export const internal: GroupPrinters = {
  StorageVersion: {
    cells(object, now) {
      const status = obj(object, 'status');
      const versions = list(status, 'storageVersions').map(
        (v) => `${str(v, 'apiServerID')}=${str(v, 'encodingVersion')}`,
      );
      return [
        nameOf(object),
        strOr(status, 'commonEncodingVersion', '<unset>'),
        firstOf(versions, MAX_SHOWN) || '<unset>',
        age(object, now),
      ];
    },
  },
};
