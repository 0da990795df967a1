import { constants, type KeyObject, verify } from 'node:crypto';
import { isSelfSigned, parseRequest } from '../../auth/pki/certificate-request.js';
import { invalidValue, Path, required as requiredError, tooLong } from '../../machinery/field.js';
import type { JsonObject, KubeObject } from '../../machinery/json.js';
import { num, obj, str, stringMap } from '../access.js';
import { isKubernetesSigner, validateSignerName } from '../core/signer-name.js';
import { kind } from '../kind.js';
import type { Strategy } from '../strategy.js';
import {
  type Check,
  dnsSubdomain,
  formats,
  immutable,
  invalidEach,
  invalidWhole,
  nameIsDnsSubdomain,
} from '../validation/index.js';
import { curveOf, modulusBits, publicKey } from './keys.js';
import { podRequestStatus } from './pod-request-status.js';

const SPEC = new Path('spec');
const MAX_UID = 128;
const MAX_KEY = 10 * 1024;
const HOUR = 3600;
const DAY = 24 * HOUR;
const MAX_ANNOTATIONS = 256 * 1024;

const spec = (o: KubeObject | undefined) => obj(o, 'spec');
const bytes = (o: JsonObject, name: string): Buffer => Buffer.from(str(o, name), 'base64');

/** The key of a request must be of a kind that signers know. */
function keyFault(key: KeyObject, curves: string): { shown?: string; why: string } | undefined {
  switch (key.asymmetricKeyType) {
    case 'ed25519':
      return undefined;
    case 'ec': {
      const curve = curveOf(key);
      return ['P-256', 'P-384', 'P-521'].includes(curve ?? '')
        ? undefined
        : { shown: `curve ${curve}`, why: `elliptic public keys must use curve ${curves}` };
    }
    case 'rsa': {
      const bits = modulusBits(key);
      return [3072, 4096].includes(bits)
        ? undefined
        : { shown: `${bits}-bit modulus`, why: 'RSA keys must have modulus size 3072 or 4096' };
    }
    default:
      return { why: 'unknown public key type; supported types are Ed25519, ECDSA, and RSA' };
  }
}

function stubRequest(o: JsonObject, c: Check): void {
  const at = SPEC.child('stubPKCS10Request');
  const raw = bytes(o, 'stubPKCS10Request');
  if (raw.length > MAX_KEY) {
    c.errors.push(tooLong(at, MAX_KEY));
    return;
  }
  let request: ReturnType<typeof parseRequest> | undefined;
  try {
    request = parseRequest(raw);
  } catch {
    request = undefined;
  }
  const key = request && publicKey(request.publicKeyInfo);
  if (!request || !key) {
    invalidWhole(c, at, 'must be a valid PKCS#10 CSR');
    return;
  }
  const fault = keyFault(key, 'P256, P384, or P521');
  if (fault?.shown) c.errors.push(invalidValue(at, fault.shown, fault.why));
  else if (fault) invalidWhole(c, at, fault.why);
  else if (!isSelfSigned(request)) invalidWhole(c, at, 'invalid signature');
}

/** Whether the holder of the key signed the pod's UID. */
function proves(key: KeyObject, uid: string, proof: Buffer): boolean {
  const data = Buffer.from(uid);
  try {
    switch (key.asymmetricKeyType) {
      case 'ed25519':
        return verify(null, data, key, proof);
      case 'ec':
        return verify('sha256', data, key, proof);
      default: {
        const { RSA_PKCS1_PSS_PADDING: padding, RSA_PSS_SALTLEN_AUTO: saltLength } = constants;
        return verify('sha256', data, { key, padding, saltLength }, proof);
      }
    }
  } catch {
    return false;
  }
}

