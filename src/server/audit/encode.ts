import type { UserInfo } from '../../auth/contract.js';
import { encodePlain } from '../../machinery/codec/json/encode.js';
import { compareBytes, goQuote } from '../../machinery/go-format.js';
import { isJsonObject, type JsonObject, type JsonValue } from '../../machinery/json.js';
import type { AuditEvent, JsonText } from './contract.js';

/** An event as audit.k8s.io/v1 JSON, without a newline. */
export function encodeEvent(e: AuditEvent): string {
  let text = `{"kind":"Event","apiVersion":"audit.k8s.io/v1","level":${q(e.level)},"auditID":${q(e.auditID)}`;
  text += `,"stage":${q(e.stage)},"requestURI":${q(e.requestURI)},"verb":${q(e.verb)},"user":${encodeUser(e.user)}`;
  if (e.impersonatedUser) text += `,"impersonatedUser":${encodeUser(e.impersonatedUser)}`;
  if (e.impersonationConstraint) {
    text += `,"authenticationMetadata":{"impersonationConstraint":${q(e.impersonationConstraint)}}`;
  }
  if (e.sourceIPs.length > 0) text += `,"sourceIPs":${JSON.stringify(e.sourceIPs)}`;
  if (e.userAgent) text += `,"userAgent":${q(e.userAgent)}`;
  if (e.objectRef) text += `,"objectRef":${JSON.stringify(e.objectRef)}`;
  if (e.responseStatus) text += `,"responseStatus":${JSON.stringify({ metadata: {}, ...e.responseStatus })}`;
  if (e.requestObject !== undefined) text += `,"requestObject":${e.requestObject}`;
  if (e.responseObject !== undefined) text += `,"responseObject":${e.responseObject}`;
  text += `,"requestReceivedTimestamp":${q(e.requestReceivedTimestamp)},"stageTimestamp":${q(e.stageTimestamp)}`;
  if (e.annotations) text += `,"annotations":${encodeMap([...e.annotations])}`;
  return `${text}}`;
}

const q = (text: string): string => JSON.stringify(text);

function encodeUser(user: UserInfo | undefined): string {
  if (!user) return '{}';
  const { name, uid, groups, extra } = user;
  const parts: string[] = [];
  if (name) parts.push(`"username":${q(name)}`);
  if (uid) parts.push(`"uid":${q(uid)}`);
  if (groups.length > 0) parts.push(`"groups":${JSON.stringify(groups)}`);
  if (extra && Object.keys(extra).length > 0) parts.push(`"extra":${encodeMap(Object.entries(extra))}`);
  return `{${parts.join(',')}}`;
}

/** Maps are written in order of their keys. */
function encodeMap(entries: [string, string | readonly string[]][]): string {
  const sorted = entries.sort(([a], [b]) => compareBytes(a, b));
  return `{${sorted.map(([key, value]) => `${q(key)}:${JSON.stringify(value)}`).join(',')}}`;
}

/** One line of `--audit-log-format=legacy`. */
export function legacyLine(e: AuditEvent): string {
  const list = (groups: readonly string[] | undefined, none: string) => groups?.map(goQuote).join(',') ?? none;
  const user = e.user?.name || '<none>';
  const groups = list(e.user?.name && e.user.groups.length > 0 ? e.user.groups : undefined, '<none>');
  const as = e.impersonatedUser?.name ?? '<self>';
  const asGroups = list(e.impersonatedUser?.groups, '<lookup>');
  const namespace = e.objectRef?.namespace || '<none>';
  const response = e.responseStatus ? `${e.responseStatus.code ?? 0}` : '<deferred>';
  const fields: [string, string][] = [
    ['id', e.auditID],
    ['stage', e.stage],
    ['ip', e.sourceIPs[0] ?? '<unknown>'],
    ['method', e.verb],
    ['user', user],
    ['groups', groups],
    ['as', as],
    ['asgroups', asGroups],
    ['user-agent', e.userAgent],
    ['namespace', namespace],
    ['uri', e.requestURI],
  ];
  const text = fields.map(([name, value]) => `${name}=${goQuote(value)}`).join(' ');
  return `${e.requestReceivedTimestamp} AUDIT: ${text} response="${response}"`;
}

/** A body for the record: without what the policy leaves out, and never with a token in it. */
export function encodeBody(object: JsonValue, omitManagedFields: boolean): JsonText {
  let body = object;
  if (isJsonObject(body)) {
    body = withoutTokens(body);
    if (omitManagedFields) body = withoutManagedFields(body);
  }
  return encodePlain(body);
}

const REDACTED = '<redacted>';

/** Bearer tokens are not for logs: those asked about in TokenReviews, and those given out by TokenRequests. */
function withoutTokens(object: JsonObject): JsonObject {
  if (typeof object.apiVersion !== 'string' || !object.apiVersion.startsWith('authentication.k8s.io/')) return object;
  const out = { ...object };
  for (const part of ['spec', 'status']) {
    const value = object[part];
    if (isJsonObject(value) && typeof value.token === 'string') out[part] = { ...value, token: REDACTED };
  }
  return out;
}

function withoutManagedFields(object: JsonObject): JsonObject {
  const out = { ...object };
  if (isJsonObject(object.metadata) && object.metadata.managedFields !== undefined) {
    const { managedFields: _, ...metadata } = object.metadata;
    out.metadata = metadata;
  }
  if (Array.isArray(object.items)) out.items = object.items.map((i) => (isJsonObject(i) ? withoutManagedFields(i) : i));
  // Rows of a Table hold the objects they show.
  if (Array.isArray(object.rows)) {
    out.rows = object.rows.map((row) =>
      isJsonObject(row) && isJsonObject(row.object) ? { ...row, object: withoutManagedFields(row.object) } : row,
    );
  }
  return out;
}

/** The URI without the value of an access_token parameter. */
export function withoutAccessToken(uri: string): string {
  return uri.includes('access_token') ? uri.replace(/([?&]access_token=)[^&#]*/g, `$1${REDACTED}`) : uri;
}

/** RFC 3339 with microseconds, of milliseconds with fractions. */
export function microTime(ms: number): string {
  const whole = Math.floor(ms);
  const micros = Math.floor((ms - whole) * 1000);
  const iso = new Date(whole).toISOString();
  return `${iso.slice(0, -1)}${String(micros).padStart(3, '0')}Z`;
}
