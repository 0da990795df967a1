import { createPublicKey, type KeyObject } from 'node:crypto';
import { goQuote } from '../../../machinery/go-format.js';
import { isJsonObject, type JsonObject } from '../../../machinery/json.js';
import { isSignedBy, type Jwt } from '../../tokens/jwt.js';
import type { Log } from '../contract.js';
import type { HttpClient, IncomingResponse } from '../http.js';

export interface ProviderOptions {
  readonly issuer: string;
  /** Where the discovery document really is, when not below the issuer. */
  readonly discoveryUrl?: string;
  readonly client: HttpClient;
  readonly now: () => number;
  readonly log: Log;
}

/** The keys of an OpenID provider, found by discovery. */
export interface Provider {
  /** True when one of the provider's keys made the signature. Unknown keys are looked for once more at the provider. */
  verifies(jwt: Jwt): Promise<boolean>;
  /** Undefined when discovery has succeeded, else why it has not. */
  readonly fault: string | undefined;
  /** Starts discovery when it has not succeeded yet and the last attempt is long enough ago. Never rejects. */
  initialize(): Promise<void>;
}

interface ProviderKey {
  readonly kid: string | undefined;
  readonly key: KeyObject;
}

const TIMEOUT = 30_000;
const RETRY_AFTER = 10_000;
/** Anybody can send a token with an unknown key: the provider is asked no more often than this. */
const REFRESH_AFTER = 1_000;
/** Keys are fetched again a little before they go stale, as go-oidc does. */
const STALE_BEFORE = 30_000;
const MAX_KEYS = 100;
const MAX_REDIRECTS = 10;

/** A provider that discovers itself in the background; tokens are refused until it has. */
export function openIdProvider(options: ProviderOptions): Provider {
  const { issuer, client, now, log } = options;
  let keysUrl: string | undefined;
  let fault: string | undefined = `oidc: authenticator for issuer ${goQuote(issuer)} is not initialized`;
  let attempt: Promise<void> | undefined;
  let attemptedAt = Number.NEGATIVE_INFINITY;
  let keys: readonly ProviderKey[] = [];
  let freshUntil = Number.NEGATIVE_INFINITY;
  let fetchedAt = Number.NEGATIVE_INFINITY;
  let fetching: Promise<void> | undefined;

  async function discover(): Promise<void> {
    const url = options.discoveryUrl ?? `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`;
    const document = json(await get(client, url), url);
    if (document.issuer !== issuer) {
      throw new Error(
        `oidc: issuer did not match the issuer returned by provider, expected ${goQuote(issuer)} got ${goQuote(String(document.issuer ?? ''))}`,
      );
    }
    const found = document.jwks_uri;
    if (typeof found !== 'string' || found === '') throw new Error('provider did not return JWKS URL');
    keysUrl = found;
  }
  async function fetchKeys(url: string): Promise<void> {
    const at = now();
    const answer = await get(client, url);
    const set = json(answer, url).keys;
    keys = (Array.isArray(set) ? set : []).slice(0, MAX_KEYS).flatMap(readKey);
    fetchedAt = at;
    freshUntil = at + maxAge(answer) * 1000;
  }
  const matching = (jwt: Jwt): boolean =>
    keys.some((one) => (jwt.kid === undefined || one.kid === jwt.kid) && isSignedBy(jwt, one.key));

  return {
    get fault() {
      return fault;
    },
    initialize() {
      if (fault === undefined || now() - attemptedAt < RETRY_AFTER) return attempt ?? Promise.resolve();
      attemptedAt = now();
      attempt ??= discover()
        .then(() => {
          fault = undefined;
        })
        .catch((e: Error) => {
          fault = e.message;
          log('error', `oidc authenticator: initializing issuer ${issuer}: ${e.message}`);
        })
        .finally(() => {
          attempt = undefined;
        });
      return attempt;
    },
    async verifies(jwt) {
      if (matching(jwt)) return true;
      const at = now();
      if (!keysUrl || at + STALE_BEFORE <= freshUntil || at - fetchedAt < REFRESH_AFTER) return false;
      fetching ??= fetchKeys(keysUrl).finally(() => {
        fetching = undefined;
      });
      await fetching;
      return matching(jwt);
    },
  };
}

/** Keys that can't be read, or are not for signatures, are left out. */
function readKey(value: unknown): ProviderKey[] {
  if (!isJsonObject(value) || (value.kty !== 'RSA' && value.kty !== 'EC') || value.use === 'enc') return [];
  try {
    const { kty, crv, x, y, n, e } = value as Record<string, string>;
    const key = createPublicKey({ key: { kty, crv, x, y, n, e }, format: 'jwk' });
    return [{ kid: typeof value.kid === 'string' && value.kid !== '' ? value.kid : undefined, key }];
  } catch {
    return [];
  }
}

/** GET that follows redirects to other https addresses. */
export async function get(
  client: HttpClient,
  url: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<IncomingResponse> {
  let at = url;
  for (let hops = 0; hops <= MAX_REDIRECTS; hops++) {
    const answer = await client.request({ method: 'GET', url: at, headers, timeout: TIMEOUT });
    const location = answer.headers.location;
    if (![301, 302, 303, 307, 308].includes(answer.status) || typeof location !== 'string') return answer;
    const next = new URL(location, at);
    if (next.protocol !== 'https:') throw new Error(`${at} redirects to an address that is not https`);
    // Credentials are for the host they were given for.
    if (next.host !== new URL(at).host && headers.authorization) throw new Error(`${at} redirects to another host`);
    at = next.href;
  }
  throw new Error(`stopped after ${MAX_REDIRECTS} redirects`);
}

function json(answer: IncomingResponse, url: string): JsonObject {
  if (answer.status !== 200) throw new Error(`${url} answered with status ${answer.status}`);
  try {
    const value: unknown = JSON.parse(answer.body);
    if (isJsonObject(value)) return value;
  } catch {
    // falls through: the text itself may be anything and is not repeated
  }
  throw new Error(`${url} answered with something that is not a JSON object`);
}

/** Seconds a key set may be kept; 0 when the provider does not say. */
function maxAge({ headers }: IncomingResponse): number {
  const control = String(headers['cache-control'] ?? '').toLowerCase();
  if (/\bno-(?:cache|store)\b/.test(control)) return 0;
  const seconds = Number(/\bmax-age=(\d+)/.exec(control)?.[1] ?? 0);
  return Number.isFinite(seconds) ? Math.min(seconds, 86_400) : 0;
}
