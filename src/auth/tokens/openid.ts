import type { JsonObject } from '../../machinery/json.js';
import { signingAlgorithm } from './jwt.js';
import type { VerificationKey } from './keys.js';

export const OPENID_CONFIGURATION_PATH = '/.well-known/openid-configuration';
export const JWKS_PATH = '/openid/v1/jwks';

/** A ready answer; everybody who may read it gets the same bytes. */
export interface OpenIdDocument {
  readonly body: Buffer;
  readonly headers: { readonly 'Content-Type': string; readonly 'Cache-Control': string };
}

export interface OpenIdDocuments {
  /** Made when asked for: only a listening server knows its port. */
  configuration(): OpenIdDocument;
  readonly jwks: OpenIdDocument;
}

export interface OpenIdOptions {
  /** The first of `--service-account-issuer`. */
  readonly issuer: string;
  /** `--service-account-jwks-uri`. */
  readonly jwksUri?: string;
  /** Host and port that clients reach this server by. */
  externalAddress(): string;
  readonly keys: readonly VerificationKey[];
}

/**
 * The documents of service-account issuer discovery (KEP-1393). Throws an Error with the reason when the options do not
 * allow them; the server then goes on without these two paths and says so in its log.
 */
export function openIdDocuments(options: OpenIdOptions): OpenIdDocuments {
  const { issuer, keys } = options;
  if (issuer === '') throw new Error('empty issuer URL');
  if (!options.jwksUri && !options.externalAddress()) {
    throw new Error('either the JWKS URI or the default external address, or both, must be set');
  }
  if (keys.length === 0) throw new Error('no keys provided for validating keyset');
  if (!/^https:/i.test(issuer)) throw new Error(`issuer URL must use https scheme, got: ${issuer}`);
  if (issuer.includes('#')) throw new Error(`issuer URL may not include a fragment, got: ${issuer}`);
  if (issuer.includes('?')) throw new Error(`issuer URL may not include a query, got: ${issuer}`);
  const jwksUri = () => options.jwksUri || `https://${options.externalAddress()}${JWKS_PATH}`;
  if (!URL.canParse(jwksUri()))
    throw new Error(
      `attempted to build jwks_uri from external address ${options.externalAddress()}, but could not construct a valid URL`,
    );
  if (!/^https:/i.test(jwksUri())) throw new Error(`jwksURI requires https scheme, parsed as: ${jwksUri()}`);
  const set = keys.map(publicJwk);
  const algorithms = [...new Set(set.map((key) => key.alg as string))].sort();
  return {
    configuration: () =>
      document('application/json', {
        issuer,
        jwks_uri: jwksUri(),
        response_types_supported: ['id_token'],
        subject_types_supported: ['public'],
        id_token_signing_alg_values_supported: algorithms,
      }),
    jwks: document('application/jwk-set+json', { keys: set }),
  };
}

function document(type: string, content: JsonObject): OpenIdDocument {
  return {
    body: Buffer.from(JSON.stringify(content)),
    headers: { 'Content-Type': type, 'Cache-Control': 'public, max-age=3600' },
  };
}

/** A key as RFC 7517 writes it, members in the order of go-jose. */
function publicJwk({ kid, key }: VerificationKey): JsonObject {
  const { kty, crv, x, y, n, e } = key.export({ format: 'jwk' });
  const alg = signingAlgorithm(key);
  return kty === 'EC' ? { use: 'sig', kty, kid, crv, alg, x, y } : { use: 'sig', kty, kid, alg, n, e };
}
