import { goQuote, goQuoteList } from '../../../machinery/go-format.js';
import type { JsonObject } from '../../../machinery/json.js';
import { type Jwt, parseJwt } from '../../tokens/jwt.js';
import type { Provider } from './provider.js';

export interface VerifyOptions {
  readonly issuer: string;
  readonly audiences: readonly string[];
  readonly algorithms: readonly string[];
  readonly now: () => number;
}

const GOOGLE = 'https://accounts.google.com';

/** The issuer that a token claims, unverified; undefined when it is no JWT. */
export function claimedIssuer(token: string): string | undefined {
  const issuer = parseJwt(token)?.claims.iss;
  if (typeof issuer !== 'string') return undefined;
  return issuer === 'accounts.google.com' ? GOOGLE : issuer;
}

/**
 * Verifies an ID token (OpenID Connect Core 1.0, 3.1.3.7) in the order of go-oidc: algorithm, signature, issuer,
 * audience, times. Gives its claims and when it ends, milliseconds. Throws with the reason.
 */
export async function verifyIdToken(
  token: string,
  provider: Provider,
  options: VerifyOptions,
): Promise<{ readonly claims: JsonObject; readonly expiresAt: number }> {
  const jwt = parseJwt(token);
  if (!jwt) throw new Error('oidc: malformed jwt');
  const { algorithms, audiences, issuer, now } = options;
  if (!algorithms.includes(jwt.algorithm)) {
    throw new Error(
      `oidc: id token signed with unsupported algorithm, expected ${goQuoteList(algorithms)} got ${goQuote(jwt.algorithm)}`,
    );
  }
  if (!(await signed(provider, jwt)))
    throw new Error('failed to verify signature: failed to verify id token signature');
  const { claims } = jwt;
  if (claimedIssuer(token) !== issuer) {
    throw new Error(
      `oidc: id token issued by a different provider, expected ${goQuote(issuer)} got ${goQuote(String(claims.iss ?? ''))}`,
    );
  }
  const given = audiencesOf(claims);
  if (!given.some((audience) => audiences.includes(audience))) {
    const expected =
      audiences.length === 1
        ? `audience ${goQuote(audiences[0]!)}`
        : `audience in ${goQuoteList([...audiences].sort())}`;
    throw new Error(`oidc: expected ${expected} got ${goQuoteList(given)}`);
  }
  const at = now();
  const expiresAt = seconds(claims, 'exp') ?? Number.NEGATIVE_INFINITY;
  if (expiresAt * 1000 < at) throw new Error(`oidc: token is expired (Token Expiry: ${goTime(expiresAt)})`);
  const notBefore = seconds(claims, 'nbf');
  if (notBefore !== undefined && at + 60_000 < notBefore * 1000) {
    throw new Error(`oidc: current time ${goTime(at / 1000)} before the nbf (not before) time: ${goTime(notBefore)}`);
  }
  return { claims, expiresAt: expiresAt * 1000 };
}

async function signed(provider: Provider, jwt: Jwt): Promise<boolean> {
  try {
    return await provider.verifies(jwt);
  } catch (e) {
    throw new Error(`failed to verify signature: fetching keys ${(e as Error).message}`);
  }
}

function audiencesOf({ aud }: JsonObject): string[] {
  if (typeof aud === 'string') return [aud];
  if (Array.isArray(aud) && aud.every((one) => typeof one === 'string')) return aud as string[];
  if (aud === undefined || aud === null) return [];
  throw new Error('oidc: failed to unmarshal claims: aud must be a string or a list of strings');
}

function seconds(claims: JsonObject, name: string): number | undefined {
  const value = claims[name];
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'number') throw new Error(`oidc: failed to unmarshal claims: ${name} must be a number`);
  return Math.trunc(value);
}

/** A time as Go prints it; the zero time for what is no time. */
function goTime(at: number): string {
  const date = new Date(at * 1000);
  if (Number.isNaN(date.getTime())) return '0001-01-01 00:00:00 +0000 UTC';
  return `${date
    .toISOString()
    .replace('T', ' ')
    .replace(/\.\d+Z$/, '')} +0000 UTC`;
}
