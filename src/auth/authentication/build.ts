import type { KubeObject } from '../../machinery/json.js';
import type { ObjectFeed } from '../authorization/feed.js';
import {
  AUTHENTICATED_GROUP,
  type Authenticated,
  type Credentials,
  MASTERS_GROUP,
  type RequestAuthenticator,
} from '../contract.js';
import type { TokenIssuer } from '../tokens/issuer.js';
import { type OpenIdDocuments, openIdDocuments } from '../tokens/openid.js';
import { anonymousAuthenticator } from './anonymous.js';
import { audienceAgnostic, intersect } from './audiences.js';
import { bearerAuthenticator, bearerToken } from './bearer.js';
import { readIssuer, readKeys, refuseOverlap } from './build-keys.js';
import { type Cached, startJwt, tokenAuthenticators } from './build-tokens.js';
import { type CaBundle, openCaBundle } from './ca-bundle.js';
import { certificateVerifier } from './client-certificate.js';
import { type Log, objectKey } from './contract.js';
import type { AuthenticationDependencies } from './dependencies.js';
import { AuthenticationError, reasonsOf } from './errors.js';
import { groupAdder } from './group-adder.js';
import type { FrontProxyHeaders } from './headers.js';
import type { ConfiguredJwt } from './oidc/configured.js';
import { type AuthenticationOptions, authenticationFlagErrors, authenticationFlagWarnings } from './options.js';
import { frontProxyAuthenticator } from './request-header.js';
import { requireUser } from './require-user.js';
import { type TokenCache, tokenCache } from './token-cache.js';
import { staticTokens } from './token-file.js';
import { clusterTrustData } from './trust.js';
import { requestUnion, tokenUnion } from './union.js';
import { webSocketAuthenticator } from './websocket.js';
import { x509Authenticator } from './x509.js';

export interface Authentication {
  /** The whole chain, for TokenReview and explanations. */
  readonly authenticator: RequestAuthenticator;
  /** Who a request comes from; rejects with the 401 StatusError. Reasons go to the log. */
  identify(credentials: Credentials): Promise<Authenticated>;
  readonly apiAudiences: readonly string[];
  readonly tokenIssuer: TokenIssuer;
  /** `--service-account-max-token-expiration` in seconds, 0 for none. */
  readonly maxTokenExpiration: number;
  readonly extendTokenExpiration: boolean;
  /** Issuer discovery; undefined, with a reason in the log, when the issuer does not allow it. */
  openId(externalAddress: () => string): OpenIdDocuments | undefined;
  /** A token that makes `system:apiserver` of group system:masters; it lives as long as this process. */
  readonly loopbackToken: string;
  /** PEM of all authorities that client certificates may come from; undefined: ask clients for none. */
  readonly clientCaPem: string | undefined;
  /** Headers of `--requestheader-*`, when a front proxy is configured. */
  readonly frontProxyHeaders: FrontProxyHeaders | undefined;
  /** Data of the ConfigMap kube-system/extension-apiserver-authentication. */
  trustData(): Record<string, string>;
  close(): void;
}

const SUCCESS_TTL = 10_000;

/** Flags that do not fit together, or files that do not hold what they must. */
export class AuthenticationConfigurationError extends Error {
  readonly errors: readonly string[];
  constructor(errors: readonly string[]) {
    super(errors.length === 1 ? errors[0] : `[${errors.join(', ')}]`);
    this.name = 'AuthenticationConfigurationError';
    this.errors = errors;
  }
}

/**
 * Builds the authentication of an API server from its flags. Rejects with an AuthenticationConfigurationError before
 * anything runs. The order of authenticators is upstream's: front proxy, client certificate, then bearer tokens from the
 * static file, legacy and bound service accounts, bootstrap tokens, OIDC and webhook; who shows nothing is anonymous.
 */
