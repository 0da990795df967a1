import { parseCertificate } from '../../auth/pki/certificate.js';
import { decodePem } from '../../auth/pki/pem.js';
import { invalidValue, Path, tooLong } from '../../machinery/field.js';
import type { KubeObject } from '../../machinery/json.js';
import { obj, str } from '../access.js';
import { validateSignerName } from '../core/signer-name.js';
import { kind } from '../kind.js';
import type { Strategy } from '../strategy.js';
import {
  type Check,
  formats,
  immutable,
  type NameCheck,
  nameIsDnsSubdomain,
  validateObjectMeta,
} from '../validation/index.js';

const SPEC = new Path('spec');
const MAX_SIZE = 1024 * 1024;
const spec = (o: KubeObject | undefined) => obj(o, 'spec');

/** With a signer the name starts with the signer's, colons for slashes. */
function nameFor(signer: string): NameCheck {
  if (signer === '')
    return (name, prefix) =>
      name.includes(':')
        ? ['ClusterTrustBundle without signer name must not have ":" in its name']
        : nameIsDnsSubdomain(name, prefix);
  const start = `${signer.replaceAll('/', ':')}:`;
  return (name, prefix) =>
    name.startsWith(start)
      ? nameIsDnsSubdomain(name.slice(start.length), prefix)
      : [`ClusterTrustBundle for signerName ${signer} must be named with prefix ${start}`];
}

/** What keeps a PEM block from being a trust anchor. */
function anchorFault(block: ReturnType<typeof decodePem>[number]): string | undefined {
  if (block.label !== 'CERTIFICATE') return `has bad block type: ${block.label}`;
  if (block.headers) return 'has PEM block headers';
  let certificate: ReturnType<typeof parseCertificate>;
  try {
    certificate = parseCertificate(block.bytes);
  } catch {
    return 'does not parse as X.509';
  }
  return certificate.basicConstraints?.isCa ? undefined : 'does not have the CA bit set';
}

function bundle(text: string, at: Path, c: Check): void {
  if (formats.byteLength(text) > MAX_SIZE) {
    c.errors.push(tooLong(at, MAX_SIZE));
    return;
  }
  const fault = (why: string) => c.errors.push(invalidValue(at, '<value omitted>', why));
  const before = c.errors.length;
  const places = new Map<string, number[]>();
  decodePem(text).forEach((block, i) => {
    const bad = anchorFault(block);
    if (bad) fault(`entry ${i} ${bad}`);
    const key = block.bytes.toString('base64');
    places.set(key, [...(places.get(key) ?? []), i]);
  });
  if (c.errors.length > before) return;
  if (places.size === 0) fault('at least one trust anchor must be provided');
  for (const at of places.values()) if (at.length > 1) fault(`duplicate trust anchor (indices [${at.join(' ')}])`);
}

export const clusterTrustBundle: Strategy = kind({
  group: 'certificates.k8s.io',
  kind: 'ClusterTrustBundle',
  ownMetadata: true,
  rules(v, _, c) {
    const o = v as KubeObject;
    const signer = str(spec(o), 'signerName');
    validateObjectMeta(o.metadata, { namespaced: false, name: nameFor(signer) }, c);
    if (signer) validateSignerName(signer, SPEC.child('signerName'), c);
    const text = str(spec(o), 'trustBundle');
    if (!c.old || str(spec(c.old), 'trustBundle') !== text) bundle(text, SPEC.child('trustBundle'), c);
  },
  updateRules: (o, old, c) =>
    immutable(str(spec(o), 'signerName'), str(spec(old), 'signerName'), SPEC.child('signerName'), c),
  onUpdate: ['rules', 'change', 'updateRules'],
  strategy: { selectableFields: (o) => ({ 'spec.signerName': str(spec(o), 'signerName') }) },
});
