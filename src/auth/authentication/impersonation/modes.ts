import { domainPrefixedPath } from '../../../api/validation/formats.js';
import { isStatusError } from '../../../machinery/errors.js';
import { invalidValue } from '../../../machinery/field.js';
import { compareBytes, goQuoteList } from '../../../machinery/go-format.js';
import { forbiddenError } from '../../authorization/forbidden.js';
import {
  ANONYMOUS,
  type Attributes,
  AUTHENTICATED_GROUP,
  type Authorizer,
  MASTERS_GROUP,
  UNAUTHENTICATED_GROUP,
  type UserInfo,
} from '../../contract.js';
import {
  EXTRA,
  isDnsSubdomain,
  parseServiceAccountUsername,
  serviceAccountGroups,
} from '../../tokens/service-account.js';
import type { WantedUser } from './headers.js';

/** Asks whether something is allowed; throws the 403 when it is not. */
export type Check = (attributes: Attributes) => Promise<void>;

/** One way to be allowed to act as somebody else. */
export interface ImpersonationMode {
  readonly name: string;
  /** False: this mode is not about such a user. */
  applies(wanted: WantedUser, requestor: UserInfo): boolean;
  /** The user to act as. Throws the 403 of the first check that fails. */
  check(wanted: WantedUser, request: Attributes, check: Check): Promise<UserInfo>;
}

/** Makes checks out of an authorizer. */
export function checkWith(authorizer: Authorizer): Check {
  return async (attributes) => {
    const { verdict, reason, error } = await authorizer.authorize(attributes);
    if (verdict === 'Allow') return;
    throw forbiddenError(attributes, error && reason ? `${error}: ${reason}` : (error ?? reason));
  };
}

/** The mode there has always been: verb `impersonate` on each part of the user. */
export const legacyMode: ImpersonationMode = {
  name: 'legacy',
  applies: () => true,
  check: (wanted, request, check) => checkUser('impersonate', false, wanted, request.user, check),
};

/**
 * Constrained impersonation (KEP-5284): `impersonate-on:<mode>:<verb>` for what is to be done, then `impersonate:<mode>`
 * for whom. Nodes and service accounts have modes of their own, in which only the name can be chosen.
 */
function constrained(name: string, applies: ImpersonationMode['applies']): ImpersonationMode {
  return {
    name,
    applies,
    async check(wanted, request, check) {
      await check({ ...request, verb: `impersonate-on:${name}:${request.verb}` });
      return checkUser(`impersonate:${name}`, true, wanted, request.user, check);
    },
  };
}

const nameOnly = (wanted: WantedUser): boolean =>
  wanted.uid === '' && wanted.groups.length === 0 && Object.keys(wanted.extra).length === 0;

function nodeName(username: string): string | undefined {
  const name = username.startsWith('system:node:') ? username.slice('system:node:'.length) : '';
  return name !== '' && isDnsSubdomain(name) ? name : undefined;
}

/**
 * A service account acts as the node that its pod runs on. The checks are the same for all nodes, so they see neither the
 * node's name nor the values of the account's extra fields.
 */
const associatedNode: ImpersonationMode = {
  name: 'associated-node',
  applies(wanted, requestor) {
    const node = nodeName(wanted.name);
    const own = requestor.extra?.[EXTRA.nodeName];
    return (
      node !== undefined &&
      nameOnly(wanted) &&
      parseServiceAccountUsername(requestor.name) !== undefined &&
      own?.length === 1 &&
      own[0] === node
    );
  },
  check(wanted, request, check) {
    const keys = Object.keys(request.user.extra ?? {}).sort(compareBytes);
    const user = { ...request.user, extra: { 'authentication.kubernetes.io/associated-node-keys': keys } };
    const mode = constrained('associated-node', () => true);
    return mode.check(wanted, { ...request, user }, (attributes) =>
      check(attributes.verb === 'impersonate:associated-node' ? { ...attributes, name: '*' } : attributes),
    );
  },
};

/** In the order they are tried. */
export const constrainedModes: readonly ImpersonationMode[] = [
  associatedNode,
  constrained('arbitrary-node', (wanted) => nameOnly(wanted) && nodeName(wanted.name) !== undefined),
  constrained('serviceaccount', (wanted) => nameOnly(wanted) && parseServiceAccountUsername(wanted.name) !== undefined),
  constrained(
    'user-info',
    (wanted) => nodeName(wanted.name) === undefined && parseServiceAccountUsername(wanted.name) === undefined,
  ),
];

const AUTHENTICATION = { group: 'authentication.k8s.io', version: 'v1' };
const CORE = { group: '', version: 'v1' };
/** From so many values on, one check for all of them is tried first. */
const MANY = 4;