/** The older way: a bare key and a signature over the pod's UID. */
function bareKey(o: JsonObject, c: Check): void {
  const at = SPEC.child('pkixPublicKey');
  const raw = bytes(o, 'pkixPublicKey');
  const proof = bytes(o, 'proofOfPossession');
  if (raw.length > MAX_KEY) {
    c.errors.push(tooLong(at, MAX_KEY));
    return;
  }
  if (proof.length > MAX_KEY) {
    c.errors.push(tooLong(SPEC.child('proofOfPossession'), MAX_KEY));
    return;
  }
  const key = publicKey(raw);
  const fault = key ? keyFault(key, 'P256 or P384') : { why: 'must be a valid PKIX-serialized public key' };
  if (fault) c.errors.push(invalidValue(at, fault.shown ?? str(o, 'pkixPublicKey'), fault.why));
  else if (!proves(key!, str(o, 'podUID'), proof))
    invalidWhole(c, SPEC.child('proofOfPossession'), 'could not verify proof-of-possession signature');
}

function annotations(o: JsonObject, c: Check): void {
  const at = SPEC.child('unverifiedUserAnnotations');
  const map = stringMap(o, 'unverifiedUserAnnotations');
  let size = 0;
  for (const name of Object.keys(map).sort()) {
    const key = name.toLowerCase();
    const faults = formats.qualifiedName(key);
    if (key === '') c.errors.push(requiredError(at));
    else if (faults.length > 0) invalidEach(c, at, key, faults);
    else if (!key.includes('/'))
      c.errors.push(invalidValue(at, key, 'must be a domain-prefixed key (such as "acme.io/foo")'));
    size += formats.byteLength(name) + formats.byteLength(map[name]!);
  }
  if (size > MAX_ANNOTATIONS) c.errors.push(tooLong(at, MAX_ANNOTATIONS));
}

/** Names and uids of the pod, its service account and its node. */
function identity(o: JsonObject, c: Check): void {
  for (const [name, uid] of [
    ['podName', 'podUID'],
    ['serviceAccountName', 'serviceAccountUID'],
    ['nodeName', 'nodeUID'],
  ] as const) {
    dnsSubdomain(str(o, name), SPEC.child(name), c);
    const value = str(o, uid);
    if (value === '') c.errors.push(invalidValue(SPEC.child(uid), '', 'must not be empty'));
    if (formats.byteLength(value) > MAX_UID) c.errors.push(tooLong(SPEC.child(uid), MAX_UID));
  }
}

function rules(request: KubeObject, c: Check): void {
  const o = spec(request);
  const signer = str(o, 'signerName');
  validateSignerName(signer, SPEC.child('signerName'), c);
  annotations(o, c);
  identity(o, c);
  const at = SPEC.child('maxExpirationSeconds');
  if (o.maxExpirationSeconds === undefined) {
    c.errors.push(requiredError(at, 'must be set'));
    return;
  }
  const seconds = num(o, 'maxExpirationSeconds');
  const most = isKubernetesSigner(signer) ? DAY : 91 * DAY;
  if (seconds < HOUR || seconds > most)
    c.errors.push(invalidValue(at, seconds, `must be in the range [${HOUR}, ${most}]`));
  const [stub, key, proof] = ['stubPKCS10Request', 'pkixPublicKey', 'proofOfPossession'].map((n) => str(o, n) !== '');
  if (stub && !key && !proof) stubRequest(o, c);
  else if (!stub && key && proof) bareKey(o, c);
  else invalidWhole(c, SPEC, 'exactly one of (stubPKCS10Request) or (pkixPublicKey, proofOfPossession) must be set');
}

export const podCertificateRequest: Strategy = kind({
  group: 'certificates.k8s.io',
  kind: 'PodCertificateRequest',
  name: nameIsDnsSubdomain,
  rules: (v, _, c) => rules(v as KubeObject, c),
  updateRules: (o, old, c) => immutable(o.spec, old.spec, SPEC, c, 'certificates.v1beta1.PodCertificateRequestSpec'),
  onUpdate: ['change', 'updateRules'],
  subresources: { status: { rules: podRequestStatus } },
  strategy: {
    selectableFields: (o) =>
      Object.fromEntries(['signerName', 'podName', 'nodeName'].map((name) => [`spec.${name}`, str(spec(o), name)])),
  },
});
