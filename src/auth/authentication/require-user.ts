import { unauthorized } from '../../machinery/errors.js';
import type { Authenticated, Credentials, RequestAuthenticator } from '../contract.js';
import { intersect } from './audiences.js';
import { reasonsOf } from './errors.js';

/**
 * Who a request comes from. Rejects with the 401 that tells the client nothing; `refused` hears the reasons, which hold
 * no credentials, for log and metrics.
 */
export async function requireUser(
  authenticator: RequestAuthenticator,
  apiAudiences: readonly string[],
  credentials: Credentials,
  refused: (reasons: readonly string[]) => void,
): Promise<Authenticated> {
  let found: Authenticated | undefined;
  try {
    const { authorization, headers, path, peerCertificate } = credentials;
    const audiences = apiAudiences.length > 0 ? apiAudiences : undefined;
    found = await authenticator.authenticate({ authorization, headers, path, peerCertificate, audiences });
  } catch (e) {
    refused(reasonsOf(e));
    throw unauthorized();
  }
  if (!found) {
    refused([]);
    throw unauthorized();
  }
  if (apiAudiences.length > 0 && found.audiences?.length && intersect(apiAudiences, found.audiences).length === 0) {
    refused(['unable to match the audience']);
    throw unauthorized();
  }
  return found;
}

/** Kinds of credentials that a request carries, for the audit record of a refusal. Never their values. */
export function attemptedCredentials({ authorization, peerCertificate }: Credentials): string[] {
  const scheme = authorization?.trim().split(' ', 1)[0]?.toLowerCase();
  return [
    ...(peerCertificate ? ['x509'] : []),
    ...(scheme === 'bearer' || scheme === 'basic' ? [scheme] : scheme ? ['unknown'] : []),
  ];
}
