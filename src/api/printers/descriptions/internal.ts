import type { Descriptions } from '../contract.js';

export const internal: Descriptions = {
  StorageVersion: {
    CommonEncodingVersion:
      "commonEncodingVersion is set to an encoding storage version if all API server instances share that same version. If they don't share one storage version, this field is left empty. API servers should finish updating its storageVersionStatus entry before serving write operations, so that this field will be in sync with the reality.",
    StorageVersions: 'storageVersions lists the reported versions per API server instance.',
  },
};
