import { decodeConfigFile } from '../../auth/authorization/config-file.js';
import { urlMatches } from '../../auth/authorization/rbac/rule.js';
import type { Attributes, UserInfo } from '../../auth/contract.js';
import {
  type FieldError,
  fieldErrorsMessage,
  invalidValue,
  notSupported,
  Path,
  required,
} from '../../machinery/field.js';
import type { AuditLevel, AuditStage } from './contract.js';

export interface AuditPolicy {
  readonly rules: readonly AuditRule[];
  readonly omitStages: readonly AuditStage[];
  readonly omitManagedFields: boolean;
}
export interface AuditRule {
  readonly level: AuditLevel;
  readonly users: readonly string[];
  readonly userGroups: readonly string[];
  readonly verbs: readonly string[];
  readonly resources: readonly GroupResources[];
  readonly namespaces: readonly string[];
  readonly nonResourceURLs: readonly string[];
  readonly omitStages: readonly AuditStage[];
  readonly omitManagedFields: boolean | undefined;
}
export interface GroupResources {
  readonly group: string;
  readonly resources: readonly string[];
  readonly resourceNames: readonly string[];
}

/** What the policy wants of one request. */
export interface RequestAudit {
  readonly level: AuditLevel;
  readonly omitStages: ReadonlySet<AuditStage>;
  readonly omitManagedFields: boolean;
}

const SHAPE = {
  metadata: 'any',
  omitStages: ['string'],
  omitManagedFields: 'boolean',
  rules: [
    {
      level: 'string',
      users: ['string'],
      userGroups: ['string'],
      verbs: ['string'],
      resources: [{ group: 'string', resources: ['string'], resourceNames: ['string'] }],
      namespaces: ['string'],
      nonResourceURLs: ['string'],
      omitStages: ['string'],
      omitManagedFields: 'boolean',
    },
  ],
} as const;
const LEVELS = ['None', 'Metadata', 'Request', 'RequestResponse'];
const STAGES = ['RequestReceived', 'ResponseStarted', 'ResponseComplete', 'Panic'];

/**
 * Reads the file of `--audit-policy-file`. Fields that do not exist are reported through `warn` and skipped, as
 * kube-apiserver does.
 * @throws Error that says what is wrong
 */
export function parseAuditPolicy(text: string, warn: (message: string) => void): AuditPolicy {
  const value = decodeConfigFile(text, 'Policy', ['audit.k8s.io/v1'], SHAPE, (faults) =>
    warn(`Audit policy contains errors, falling back to lenient decoding: strict decoding error: ${faults.join(', ')}`),
  );
  const policy: AuditPolicy = {
    omitStages: (value.omitStages ?? []) as AuditStage[],
    omitManagedFields: value.omitManagedFields === true,
    rules: ((value.rules ?? []) as Partial<AuditRule>[]).map((rule) => ({
      level: rule.level ?? ('' as AuditLevel),
      users: rule.users ?? [],
      userGroups: rule.userGroups ?? [],
      verbs: rule.verbs ?? [],
      resources: (rule.resources ?? []).map(({ group = '', resources = [], resourceNames = [] }) => ({
        group,
        resources: resources ?? [],
        resourceNames: resourceNames ?? [],
      })),
      namespaces: rule.namespaces ?? [],
      nonResourceURLs: rule.nonResourceURLs ?? [],
      omitStages: rule.omitStages ?? [],
      omitManagedFields: rule.omitManagedFields ?? undefined,
    })),
  };
  const errors = validateAuditPolicy(policy);
  if (errors.length > 0) throw new Error(fieldErrorsMessage(errors));
  if (policy.rules.length === 0) throw new Error('loaded illegal policy with 0 rules');
  return policy;
}

