import { parseCertificate } from '../../auth/pki/certificate.js';
import { isSelfSigned, parseRequestPem } from '../../auth/pki/certificate-request.js';
import { decodePem } from '../../auth/pki/pem.js';
import {
  duplicate,
  forbiddenField,
  invalidValue,
  notSupported,
  Path,
  required as requiredError,
} from '../../machinery/field.js';
import { equalJson, type JsonObject, type KubeObject } from '../../machinery/json.js';
import { edit, list, num, obj, str, strings } from '../access.js';
import { validateSignerName } from '../core/signer-name.js';
import { kind } from '../kind.js';
import type { Strategy, StrategyContext } from '../strategy.js';
import { type Check, goDiff, oneOf } from '../validation/index.js';
import { signatureFault } from './keys.js';

const SPEC = new Path('spec');
const CONDITIONS = new Path('status').child('conditions');
const CERTIFICATE = new Path('status').child('certificate');
const LEGACY_SIGNER = 'kubernetes.io/legacy-unknown';
const SHORTEST = 600;
const APPROVAL = ['Approved', 'Denied'];
const DECISIONS = [...APPROVAL, 'Failed'];
const USAGES = [
  ...['any', 'cert sign', 'client auth', 'code signing', 'content commitment', 'crl sign', 'data encipherment'],
  ...['decipher only', 'digital signature', 'email protection', 'encipher only', 'ipsec end system', 'ipsec tunnel'],
  ...['ipsec user', 'key agreement', 'key encipherment', 'microsoft sgc', 'netscape sgc', 'ocsp signing', 's/mime'],
  ...['server auth', 'signing', 'timestamping'],
];

const conditionsOf = (o: KubeObject | undefined): JsonObject[] => list(obj(o, 'status'), 'conditions');
const certificateOf = (o: KubeObject | undefined): string => str(obj(o, 'status'), 'certificate');
const bytes = (base64: string): Buffer => Buffer.from(base64, 'base64');
const repeats = (all: readonly string[]): boolean => new Set(all).size < all.length;

function requestFault(request: string): string | undefined {
  try {
    const parsed = parseRequestPem(bytes(request));
    return isSelfSigned(parsed) ? undefined : signatureFault(parsed.publicKeyInfo);
  } catch (e) {
    return (e as Error).message;
  }
}

function certificateFault(certificate: string): string | undefined {
  if (certificate === '') return undefined;
  const blocks = decodePem(bytes(certificate));
  for (const block of blocks) {
    if (block.label !== 'CERTIFICATE')
      return `only CERTIFICATE PEM blocks are allowed, found ${JSON.stringify(block.label)}`;
    if (block.headers) return 'no PEM block headers are permitted';
    if (block.bytes.length === 0) return 'found CERTIFICATE PEM block containing 0 certificates';
    try {
      parseCertificate(block.bytes);
    } catch (e) {
      return (e as Error).message;
    }
  }
  return blocks.length === 0 ? 'must contain at least one CERTIFICATE PEM block' : undefined;
}

function usages(o: KubeObject, c: Check): void {
  const at = SPEC.child('usages');
  const now = strings(obj(o, 'spec'), 'usages');
  const old = strings(obj(c.old, 'spec'), 'usages');
  if (now.length === 0) c.errors.push(requiredError(at));
  if (old.every((usage) => USAGES.includes(usage)))
    now.forEach((usage, i) => {
      if (!USAGES.includes(usage)) c.errors.push(notSupported(at.index(i), usage, USAGES));
    });
  if (!repeats(old))
    now.forEach((usage, i) => {
      if (now.indexOf(usage) < i) c.errors.push(duplicate(at.index(i), usage));
    });
}

/** Conditions; what a stored request got away with it may keep. */
function conditions(o: KubeObject, c: Check): void {
  const oldTypes = conditionsOf(c.old).map((condition) => str(condition, 'type'));
  const bothAllowed = APPROVAL.every((type) => oldTypes.includes(type));
  const seen = new Set<string>();
  conditionsOf(o).forEach((condition, i) => {
    const at = CONDITIONS.index(i);
    const type = str(condition, 'type');
    const status = str(condition, 'status');
    if (type === '' && !oldTypes.includes('')) c.errors.push(requiredError(at.child('type')));
    if (status === '') c.errors.push(requiredError(at.child('status')));
    else oneOf(...(DECISIONS.includes(type) ? ['True'] : ['False', 'True', 'Unknown']))(status, at.child('status'), c);
    const other = APPROVAL.includes(type) ? APPROVAL.find((t) => t !== type) : undefined;
    if (!bothAllowed && other && seen.has(other))
      c.errors.push(invalidValue(CONDITIONS, type, 'Approved and Denied conditions are mutually exclusive'));
    if (!repeats(oldTypes) && seen.has(type)) c.errors.push(duplicate(at.child('type'), type));
    seen.add(type);
  });
}

