import { obj, str } from '../../api/access.js';
import type { Authorizer } from '../../auth/contract.js';
import { goQuote } from '../../machinery/go-format.js';
import { equalJson, type KubeObject, type ObjectMeta } from '../../machinery/json.js';
import type { AdmissionAttributes, AdmissionPlugin } from '../contract.js';
import { rejectedBy } from '../errors.js';
import { mayActFor } from './signer-authorization.js';

export interface ClusterTrustBundleAttestDependencies {
  readonly authorizer: Authorizer;
  gate(name: 'ClusterTrustBundle'): boolean;
}

/** Writing a trust bundle of a signer takes the right to attest for it; what garbage collection changes is free. */
export function clusterTrustBundleAttest(dependencies: ClusterTrustBundleAttestDependencies): AdmissionPlugin {
  const { authorizer, gate } = dependencies;
  return {
    name: 'ClusterTrustBundleAttest',
    handles: (operation) => operation === 'CREATE' || operation === 'UPDATE',
    async validate(a) {
      if (!isBundle(a) || !gate('ClusterTrustBundle')) return;
      const signer = str(obj(a.object, 'spec'), 'signerName');
      if (signer === '' || (a.object && a.oldObject && onlyCollection(a.object, a.oldObject))) return;
      if (await mayActFor(authorizer, a.user, 'attest', signer)) return;
      throw rejectedBy(a, `user not permitted to attest for signerName ${goQuote(signer)}`);
    },
  };
}

function isBundle({ resource }: AdmissionAttributes): boolean {
  return resource.group === 'certificates.k8s.io' && resource.resource === 'clustertrustbundles';
}

/** Whether nothing differs but the metadata that garbage collection works on. */
export function onlyCollection(object: KubeObject, old: KubeObject): boolean {
  const rest = ({ ownerReferences: _o, finalizers: _f, selfLink: _s, managedFields: _m, ...meta }: ObjectMeta) => meta;
  return equalJson({ ...object, metadata: rest(object.metadata) }, { ...old, metadata: rest(old.metadata) });
}
