import { isJsonObject, type JsonObject } from '../../machinery/json.js';
import { type Attributes, AUTHENTICATED_GROUP, type Authorizer, type Decision, type UserInfo } from '../contract.js';
import type { NonResourceRule, ResourceRule, RuleResolver, UserRules } from './contract.js';
import { urlMatches } from './rbac/rule.js';

/** One line of a policy file, in the terms of abac.authorization.kubernetes.io/v1beta1. `*` matches everything. */
export interface AbacPolicy {
  readonly user: string;
  readonly group: string;
  readonly namespace: string;
  readonly resource: string;
  readonly apiGroup: string;
  readonly nonResourcePath: string;
  readonly readonly: boolean;
}

const API_VERSION = 'abac.authorization.kubernetes.io/v1beta1';
const READS = new Set(['get', 'list', 'watch']);

/**
 * Reads a policy file: one JSON object a line, blank lines and lines with `#` skipped. Lines without apiVersion and kind
 * are in the old form.
 * @throws Error with file, line number and line
 */
export function parseAbacPolicies(text: string, path: string): AbacPolicy[] {
  const policies: AbacPolicy[] = [];
  text.split('\n').forEach((line, i) => {
    const trimmed = line.trim();
    if (trimmed === '' || trimmed.startsWith('#')) return;
    try {
      policies.push(parsePolicy(trimmed));
    } catch (e) {
      throw new Error(`error reading policy file ${path}, line ${i + 1}: ${line}: ${(e as Error).message}`);
    }
  });
  return policies;
}

function parsePolicy(line: string): AbacPolicy {
  const object: unknown = JSON.parse(line);
  if (!isJsonObject(object)) throw new Error('json: cannot unmarshal into a policy: not an object');
  if (object.apiVersion === undefined && object.kind === undefined) return fromOldForm(object);
  if (object.apiVersion !== API_VERSION || object.kind !== 'Policy') {
    throw new Error(
      `no kind ${JSON.stringify(object.kind ?? '')} is registered for version "${object.apiVersion ?? ''}"`,
    );
  }
  const spec = object.spec ?? {};
  if (!isJsonObject(spec)) throw new Error('spec: not an object');
  const policy = fieldsOf(spec);
  const everybody = policy.user === '*' || policy.group === '*';
  return everybody ? { ...policy, user: '', group: AUTHENTICATED_GROUP } : policy;
}

/** In the old form an empty field means everything, except that paths need an otherwise empty policy. */
function fromOldForm(object: JsonObject): AbacPolicy {
  const { user, group, namespace, resource, readonly } = fieldsOf(object);
  const everybody = (user === '' && group === '') || user === '*' || group === '*';
  return {
    user: everybody ? '' : user,
    group: everybody ? AUTHENTICATED_GROUP : group,
    namespace: namespace || '*',
    resource: resource || '*',
    apiGroup: '*',
    nonResourcePath: namespace === '' && resource === '' ? '*' : '',
    readonly,
  };
}

function fieldsOf(object: JsonObject): AbacPolicy {
  const text = (name: string): string => {
    const value = object[name] ?? '';
    if (typeof value !== 'string') throw new Error(`${name}: expected a string`);
    return value;
  };
  const readonly = object.readonly ?? false;
  if (typeof readonly !== 'boolean') throw new Error('readonly: expected true or false');
  return {
    user: text('user'),
    group: text('group'),
    namespace: text('namespace'),
    resource: text('resource'),
    apiGroup: text('apiGroup'),
    nonResourcePath: text('nonResourcePath'),
    readonly,
  };
}

/** `--authorization-mode=ABAC`: allowed is what any policy of the file allows. */
export class AbacAuthorizer implements Authorizer, RuleResolver {
  readonly name = 'ABAC';
  readonly #policies: readonly AbacPolicy[];

  constructor(policies: readonly AbacPolicy[]) {
    this.#policies = policies;
  }

  authorize(attributes: Attributes): Decision {
    const policy = this.#policies.find((p) => matches(p, attributes));
    if (policy) return { verdict: 'Allow', reason: '', by: this.name, evidence: { policy: { ...policy } } };
    return { verdict: 'NoOpinion', reason: 'No policy matched.', by: this.name };
  }

  rulesFor(user: UserInfo, namespace: string): UserRules {
    const resourceRules: ResourceRule[] = [];
    const nonResourceRules: NonResourceRule[] = [];
    for (const p of this.#policies) {
      if (!subjectMatches(p, user) || (p.namespace !== '*' && p.namespace !== namespace)) continue;
      const verbs = p.readonly ? [...READS] : ['*'];
      if (p.resource) resourceRules.push({ verbs, apiGroups: [p.apiGroup], resources: [p.resource] });
      if (p.nonResourcePath) nonResourceRules.push({ verbs, nonResourceURLs: [p.nonResourcePath] });
    }
    return { resourceRules, nonResourceRules, incomplete: false, errors: [] };
  }
}

function matches(p: AbacPolicy, a: Attributes): boolean {
  if (!subjectMatches(p, a.user) || (p.readonly && !READS.has(a.verb))) return false;
  if (!a.isResourceRequest) return urlMatches(p.nonResourcePath, a.path);
  return (
    (p.namespace === '*' || p.namespace === a.namespace) &&
    (p.resource === '*' || p.resource === a.resource) &&
    (p.apiGroup === '*' || p.apiGroup === a.group)
  );
}

/** A policy with neither user nor group is for nobody. */
function subjectMatches(p: AbacPolicy, { name, groups }: UserInfo): boolean {
  if (p.user === '' && p.group === '') return false;
  if (p.user !== '' && p.user !== name) return false;
  return p.group === '' || groups.includes(p.group);
}
