import type { Attributes, UserInfo } from '../../auth/contract.js';
import type { FlowSchema, NonResourceRule, PolicyRule, ResourceRule, Subject } from './configuration.js';

type Matches<T> = (value: T) => boolean;

/** The rules of a FlowSchema, made ready once for every request to come. */
export function schemaMatcher(schema: FlowSchema): Matches<Attributes> {
  const rules = (schema.spec.rules ?? []).map(ruleMatcher);
  return (attributes) => {
    for (const matches of rules) if (matches(attributes)) return true;
    return false;
  };
}

function ruleMatcher({ subjects = [], resourceRules = [], nonResourceRules = [] }: PolicyRule): Matches<Attributes> {
  const subject = subjectsMatcher(subjects);
  const resource = resourceRules.map(resourceMatcher);
  const nonResource = nonResourceRules.map(nonResourceMatcher);
  return (attributes) => {
    if (!subject(attributes.user)) return false;
    for (const matches of attributes.isResourceRequest ? resource : nonResource) {
      if (matches(attributes)) return true;
    }
    return false;
  };
}

function subjectsMatcher(subjects: readonly Subject[]): Matches<UserInfo> {
  const users = new Set<string>();
  const groups = new Set<string>();
  /** Of namespaces all of whose service accounts are meant. */
  const prefixes: string[] = [];
  for (const { kind, user, group, serviceAccount } of subjects) {
    if (kind === 'User' && user) users.add(user.name);
    else if (kind === 'Group' && group) groups.add(group.name);
    else if (kind === 'ServiceAccount' && serviceAccount) {
      const { namespace, name } = serviceAccount;
      if (name === '*') prefixes.push(`system:serviceaccount:${namespace}:`);
      else users.add(`system:serviceaccount:${namespace}:${name}`);
    }
  }
  if (users.has('*') || groups.has('*')) return () => true;
  return (user) => {
    if (users.size > 0 && users.has(user.name)) return true;
    if (groups.size > 0) for (const group of user.groups) if (groups.has(group)) return true;
    for (const prefix of prefixes) if (user.name.startsWith(prefix)) return true;
    return false;
  };
}

function resourceMatcher(rule: ResourceRule): Matches<Attributes> {
  const verb = among(rule.verbs);
  const group = among(rule.apiGroups);
  const resource = among(rule.resources);
  const namespace = among(rule.namespaces ?? []);
  const clusterScope = rule.clusterScope === true;
  return (a) =>
    verb(a.verb) &&
    resource(a.subresource ? `${a.resource}/${a.subresource}` : a.resource) &&
    group(a.group) &&
    (a.namespace === '' ? clusterScope : namespace(a.namespace));
}

function nonResourceMatcher(rule: NonResourceRule): Matches<Attributes> {
  const verb = among(rule.verbs);
  const urls = rule.nonResourceURLs.map((url) => ({ url, below: `${url.replace(/\/?\*?$/, '')}/` }));
  const any = rule.nonResourceURLs.includes('*');
  return ({ verb: v, path }) =>
    verb(v) && (any || urls.some(({ url, below }) => path === url || path.startsWith(below)));
}

function among(values: readonly string[]): Matches<string> {
  if (values.includes('*')) return () => true;
  if (values.length === 1) return (v) => v === values[0];
  const set = new Set(values);
  return (v) => set.has(v);
}
