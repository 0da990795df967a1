import { obj, str } from '../../api/access.js';
import { type CertificateRequest, parseRequestPem } from '../../auth/pki/certificate-request.js';
import type { AdmissionAttributes, AdmissionPlugin } from '../contract.js';
import { rejectedBy } from '../errors.js';
import { concerns } from './concerns.js';

const CLIENT_SIGNER = 'kubernetes.io/kube-apiserver-client';
const MASTERS = 'system:masters';

/** No client certificate is asked for that would stand above authorization. */
export function certificateSubjectRestriction(): AdmissionPlugin {
  return {
    name: 'CertificateSubjectRestriction',
    handles: (operation) => operation === 'CREATE',
    validate(a) {
      if (!concerns(a, 'certificates.k8s.io/certificatesigningrequests')) return;
      const spec = obj(a.object, 'spec');
      if (str(spec, 'signerName') !== CLIENT_SIGNER) return;
      if (!parse(a, str(spec, 'request')).subject.organization.includes(MASTERS)) return;
      throw rejectedBy(a, `use of ${CLIENT_SIGNER} signer with ${MASTERS} group is not allowed`);
    },
  };
}

function parse(a: AdmissionAttributes, base64: string): CertificateRequest {
  try {
    return parseRequestPem(Buffer.from(base64, 'base64'));
  } catch (e) {
    throw rejectedBy(a, `failed to parse CSR: ${(e as Error).message}`);
  }
}
