import { type Certificate, parseCertificate } from '../../auth/pki/certificate.js';
import { parseRequest } from '../../auth/pki/certificate-request.js';
import { decodePem } from '../../auth/pki/pem.js';
import { invalidValue, notSupported, Path, required as requiredError, tooLong } from '../../machinery/field.js';
import { equalJson, type JsonObject, type KubeObject } from '../../machinery/json.js';
import { list, num, obj, str } from '../access.js';
import type { StrategyContext } from '../strategy.js';
import { type Check, conditions, formats, invalidWhole } from '../validation/index.js';
import { publicKey } from './keys.js';

const STATUS = new Path('status');
const CHAIN = STATUS.child('certificateChain');
const OUTCOMES = ['Issued', 'Denied', 'Failed'];
const MAX_CHAIN = 100 * 1024;
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

const statusOf = (o: KubeObject): JsonObject => obj(o, 'status');
const is = (o: KubeObject, outcome: string): boolean =>
  list(statusOf(o), 'conditions').some((c) => str(c, 'type') === outcome && str(c, 'status') === 'True');

function outcomes(o: KubeObject, c: Check): void {
  let known = 0;
  list(statusOf(o), 'conditions').forEach((condition, i) => {
    // An index is written as a field of its own here.
    const at = STATUS.child('conditions', `[${i}]`);
    const type = str(condition, 'type');
    if (!OUTCOMES.includes(type)) {
      c.errors.push(notSupported(at.child('type'), type, OUTCOMES));
      return;
    }
    known++;
    if (known > 1)
      c.errors.push(
        invalidValue(
          at.child('type'),
          type,
          'There may be at most one condition with type "Issued", "Denied", or "Failed"',
        ),
      );
    if (str(condition, 'status') !== 'True')
      c.errors.push(notSupported(at.child('status'), str(condition, 'status'), ['True']));
  });
}

/** Names that no client could use safely. */
function names(leaf: Certificate, c: Check): void {
  for (const name of leaf.names.dns) {
    const fault = (why: string) => c.errors.push(invalidValue(CHAIN, name, why));
    if (name === '') fault('leaf certificate should not contain empty DNSName');
    if (name.includes('..')) fault("leaf certificate's DNSName should not contain '..'");
    if (name.startsWith('.') || name.endsWith('.'))
      fault("leaf certificate's DNSName should not start or end with '.'");
  }
  for (const email of leaf.names.emails)
    if (!/^[^\s@<>(),;:\\"[\]]+@[^\s@<>(),;:\\"]+$/.test(email))
      c.errors.push(invalidValue(CHAIN, email, 'leaf certificate should not contain invalid EmailAddress'));
}

/** The key that was to be certified; undefined when the request itself has a fault, which is then reported. */
function wantedKey(old: KubeObject, c: Check): Buffer | undefined {
  const spec = obj(old, 'spec');
  const stub = str(spec, 'stubPKCS10Request');
  try {
    if (stub) return parseRequest(Buffer.from(stub, 'base64')).publicKeyInfo;
    const info = Buffer.from(str(spec, 'pkixPublicKey'), 'base64');
    if (publicKey(info)) return info;
  } catch {
    // Reported below.
  }
  const at = new Path('spec').child(stub ? 'stubPKCS10Request' : 'pkixPublicKey');
  invalidWhole(c, at, stub ? 'must be a valid PKCS#10 CSR' : 'must be a valid PKIX-serialized public key');
  return undefined;
}

