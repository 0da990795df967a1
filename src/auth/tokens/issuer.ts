import type { KeyObject } from 'node:crypto';
import type { JsonObject } from '../../machinery/json.js';
import type { ClaimReference } from './claims.js';
import { signingAlgorithm, signJwt } from './jwt.js';
import { keyIdOf } from './keys.js';
import { serviceAccountUsername } from './service-account.js';

/** A token to make. Durations are seconds. */
export interface TokenContent {
  readonly namespace: string;
  readonly serviceAccount: ClaimReference;
  readonly audiences: readonly string[];
  readonly expiresIn: number;
  /** After this long the use of the token is reported as stale. */
  readonly warnAfter?: number;
  readonly pod?: ClaimReference;
  readonly secret?: ClaimReference;
  /** The node of the bound pod, or what the token is bound to when there is no pod. Its uid may be ''. */
  readonly node?: ClaimReference;
}

export interface IssuedToken {
  readonly token: string;
  /** The claim `jti`. */
  readonly id: string;
}

/** Makes service-account tokens: claims and header as kube-apiserver 1.36 writes them, keys sorted. */
export interface TokenIssuer {
  issue(content: TokenContent): IssuedToken;
}

export interface TokenIssuerOptions {
  /** The first of `--service-account-issuer`. */
  readonly issuer: string;
  /** RSA, or EC on P-256, P-384 or P-521. */
  readonly key: KeyObject;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly uuid: () => string;
}

/** Throws when the key can't sign tokens. */
export function createTokenIssuer(options: TokenIssuerOptions): TokenIssuer {
  const { issuer, key, now, uuid } = options;
  const kid = keyIdOf(key);
  signingAlgorithm(key);
  return {
    issue(content) {
      const at = Math.floor(now() / 1000);
      const id = uuid();
      const kubernetes: JsonObject = {
        namespace: content.namespace,
        ...(content.node && { node: reference(content.node) }),
        ...(content.pod && { pod: reference(content.pod) }),
        ...(content.secret && { secret: reference(content.secret) }),
        serviceaccount: reference(content.serviceAccount),
        ...(content.warnAfter ? { warnafter: at + content.warnAfter } : {}),
      };
      const claims: JsonObject = {
        aud: [...content.audiences],
        exp: at + content.expiresIn,
        iat: at,
        iss: issuer,
        jti: id,
        'kubernetes.io': kubernetes,
        nbf: at,
        sub: serviceAccountUsername(content.namespace, content.serviceAccount.name),
      };
      return { token: signJwt(claims, key, kid), id };
    },
  };
}

const reference = ({ name, uid }: ClaimReference): JsonObject => (uid ? { name, uid } : { name });

/** A token without end for a Secret of type kubernetes.io/service-account-token. */
export function issueLegacyToken(
  key: KeyObject,
  content: { readonly namespace: string; readonly secret: string; readonly serviceAccount: ClaimReference },
): string {
  const prefix = 'kubernetes.io/serviceaccount/';
  const claims: JsonObject = {
    iss: LEGACY_ISSUER,
    [`${prefix}namespace`]: content.namespace,
    [`${prefix}secret.name`]: content.secret,
    [`${prefix}service-account.name`]: content.serviceAccount.name,
    [`${prefix}service-account.uid`]: content.serviceAccount.uid,
    sub: serviceAccountUsername(content.namespace, content.serviceAccount.name),
  };
  return signJwt(claims, key, keyIdOf(key));
}
export const LEGACY_ISSUER = 'kubernetes/serviceaccount';
