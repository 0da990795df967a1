import { goQuote } from '../../../machinery/go-format.js';
import type { JsonObject, JsonValue } from '../../../machinery/json.js';
import type { UserInfo } from '../../contract.js';
import { credentialIdOf, EXTRA } from '../../tokens/service-account.js';
import type { Log, TokenAuthenticator } from '../contract.js';
import { refused } from '../errors.js';
import type { HttpConnector } from '../http.js';
import { booleanClaim, claim, textClaim, textsClaim } from './claims.js';
import type { JwtAuthenticatorConfiguration } from './configuration.js';
import { distributedClaims } from './distributed-claims.js';
import type { JwtExpressions } from './expressions.js';
import { openIdProvider } from './provider.js';
import { claimedIssuer, type VerifyOptions, verifyIdToken } from './verify.js';

export interface JwtAuthenticatorOptions {
  readonly configuration: JwtAuthenticatorConfiguration;
  readonly expressions: JwtExpressions;
  readonly algorithms: readonly string[];
  readonly connect: HttpConnector;
  readonly now: () => number;
  readonly log: Log;
}

/** An authenticator for the ID tokens of one issuer. Needs a cache around it: a check costs a signature. */
export interface JwtAuthenticator extends TokenAuthenticator {
  /** Undefined when the provider was found, else why not. */
  readonly fault: string | undefined;
  initialize(): Promise<void>;
  close(): void;
}

export function jwtAuthenticator(options: JwtAuthenticatorOptions): JwtAuthenticator {
  const { configuration, now, log } = options;
  const { issuer, claimMappings } = configuration;
  const client = options.connect(issuer.certificateAuthority ? { ca: issuer.certificateAuthority } : {});
  const provider = openIdProvider({
    issuer: issuer.url,
    client,
    now,
    log,
    ...(issuer.discoveryURL && { discoveryUrl: issuer.discoveryURL }),
  });
  const verify: VerifyOptions = {
    issuer: issuer.url,
    audiences: issuer.audiences,
    algorithms: options.algorithms,
    now,
  };
  const groupsClaim = claimMappings.groups?.claim;
  const expand = groupsClaim
    ? distributedClaims({
        name: groupsClaim,
        client,
        verify,
        providerOf: (url) => openIdProvider({ issuer: url, client, now, log }),
      })
    : undefined;

  return {
    name: 'oidc',
    async authenticateToken(token) {
      if (claimedIssuer(token) !== issuer.url) return undefined;
      if (provider.fault) {
        void provider.initialize();
        throw refused('oidc: authenticator not initialized');
      }
      const verified = await because('oidc: verify token', () => verifyIdToken(token, provider, verify));
      const claims = expand
        ? await because('oidc: could not expand distributed claims', () => expand(verified.claims))
        : verified.claims;
      const user = userOf(claims, configuration, options.expressions);
      checkRequiredClaims(claims, configuration);
      checkRules(options.expressions, claims, user);
      return { user, via: 'oidc', expiresAt: verified.expiresAt };
    },
    get fault() {
      return (
        provider.fault && `oidc: authenticator for issuer ${goQuote(issuer.url)} is not healthy: ${provider.fault}`
      );
    },
    initialize: () => provider.initialize(),
    close: () => client.close(),
  };
}

async function because<T>(what: string, step: () => Promise<T> | T): Promise<T> {
  try {
    return await step();
  } catch (e) {
    throw refused(`${what}: ${(e as Error).message}`);
  }
}

function mapped<T>(what: string, map: () => T): T {
  try {
    return map();
  } catch (e) {
    throw refused(`${what}: ${(e as Error).message}`);
  }
}

