import type { UserInfo } from '../contract.js';

const PREFIX = 'system:serviceaccount:';
const ALL_GROUP = 'system:serviceaccounts';

/** Keys of `UserInfo.extra` that authenticators fill. */
export const EXTRA = {
  credentialId: 'authentication.kubernetes.io/credential-id',
  podName: 'authentication.kubernetes.io/pod-name',
  podUid: 'authentication.kubernetes.io/pod-uid',
  nodeName: 'authentication.kubernetes.io/node-name',
  nodeUid: 'authentication.kubernetes.io/node-uid',
} as const;

/** `system:serviceaccount:<namespace>:<name>`. */
export const serviceAccountUsername = (namespace: string, name: string): string => `${PREFIX}${namespace}:${name}`;

export const serviceAccountGroups = (namespace: string): string[] => [ALL_GROUP, `${ALL_GROUP}:${namespace}`];

const LABEL = /^[a-z0-9](?:[-a-z0-9]*[a-z0-9])?$/;

/** The service account that a user name means; undefined for every other user. */
export function parseServiceAccountUsername(username: string): { namespace: string; name: string } | undefined {
  if (!username.startsWith(PREFIX)) return undefined;
  const [namespace, name, ...more] = username.slice(PREFIX.length).split(':', 3);
  if (namespace === undefined || name === undefined || more.length > 0) return undefined;
  return isDnsLabel(namespace) && isDnsSubdomain(name) ? { namespace, name } : undefined;
}

const isDnsLabel = (text: string): boolean => text.length <= 63 && LABEL.test(text);

/** DNS subdomain names of RFC 1123: what service accounts and nodes may be called. */
export function isDnsSubdomain(text: string): boolean {
  return text.length <= 253 && text.split('.').every((label) => LABEL.test(label));
}

/** What is known of a service account from one of its tokens. */
export interface ServiceAccountIdentity {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly pod?: { readonly name: string; readonly uid: string };
  readonly node?: { readonly name: string; readonly uid: string };
  readonly credentialId?: string;
}

export function serviceAccountUser(identity: ServiceAccountIdentity): UserInfo {
  const extra: Record<string, readonly string[]> = {};
  const { pod, node, credentialId } = identity;
  if (pod?.name && pod.uid) {
    extra[EXTRA.podName] = [pod.name];
    extra[EXTRA.podUid] = [pod.uid];
  }
  if (credentialId) extra[EXTRA.credentialId] = [credentialId];
  if (node?.name) {
    extra[EXTRA.nodeName] = [node.name];
    if (node.uid) extra[EXTRA.nodeUid] = [node.uid];
  }
  return {
    name: serviceAccountUsername(identity.namespace, identity.name),
    uid: identity.uid,
    groups: serviceAccountGroups(identity.namespace),
    ...(Object.keys(extra).length > 0 && { extra }),
  };
}

/** `JTI=<id>`, how a token is named in audit records. */
export const credentialIdOf = (jti: string): string | undefined => (jti === '' ? undefined : `JTI=${jti}`);
