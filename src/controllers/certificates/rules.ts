import type { CertificateRequest } from '../../auth/pki/certificate-request.js';

// Who may get what from the built-in signers (Kubernetes documentation, "Certificates and Certificate Signing Requests").

export const SIGNER = {
  apiserverClient: 'kubernetes.io/kube-apiserver-client',
  kubeletClient: 'kubernetes.io/kube-apiserver-client-kubelet',
  kubeletServing: 'kubernetes.io/kubelet-serving',
  legacyUnknown: 'kubernetes.io/legacy-unknown',
} as const;

const NODE_PREFIX = 'system:node:';

function nodeSubjectFault({ subject }: CertificateRequest): string | undefined {
  if (subject.organization.length !== 1 || subject.organization[0] !== 'system:nodes') {
    return 'subject organization is not system:nodes';
  }
  return undefined;
}

/** Exactly digital signature and `purpose`, with or without key encipherment, which only RSA needs. */
function usagesFault(usages: readonly string[], purpose: string): string | undefined {
  const all = ['digital signature', 'key encipherment', purpose].sort();
  const given = new Set(usages);
  const needed = all.filter((usage) => usage !== 'key encipherment' || given.has(usage));
  return given.size === needed.length && needed.every((usage) => given.has(usage))
    ? undefined
    : `usages did not match [${all.join(' ')}]`;
}

const commonNameFault = ({ subject }: CertificateRequest): string | undefined =>
  subject.commonName.startsWith(NODE_PREFIX) ? undefined : `subject common name does not begin with ${NODE_PREFIX}`;

/** Why a request is none for a kubelet's client certificate. */
export function kubeletClientFault(request: CertificateRequest, usages: readonly string[]): string | undefined {
  const { dns, emails, ips, uris } = request.names;
  return (
    nodeSubjectFault(request) ??
    (dns.length > 0 ? 'DNS subjectAltNames are not allowed' : undefined) ??
    (emails.length > 0 ? 'Email subjectAltNames are not allowed' : undefined) ??
    (ips.length > 0 ? 'IP subjectAltNames are not allowed' : undefined) ??
    (uris.length > 0 ? 'URI subjectAltNames are not allowed' : undefined) ??
    commonNameFault(request) ??
    usagesFault(usages, 'client auth')
  );
}

/** Why a request is none for a kubelet's serving certificate. */
export function kubeletServingFault(request: CertificateRequest, usages: readonly string[]): string | undefined {
  const { dns, emails, ips, uris } = request.names;
  return (
    nodeSubjectFault(request) ??
    (dns.length + ips.length === 0 ? 'DNS or IP subjectAltName is required' : undefined) ??
    (emails.length > 0 ? 'Email subjectAltNames are not allowed' : undefined) ??
    (uris.length > 0 ? 'URI subjectAltNames are not allowed' : undefined) ??
    usagesFault(usages, 'server auth') ??
    commonNameFault(request)
  );
}

/** Why a request is none for a client certificate of the API server. */
export function apiserverClientFault(_: CertificateRequest, usages: readonly string[]): string | undefined {
  const allowed = ['digital signature', 'key encipherment', 'client auth'];
  const wrong = usages.find((usage) => !allowed.includes(usage));
  if (wrong !== undefined) return `invalid usage for client certificate: ${wrong}`;
  return usages.includes('client auth') ? undefined : 'missing required usage for client certificate: client auth';
}

/** The rule of a built-in signer; undefined for signers that are not built in. */
export function signerRule(
  signerName: string,
): ((request: CertificateRequest, usages: readonly string[]) => string | undefined) | undefined {
  switch (signerName) {
    case SIGNER.apiserverClient:
      return apiserverClientFault;
    case SIGNER.kubeletClient:
      return kubeletClientFault;
    case SIGNER.kubeletServing:
      return kubeletServingFault;
    case SIGNER.legacyUnknown:
      return () => undefined;
    default:
      return undefined;
  }
}
