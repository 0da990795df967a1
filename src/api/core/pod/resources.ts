import {
  duplicate,
  FieldError,
  forbiddenField,
  invalidValue,
  notSupported,
  type Path,
  required,
} from '../../../machinery/field.js';
import { getOwn, type JsonObject, type JsonValue } from '../../../machinery/json.js';
import { Quantity } from '../../../machinery/quantity.js';
import { list, obj, str } from '../../access.js';
import { type Check, dnsLabel, formats, invalidEach, type Rule } from '../../validation/index.js';
import type { PodCheck } from './check.js';

const COUNTED = [
  'pods',
  'resourcequotas',
  'services',
  'replicationcontrollers',
  'secrets',
  'configmaps',
  'persistentvolumeclaims',
  'services.nodeports',
  'services.loadbalancers',
];
const CONTAINER = ['cpu', 'memory', 'ephemeral-storage'];
const QUOTA = [
  ...CONTAINER,
  ...CONTAINER.map((r) => `requests.${r}`),
  ...CONTAINER.map((r) => `limits.${r}`),
  'requests.storage',
  ...COUNTED,
];
const integers = new Set(COUNTED);
const container = new Set(CONTAINER);
const quota = new Set(QUOTA);
const standard = new Set([...QUOTA, 'storage']);

export const isHugePages = (name: string): boolean => name.startsWith('hugepages-');
const isQuotaHugePages = (name: string) => isHugePages(name) || name.startsWith('requests.hugepages-');
/** Without a domain, or in that of Kubernetes. */
export const isNative = (name: string): boolean => !name.includes('/') || name.includes('kubernetes.io/');
export function isExtended(name: string): boolean {
  if (isNative(name) || name.startsWith('requests.')) return false;
  return formats.qualifiedName(`requests.${name}`).length === 0;
}
const isInteger = (name: string) => integers.has(name) || isExtended(name);
/** Requests below the limit make sense: true for cpu and the like, false for devices and huge pages. */
export const mayOvercommit = (name: string): boolean => isNative(name) && !isHugePages(name);
export const isStandardQuotaResource = (name: string): boolean => quota.has(name) || isQuotaHugePages(name);

type NameRule = (name: string, at: Path, c: Check) => void;

/** A known name, or one with a domain. Tells whether it was well formed. */
export function validateResourceName(name: string, at: Path, c: Check): boolean {
  const before = c.errors.length;
  invalidEach(c, at, name, formats.qualifiedName(name));
  if (c.errors.length === before && !name.includes('/') && !standard.has(name) && !isQuotaHugePages(name))
    c.errors.push(invalidValue(at, name, 'must be a standard resource type or fully qualified'));
  return c.errors.length === before;
}

export const validateContainerResourceName: NameRule = (name, at, c) => {
  validateResourceName(name, at, c);
  if (!name.includes('/')) {
    if (!container.has(name) && !isHugePages(name))
      c.errors.push(invalidValue(at, name, 'must be a standard resource for containers'));
  } else if (name.split('/').length === 2 || !isNative(name)) {
    if (!isNative(name) && !isExtended(name))
      c.errors.push(invalidValue(at, name, "doesn't follow extended resource name standard"));
  }
};

const validatePodResourceName: NameRule = (name, at, c) => {
  if (!validateResourceName(name, at, c)) return;
  if (name !== 'cpu' && name !== 'memory' && !isHugePages(name))
    c.errors.push(notSupported(at, name, ['cpu', 'hugepages-', 'memory']));
};

export const quantity = (v: JsonValue | undefined): Quantity =>
  Quantity.parse(typeof v === 'string' ? v : String(v ?? 0));

