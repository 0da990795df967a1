import { ANONYMOUS, type RequestAuthenticator, UNAUTHENTICATED_GROUP } from '../contract.js';
import { EXTRA_SPACE_WARNING, hasExtraSpace } from './bearer.js';

/** Accepts who has shown nothing; with paths, only there. */
export function anonymousAuthenticator(paths: readonly string[]): RequestAuthenticator {
  const allowed = new Set(paths);
  const user = { name: ANONYMOUS, groups: [UNAUTHENTICATED_GROUP] };
  return {
    name: 'anonymous',
    authenticate({ authorization, audiences, path }) {
      if (allowed.size > 0 && !allowed.has(path)) return undefined;
      return {
        user,
        via: 'anonymous',
        ...(audiences && { audiences }),
        ...(hasExtraSpace(authorization) && { warnings: [EXTRA_SPACE_WARNING] }),
      };
    },
  };
}
