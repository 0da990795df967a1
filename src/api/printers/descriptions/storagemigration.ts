import type { Descriptions } from '../contract.js';

export const storagemigration: Descriptions = {
  StorageVersionMigration: {
    Resource: 'GroupResource to migrate',
    Status: 'Status of the migration',
  },
};
