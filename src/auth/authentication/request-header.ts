import type { RequestAuthenticator } from '../contract.js';
import type { CertificateVerifier } from './client-certificate.js';
import { refused } from './errors.js';
import { type FrontProxyHeaders, headersWithPrefix, headerValue, headerValues } from './headers.js';

export interface FrontProxyOptions extends FrontProxyHeaders {
  /** Against `--requestheader-client-ca-file`. */
  readonly verify: CertificateVerifier;
  /** Common names that may speak for others; empty: every certificate of the authority may. */
  readonly allowedNames: readonly string[];
}

/**
 * Users that an authenticating proxy names in headers. Only a client certificate of the front proxy's own authority makes
 * them count; without one they are as if they were not there.
 */
export function frontProxyAuthenticator(options: FrontProxyOptions): RequestAuthenticator {
  const lower = (names: readonly string[]): string[] => names.map((name) => name.toLowerCase());
  const usernames = lower(options.usernameHeaders);
  const uids = lower(options.uidHeaders);
  const groupHeaders = lower(options.groupHeaders);
  const prefixes = lower(options.extraHeadersPrefix);
  return {
    name: 'requestheader',
    authenticate({ headers, peerCertificate: peer }) {
      if (!peer) return undefined;
      const first = (names: readonly string[]): string =>
        names.map((name) => headerValue(headers, name)).find((value) => value !== '') ?? '';
      const name = first(usernames);
      if (name === '') return undefined;
      const { commonName } = verified(options.verify, peer).certificate.subject;
      if (options.allowedNames.length > 0 && !options.allowedNames.includes(commonName)) {
        throw refused(`x509: subject with cn=${commonName} is not in the allowed list`);
      }
      const uid = first(uids);
      const groups = groupHeaders.flatMap((header) => headerValues(headers, header)).filter((group) => group !== '');
      const extra = new Map<string, readonly string[]>();
      for (const prefix of prefixes) {
        for (const [key, values] of headersWithPrefix(headers, prefix)) {
          extra.set(key, [...(extra.get(key) ?? []), ...values]);
        }
      }
      return { user: { name, groups, ...(uid && { uid }), extra: Object.fromEntries(extra) }, via: 'requestheader' };
    },
  };
}

function verified(verify: CertificateVerifier, peer: Parameters<CertificateVerifier>[0]) {
  try {
    return verify(peer);
  } catch (e) {
    throw refused((e as Error).message);
  }
}