function rules(o: KubeObject, c: Check): void {
  const spec = obj(o, 'spec');
  const request = str(spec, 'request');
  const fault = requestFault(request);
  if (fault) c.errors.push(invalidValue(SPEC.child('request'), spec.request ?? null, fault));
  usages(o, c);
  const signer = str(spec, 'signerName');
  if (signer === LEGACY_SIGNER && str(obj(c.old, 'spec'), 'signerName') !== LEGACY_SIGNER)
    c.errors.push(
      invalidValue(SPEC.child('signerName'), signer, 'the legacy signerName is not allowed via this API version'),
    );
  else validateSignerName(signer, SPEC.child('signerName'), c);
  if (spec.expirationSeconds !== undefined && num(spec, 'expirationSeconds') < SHORTEST)
    c.errors.push(
      invalidValue(
        SPEC.child('expirationSeconds'),
        spec.expirationSeconds,
        'may not specify a duration less than 600 seconds (10 minutes)',
      ),
    );
  conditions(o, c);
  const certificate = certificateOf(o);
  const before = certificateOf(c.old);
  if (c.old && (certificate === before || certificateFault(before))) return;
  const bad = certificateFault(certificate);
  if (bad) c.errors.push(invalidValue(CERTIFICATE, '<certificate data>', bad));
}

/** `decides`: approves or denies. `issues`: sets the certificate. */
function change(o: KubeObject, old: KubeObject, may: { decides: boolean; issues: boolean }, c: Check): void {
  const of = (request: KubeObject, type: string) => conditionsOf(request).filter((e) => str(e, 'type') === type);
  const forbid = (verb: string, type: string, more = '') =>
    c.errors.push(forbiddenField(CONDITIONS, `updates may not ${verb} a condition of type "${type}"${more}`));
  for (const type of DECISIONS) if (of(o, type).length < of(old, type).length) forbid('remove', type);
  if (!may.decides)
    for (const type of APPROVAL) {
      const [now, was] = [of(o, type), of(old, type)];
      if (now.length > was.length) forbid('add', type);
      else if (now.length === was.length && !equalJson(now, was))
        forbid('modify', type, `\n${goDiff('certificates.v1.CertificateSigningRequestCondition', was, now)}`);
    }
  if (certificateOf(o) === certificateOf(old)) return;
  if (!may.issues) c.errors.push(forbiddenField(CERTIFICATE, 'updates may not set certificate content'));
  else if (certificateOf(old) !== '')
    c.errors.push(forbiddenField(CERTIFICATE, 'updates may not modify existing certificate content'));
}

/** Times of new conditions; one that only repeats its status keeps since when that is so. */
function fillTimes(ctx: StrategyContext, o: KubeObject, old: KubeObject): void {
  for (const condition of conditionsOf(o)) {
    const before = conditionsOf(old).find(
      (b) =>
        str(b, 'type') === str(condition, 'type') &&
        str(b, 'status') === str(condition, 'status') &&
        b.lastTransitionTime !== undefined,
    );
    condition.lastUpdateTime ??= ctx.now();
    condition.lastTransitionTime ??= before?.lastTransitionTime ?? ctx.now();
  }
}

/** Whoever writes the status does not touch what was decided, as long as it repeats it. */
function keepDecisions(o: KubeObject, old: KubeObject): void {
  for (const type of APPROVAL) {
    const was = conditionsOf(old).filter((e) => str(e, 'type') === type);
    const now = conditionsOf(o).filter((e) => str(e, 'type') === type);
    if (was.length !== now.length) continue;
    now.forEach((condition, i) => {
      for (const name of Object.keys(condition)) delete condition[name];
      Object.assign(condition, was[i]);
    });
  }
}

/** Who asks is whoever sent the request, whatever the object says. */
function fillRequester(ctx: StrategyContext, o: KubeObject): void {
  const { name, uid, groups, extra } = ctx.user;
  edit(o, 'spec', (spec) => {
    for (const field of ['username', 'uid', 'groups', 'extra']) delete spec[field];
    if (name) spec.username = name;
    if (uid) spec.uid = uid;
    if (groups.length > 0) spec.groups = [...groups];
    if (extra && Object.keys(extra).length > 0)
      spec.extra = Object.fromEntries(Object.entries(extra).map(([key, values]) => [key, [...values]]));
  });
}

const update = (may: { decides: boolean; issues: boolean }) => (o: KubeObject, old: KubeObject, c: Check) => {
  rules(o, c);
  change(o, old, may, c);
};

export const certificateSigningRequest: Strategy = kind({
  group: 'certificates.k8s.io',
  kind: 'CertificateSigningRequest',
  rules: (v, _, c) => rules(v as KubeObject, c),
  updateRules: (o, old, c) => change(o, old, { decides: false, issues: false }, c),
  onUpdate: ['meta', 'rules', 'updateRules', 'change'],
  prepareForCreate: fillRequester,
  subresources: {
    status: {
      meta: true,
      keeps: ['spec'],
      prepare(ctx, o, old) {
        keepDecisions(o, old);
        fillTimes(ctx, o, old);
      },
      rules: update({ decides: false, issues: true }),
    },
    approval: { meta: true, prepare: fillTimes, rules: update({ decides: true, issues: false }) },
  },
  strategy: { selectableFields: (o) => ({ 'spec.signerName': str(obj(o, 'spec'), 'signerName') }) },
});
