import { badRequest } from '../../../machinery/errors.js';
import { compareBytes, goQuote } from '../../../machinery/go-format.js';
import type { HeaderValues, UserInfo } from '../../contract.js';
import { headersWithPrefix, headerValue, headerValues } from '../headers.js';

/** The user that a client wants to be, as its headers say. Nothing is added yet. */
export interface WantedUser extends UserInfo {
  readonly uid: string;
  readonly extra: Readonly<Record<string, readonly string[]>>;
}

const EXTRA_PREFIX = 'impersonate-extra-';

/**
 * Reads Impersonate-User, -Uid, -Group and -Extra-*. Undefined when nobody is to be impersonated; a 400 when there is no
 * user to the other headers.
 */
export function parseImpersonation(headers: HeaderValues): WantedUser | undefined {
  const name = headerValue(headers, 'impersonate-user');
  const uid = headerValue(headers, 'impersonate-uid');
  const groups = headerValues(headers, 'impersonate-group');
  const extra = headersWithPrefix(headers, EXTRA_PREFIX);
  if (name !== '') return { name, uid, groups, extra: Object.fromEntries(extra) };
  if (uid === '' && groups.length === 0 && extra.size === 0) return undefined;
  throw badRequest(`requested ${goUser(uid, groups, extra)} without impersonating a user name`);
}

/** The user as Go's %#v prints it. */
function goUser(uid: string, groups: readonly string[], extra: ReadonlyMap<string, readonly string[]>): string {
  const list = (texts: readonly string[]): string => `[]string{${texts.map(goQuote).join(', ')}}`;
  const pairs = [...extra]
    .sort(([a], [b]) => compareBytes(a, b))
    .map(([key, values]) => `${goQuote(key)}:${list(values)}`);
  return `&user.DefaultInfo{Name:"", UID:${goQuote(uid)}, Groups:${
    groups.length > 0 ? list(groups) : '[]string(nil)'
  }, Extra:${pairs.length > 0 ? `map[string][]string{${pairs.join(', ')}}` : 'map[string][]string(nil)'}}`;
}
