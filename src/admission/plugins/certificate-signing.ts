import { list, obj, str } from '../../api/access.js';
import type { Authorizer } from '../../auth/contract.js';
import { goQuote } from '../../machinery/go-format.js';
import { equalJson } from '../../machinery/json.js';
import type { AdmissionPlugin } from '../contract.js';
import { rejectedBy } from '../errors.js';
import { concerns } from './concerns.js';
import { mayActFor } from './signer-authorization.js';

/** Issuing a certificate, or failing a request, takes the right to sign for its signer. */
export function certificateSigning(authorizer: Authorizer): AdmissionPlugin {
  return {
    name: 'CertificateSigning',
    handles: (operation) => operation === 'UPDATE',
    async validate(a) {
      if (!concerns(a, 'certificates.k8s.io/certificatesigningrequests', 'status')) return;
      const status = obj(a.object, 'status');
      const old = obj(a.oldObject, 'status');
      const sameCertificate = str(status, 'certificate') === str(old, 'certificate');
      if (sameCertificate && equalJson(list(status, 'conditions'), list(old, 'conditions'))) return;
      const signer = str(obj(a.oldObject, 'spec'), 'signerName');
      if (await mayActFor(authorizer, a.user, 'sign', signer)) return;
      throw rejectedBy(a, `user not permitted to sign requests with signerName ${goQuote(signer)}`);
    },
  };
}