function userOf(
  claims: JsonObject,
  { claimMappings }: JwtAuthenticatorConfiguration,
  expressions: JwtExpressions,
): UserInfo {
  const name = expressions.username
    ? mapped('oidc: error evaluating username claim expression', () =>
        text(expressions.username!.evaluate({ claims }), 'username'),
      )
    : claimedName(claims, claimMappings.username);
  if (name === '' && expressions.username) throw refused('oidc: empty username via CEL expression is not allowed');
  const groups = groupsOf(claims, claimMappings.groups, expressions);
  const uid = expressions.uid
    ? mapped('oidc: error evaluating uid claim expression', () => text(expressions.uid!.evaluate({ claims }), 'uid'))
    : claimMappings.uid?.claim
      ? mapped(`oidc: parse uid claim ${goQuote(claimMappings.uid.claim)}`, () =>
          textClaim(claims, claimMappings.uid!.claim!),
        )
      : '';
  const extra: Record<string, readonly string[]> = {};
  const id = claim(claims, 'jti');
  const credentialId = typeof id === 'string' ? credentialIdOf(id) : undefined;
  if (credentialId) extra[EXTRA.credentialId] = [credentialId];
  for (const { key, expression } of expressions.extra) {
    const values = mapped('oidc: error evaluating extra claim expression', () =>
      texts(expression.evaluate({ claims })),
    );
    if (values.length > 0) extra[key] = values;
  }
  return { name, groups, ...(uid && { uid }), ...(Object.keys(extra).length > 0 && { extra }) };
}

function claimedName(claims: JsonObject, mapping: { readonly claim?: string; readonly prefix?: string }): string {
  const from = mapping.claim ?? '';
  const name = mapped(`oidc: parse username claims ${goQuote(from)}`, () => textClaim(claims, from));
  // A provider that says an address is not verified lets anybody claim it.
  if (from === 'email' && claim(claims, 'email_verified') !== undefined) {
    if (!mapped("oidc: parse 'email_verified' claim", () => booleanClaim(claims, 'email_verified'))) {
      throw refused('oidc: email not verified');
    }
  }
  return `${mapping.prefix ?? ''}${name}`;
}

function groupsOf(
  claims: JsonObject,
  mapping: { readonly claim?: string; readonly prefix?: string } | undefined,
  expressions: JwtExpressions,
): readonly string[] {
  if (mapping?.claim && claim(claims, mapping.claim) !== undefined) {
    const groups = mapped(`oidc: parse groups claim ${goQuote(mapping.claim)}`, () =>
      textsClaim(claims, mapping.claim!),
    );
    return groups.map((group) => `${mapping.prefix ?? ''}${group}`);
  }
  if (!expressions.groups) return [];
  return mapped('oidc: error evaluating group claim expression', () => texts(expressions.groups!.evaluate({ claims })));
}

function checkRequiredClaims(claims: JsonObject, { claimValidationRules }: JwtAuthenticatorConfiguration): void {
  for (const { claim: name, requiredValue = '' } of claimValidationRules ?? []) {
    if (!name) continue;
    if (claim(claims, name) === undefined) throw refused(`oidc: required claim ${name} not present in ID token`);
    const value = mapped(`oidc: parse claim ${name}`, () => textClaim(claims, name));
    if (value !== requiredValue) {
      throw refused(`oidc: required claim ${name} value does not match. Got = ${value}, want = ${requiredValue}`);
    }
  }
}

function checkRules({ claimRules, userRules }: JwtExpressions, claims: JsonObject, user: UserInfo): void {
  const groups = [
    ['oidc: error evaluating claim validation expression', claimRules, { claims }],
    ['oidc: error evaluating user info validation rule', userRules, { user: userValue(user) }],
  ] as const;
  for (const [what, rules, input] of groups) {
    for (const { expression, text: source, message } of rules) {
      const holds = mapped(what, () => expression.evaluate(input));
      if (holds !== true) throw refused(`${what}: validation expression '${source}' failed: ${message}`);
    }
  }
}

/** What expressions see of the user: authentication.k8s.io/v1 UserInfo. */
function userValue({ name, uid, groups, extra }: UserInfo): JsonObject {
  return {
    username: name,
    uid: uid ?? '',
    groups: [...groups],
    extra: Object.fromEntries(Object.entries(extra ?? {}).map(([key, values]) => [key, [...values]])),
  };
}

function text(value: JsonValue, what: string): string {
  if (typeof value !== 'string') throw new Error(`${what} claim expression must return a string`);
  return value;
}

/** Empty texts count as absent. */
function texts(value: JsonValue): string[] {
  const list = typeof value === 'string' ? [value] : value === null ? [] : value;
  if (!Array.isArray(list) || !list.every((one) => typeof one === 'string')) {
    throw new Error('expression must return a string or a list of strings');
  }
  return (list as string[]).filter((one) => one !== '');
}
