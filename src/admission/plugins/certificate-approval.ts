import { obj, str } from '../../api/access.js';
import type { Authorizer } from '../../auth/contract.js';
import { goQuote } from '../../machinery/go-format.js';
import type { AdmissionPlugin } from '../contract.js';
import { rejectedBy } from '../errors.js';
import { concerns } from './concerns.js';
import { mayActFor } from './signer-authorization.js';

/** Approving a certificate request takes the right to approve for its signer. */
export function certificateApproval(authorizer: Authorizer): AdmissionPlugin {
  return {
    name: 'CertificateApproval',
    handles: (operation) => operation === 'UPDATE',
    async validate(a) {
      if (!concerns(a, 'certificates.k8s.io/certificatesigningrequests', 'approval')) return;
      const signer = str(obj(a.oldObject, 'spec'), 'signerName');
      if (await mayActFor(authorizer, a.user, 'approve', signer)) return;
      throw rejectedBy(a, `user not permitted to approve requests with signerName ${goQuote(signer)}`);
    },
  };
}
