import type { ObjectLookup } from '../authorization/feed.js';
import { objectKey, type TokenAuthenticator } from './contract.js';
import { equalSecrets, parseTime, secretText } from './secrets.js';

const TOKEN = /^([a-z0-9]{6})\.([a-z0-9]{16})$/;
const GROUP = /^system:bootstrappers:[a-z0-9:-]{0,255}[a-z0-9]$/;
const NAMESPACE = 'kube-system';
const SECRETS = { group: '', resource: 'secrets' };

/**
 * Tokens `<id>.<secret>` that new nodes join with, kept in Secrets of type bootstrap.kubernetes.io/token in kube-system.
 * They make `system:bootstrap:<id>` of group system:bootstrappers and of the groups in `auth-extra-groups`. A Secret that
 * does not fit in any way gives nothing, without a reason.
 */
export function bootstrapTokenAuthenticator(objects: ObjectLookup, now: () => number): TokenAuthenticator {
  return {
    name: 'bootstrap',
    async authenticateToken(token) {
      const match = TOKEN.exec(token);
      if (!match) return undefined;
      const [, id, value] = match as unknown as [string, string, string];
      const name = `bootstrap-token-${id}`;
      const secret = await objects.get(SECRETS, NAMESPACE, name);
      if (!secret || secret.metadata.deletionTimestamp || secret.type !== 'bootstrap.kubernetes.io/token')
        return undefined;
      const text = (key: string): string => secretText(secret, key);
      if (!equalSecrets(text('token-secret'), value) || text('token-id') !== id) return undefined;
      const expiration = text('expiration');
      const expiresAt = expiration === '' ? undefined : (parseTime(expiration) ?? 0);
      if (expiresAt !== undefined && expiresAt <= now()) return undefined;
      if (text('usage-bootstrap-authentication') !== 'true') return undefined;
      const extra = text('auth-extra-groups');
      const extraGroups = extra === '' ? [] : extra.split(',');
      if (!extraGroups.every((group) => GROUP.test(group))) return undefined;
      return {
        user: { name: `system:bootstrap:${id}`, groups: [...new Set(['system:bootstrappers', ...extraGroups])].sort() },
        via: 'bootstrap',
        dependsOn: [objectKey('secrets', NAMESPACE, name)],
        ...(expiresAt !== undefined && { expiresAt }),
      };
    },
  };
}
