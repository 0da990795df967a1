import {
  duplicate,
  forbiddenField,
  invalidValue,
  notSupported,
  type Path,
  required as requiredError,
} from '../../machinery/field.js';
import type { JsonObject } from '../../machinery/json.js';
import { list, str, strings } from '../access.js';
import {
  type Check,
  dnsSubdomain,
  each,
  formats,
  ifPresent,
  oneOf,
  oneOfInOrder,
  pathSegment,
  type Rule,
  required,
  requiredPresent,
  struct,
  validateLabelSelector,
  whole,
} from '../validation/index.js';

/** A list in which `*` means all, and then stands alone. */
function wildcards(what: string): Rule {
  return required((v, at, c) => {
    const all = v as string[];
    if (all.length > 1 && all.includes('*'))
      c.errors.push(invalidValue(at, all, `if '*' is present, must not specify other ${what}`));
  });
}

/** `pods`, `pods/status`, `*`, `*` for both parts, or for either of them. */
const resources: Rule = required((v, at, c) => {
  const all = v as string[];
  const anySub = new Set<string>();
  const anyResource = new Set<string>();
  let withoutSub = false;
  all.forEach((text, i) => {
    const here = at.index(i);
    if (text === '') {
      c.errors.push(requiredError(here));
      return;
    }
    const slash = text.indexOf('/');
    if (slash < 0) {
      // Only the last one without a subresource counts.
      withoutSub = text !== '*';
      return;
    }
    const [resource, sub] = [text.slice(0, slash), text.slice(slash + 1)];
    const covered = (by: string) =>
      c.errors.push(invalidValue(here, text, `if '${by}' is present, must not specify ${text}`));
    if (anySub.has(resource)) covered(`${resource}/*`);
    if (anyResource.has(sub)) covered(`*/${sub}`);
    if (sub === '*') anySub.add(resource);
    if (resource === '*') anyResource.add(sub);
  });
  if (all.length > 1 && all.includes('*/*'))
    c.errors.push(invalidValue(at, all, "if '*/*' is present, must not specify other resources"));
  if (all.includes('*') && withoutSub)
    c.errors.push(invalidValue(at, all, "if '*' is present, must not specify other resources without subresources"));
});

const operations = oneOf('*', 'CONNECT', 'CREATE', 'DELETE', 'UPDATE');
const ruleTable = {
  operations: [wildcards('operations'), each(operations)],
  apiGroups: wildcards('API groups'),
  apiVersions: [wildcards('API versions'), each(required())],
  resources,
  scope: ifPresent(oneOf('*', 'Cluster', 'Namespaced')),
};
/** admissionregistration.v1.RuleWithOperations. */
export const ruleWithOperations = struct('admissionregistration.v1.RuleWithOperations', ruleTable);

const resourceNames: Rule = (v, at, c) => {
  const seen = new Set<string>();
  (Array.isArray(v) ? (v as string[]) : []).forEach((name, i) => {
    pathSegment(name, at.index(i), c);
    if (seen.has(name)) c.errors.push(duplicate(at.index(i), name));
    seen.add(name);
  });
};
const namedRule = struct('admissionregistration.v1.NamedRuleWithOperations', { resourceNames, ...ruleTable });

const selector = requiredPresent('', (v, at, c) => validateLabelSelector(v as JsonObject, at, c));
export const matchPolicy = oneOf('Equivalent', 'Exact');

/** admissionregistration.v1.MatchResources. */
export const matchResources = struct('admissionregistration.v1.MatchResources', {
  matchPolicy: requiredPresent('', matchPolicy),
  namespaceSelector: selector,
  objectSelector: selector,
  resourceRules: each(namedRule),
  excludeResourceRules: each(namedRule),
});

const MUTATING = ['*', 'CONNECT', 'CREATE', 'UPDATE'];
/** Nothing is left to be mutated of what is deleted. */
export function mutatingOperations(match: JsonObject | undefined, at: Path, c: Check): void {
  for (const rule of list(match, 'resourceRules'))
    for (const operation of strings(rule, 'operations'))
      if (!MUTATING.includes(operation))
        c.errors.push(notSupported(at.child('resourceRules', 'operations'), operation, MUTATING));
}

/** admissionregistration.v1.ParamKind. */
export const paramKind = struct('admissionregistration.v1.ParamKind', {
  apiVersion: required((v, at, c) => {
    const text = String(v);
    const parts = text === '/' ? ['', ''] : text.split('/');
    const fault = (value: string, why: string) => c.errors.push(invalidValue(at, value, why));
    if (parts.length > 2) {
      fault(text, `unexpected GroupVersion string: ${text}`);
      return;
    }
    const [group, version] = parts.length === 2 ? [parts[0]!, parts[1]!] : ['', parts[0]!];
    const faults = group ? formats.dns1123Subdomain(group) : [];
    if (faults.length > 0) fault(group, faults.join(','));
    const versionFaults = formats.dns1035Label(version);
    if (version === '') fault(text, 'version must be specified');
    else if (versionFaults.length > 0) fault(version, versionFaults.join(','));
  }),
  kind: required((v, at, c) => {
    const faults = formats.dns1035Label(String(v).toLowerCase());
    if (faults.length > 0)
      c.errors.push(invalidValue(at, v, `may have mixed case, but should otherwise match: ${faults.join(',')}`));
  }),
});

const EXCLUSIVE = 'name and selector are mutually exclusive';
/** admissionregistration.v1.ParamRef. */
export const paramRef: Rule = whole((o, at, c) => {
  const name = str(o, 'name');
  if (name) {
    pathSegment(name, at.child('name'), c);
    if (o.selector !== undefined) c.errors.push(forbiddenField(at.child('name'), EXCLUSIVE));
  }
  if (o.selector !== undefined) {
    validateLabelSelector(o.selector as JsonObject, at.child('selector'), c);
    if (name) c.errors.push(forbiddenField(at.child('selector'), EXCLUSIVE));
  }
  if (!name && o.selector === undefined) c.errors.push(requiredError(at, 'one of name or selector must be specified'));
  required(oneOfInOrder('Deny', 'Allow'))(str(o, 'parameterNotFoundAction'), at.child('parameterNotFoundAction'), c);
});

export const policyName = required(dnsSubdomain);
export const failurePolicy = oneOf('Fail', 'Ignore');
export const reinvocationPolicy = oneOf('IfNeeded', 'Never');

/** Names that files on the server may claim. */
const STATIC = '.static.k8s.io';
const RESERVED = `names ending with "${STATIC}" are reserved for static manifest-based configurations and cannot be managed via the API`;
export function reservedName(name: string, c: Check): void {
  if (!c.old && c.gate('ManifestBasedAdmissionControlConfig') && name.endsWith(STATIC))
    c.errors.push(invalidValue('metadata.name', name, RESERVED));
}
export function reservedNameWarnings(name: string, onCreate: boolean, gate: (name: string) => boolean): string[] {
  const refused = onCreate && gate('ManifestBasedAdmissionControlConfig');
  return name.endsWith(STATIC) && !refused ? [`metadata.name: ${RESERVED}`] : [];
}
