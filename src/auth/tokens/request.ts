import { badRequest, conflict, type GroupResource, internalError, invalid, notFound } from '../../machinery/errors.js';
import { type FieldError, invalidValue } from '../../machinery/field.js';
import {
  isJsonObject,
  type JsonObject,
  type JsonValue,
  type KubeObject,
  parseApiVersion,
} from '../../machinery/json.js';
import type { ObjectLookup } from '../authorization/feed.js';
import type { ClaimReference } from './claims.js';
import type { TokenIssuer } from './issuer.js';
import { credentialIdOf } from './service-account.js';

/** What answers `create` on serviceaccounts/token. */
export interface TokenRequestOptions {
  readonly objects: ObjectLookup;
  readonly issuer: TokenIssuer;
  readonly apiAudiences: readonly string[];
  /** `--service-account-max-token-expiration`, seconds; 0 for none. */
  readonly maxExpiration: number;
  /** `--service-account-extend-token-expiration`. */
  readonly extendExpiration: boolean;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

export interface TokenRequestResult {
  readonly object: KubeObject;
  readonly warnings: readonly string[];
  readonly annotations: Readonly<Record<string, string>>;
}

const KIND = { group: 'authentication.k8s.io', kind: 'TokenRequest' };
const MIN_SECONDS = 10 * 60;
/** The lifetime that admission gives to the tokens of pods: these may live longer while clients learn to reload them. */
const WARN_ONLY_SECONDS = 60 * 60 + 7;
const EXTENDED_SECONDS = 24 * 365 * 60 * 60;

/**
 * Serves a TokenRequest, defaulted already. Checks come in the order of kube-apiserver: the body against the URL, the
 * service account, the fields, `admit`, the bound object. Throws a StatusError.
 */
export async function requestToken(
  options: TokenRequestOptions,
  url: { readonly namespace: string; readonly name: string },
  request: KubeObject,
  admit: (request: KubeObject) => Promise<void> | void,
): Promise<TokenRequestResult> {
  const { namespace, name } = url;
  const warnings: string[] = [];
  const meta = request.metadata;
  for (const [field, given, expected] of [
    ['name', meta.name, name],
    ['namespace', meta.namespace, namespace],
  ] as const) {
    if (given && given !== expected) {
      throw invalid(KIND, name, [
        invalidValue(`metadata.${field}`, given, `must match the service account ${field} if specified`),
      ]);
    }
  }
  const account = await find(options.objects, { group: '', resource: 'serviceaccounts' }, namespace, name);
  const uid = account.metadata.uid ?? '';
  if (meta.uid && meta.uid !== uid) {
    throw conflict(
      { group: KIND.group, resource: KIND.kind },
      name,
      `the UID in the token request (${meta.uid}) does not match the UID of the service account (${uid})`,
    );
  }

  const spec = isJsonObject(request.spec) ? request.spec : {};
  const asked = Array.isArray(spec.audiences) ? (spec.audiences as string[]) : [];
  const audiences = asked.length > 0 ? asked : [...options.apiAudiences];
  const now = options.now();
  const complete: KubeObject = {
    ...request,
    metadata: { ...meta, name, namespace, uid, creationTimestamp: seconds(now) },
    spec: { ...spec, audiences },
    status: {},
  };
  const faults = expirationFaults(spec.expirationSeconds);
  if (faults.length > 0) throw invalid(KIND, '', faults);
  await admit(complete);

  const bound = await boundObject(options.objects, namespace, name, spec.boundObjectRef);
  let expiration = Number(spec.expirationSeconds);
  if (options.maxExpiration > 0 && expiration > options.maxExpiration) {
    warnings.push(`requested expiration of ${expiration} seconds shortened to ${options.maxExpiration} seconds`);
    expiration = options.maxExpiration;
  }
  const extended =
    options.extendExpiration &&
    bound.pod !== undefined &&
    expiration === WARN_ONLY_SECONDS &&
    audiences.every((audience) => options.apiAudiences.includes(audience));
  const { token, id } = issue(options.issuer, {
    namespace,
    serviceAccount: { name, uid },
    audiences,
    expiresIn: extended ? EXTENDED_SECONDS : expiration,
    ...(extended && { warnAfter: expiration }),
    ...bound,
  });
  const credentialId = credentialIdOf(id);
  return {
    object: {
      ...complete,
      spec: { ...spec, audiences, expirationSeconds: expiration },
      status: { token, expirationTimestamp: seconds(now + expiration * 1000) },
    },
    warnings,
    annotations: credentialId ? { 'authentication.kubernetes.io/issued-credential-id': credentialId } : {},
  };
}

const seconds = (ms: number): string => new Date(ms).toISOString().replace(/\.\d+Z$/, 'Z');

function expirationFaults(value: JsonValue | undefined): FieldError[] {
  const path = 'spec.expirationSeconds';
  const given = typeof value === 'number' || typeof value === 'bigint' ? value : 0;
  if (given < MIN_SECONDS) return [invalidValue(path, given, 'may not specify a duration less than 10 minutes')];
  if (given > 2 ** 32) return [invalidValue(path, given, 'may not specify a duration larger than 2^32 seconds')];
  return [];
}

function issue(issuer: TokenIssuer, content: Parameters<TokenIssuer['issue']>[0]): ReturnType<TokenIssuer['issue']> {
  try {
    return issuer.issue(content);
  } catch (e) {
    throw internalError(`failed to generate token: ${(e as Error).message}`);
  }
}

async function find(
  objects: ObjectLookup,
  resource: GroupResource,
  namespace: string,
  name: string,
): Promise<KubeObject> {
  const found = await objects.get(resource, namespace, name);
  if (!found) throw notFound(resource, name);
  return found;
}

interface Bound {
  readonly pod?: ClaimReference;
  readonly secret?: ClaimReference;
  readonly node?: ClaimReference;
}

async function boundObject(
  objects: ObjectLookup,
  namespace: string,
  account: string,
  ref: JsonValue | undefined,
): Promise<Bound> {
  if (!isJsonObject(ref)) return {};
  const text = (field: string): string => (typeof ref[field] === 'string' ? ref[field] : '');
  const { group, version } = groupVersion(text('apiVersion'));
  const kind = text('kind');
  const name = text('name');
  const resource = group === '' ? BINDABLE.get(kind) : undefined;
  if (!resource) throw badRequest(`cannot bind token to object of type ${group}/${version}, Kind=${kind}`);
  const object = await find(objects, { group: '', resource }, kind === 'Node' ? '' : namespace, name);
  const reference = { name, uid: object.metadata.uid ?? '' };
  let bound: Bound;
  if (kind === 'Pod') {
    const spec: JsonObject = isJsonObject(object.spec) ? object.spec : {};
    if (spec.serviceAccountName !== account) {
      throw badRequest(
        `cannot bind token for serviceaccount ${JSON.stringify(account)} to pod running with different serviceaccount name.`,
      );
    }
    const node = typeof spec.nodeName === 'string' && spec.nodeName !== '' ? spec.nodeName : undefined;
    bound = { pod: reference, ...(node && { node: await nodeOf(objects, node) }) };
  } else bound = kind === 'Node' ? { node: reference } : { secret: reference };
  const uid = text('uid');
  if (uid && uid !== reference.uid) {
    throw conflict(
      { group: '', resource: kind },
      name,
      `the UID in the bound object reference (${uid}) does not match the UID in record. The object might have been deleted and then recreated`,
    );
  }
  return bound;
}
const BINDABLE: ReadonlyMap<string, string> = new Map([
  ['Pod', 'pods'],
  ['Node', 'nodes'],
  ['Secret', 'secrets'],
]);

/** What is no group and version reads as empty. */
function groupVersion(apiVersion: string): { group: string; version: string } {
  return apiVersion.split('/').length > 2 ? { group: '', version: '' } : parseApiVersion(apiVersion);
}

/** The node of a pod is named even when it is not registered. */
async function nodeOf(objects: ObjectLookup, name: string): Promise<ClaimReference> {
  const node = await objects.get({ group: '', resource: 'nodes' }, '', name);
  return { name, uid: node?.metadata.uid ?? '' };
}
