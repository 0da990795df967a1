import { isJsonObject, type JsonObject, type JsonValue } from '../../machinery/json.js';

/** The claims of RFC 7519 that matter here. Times are seconds since the epoch. */
export interface RegisteredClaims {
  readonly issuer: string;
  readonly subject: string;
  readonly audiences: readonly string[];
  readonly id: string;
  readonly expires: number | undefined;
  readonly notBefore: number | undefined;
  readonly issuedAt: number | undefined;
}

/** A name and uid that a token is bound to. */
export interface ClaimReference {
  readonly name: string;
  readonly uid: string;
}

/** The claim `kubernetes.io` of a bound service-account token. */
export interface KubernetesClaims {
  readonly namespace: string;
  readonly serviceAccount: ClaimReference;
  readonly pod: ClaimReference | undefined;
  readonly secret: ClaimReference | undefined;
  readonly node: ClaimReference | undefined;
  readonly warnAfter: number | undefined;
}

/** A claim has another type than it must have. */
export class ClaimError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'ClaimError';
  }
}

function text(claims: JsonObject, name: string): string {
  const value = own(claims, name);
  if (value === undefined || value === null) return '';
  if (typeof value !== 'string') throw new ClaimError(`claim ${name} must be a string`);
  return value;
}

function own(claims: JsonObject, name: string): JsonValue | undefined {
  return Object.hasOwn(claims, name) ? claims[name] : undefined;
}

function seconds(claims: JsonObject, name: string): number | undefined {
  const value = own(claims, name);
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'number' || !Number.isFinite(value)) {
    throw new ClaimError('go-jose/go-jose/jwt: expected number value to unmarshal NumericDate');
  }
  return Math.trunc(value);
}

/** `aud` may be one text or a list of them. */
function audiences(claims: JsonObject): readonly string[] {
  const value = own(claims, 'aud');
  if (value === undefined || value === null) return [];
  if (typeof value === 'string') return [value];
  if (Array.isArray(value) && value.every((one) => typeof one === 'string')) return value as string[];
  throw new ClaimError('go-jose/go-jose/jwt: expected string or array value to unmarshal to Audience');
}

export function readRegisteredClaims(claims: JsonObject): RegisteredClaims {
  return {
    issuer: text(claims, 'iss'),
    subject: text(claims, 'sub'),
    audiences: audiences(claims),
    id: text(claims, 'jti'),
    expires: seconds(claims, 'exp'),
    notBefore: seconds(claims, 'nbf'),
    issuedAt: seconds(claims, 'iat'),
  };
}

function reference(claims: JsonObject, name: string): ClaimReference | undefined {
  const value = own(claims, name);
  if (value === undefined || value === null) return undefined;
  if (!isJsonObject(value)) throw new ClaimError(`claim kubernetes.io.${name} must be an object`);
  return { name: text(value, 'name'), uid: text(value, 'uid') };
}

export function readKubernetesClaims(claims: JsonObject): KubernetesClaims {
  const value = own(claims, 'kubernetes.io') ?? {};
  if (!isJsonObject(value)) throw new ClaimError('claim kubernetes.io must be an object');
  return {
    namespace: text(value, 'namespace'),
    serviceAccount: reference(value, 'serviceaccount') ?? { name: '', uid: '' },
    pod: reference(value, 'pod'),
    secret: reference(value, 'secret'),
    node: reference(value, 'node'),
    warnAfter: seconds(value, 'warnafter'),
  };
}

/** Clocks of issuers may be off by this much, seconds. */
export const LEEWAY = 60;

/** Why the times of a token do not allow it now, undefined when they do. `now` is milliseconds since the epoch. */
export function timeFault(claims: RegisteredClaims, now: number): string | undefined {
  const at = now / 1000;
  if (claims.notBefore !== undefined && at + LEEWAY < claims.notBefore) return 'service account token is not valid yet';
  if (claims.expires !== undefined && at - LEEWAY > claims.expires) return 'service account token has expired';
  if (claims.issuedAt !== undefined && at + LEEWAY < claims.issuedAt) {
    return 'service account token is issued in the future';
  }
  return undefined;
}

/** Claims of a legacy token, kept in a Secret. */
export interface LegacyClaims {
  readonly namespace: string;
  readonly secret: string;
  readonly serviceAccount: ClaimReference;
}

export function readLegacyClaims(claims: JsonObject): LegacyClaims {
  const prefix = 'kubernetes.io/serviceaccount/';
  return {
    namespace: text(claims, `${prefix}namespace`),
    secret: text(claims, `${prefix}secret.name`),
    serviceAccount: {
      name: text(claims, `${prefix}service-account.name`),
      uid: text(claims, `${prefix}service-account.uid`),
    },
  };
}