export async function buildAuthentication(
  options: AuthenticationOptions,
  deps: AuthenticationDependencies,
): Promise<Authentication> {
  const errors = authenticationFlagErrors(options);
  if (errors.length > 0) throw new AuthenticationConfigurationError(errors);
  for (const warning of authenticationFlagWarnings(options)) deps.log('warning', warning);
  const closers: (() => void)[] = [];
  try {
    return await build(options, deps, closers);
  } catch (e) {
    for (const close of closers) close();
    throw e instanceof AuthenticationConfigurationError
      ? e
      : new AuthenticationConfigurationError([(e as Error).message]);
  }
}

async function build(
  options: AuthenticationOptions,
  deps: AuthenticationDependencies,
  closers: (() => void)[],
): Promise<Authentication> {
  const { clock, files, log, random } = deps;
  const now = (): number => clock.now();
  const issuers = options.serviceAccountIssuer ?? [];
  const apiAudiences = options.apiAudiences?.length ? options.apiAudiences : issuers;
  const keys = readKeys(options, files);
  const tokenIssuer = readIssuer(options, deps);

  const openBundle = (path: string | undefined): CaBundle | undefined => {
    if (!path) return undefined;
    const bundle = openCaBundle(path, files, log, () => deps.clientCaChanged?.());
    closers.push(() => bundle.close());
    return bundle;
  };
  const clientCa = openBundle(options.clientCaFile);
  const requestHeaderCa = openBundle(options.requestheaderClientCaFile);
  refuseOverlap(options, clientCa, requestHeaderCa);

  const frontProxyHeaders = requestHeaderCa && {
    usernameHeaders: options.requestheaderUsernameHeaders ?? [],
    uidHeaders: options.requestheaderUidHeaders ?? [],
    groupHeaders: options.requestheaderGroupHeaders ?? [],
    extraHeadersPrefix: options.requestheaderExtraHeadersPrefix ?? [],
  };
  const requests: RequestAuthenticator[] = [];
  if (requestHeaderCa && frontProxyHeaders) {
    const verify = certificateVerifier(requestHeaderCa, now);
    requests.push(
      agnosticProxy(
        apiAudiences,
        frontProxyAuthenticator({
          ...frontProxyHeaders,
          verify,
          allowedNames: options.requestheaderAllowedNames ?? [],
        }),
      ),
    );
  }
  if (clientCa) requests.push(x509Authenticator(certificateVerifier(clientCa, now)));

  const caches: TokenCache[] = [];
  const cached: Cached = (delegate, successTtl, failureTtl, cacheErrors) => {
    const cache = tokenCache(delegate, { successTtl, failureTtl, cacheErrors, now, random });
    caches.push(cache);
    return cache;
  };
  const jwt = await startJwt(options, deps, () => {
    for (const cache of caches) cache.clear();
  });
  if (jwt) closers.push(() => jwt.close());
  const tokens = await tokenAuthenticators(options, deps, keys, apiAudiences, jwt, cached, closers);
  const tokenAuthenticator = cached(tokenUnion(tokens), SUCCESS_TTL, 0, true);
  requests.push(bearerAuthenticator(tokenAuthenticator), webSocketAuthenticator(tokenAuthenticator));

  const known = groupAdder(requestUnion(requests));
  const anonymous = anonymousOf(options, jwt, log);
  const loopbackToken = deps.uuid();
  const loopbackUser = { name: 'system:apiserver', uid: deps.uuid(), groups: [AUTHENTICATED_GROUP, MASTERS_GROUP] };
  const loopback = audienceAgnostic(apiAudiences, staticTokens('loopback', new Map([[loopbackToken, loopbackUser]])));
  const authenticator: RequestAuthenticator = {
    name: 'apiserver',
    async authenticate(credentials) {
      const token = bearerToken(credentials.authorization);
      const own = token === undefined ? undefined : await loopback.authenticateToken(token, credentials.audiences);
      if (own) return own;
      try {
        // Who shows credentials that are wrong is not anonymous: the refusal goes past this line.
        return (await known.authenticate(credentials)) ?? (await anonymous?.authenticate(credentials));
      } catch (e) {
        throw token === undefined ? e : new AuthenticationError(['invalid bearer token', ...reasonsOf(e)]);
      }
    },
  };
  if (deps.feed) closers.push(await forgetOnChange(deps.feed, caches));

  return {
    authenticator,
    identify: (credentials) =>
      requireUser(authenticator, apiAudiences, credentials, (reasons) => {
        if (reasons.length > 0) log('error', `Unable to authenticate the request: ${reasons.join(', ')}`);
      }),
    apiAudiences,
    tokenIssuer,
    maxTokenExpiration: Math.floor((options.serviceAccountMaxTokenExpiration ?? 0) / 1000),
    extendTokenExpiration: options.serviceAccountExtendTokenExpiration ?? true,
    openId(externalAddress) {
      try {
        const jwksUri = options.serviceAccountJwksUri;
        return openIdDocuments({
          issuer: issuers[0] ?? '',
          externalAddress,
          keys: keys.all,
          ...(jwksUri && { jwksUri }),
        });
      } catch (e) {
        log('warning', `service account issuer discovery is off: ${(e as Error).message}`);
        return undefined;
      }
    },
    loopbackToken,
    get clientCaPem() {
      const bundles = [clientCa, requestHeaderCa].filter((one) => one !== undefined);
      return bundles.length > 0 ? bundles.map((one) => one.pem.trimEnd()).join('\n') : undefined;
    },
    frontProxyHeaders,
    trustData: () => clusterTrustData(options, { clientCa: clientCa?.pem, requestHeaderCa: requestHeaderCa?.pem }),
    close() {
      for (const close of closers) close();
    },
  };
}

