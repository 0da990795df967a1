import { notFound } from '../../machinery/errors.js';
import { goQuoteList } from '../../machinery/go-format.js';
import { isJsonObject, type JsonObject, type KubeObject } from '../../machinery/json.js';
import type { ObjectLookup } from '../authorization/feed.js';
import {
  type ClaimReference,
  LEEWAY,
  type RegisteredClaims,
  readKubernetesClaims,
  readLegacyClaims,
  readRegisteredClaims,
  timeFault,
} from '../tokens/claims.js';
import { LEGACY_ISSUER } from '../tokens/issuer.js';
import { isSignedBy, type Jwt, parseJwt } from '../tokens/jwt.js';
import type { VerificationKeys } from '../tokens/keys.js';
import { credentialIdOf, parseServiceAccountUsername, serviceAccountUser } from '../tokens/service-account.js';
import { intersect } from './audiences.js';
import { type LabelSecret, objectKey, type TokenAuthenticator, type TokenResult } from './contract.js';
import { refused } from './errors.js';
import { equalSecrets, parseTime, secretText } from './secrets.js';

export interface ServiceAccountOptions {
  readonly keys: VerificationKeys;
  readonly apiAudiences: readonly string[];
  readonly objects: ObjectLookup;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** What a validator makes of a token whose signature, issuer and audiences are good. */
type Validator = (token: string, jwt: Jwt, claims: RegisteredClaims) => Promise<TokenResult>;

/** Checks what all service-account tokens share. Tokens of other issuers are somebody else's. */
function serviceAccountTokens(
  name: string,
  issuers: readonly string[],
  { keys, apiAudiences }: ServiceAccountOptions,
  validate: Validator,
): TokenAuthenticator {
  return {
    name,
    async authenticateToken(token, audiences) {
      const jwt = parseJwt(token);
      const issuer = jwt?.claims.iss;
      if (!jwt || typeof issuer !== 'string' || !issuers.includes(issuer)) return undefined;
      const candidates = keys.withId(jwt.kid);
      if (candidates.length === 0) throw refused('invalid signature, no keys found');
      if (!candidates.some(({ key }) => isSignedBy(jwt, key))) {
        throw refused('go-jose/go-jose: error in cryptographic primitive');
      }
      const claims = readRegisteredClaims(jwt.claims);
      // Tokens without audiences, as legacy ones, are for this API server alone.
      const own = claims.audiences.length > 0 ? claims.audiences : apiAudiences;
      const wanted = audiences ?? apiAudiences;
      const shared = intersect(own, wanted);
      if (shared.length === 0 && apiAudiences.length > 0) {
        throw refused(`token audiences ${goQuoteList(own)} is invalid for the target audiences ${goQuoteList(wanted)}`);
      }
      const result = await validate(token, jwt, claims);
      if (claims.audiences.length > 0) return { ...result, audiences: shared };
      const annotations = { 'authentication.k8s.io/legacy-token': claims.subject, ...result.annotations };
      return { ...result, audiences: shared, annotations };
    },
  };
}

/**
 * Tokens of TokenRequest (KEP-1205): valid for a time, for audiences, and for as long as the service account and the pod,
 * secret or node they are bound to exist. Objects that were deleted within the leeway still count.
 */
export function boundTokenAuthenticator(
  issuers: readonly string[],
  options: ServiceAccountOptions,
): TokenAuthenticator {
  const { objects, now } = options;
  return serviceAccountTokens('serviceaccount', issuers, options, async (_, jwt, claims) => {
    const at = now();
    const fault = timeFault(claims, at);
    if (fault) throw refused(fault);
    const { namespace, serviceAccount, pod, secret, node, warnAfter } = readKubernetesClaims(jwt.claims);
    const dependsOn = [objectKey('serviceaccounts', namespace, serviceAccount.name)];
    const account = await accountOf(objects, namespace, serviceAccount.name);
    if (account.metadata.uid !== serviceAccount.uid) {
      throw refused(`service account UID (${account.metadata.uid}) does not match claim (${serviceAccount.uid})`);
    }
    if (deletedBefore(account, at))
      throw refused(`service account ${namespace}/${serviceAccount.name} has been deleted`);

    async function mustExist(kind: string, resource: string, within: string, ref: ClaimReference): Promise<void> {
      const object = await objects.get({ group: '', resource }, within, ref.name);
      if (!object) throw refused('service account token has been invalidated');
      if (object.metadata.uid !== ref.uid) {
        throw refused(
          `${kind} UID (${object.metadata.uid}) does not match service account ${kind} ref claim (${ref.uid})`,
        );
      }
      if (deletedBefore(object, at)) throw refused('service account token has been invalidated');
      dependsOn.push(objectKey(resource, within, ref.name));
    }
    if (secret) await mustExist('secret', 'secrets', namespace, secret);
    if (pod) await mustExist('pod', 'pods', namespace, pod);
    // The node of a bound pod is a note; only a token bound to the node itself ends with it.
    if (node && !pod) await mustExist('node', 'nodes', '', node);

    const credentialId = credentialIdOf(claims.id);
    const stale = warnAfter !== undefined && warnAfter !== 0 && at > warnAfter * 1000;
    const late = stale ? Math.floor(at / 1000) - warnAfter : 0;
    return {
      user: serviceAccountUser({ namespace, ...serviceAccount, pod, node, credentialId }),
      via: 'serviceaccount',
      dependsOn,
      ...(claims.expires !== undefined && { expiresAt: (claims.expires + LEEWAY) * 1000 }),
      ...(stale && {
        annotations: {
          'authentication.k8s.io/stale-token': `subject: ${claims.subject}, seconds after warning threshold: ${late}`,
        },
      }),
    };
  });
}

const INVALID_SINCE = 'kubernetes.io/legacy-token-invalid-since';
const LAST_USED = 'kubernetes.io/legacy-token-last-used';

export interface LegacyTokenOptions extends ServiceAccountOptions {
  /** `--service-account-lookup`: check that account and Secret still exist and hold this token. */
  readonly lookup: boolean;
  /** Notes the day of use on the Secret; failures are the callee's to report. */
  readonly labelSecret?: LabelSecret;
}

/** Tokens without end, kept in Secrets of type kubernetes.io/service-account-token. */
export function legacyTokenAuthenticator(options: LegacyTokenOptions): TokenAuthenticator {
  const { objects, lookup } = options;
  return serviceAccountTokens('serviceaccount-legacy', [LEGACY_ISSUER], options, async (token, jwt, claims) => {
    const { namespace, secret: secretName, serviceAccount } = readLegacyClaims(jwt.claims);
    if (claims.subject === '') throw refused('sub claim is missing');
    if (namespace === '') throw refused('namespace claim is missing');
    if (secretName === '') throw refused('secretName claim is missing');
    if (serviceAccount.name === '') throw refused('serviceAccountName claim is missing');
    if (serviceAccount.uid === '') throw refused('serviceAccountUID claim is missing');
    const subject = parseServiceAccountUsername(claims.subject);
    if (subject?.namespace !== namespace || subject.name !== serviceAccount.name) throw refused('sub claim is invalid');
    const result = { user: serviceAccountUser({ namespace, ...serviceAccount }), via: 'serviceaccount-legacy' };
    if (!lookup) return result;

    const secret = await objects.get({ group: '', resource: 'secrets' }, namespace, secretName);
    if (!secret || secret.metadata.deletionTimestamp) throw refused('Token has been invalidated');
    if (!equalSecrets(secretText(secret, 'token'), token)) throw refused("Token does not match server's copy");
    const account = await accountOf(objects, namespace, serviceAccount.name);
    if (account.metadata.deletionTimestamp) {
      throw refused(`ServiceAccount ${namespace}/${serviceAccount.name} has been deleted`);
    }
    if (account.metadata.uid !== serviceAccount.uid) {
      throw refused(`ServiceAccount UID (${account.metadata.uid}) does not match claim (${serviceAccount.uid})`);
    }
    await noteUse(options, secret);
    if (secret.metadata.labels?.[INVALID_SINCE]) {
      throw refused(
        `the token in secret ${namespace}/${secretName} for service account ${namespace}/${serviceAccount.name} has been marked invalid. Use tokens from the TokenRequest API or manually created secret-based tokens, or remove the '${INVALID_SINCE}' label from the secret to temporarily allow use of this token`,
      );
    }
    const generated =
      Array.isArray(account.secrets) && account.secrets.some((ref) => isJsonObject(ref) && ref.name === secretName);
    return {
      ...result,
      dependsOn: [
        objectKey('secrets', namespace, secretName),
        objectKey('serviceaccounts', namespace, serviceAccount.name),
      ],
      annotations: {
        [`authentication.k8s.io/legacy-token-${generated ? 'autogenerated' : 'manual'}-secret`]: secretName,
      },
      ...(generated && {
        warnings: [
          'Use tokens from the TokenRequest API or manually created secret-based tokens instead of auto-generated secret-based tokens.',
        ],
      }),
    };
  });
}

async function noteUse({ labelSecret, now }: LegacyTokenOptions, secret: KubeObject): Promise<void> {
  const day = (ms: number): string => new Date(ms).toISOString().slice(0, 10);
  const today = day(now());
  const noted = secret.metadata.labels?.[LAST_USED];
  // Another replica's clock may be past midnight already.
  if (noted !== today && noted !== day(now() + 86_400_000)) await labelSecret?.(secret, { [LAST_USED]: today });
}

async function accountOf(objects: ObjectLookup, namespace: string, name: string): Promise<KubeObject> {
  const resource = { group: '', resource: 'serviceaccounts' };
  const account = await objects.get(resource, namespace, name);
  if (!account) throw refused(notFound(resource, name).message);
  return account;
}

function deletedBefore({ metadata }: { metadata: JsonObject }, now: number): boolean {
  const at = typeof metadata.deletionTimestamp === 'string' ? parseTime(metadata.deletionTimestamp) : undefined;
  return at !== undefined && at < now - LEEWAY * 1000;
}
