import { constants, type KeyObject, sign, verify } from 'node:crypto';
import { isJsonObject, type JsonObject } from '../../machinery/json.js';

/** A JWT in compact form (RFC 7519) as parsed. Nothing of it can be trusted before `isSignedBy` says so. */
export interface Jwt {
  readonly algorithm: string;
  readonly kid: string | undefined;
  readonly claims: JsonObject;
  /** What the signature covers. */
  readonly signed: Buffer;
  readonly signature: Buffer;
}

/** No header may be longer than this either. */
const MAX_LENGTH = 1 << 20;

const BASE64URL = /^[A-Za-z0-9_-]*$/;

function decodeBase64Url(text: string): Buffer | undefined {
  if (!BASE64URL.test(text) || text.length % 4 === 1) return undefined;
  const bytes = Buffer.from(text, 'base64url');
  // Spare bits that are set would let one token be written in several ways.
  return bytes.toString('base64url') === text ? bytes : undefined;
}

function parseObject(bytes: Buffer | undefined): JsonObject | undefined {
  if (!bytes) return undefined;
  try {
    const value: unknown = JSON.parse(bytes.toString('utf8'));
    return isJsonObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** Undefined when the text is no compact JWT at all: then it is somebody else's token. */
export function parseJwt(token: string): Jwt | undefined {
  if (token.length > MAX_LENGTH) return undefined;
  const [head, payload, tail, ...more] = token.split('.', 4);
  if (head === undefined || payload === undefined || tail === undefined || more.length > 0) return undefined;
  const claims = parseObject(decodeBase64Url(payload));
  const header = parseObject(decodeBase64Url(head));
  const signature = decodeBase64Url(tail);
  if (!claims || !header || !signature || typeof header.alg !== 'string') return undefined;
  // Extensions that must be understood: none are, `b64` among them.
  if (header.crit !== undefined) return undefined;
  if (header.kid !== undefined && typeof header.kid !== 'string') return undefined;
  return {
    algorithm: header.alg,
    kid: header.kid || undefined,
    claims,
    signed: Buffer.from(token.slice(0, head.length + 1 + payload.length), 'latin1'),
    signature,
  };
}

interface Algorithm {
  readonly digest: string;
  readonly keyType: 'rsa' | 'ec';
  readonly curve?: string;
  readonly pss?: boolean;
}
/** Asymmetric signatures of RFC 7518. Neither `none` nor HMAC has a place here. */
const ALGORITHMS: Readonly<Record<string, Algorithm>> = {
  RS256: { digest: 'sha256', keyType: 'rsa' },
  RS384: { digest: 'sha384', keyType: 'rsa' },
  RS512: { digest: 'sha512', keyType: 'rsa' },
  PS256: { digest: 'sha256', keyType: 'rsa', pss: true },
  PS384: { digest: 'sha384', keyType: 'rsa', pss: true },
  PS512: { digest: 'sha512', keyType: 'rsa', pss: true },
  ES256: { digest: 'sha256', keyType: 'ec', curve: 'prime256v1' },
  ES384: { digest: 'sha384', keyType: 'ec', curve: 'secp384r1' },
  ES512: { digest: 'sha512', keyType: 'ec', curve: 'secp521r1' },
};
export const SUPPORTED_ALGORITHMS: readonly string[] = Object.keys(ALGORITHMS).sort();

function algorithmNamed(name: string, key: KeyObject): Algorithm | undefined {
  const algorithm = Object.hasOwn(ALGORITHMS, name) ? ALGORITHMS[name] : undefined;
  if (algorithm?.keyType !== key.asymmetricKeyType) return undefined;
  return algorithm?.curve === undefined || algorithm.curve === key.asymmetricKeyDetails?.namedCurve
    ? algorithm
    : undefined;
}

/** True when `key` made the signature, with the algorithm that the header names and that fits the key. */
export function isSignedBy(jwt: Jwt, key: KeyObject): boolean {
  const algorithm = algorithmNamed(jwt.algorithm, key);
  if (!algorithm) return false;
  try {
    return verify(algorithm.digest, jwt.signed, { key, ...parameters(algorithm) }, jwt.signature);
  } catch {
    return false;
  }
}

function parameters(algorithm: Algorithm): { dsaEncoding: 'ieee-p1363'; padding?: number; saltLength?: number } {
  if (!algorithm.pss) return { dsaEncoding: 'ieee-p1363' };
  return {
    dsaEncoding: 'ieee-p1363',
    padding: constants.RSA_PKCS1_PSS_PADDING,
    saltLength: constants.RSA_PSS_SALTLEN_DIGEST,
  };
}

/** The algorithm that tokens are signed with by a key. Throws for keys that service-account tokens can't have. */
export function signingAlgorithm(key: KeyObject): string {
  if (key.asymmetricKeyType === 'rsa') return 'RS256';
  for (const name of ['ES256', 'ES384', 'ES512']) if (algorithmNamed(name, key)) return name;
  throw new Error('unknown private key curve, must be 256, 384, or 521');
}

/** Signs claims, written as they are, as a compact JWT. */
export function signJwt(claims: JsonObject, key: KeyObject, kid: string): string {
  const name = signingAlgorithm(key);
  const part = (value: JsonObject): string => Buffer.from(JSON.stringify(value), 'utf8').toString('base64url');
  const signed = `${part({ alg: name, kid })}.${part(claims)}`;
  const algorithm = algorithmNamed(name, key)!;
  const signature = sign(algorithm.digest, Buffer.from(signed, 'latin1'), { key, ...parameters(algorithm) });
  return `${signed}.${signature.toString('base64url')}`;
}
