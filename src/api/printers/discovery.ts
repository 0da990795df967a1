import { list, str, strings } from '../access.js';
import { age } from './age.js';
import type { GroupPrinters } from './contract.js';
import { firstOf, nameOf, strOr } from './text.js';

const MAX_SHOWN = 3;

export const discovery: GroupPrinters = {
  EndpointSlice: {
    cells(object, now) {
      const ports = list(object, 'ports').map((p) =>
        typeof p.port === 'number' ? `${p.port}` : strOr(p, 'name', '*'),
      );
      const addresses = list(object, 'endpoints').flatMap((e) => strings(e, 'addresses'));
      return [
        nameOf(object),
        str(object, 'addressType'),
        firstOf(ports, MAX_SHOWN) || '<unset>',
        firstOf(addresses, MAX_SHOWN) || '<unset>',
        age(object, now),
      ];
    },
  },
};
