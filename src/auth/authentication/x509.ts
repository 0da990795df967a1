import type { Authenticated, RequestAuthenticator } from '../contract.js';
import type { Certificate } from '../pki/certificate.js';
import { OID } from '../pki/oids.js';
import { EXTRA } from '../tokens/service-account.js';
import type { CertificateVerifier, VerifiedCertificate } from './client-certificate.js';
import { refused } from './errors.js';

/**
 * Users of client certificates: CN is the name, O the groups, and an attribute of Kubernetes' own the uid (gate
 * AllowParsingUserUIDFromCertAuth, on in 1.36). A certificate without a CN is nobody's.
 */
export function x509Authenticator(verify: CertificateVerifier): RequestAuthenticator {
  const users = new WeakMap<VerifiedCertificate, Authenticated>();
  return {
    name: 'x509',
    authenticate({ peerCertificate: peer }) {
      if (!peer) return undefined;
      let verified: VerifiedCertificate;
      try {
        verified = verify(peer);
      } catch (e) {
        throw refused(`verifying client certificate failed: ${(e as Error).message}`);
      }
      if (verified.certificate.subject.commonName === '') return undefined;
      let found = users.get(verified);
      if (!found) {
        found = userOf(verified);
        users.set(verified, found);
      }
      return found;
    },
  };
}

function userOf({ certificate, fingerprint }: VerifiedCertificate): Authenticated {
  const uid = uidOf(certificate);
  return {
    user: {
      name: certificate.subject.commonName,
      groups: certificate.subject.organization,
      extra: { [EXTRA.credentialId]: [`X509SHA256=${fingerprint}`] },
      ...(uid && { uid }),
    },
    via: 'x509',
  };
}

function uidOf(certificate: Certificate): string | undefined {
  const [uid, ...more] = certificate.subject.attributes.filter((a) => a.type === OID.kubernetesUid).map((a) => a.value);
  if (more.length > 0) throw refused(`expected 1 UID, but found multiple: [${[uid, ...more].join(' ')}]`);
  if (uid === '') throw refused('UID cannot be an empty string');
  return uid;
}
