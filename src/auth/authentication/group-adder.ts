import {
  ANONYMOUS,
  AUTHENTICATED_GROUP,
  type Authenticated,
  type RequestAuthenticator,
  UNAUTHENTICATED_GROUP,
} from '../contract.js';

/** Puts everybody who is known into `system:authenticated`. */
export function groupAdder(delegate: RequestAuthenticator): RequestAuthenticator {
  // The same object comes again from the token cache; its complete form is kept with it.
  const complete = new WeakMap<Authenticated, Authenticated>();
  return {
    name: delegate.name,
    async authenticate(credentials) {
      const found = await delegate.authenticate(credentials);
      if (!found) return undefined;
      const { groups, name } = found.user;
      if (name === ANONYMOUS || groups.includes(AUTHENTICATED_GROUP) || groups.includes(UNAUTHENTICATED_GROUP)) {
        return found;
      }
      let more = complete.get(found);
      if (!more) {
        more = { ...found, user: { ...found.user, groups: [...groups, AUTHENTICATED_GROUP] } };
        complete.set(found, more);
      }
      return more;
    },
  };
}
