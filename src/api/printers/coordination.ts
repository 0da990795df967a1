import { obj, str } from '../access.js';
import { age } from './age.js';
import type { GroupPrinters } from './contract.js';
import { nameOf } from './text.js';

export const coordination: GroupPrinters = {
  Lease: {
    cells: (object, now) => [nameOf(object), str(obj(object, 'spec'), 'holderIdentity'), age(object, now)],
  },
  LeaseCandidate: {
    cells(object, now) {
      const spec = obj(object, 'spec');
      const versions = [str(spec, 'binaryVersion'), str(spec, 'emulationVersion')];
      return [nameOf(object), str(spec, 'leaseName'), ...versions, age(object, now)];
    },
  },
};
