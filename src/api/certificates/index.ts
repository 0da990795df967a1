import type { GroupStrategies } from '../index.js';
import { podCertificateRequest } from './pod-request.js';
import { certificateSigningRequest } from './signing-request.js';
import { clusterTrustBundle } from './trust-bundle.js';

export const strategies: GroupStrategies = {
  CertificateSigningRequest: certificateSigningRequest,
  ClusterTrustBundle: clusterTrustBundle,
  PodCertificateRequest: podCertificateRequest,
};
