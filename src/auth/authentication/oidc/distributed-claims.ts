import { goQuote } from '../../../machinery/go-format.js';
import { isJsonObject, type JsonObject } from '../../../machinery/json.js';
import type { HttpClient } from '../http.js';
import { claim } from './claims.js';
import { get, type Provider } from './provider.js';
import { claimedIssuer, type VerifyOptions, verifyIdToken } from './verify.js';

export interface DistributedClaimOptions {
  /** The one claim that may be elsewhere: groups. */
  readonly name: string;
  readonly client: HttpClient;
  readonly verify: VerifyOptions;
  /** A provider for the issuer of the token that holds the claim. */
  readonly providerOf: (issuer: string) => Provider;
}

/** Issuers come from what an endpoint answers: only so many are followed. */
const MAX_ISSUERS = 16;

/**
 * Fetches a claim that the token only points to (OpenID Connect Core 1.0, 5.6.2: `_claim_names`, `_claim_sources`).
 * Gives claims that hold it, or the ones it got when there is nothing to fetch. Throws with the reason.
 */
export function distributedClaims(options: DistributedClaimOptions): (claims: JsonObject) => Promise<JsonObject> {
  const { name, client, verify } = options;
  const providers = new Map<string, Provider>();

  function providerOf(issuer: string): Provider {
    let provider = providers.get(issuer);
    if (!provider) {
      if (providers.size >= MAX_ISSUERS) throw new Error('too many issuers of distributed claims');
      provider = options.providerOf(issuer);
      providers.set(issuer, provider);
    }
    return provider;
  }

  return async (claims) => {
    if (claim(claims, name) !== undefined) return claims;
    const names = claim(claims, '_claim_names');
    if (names === undefined) return claims;
    if (!isJsonObject(names)) throw new Error('oidc: error parsing distributed claim names');
    const sources = claim(claims, '_claim_sources');
    if (sources === undefined) throw new Error('oidc: no claim sources');
    if (!isJsonObject(sources)) throw new Error('oidc: could not parse claim sources');
    const source = claim(names, name);
    if (typeof source !== 'string') return claims;
    const endpoint = claim(sources, source);
    if (!isJsonObject(endpoint))
      throw new Error(`id token _claim_names contained a source ${source} missing in _claims_sources`);
    const url = endpoint.endpoint;
    if (typeof url !== 'string' || url === '') return claims;

    const access = endpoint.access_token;
    const headers: Record<string, string> =
      typeof access === 'string' && access !== '' ? { authorization: `Bearer ${access}` } : {};
    const answer = await get(client, url, headers);
    if (answer.status < 200 || answer.status > 226) {
      throw new Error(
        `while getting distributed claim ${goQuote(name)}: error while getting distributed claim JWT: ${answer.status}`,
      );
    }
    const token = answer.body.trim();
    const issuer = claimedIssuer(token);
    if (issuer === undefined)
      throw new Error(`getting untrusted issuer from endpoint ${url} failed for claim ${goQuote(name)}`);
    const provider = providerOf(issuer);
    await provider.initialize();
    if (provider.fault)
      throw new Error(
        `verifying untrusted issuer ${issuer} failed: verifier not initialized for issuer: ${goQuote(issuer)}`,
      );
    const found = await verifyIdToken(token, provider, { ...verify, issuer });
    const value = claim(found.claims, name);
    if (value === undefined)
      throw new Error(`jwt returned by distributed claim endpoint ${goQuote(url)} did not contain claim: ${name}`);
    return { ...claims, [name]: value };
  };
}
