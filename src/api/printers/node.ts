import { str } from '../access.js';
import { age } from './age.js';
import type { GroupPrinters } from './contract.js';
import { nameOf } from './text.js';

export const node: GroupPrinters = {
  RuntimeClass: { cells: (object, now) => [nameOf(object), str(object, 'handler'), age(object, now)] },
};
