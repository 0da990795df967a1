import { invalidValue, type Path, required, tooLong } from '../../machinery/field.js';
import { type Check, formats } from '../validation/index.js';

const NAMESPACE_MAX = 63;
const RESOURCE_NAME_MAX = 253;
const DOMAIN_MAX = 253;

/**
 * Name of a certificate signer: `domain/path` where the domain is a subdomain of at least two labels and the path is made
 * of dotted names (docs: certificates.k8s.io, signerName).
 */
export function validateSignerName(name: string, at: Path, c: Check): void {
  if (name === '') {
    c.errors.push(required(at));
    return;
  }
  const segments = name.split('/');
  if (segments.length !== 2) {
    c.errors.push(
      invalidValue(at, name, "must be a fully qualified domain and path of the form 'example.com/signer-name'"),
    );
    return;
  }
  const [domain, path] = segments as [string, string];
  if (formats.byteLength(domain) > DOMAIN_MAX) c.errors.push(tooLong(at, DOMAIN_MAX));
  const labels = domain.split('.');
  firstBadLabel(domain, labels, formats.dns1123Label, at, c);
  if (labels.length < 2)
    c.errors.push(invalidValue(at, domain, 'should be a domain with at least two segments separated by dots'));
  firstBadLabel(path, path.split('.'), formats.dns1123Subdomain, at, c);
  const max = DOMAIN_MAX + 1 + RESOURCE_NAME_MAX + NAMESPACE_MAX + 1;
  if (formats.byteLength(name) > max) c.errors.push(tooLong(at, max));
}

function firstBadLabel(
  text: string,
  labels: readonly string[],
  check: (label: string) => string[],
  at: Path,
  c: Check,
): void {
  const bad = labels.find((label) => check(label).length > 0);
  if (bad === undefined) return;
  for (const m of check(bad)) c.errors.push(invalidValue(at, text, `validating label ${JSON.stringify(bad)}: ${m}`));
}

/** Signers of Kubernetes itself. */
export function isKubernetesSigner(name: string): boolean {
  const host = name.split('/')[0]!;
  return host === 'kubernetes.io' || host.endsWith('.kubernetes.io');
}

/** Name of a ClusterTrustBundle: with a signer it starts with the signer's name, colons for slashes. */
export function validateTrustBundleName(name: string, prefix = false): string[] {
  const colon = name.lastIndexOf(':');
  const rest = colon < 0 ? name : name.slice(colon + 1);
  return formats.dns1123Subdomain(prefix && rest.endsWith('-') ? `${rest.slice(0, -1)}a` : rest);
}
