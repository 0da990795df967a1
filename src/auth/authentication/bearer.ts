import type { RequestAuthenticator } from '../contract.js';
import type { TokenAuthenticator } from './contract.js';
import { refused } from './errors.js';

/** The token of an Authorization header; undefined when there is none or it is of another scheme. */
export function bearerToken(authorization: string | undefined): string | undefined {
  const [scheme, token] = parts(authorization);
  return scheme?.toLowerCase() === 'bearer' && token ? token : undefined;
}

/** True for `Bearer  x`: the header is ignored, and the client is told so. */
export function hasExtraSpace(authorization: string | undefined): boolean {
  const [scheme, token, rest] = parts(authorization);
  return scheme?.toLowerCase() === 'bearer' && token === '' && rest !== undefined;
}
export const EXTRA_SPACE_WARNING =
  'the provided Authorization header contains extra space before the bearer token, and is ignored';

function parts(authorization: string | undefined): string[] {
  return authorization === undefined ? [] : authorization.trim().split(' ', 3);
}

/** Tokens of the header `Authorization: Bearer <token>`; the scheme in any case, what follows a space is left out. */
export function bearerAuthenticator(tokens: TokenAuthenticator): RequestAuthenticator {
  return {
    name: 'bearer',
    async authenticate({ authorization, audiences }) {
      const token = bearerToken(authorization);
      if (token === undefined) return undefined;
      const result = await tokens.authenticateToken(token, audiences);
      if (!result) throw refused('invalid bearer token');
      return result;
    },
  };
}
