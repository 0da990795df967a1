import type { JsonValue } from '../../machinery/json.js';

type Computed = (of: JsonValue | undefined, env: { now(): string }) => JsonValue | undefined;

const DOMAIN =
  /^[a-zA-Z0-9]+(?:-+[a-zA-Z0-9]+)*(?:\.[a-zA-Z0-9]+(?:-+[a-zA-Z0-9]+)*)*(?::[0-9]+)?$|^\[[a-fA-F0-9:]+\](?::[0-9]+)?$/;
const COMPONENT = /^[a-z0-9]+(?:(?:\.|__|_|-+)[a-z0-9]+)*$/;
const TAG = /^\w[\w.-]{0,127}$/;
const DIGEST = /^[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}$/;

/** Tag of an image reference: `latest` when it has neither tag nor digest, undefined when it is no reference at all. */
function imageTag(image: string): string | undefined {
  const at = image.indexOf('@');
  if (at >= 0 && !DIGEST.test(image.slice(at + 1))) return undefined;
  let name = at < 0 ? image : image.slice(0, at);
  // The tag follows the last colon after the last slash, so that a registry's port is not taken for one.
  const colon = name.indexOf(':', name.lastIndexOf('/') + 1);
  let tag = '';
  if (colon >= 0) {
    tag = name.slice(colon + 1);
    if (!TAG.test(tag)) return undefined;
    name = name.slice(0, colon);
  }
  const parts = name.split('/');
  if (parts.length > 1 && (/[.:A-Z]/.test(parts[0]!) || parts[0] === 'localhost')) {
    if (!DOMAIN.test(parts.shift()!)) return undefined;
  }
  if (!parts.every((p) => COMPONENT.test(p))) return undefined;
  return tag || (at < 0 ? 'latest' : '');
}

/** `Always` for an image that follows the moving tag `latest`, else (broken references included) `IfNotPresent`. */
export function pullPolicyOf(image: string): string {
  return imageTag(image) === 'latest' ? 'Always' : 'IfNotPresent';
}

const str = (v: JsonValue | undefined) => (typeof v === 'string' ? v : '');
const FUNCTIONS: Record<string, Computed> = {
  pullPolicy: (of) => pullPolicyOf(str(of)),
  clear: () => undefined,
  now: (_, env) => env.now(),
  lower: (of) => str(of).toLowerCase() || undefined,
  'suffix:List': (of) => `${str(of)}List`,
};

/** The function that a rule's value `{fn: name}` names; an unknown one is a fault of the catalog. */
export function computed(name: string): Computed {
  const fn = FUNCTIONS[name];
  if (!fn) throw new Error(`defaults name an unknown function ${name}`);
  return fn;
}
