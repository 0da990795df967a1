import { invalidValue, type Path, required, tooLong } from '../../machinery/field.js';
import { type Check, formats } from '../validation/index.js';

const NAMESPACE_MAX = 63;
const RESOURCE_NAME_MAX = 253;

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
  for (const m of formats.dns1123Subdomain(domain)) c.errors.push(invalidValue(at, domain, `validating label ${m}`));
  if (domain.split('.').length < 2)
    c.errors.push(invalidValue(at, domain, 'should be a domain with at least two segments separated by dots'));
  const labels = path.split('.');
  for (const label of labels) {
    for (const m of formats.dns1035Label(label))
      c.errors.push(invalidValue(at, path, `validating label "${label}": ${m}`));
  }
  const max = RESOURCE_NAME_MAX + NAMESPACE_MAX + 1 + 253;
  if (formats.byteLength(name) > max) c.errors.push(tooLong(at, max));
}

/** Name of a ClusterTrustBundle: with a signer it starts with the signer's name, colons for slashes. */
export function validateTrustBundleName(name: string, prefix = false): string[] {
  const colon = name.lastIndexOf(':');
  const rest = colon < 0 ? name : name.slice(colon + 1);
  return formats.dns1123Subdomain(prefix && rest.endsWith('-') ? `${rest.slice(0, -1)}a` : rest);
}