function anonymousOf(
  options: AuthenticationOptions,
  jwt: ConfiguredJwt | undefined,
  log: Log,
): RequestAuthenticator | undefined {
  const configured = jwt?.anonymous;
  if (configured) {
    if (options.anonymousAuth !== undefined) {
      throw new Error(
        'anonymous: Forbidden: --anonymous-auth flag cannot be set when anonymous field is configured in authentication configuration file',
      );
    }
    return configured.enabled
      ? anonymousAuthenticator((configured.conditions ?? []).map(({ path }) => path))
      : undefined;
  }
  if (options.anonymousAuth === false) return undefined;
  if (options.authorizationMode?.includes('AlwaysAllow')) {
    log(
      'warning',
      'AnonymousAuth is not allowed with the AlwaysAllow authorizer. Resetting AnonymousAuth to false. You should use a different authorizer',
    );
    return undefined;
  }
  return anonymousAuthenticator([]);
}

/** Users that a front proxy names are users of this API server: their request is for its audiences. */
function agnosticProxy(apiAudiences: readonly string[], proxy: RequestAuthenticator): RequestAuthenticator {
  return {
    name: proxy.name,
    async authenticate(credentials) {
      const wanted = credentials.audiences;
      const shared = wanted && intersect(apiAudiences, wanted);
      if (shared?.length === 0) return undefined;
      const found = await proxy.authenticate(credentials);
      return found && shared ? { ...found, audiences: shared } : found;
    },
  };
}

/** Cached results end when one of the objects they came from changes. */
async function forgetOnChange(feed: ObjectFeed, caches: readonly TokenCache[]): Promise<() => void> {
  const forget = (resource: string) => (change: { readonly type: string; readonly object: KubeObject }) => {
    if (change.type === 'ADDED') return;
    const { namespace = '', name = '' } = change.object.metadata;
    for (const cache of caches) cache.forget(objectKey(resource, namespace, name));
  };
  const stops = await Promise.all(
    ['serviceaccounts', 'secrets', 'pods', 'nodes'].map((resource) =>
      feed.subscribe({ group: '', resource }, forget(resource)),
    ),
  );
  return () => {
    for (const stop of stops) stop();
  };
}
