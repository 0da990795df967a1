import { badRequest, internalError } from '../../machinery/errors.js';
import { compareBytes } from '../../machinery/go-format.js';
import type { JsonObject, KubeObject } from '../../machinery/json.js';
import type { Authenticated, RequestAuthenticator, UserInfo } from '../contract.js';
import { intersect } from './audiences.js';

/** authentication.k8s.io UserInfo; empty parts are left out. */
export function userInfoObject({ name, uid, groups, extra }: UserInfo): JsonObject {
  const pairs = Object.entries(extra ?? {}).sort(([a], [b]) => compareBytes(a, b));
  return {
    ...(name && { username: name }),
    ...(uid && { uid }),
    ...(groups.length > 0 && { groups: [...groups] }),
    ...(pairs.length > 0 && { extra: Object.fromEntries(pairs.map(([key, values]) => [key, [...values]])) }),
  };
}

/**
 * Status of a TokenReview: what the authenticators of this server say of a bearer token, as if a request had come with
 * it. Throws a StatusError: 400 without a token.
 */
export async function reviewToken(
  authenticator: RequestAuthenticator,
  apiAudiences: readonly string[],
  spec: { readonly token: string; readonly audiences?: readonly string[] },
): Promise<JsonObject> {
  if (spec.token === '') throw badRequest('token is required for TokenReview in authentication');
  const audiences = spec.audiences?.length ? spec.audiences : apiAudiences;
  let found: Authenticated | undefined;
  try {
    found = await authenticator.authenticate({
      authorization: `Bearer ${spec.token}`,
      headers: {},
      path: '',
      peerCertificate: undefined,
      ...(audiences.length > 0 && { audiences }),
    });
  } catch (e) {
    return { user: {}, error: (e as Error).message };
  }
  if (!found) return { user: {} };
  const granted = found.audiences ?? [];
  if (audiences.length > 0 && intersect(audiences, granted).length === 0) {
    throw internalError('error validating audiences');
  }
  return {
    authenticated: true,
    user: userInfoObject(found.user),
    ...(granted.length > 0 && { audiences: [...granted] }),
  };
}

/** The answer to a SelfSubjectReview: who the client is, after impersonation. `now` is milliseconds since the epoch. */
export function selfSubjectReview(user: UserInfo, now: number): KubeObject {
  return {
    apiVersion: 'authentication.k8s.io/v1',
    kind: 'SelfSubjectReview',
    metadata: { creationTimestamp: new Date(now).toISOString().replace(/\.\d+Z$/, 'Z') },
    status: { userInfo: userInfoObject(user) },
  };
}
