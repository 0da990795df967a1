export { type ControlPlane, type ControlPlaneOptions, startControlPlane } from './controlplane.js';
export type { InjectRequest, InjectResponse } from './server/transport/contract.js';
