import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { parseCertificate } from './certificate.js';
import { DerReader } from './der-reader.js';
import { nullValue, oid, sequence } from './der-writer.js';
import { SIGNATURE_ALGORITHMS, type SignatureAlgorithm } from './oids.js';
import { decodePem, type PemBlock } from './pem.js';

/** A new P-256 key: made in a fraction of a millisecond, where 2048 bits of RSA take a hundred. */
export function generateKey(): KeyObject {
  return generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
}

/** `EC PRIVATE KEY` or `RSA PRIVATE KEY`, the forms that kubeadm writes and every client reads. */
export function privateKeyPem(key: KeyObject): string {
  const type = key.asymmetricKeyType === 'ec' ? 'sec1' : key.asymmetricKeyType === 'rsa' ? 'pkcs1' : 'pkcs8';
  return key.export({ format: 'pem', type } as { format: 'pem'; type: 'pkcs8' }).toString();
}
export function publicKeyPem(key: KeyObject): string {
  return createPublicKey(key).export({ format: 'pem', type: 'spki' }).toString();
}

/** SubjectPublicKeyInfo of a public key, or of a private key's public half, DER. */
export function publicKeyInfo(key: KeyObject): Buffer {
  return (key.type === 'private' ? createPublicKey(key) : key).export({ format: 'der', type: 'spki' });
}

/** SubjectKeyIdentifier by RFC 7093, method 1: the first 160 bits of the key bits' SHA-256. */
export function keyId(info: Buffer): Buffer {
  const reader = new DerReader(info).sequence();
  reader.sequence();
  return createHash('sha256').update(reader.bitString().bytes).digest().subarray(0, 20);
}

/** The algorithm a key signs certificates with. */
export function signatureAlgorithmFor(key: KeyObject): SignatureAlgorithm {
  const digest =
    key.asymmetricKeyDetails?.namedCurve === 'secp384r1'
      ? 'sha384'
      : key.asymmetricKeyDetails?.namedCurve === 'secp521r1'
        ? 'sha512'
        : 'sha256';
  const found = SIGNATURE_ALGORITHMS.find(
    (a) => a.keyType === key.asymmetricKeyType && (a.digest === digest || a.digest === null),
  );
  if (!found) throw new Error(`keys of type ${key.asymmetricKeyType} can't sign certificates`);
  return found;
}

/** AlgorithmIdentifier; RSA's carries an explicit NULL. */
export function algorithmIdentifier(algorithm: SignatureAlgorithm): Buffer {
  return sequence(oid(algorithm.oid), ...(algorithm.keyType === 'rsa' ? [nullValue()] : []));
}

export function signBytes(key: KeyObject, bytes: Buffer): Buffer {
  return sign(signatureAlgorithmFor(key).digest, bytes, key);
}

const isSigningKey = (key: KeyObject): boolean => key.asymmetricKeyType === 'rsa' || key.asymmetricKeyType === 'ec';

function attempt<T>(make: () => T): T | undefined {
  try {
    return make();
  } catch {
    return undefined;
  }
}

function privateKeyOf(block: PemBlock): KeyObject | undefined {
  for (const type of ['pkcs1', 'pkcs8', 'sec1'] as const) {
    const key = attempt(() => createPrivateKey({ key: block.bytes, format: 'der', type }));
    if (key && isSigningKey(key)) return key;
  }
  return undefined;
}

/** The first RSA or EC private key of a PEM text; other blocks, as `EC PARAMETERS`, are passed over. */
export function parsePrivateKey(pem: string | Buffer): KeyObject {
  for (const block of decodePem(pem)) {
    if (!['EC PRIVATE KEY', 'RSA PRIVATE KEY', 'PRIVATE KEY'].includes(block.label)) continue;
    const key = privateKeyOf(block);
    if (key) return key;
  }
  throw new Error('data does not contain a valid RSA or ECDSA private key');
}

/** Every RSA or EC key of a PEM text: public keys, certificates' keys and the public halves of private keys. */
export function parsePublicKeys(pem: string | Buffer): KeyObject[] {
  const keys: KeyObject[] = [];
  for (const block of decodePem(pem)) {
    const secret = privateKeyOf(block);
    const key = secret
      ? createPublicKey(secret)
      : (attempt(() => createPublicKey({ key: block.bytes, format: 'der', type: 'spki' })) ??
        attempt(() =>
          createPublicKey({ key: parseCertificate(block.bytes).publicKeyInfo, format: 'der', type: 'spki' }),
        ));
    if (key && isSigningKey(key)) keys.push(key);
  }
  if (keys.length === 0) throw new Error('data does not contain any valid RSA or ECDSA public keys');
  return keys;
}
