import type { Authenticated, Credentials, RequestAuthenticator } from '../contract.js';
import type { TokenAuthenticator, TokenResult } from './contract.js';
import { AuthenticationError, reasonsOf } from './errors.js';

/** Asks one after the other. The first that knows the credentials decides; reasons of those that refused are joined. */
async function firstOf<A, R>(authenticators: readonly A[], ask: (one: A) => Promise<R | undefined> | R | undefined) {
  let reasons: readonly string[] = [];
  for (const one of authenticators) {
    try {
      const found = await ask(one);
      if (found !== undefined) return found;
    } catch (e) {
      reasons = [...reasons, ...reasonsOf(e)];
    }
  }
  if (reasons.length > 0) throw new AuthenticationError(reasons);
  return undefined;
}

export function requestUnion(authenticators: readonly RequestAuthenticator[]): RequestAuthenticator {
  return {
    name: 'union',
    authenticate: (credentials: Credentials): Promise<Authenticated | undefined> =>
      firstOf(authenticators, (one) => one.authenticate(credentials)),
  };
}

export function tokenUnion(authenticators: readonly TokenAuthenticator[]): TokenAuthenticator {
  return {
    name: 'union',
    authenticateToken: (token, audiences): Promise<TokenResult | undefined> =>
      firstOf(authenticators, (one) => one.authenticateToken(token, audiences)),
  };
}

/** Like a union, but the first that refuses decides as well. */
export function tokenUnionFailFast(authenticators: readonly TokenAuthenticator[]): TokenAuthenticator {
  return {
    name: 'union',
    async authenticateToken(token, audiences) {
      for (const one of authenticators) {
        const found = await one.authenticateToken(token, audiences);
        if (found !== undefined) return found;
      }
      return undefined;
    },
  };
}