/** Checks name, uid, groups and extra values in this order, and completes the user. */
async function checkUser(
  verb: string,
  strict: boolean,
  wanted: WantedUser,
  requestor: UserInfo,
  check: Check,
): Promise<UserInfo> {
  const namesIn = strict ? AUTHENTICATION : CORE;
  const about = (
    gv: { readonly group: string; readonly version: string },
    resource: string,
    name: string,
    more: Partial<Attributes> = {},
  ): Attributes => ({
    user: requestor,
    verb,
    isResourceRequest: true,
    ...gv,
    resource,
    subresource: '',
    namespace: '',
    name,
    path: '',
    ...more,
  });

  let { groups } = wanted;
  const account = parseServiceAccountUsername(wanted.name);
  const node = strict ? nodeName(wanted.name) : undefined;
  if (account) {
    if (groups.length === 0) groups = serviceAccountGroups(account.namespace);
    await check(about(namesIn, 'serviceaccounts', account.name, { namespace: account.namespace }));
  } else if (node !== undefined) {
    groups = ['system:nodes'];
    await check(about(namesIn, 'nodes', node));
  } else await check(about(namesIn, 'users', wanted.name));

  if (wanted.uid !== '') await check(about(AUTHENTICATION, 'uids', wanted.uid));
  await checkGroups(wanted.groups, strict, (name) => about(namesIn, 'groups', name), check);
  await checkExtra(
    wanted.extra,
    strict,
    (key, value) => about(AUTHENTICATION, 'userextras', value, { subresource: key }),
    check,
  );

  const { name, uid, extra } = wanted;
  return {
    name,
    groups: [...groups, ...missingGroup(name, groups)],
    ...(uid && { uid }),
    ...(Object.keys(extra).length > 0 && { extra }),
  };
}

/** Everybody is either authenticated or not; who chose the second stays there. */
function missingGroup(name: string, groups: readonly string[]): string[] {
  if (name === ANONYMOUS) return groups.includes(UNAUTHENTICATED_GROUP) ? [] : [UNAUTHENTICATED_GROUP];
  return groups.includes(UNAUTHENTICATED_GROUP) || groups.includes(AUTHENTICATED_GROUP) ? [] : [AUTHENTICATED_GROUP];
}

async function passes(check: Check, attributes: Attributes): Promise<boolean> {
  try {
    await check(attributes);
    return true;
  } catch (e) {
    if (isStatusError(e)) return false;
    throw e;
  }
}

async function checkGroups(
  groups: readonly string[],
  strict: boolean,
  about: (name: string) => Attributes,
  check: Check,
): Promise<void> {
  if (strict && groups.includes('')) {
    throw forbiddenError(about(''), 'impersonating the empty string group is not allowed');
  }
  if (strict && groups.includes(MASTERS_GROUP)) {
    throw forbiddenError(about(MASTERS_GROUP), `impersonating the ${MASTERS_GROUP} group is not allowed`);
  }
  if (strict && groups.length >= MANY && (await passes(check, about('*')))) return;
  for (const group of groups) await check(about(group));
}

async function checkExtra(
  extra: WantedUser['extra'],
  strict: boolean,
  about: (key: string, value: string) => Attributes,
  check: Check,
): Promise<void> {
  const entries = Object.entries(extra).sort(([a], [b]) => compareBytes(a, b));
  if (strict) {
    const fault = extraFault(entries);
    if (fault) throw forbiddenError(about('', ''), fault);
    const values = entries.reduce((sum, [, list]) => sum + list.length, 0);
    if ((entries.length >= MANY || values >= MANY) && (await passes(check, about('*', '*')))) return;
  }
  for (const [key, values] of entries) for (const value of values) await check(about(key, value));
}

function extraFault(entries: readonly (readonly [string, readonly string[]])[]): string | undefined {
  for (const [key, values] of entries) {
    if (key === '') return 'impersonating the empty string key in extra is not allowed';
    const faults = domainPrefixedPath(key).map((detail) => invalidValue('extra.key', key, detail).toString());
    if (faults.length > 0) {
      return `impersonating an invalid key in extra is not allowed: ${faults.length === 1 ? faults[0] : `[${faults.join(', ')}]`}`;
    }
    if (key !== key.toLowerCase())
      return `impersonating a non-lowercase key in extra is not allowed: ${goQuoteList([key]).slice(1, -1)}`;
    if (values.length === 0) return 'impersonating empty values in extra is not allowed';
    if (values.includes('')) return 'impersonating the empty string value in extra is not allowed';
  }
  return undefined;
}