/** A resource's amount: not negative, and whole where it counts things. */
export function validateAmount(name: string, v: JsonValue | undefined, at: Path, c: Check): void {
  const q = quantity(v);
  nonNegativeQuantity(v, at, c);
  if (isInteger(name) && !q.isInteger()) c.errors.push(invalidValue(at, q.toString(), 'must be an integer'));
}
export const nonNegativeQuantity: Rule = (v, at, c) => {
  if (quantity(v).sign() < 0)
    c.errors.push(invalidValue(at, quantity(v).toString(), 'must be greater than or equal to 0'));
};
export const positiveQuantity: Rule = (v, at, c) => {
  if (quantity(v).sign() <= 0) c.errors.push(invalidValue(at, quantity(v).toString(), 'must be greater than zero'));
};

/** Whether a number of bytes is a multiple of the page size that its name ends in. */
export function dividesIntoPages(name: string, q: Quantity): boolean {
  let page: Quantity;
  try {
    page = Quantity.parse(name.slice('hugepages-'.length));
  } catch {
    return false;
  }
  const size = page.valueRounded();
  return size > 0n && q.valueRounded() % size === 0n;
}

function claimNames(claims: readonly JsonObject[], at: Path, c: PodCheck): void {
  const seen = new Set<string>();
  claims.forEach((claim, i) => {
    const here = at.index(i);
    const name = str(claim, 'name');
    const request = str(claim, 'request');
    if (name === '') {
      c.errors.push(required(here));
      return;
    }
    if (seen.has(name)) c.errors.push(duplicate(here, name));
    else {
      if (request) dnsLabel(request, here.child('request'), c);
      const key = request ? `${name}/${request}` : name;
      if (seen.has(key)) c.errors.push(duplicate(here, key));
      else if (!request)
        for (const other of seen) if (other.startsWith(`${name}/`)) c.errors.push(duplicate(here, name));
      seen.add(key);
    }
    if (c.claims.has(name)) return;
    const known = c.claims.size === 0 ? ' which is empty' : `: ${[...c.claims].sort().join(', ')}`;
    const text = `Not found: ${JSON.stringify(name)}: must be one of the names in pod.spec.resourceClaims${known}`;
    c.errors.push(new FieldError('FieldValueNotFound', here.text, text));
  });
}

/** core.v1.ResourceRequirements; pods and containers know different resources. */
function requirements(checkName: NameRule): Rule<PodCheck> {
  return (v, at, c) => {
    const resources = (v ?? {}) as JsonObject;
    const limits = obj(resources, 'limits');
    const requests = obj(resources, 'requests');
    const one = (name: string, amount: JsonValue | undefined, here: Path, between: () => void = () => {}) => {
      checkName(name, here, c);
      validateAmount(name, amount, here, c);
      between();
      const q = quantity(amount);
      if (isHugePages(name) && !c.lenient.hugePages && !dividesIntoPages(name, q))
        c.errors.push(invalidValue(here, q.toString(), `${q} is not positive integer multiple of ${name}`));
    };
    for (const name of Object.keys(limits).sort()) one(name, limits[name], at.child('limits').key(name));
    for (const name of Object.keys(requests).sort())
      one(name, requests[name], at.child('requests').key(name), () => {
        const q = quantity(requests[name]);
        const where = at.child('requests');
        const limited = getOwn(limits, name);
        if (limited === undefined) {
          if (!mayOvercommit(name))
            c.errors.push(required(at.child('limits'), 'Limit must be set for non overcommitable resources'));
          return;
        }
        const limit = quantity(limited);
        const order = q.compare(limit);
        if (order !== 0 && !mayOvercommit(name))
          c.errors.push(invalidValue(where, q.toString(), `must be equal to ${name} limit of ${limit}`));
        else if (order > 0)
          c.errors.push(invalidValue(where, q.toString(), `must be less than or equal to ${name} limit of ${limit}`));
      });
    const names = [...Object.keys(limits), ...Object.keys(requests)];
    if (names.some(isHugePages) && !names.includes('cpu') && !names.includes('memory'))
      c.errors.push(forbiddenField(at, 'HugePages require cpu or memory'));
    claimNames(list(resources, 'claims'), at.child('claims'), c);
  };
}
export const containerResources = requirements(validateContainerResourceName);
export const podResources = requirements(validatePodResourceName);
