import type { TokenAuthenticator } from './contract.js';

/** Those of `wanted` that are in `offered`, in the order of `wanted`. */
export function intersect(offered: readonly string[], wanted: readonly string[]): string[] {
  return wanted.filter((audience) => offered.includes(audience));
}

/** For tokens that name no audience: they are meant for this API server, and are nobody's token for other audiences. */
export function audienceAgnostic(apiAudiences: readonly string[], delegate: TokenAuthenticator): TokenAuthenticator {
  return {
    name: delegate.name,
    async authenticateToken(token, audiences) {
      if (audiences === undefined) return delegate.authenticateToken(token, undefined);
      const shared = intersect(apiAudiences, audiences);
      if (shared.length === 0) return undefined;
      const result = await delegate.authenticateToken(token, audiences);
      return result && { ...result, audiences: shared };
    },
  };
}