/** Times of the status against those of the certificate; the first fault counts. */
function timesFault(
  o: KubeObject,
  leaf: Certificate,
  now: number,
): { at: Path; value: string | number; why: string } | undefined {
  const status = statusOf(o);
  const time = (name: string) => Date.parse(str(status, name));
  const at = (name: string, why: string) => ({ at: STATUS.child(name), value: str(status, name), why });
  const lifetime = leaf.notAfter - leaf.notBefore;
  const chain = (why: string) => ({
    at: CHAIN,
    value: lifetime * 1_000_000,
    why: `leaf certificate lifetime must be ${why}`,
  });
  if (time('notBefore') !== leaf.notBefore)
    return at('notBefore', 'must be set to the NotBefore time encoded in the leaf certificate');
  if (Math.abs(time('notBefore') - now) >= 5 * MINUTE)
    return at('notBefore', "must be set to within 5 minutes of kube-apiserver's current time");
  if (time('notAfter') !== leaf.notAfter)
    return at('notAfter', 'must be set to the NotAfter time encoded in the leaf certificate');
  const max = num(obj(o, 'spec'), 'maxExpirationSeconds');
  if (lifetime < HOUR) return chain('>= 1 hour');
  if (lifetime > max * 1000) return chain(`<= spec.maxExpirationSeconds (${max})`);
  if (time('beginRefreshAt') < leaf.notBefore + 10 * MINUTE)
    return at('beginRefreshAt', 'must be at least 10 minutes after status.notBefore');
  if (time('beginRefreshAt') > leaf.notAfter - 10 * MINUTE)
    return at('beginRefreshAt', 'must be at least 10 minutes before status.notAfter');
  return undefined;
}

function certificate(bytes: Buffer): Certificate | undefined {
  try {
    return parseCertificate(bytes);
  } catch {
    return undefined;
  }
}

function issued(o: KubeObject, old: KubeObject, c: Check, now: number): void {
  const status = statusOf(o);
  const chain = str(status, 'certificateChain');
  const fault = (why: string) => c.errors.push(invalidValue(CHAIN, chain, why));
  if (formats.byteLength(chain) > MAX_CHAIN) {
    c.errors.push(tooLong(CHAIN, MAX_CHAIN));
    return;
  }
  const [first, ...rest] = decodePem(chain);
  const leaf = first && certificate(first.bytes);
  if (!first) fault('issued certificate chain must contain at least one certificate');
  else if (first.label !== 'CERTIFICATE')
    fault('issued certificate chain must consist entirely of CERTIFICATE PEM blocks');
  else if (!leaf) fault('leaf certificate does not parse as valid X.509');
  if (!leaf || first?.label !== 'CERTIFICATE') return;
  names(leaf, c);
  const key = wantedKey(old, c);
  if (!key) return;
  if (!key.equals(leaf.publicKeyInfo)) {
    fault('leaf certificate was not issued to the requested public key');
    return;
  }
  const matching = 'must be present and consistent with the issued certificate';
  for (const [name, text] of [
    ['notBefore', matching],
    ['notAfter', matching],
    ['beginRefreshAt', 'must be present and in the range [notbefore+10min, notafter-10min]'],
  ] as const)
    if (status[name] === undefined) c.errors.push(requiredError(STATUS.child(name), text));
  if (c.errors.length > 0) return;
  const wrong = timesFault(o, leaf, now);
  if (wrong) {
    c.errors.push(invalidValue(wrong.at, wrong.value, wrong.why));
    return;
  }
  const odd = rest.find((block) => block.label !== 'CERTIFICATE' || !certificate(block.bytes));
  if (!odd) return;
  if (odd.label === 'CERTIFICATE') fault('intermediate certificate does not parse as valid X.509');
  else fault('issued certificate chain must consist entirely of CERTFICATE PEM blocks');
}

/** A request is issued, denied or failed once; then nothing changes any more. */
export function podRequestStatus(o: KubeObject, old: KubeObject, c: Check, ctx: StrategyContext): void {
  if (c.errors.length > 0) return;
  outcomes(o, c);
  conditions(statusOf(o).conditions, STATUS.child('conditions'), c);
  if (c.errors.length > 0) return;
  const same = (a: JsonObject, b: JsonObject, why: string) => {
    if (!equalJson(a, b)) invalidWhole(c, STATUS, why);
  };
  if (OUTCOMES.some((outcome) => is(old, outcome)))
    same(statusOf(o), statusOf(old), 'immutable after PodCertificateRequest is issued, denied, or failed');
  else if (is(o, 'Denied') || is(o, 'Failed'))
    same(
      statusOf(o),
      { conditions: statusOf(o).conditions },
      'non-condition status fields must be empty when denying or failing the PodCertificateRequest',
    );
  else if (is(o, 'Issued')) issued(o, old, c, Date.parse(ctx.now()));
  else same(statusOf(o), statusOf(old), 'status is immutable unless transitioning to "Issued", "Denied", or "Failed"');
}
