import { createPublicKey, type KeyObject } from 'node:crypto';

/** The public key of a SubjectPublicKeyInfo (DER); undefined when it is none. */
export function publicKey(info: Buffer): KeyObject | undefined {
  try {
    return createPublicKey({ key: info, format: 'der', type: 'spki' });
  } catch {
    return undefined;
  }
}

const CURVES: Readonly<Record<string, string>> = {
  secp224r1: 'P-224',
  prime256v1: 'P-256',
  secp384r1: 'P-384',
  secp521r1: 'P-521',
};
/** Go's name of an elliptic curve. */
export const curveOf = (key: KeyObject): string | undefined =>
  CURVES[key.asymmetricKeyDetails?.namedCurve ?? ''] ?? key.asymmetricKeyDetails?.namedCurve;
/** Bits of an RSA modulus, in whole bytes. */
export const modulusBits = (key: KeyObject): number =>
  8 * Math.ceil((key.asymmetricKeyDetails?.modulusLength ?? 0) / 8);

/** Go's words for a signature that the key did not make. */
export function signatureFault(info: Buffer): string {
  switch (publicKey(info)?.asymmetricKeyType) {
    case 'rsa':
      return 'crypto/rsa: verification error';
    case 'ec':
      return 'x509: ECDSA verification failure';
    case 'ed25519':
      return 'x509: Ed25519 verification failure';
    default:
      return 'x509: cannot verify signature: algorithm unimplemented';
  }
}
