import { dirname, resolve } from 'node:path';
import type { VerificationKeys } from '../tokens/keys.js';
import { audienceAgnostic } from './audiences.js';
import { bootstrapTokenAuthenticator } from './bootstrap-token.js';
import type { TokenAuthenticator } from './contract.js';
import { type AuthenticationDependencies, sleepOn } from './dependencies.js';
import type { ConfiguredJwt } from './oidc/configured.js';
import type { AuthenticationOptions } from './options.js';
import { boundTokenAuthenticator, legacyTokenAuthenticator } from './service-account.js';
import { tokenFileAuthenticator } from './token-file.js';

const WEBHOOK_TTL = 120_000;

/** Puts a cache around an authenticator; times to live are milliseconds. */
export type Cached = (
  delegate: TokenAuthenticator,
  successTtl: number,
  failureTtl: number,
  cacheErrors: boolean,
) => TokenAuthenticator;

/** Authenticators of bearer tokens, in upstream's order: local ones first, then those that ask others. */
export async function tokenAuthenticators(
  options: AuthenticationOptions,
  deps: AuthenticationDependencies,
  keys: VerificationKeys,
  apiAudiences: readonly string[],
  jwt: ConfiguredJwt | undefined,
  cached: Cached,
  closers: (() => void)[],
): Promise<TokenAuthenticator[]> {
  const { files, log, objects, labelSecret } = deps;
  const now = (): number => deps.clock.now();
  const tokens: TokenAuthenticator[] = [];
  const path = options.tokenAuthFile;
  if (path) {
    const text = files.read(path).toString('utf8');
    tokens.push(audienceAgnostic(apiAudiences, tokenFileAuthenticator(path, text, log)));
  }
  const accounts = { keys, apiAudiences, objects, now };
  const lookup = options.serviceAccountLookup ?? true;
  tokens.push(legacyTokenAuthenticator({ ...accounts, lookup, ...(labelSecret && { labelSecret }) }));
  tokens.push(boundTokenAuthenticator(options.serviceAccountIssuer ?? [], accounts));
  if (options.enableBootstrapTokenAuth) {
    tokens.push(audienceAgnostic(apiAudiences, bootstrapTokenAuthenticator(objects, now)));
  }
  if (jwt) tokens.push(audienceAgnostic(apiAudiences, jwt.authenticator));
  if (options.authenticationTokenWebhookConfigFile) {
    const webhook = await tokenWebhook(
      options.authenticationTokenWebhookConfigFile,
      options,
      deps,
      apiAudiences,
      closers,
    );
    const ttl = options.authenticationTokenWebhookCacheTtl ?? WEBHOOK_TTL;
    tokens.push(cached(webhook, ttl, ttl, false));
  }
  return tokens;
}

async function tokenWebhook(
  path: string,
  options: AuthenticationOptions,
  deps: AuthenticationDependencies,
  apiAudiences: readonly string[],
  closers: (() => void)[],
): Promise<TokenAuthenticator> {
  const version = options.authenticationTokenWebhookVersion ?? 'v1beta1';
  if (version !== 'v1' && version !== 'v1beta1') {
    throw new Error(
      `unsupported authentication webhook version ${JSON.stringify(version)}, supported versions are "v1", "v1beta1"`,
    );
  }
  const [{ readWebhookTarget }, { tokenWebhookAuthenticator }] = await Promise.all([
    import('../pki/webhook-target.js'),
    import('./webhook.js'),
  ]);
  const target = readWebhookTarget(
    path,
    (file) => deps.files.read(file),
    (base, file) => resolve(dirname(base), file),
  );
  const client = deps.connect({
    insecure: target.insecure,
    ...(target.ca !== undefined && { ca: target.ca }),
    ...(target.clientCertificate !== undefined && { cert: target.clientCertificate }),
    ...(target.clientKey !== undefined && { key: target.clientKey }),
    ...(target.serverName !== undefined && { serverName: target.serverName }),
  });
  closers.push(() => client.close());
  return tokenWebhookAuthenticator({
    client,
    url: target.url,
    version,
    apiAudiences,
    sleep: (ms) => sleepOn(deps.clock, ms),
    ...(target.authorization !== undefined && { authorization: target.authorization }),
  });
}

/** Starts the JWT authenticators of file or flags; undefined when there are none. */
export async function startJwt(
  options: AuthenticationOptions,
  deps: AuthenticationDependencies,
  changed: () => void,
): Promise<ConfiguredJwt | undefined> {
  if (!options.authenticationConfig && !options.oidcIssuerUrl) return undefined;
  const { configuredJwt } = await import('./oidc/configured.js');
  const { clock, files, connect, log, expressions } = deps;
  return configuredJwt(
    options,
    {
      now: () => clock.now(),
      sleep: (ms) => sleepOn(clock, ms),
      files,
      connect,
      log,
      ...(expressions && { compiler: expressions }),
    },
    changed,
  );
}
