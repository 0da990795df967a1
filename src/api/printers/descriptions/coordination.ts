import type { Descriptions } from '../contract.js';

export const coordination: Descriptions = {
  Lease: {
    Holder:
      'holderIdentity contains the identity of the holder of a current lease. If Coordinated Leader Election is used, the holder identity must be equal to the elected LeaseCandidate.metadata.name field.',
  },
  LeaseCandidate: {
    LeaseName: 'LeaseName is the name of the lease for which this candidate is contending. This field is immutable.',
  },
};
