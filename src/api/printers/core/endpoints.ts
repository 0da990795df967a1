import { list, num, str } from '../../access.js';
import { age } from '../age.js';
import type { RowPrinter } from '../contract.js';
import { firstOf, nameOf } from '../text.js';

const MAX_SHOWN = 3;

export const endpoints: RowPrinter = {
  cells(object, now) {
    const subsets = list(object, 'subsets');
    const shown = subsets.flatMap((subset) => {
      const addresses = list(subset, 'addresses').map((a) => str(a, 'ip'));
      const ports = list(subset, 'ports').map((p) => num(p, 'port'));
      // A headless service may have no ports.
      return ports.length === 0 ? addresses : ports.flatMap((port) => addresses.map((ip) => hostPort(ip, port)));
    });
    return [nameOf(object), subsets.length === 0 ? '<none>' : firstOf(shown, MAX_SHOWN), age(object, now)];
  },
};

const hostPort = (ip: string, port: number): string => `${ip.includes(':') ? `[${ip}]` : ip}:${port}`;