function validateAuditPolicy(policy: AuditPolicy): FieldError[] {
  const errors = stageErrors(policy.omitStages, new Path('omitStages'));
  const list = new Path('rules');
  for (const [i, rule] of policy.rules.entries()) {
    const at = list.index(i);
    if ((rule.level as string) === '') errors.push(required(at.child('level')));
    else if (!LEVELS.includes(rule.level)) errors.push(notSupported(at.child('level'), rule.level, LEVELS));
    errors.push(...urlErrors(rule.nonResourceURLs, at.child('nonResourceURLs')));
    errors.push(...resourceErrors(rule.resources, at.child('resources')));
    errors.push(...stageErrors(rule.omitStages, at.child('omitStages')));
    if (rule.nonResourceURLs.length > 0 && (rule.resources.length > 0 || rule.namespaces.length > 0)) {
      const text = 'rules cannot apply to both regular resources and non-resource URLs';
      errors.push(invalidValue(at.child('nonResourceURLs'), [...rule.nonResourceURLs], text));
    }
  }
  return errors;
}

function stageErrors(stages: readonly string[], at: Path): FieldError[] {
  return stages.flatMap((stage, i) =>
    STAGES.includes(stage) ? [] : [invalidValue(at.index(i), stage, `allowed stages are ${STAGES.join(',')}`)],
  );
}

function urlErrors(urls: readonly string[], at: Path): FieldError[] {
  const errors: FieldError[] = [];
  for (const [i, url] of urls.entries()) {
    if (url === '*') continue;
    if (!url.startsWith('/')) {
      errors.push(invalidValue(at.index(i), url, "non-resource URL rules must begin with a '/' character"));
    }
    if (url.slice(0, -1).includes('*')) {
      const text = "non-resource URL wildcards '*' must be the final character of the rule";
      errors.push(invalidValue(at.index(i), url, text));
    }
  }
  return errors;
}

const DNS_NAME = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const DNS_TEXT =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";

function resourceErrors(resources: readonly GroupResources[], at: Path): FieldError[] {
  const errors: FieldError[] = [];
  for (const { group, resources: names, resourceNames } of resources) {
    if (group !== '' && group !== '*' && !DNS_NAME.test(group)) {
      errors.push(invalidValue(at.child('group'), group, DNS_TEXT));
    }
    if (resourceNames.length > 0 && names.length === 0) {
      const text = 'using resourceNames requires at least one resource';
      errors.push(invalidValue(at.child('resourceNames'), [...resourceNames], text));
    }
  }
  return errors;
}

/** Makes the policy into a function. The first rule that matches decides; without one nothing is recorded. */
export function policyEvaluator(
  policy: AuditPolicy,
): (attributes: Attributes, user: UserInfo | undefined) => RequestAudit {
  const compiled = policy.rules.map((rule) => ({
    rule,
    audit: {
      level: rule.level,
      omitStages: new Set([...policy.omitStages, ...rule.omitStages]),
      omitManagedFields: rule.omitManagedFields ?? policy.omitManagedFields,
    },
  }));
  const none: RequestAudit = { level: 'None', omitStages: new Set(), omitManagedFields: false };
  return (attributes, user) => compiled.find(({ rule }) => ruleMatches(rule, attributes, user))?.audit ?? none;
}

function ruleMatches(rule: AuditRule, a: Attributes, user: UserInfo | undefined): boolean {
  if (rule.users.length > 0 && (!user || !rule.users.includes(user.name))) return false;
  if (rule.userGroups.length > 0 && !user?.groups.some((g) => rule.userGroups.includes(g))) return false;
  if (rule.verbs.length > 0 && !rule.verbs.includes(a.verb)) return false;
  if (rule.namespaces.length > 0 || rule.resources.length > 0) {
    if (!a.isResourceRequest) return false;
    if (rule.namespaces.length > 0 && !rule.namespaces.includes(a.namespace)) return false;
    return rule.resources.length === 0 || rule.resources.some((r) => resourcesMatch(r, a));
  }
  if (rule.nonResourceURLs.length > 0) {
    return !a.isResourceRequest && rule.nonResourceURLs.some((url) => urlMatches(url, a.path));
  }
  return true;
}

function resourcesMatch({ group, resources, resourceNames }: GroupResources, a: Attributes): boolean {
  if (group !== a.group && group !== '*') return false;
  if (resources.length === 0) return true;
  if (resourceNames.length > 0 && !resourceNames.includes(a.name)) return false;
  const { resource, subresource } = a;
  const combined = subresource ? `${resource}/${subresource}` : resource;
  return resources.some(
    (r) => r === '*' || r === combined || (subresource !== '' && r === `*/${subresource}`) || r === `${resource}/*`,
  );
}
