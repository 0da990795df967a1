import { age } from '../../api/printers/age.js';
import { columnsOf } from '../../api/printers/columns.js';
import type { Printer } from '../../api/printers/contract.js';
import type { PrinterColumn } from './definition.js';

export function customPrinter(_columns: readonly PrinterColumn[] | undefined): Printer {
  return {
    columns: columnsOf([
      ['Name', 'string', 'name', 0],
      ['Age', 'date', '', 0],
    ]),
    cells: (object, now) => [object.metadata.name ?? '', age(object, now)],
  };
}
