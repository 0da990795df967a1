import { forbiddenField, invalidValue, notSupported, Path, required as requiredError } from '../../machinery/field.js';
import { equalJson, type JsonObject, type KubeObject } from '../../machinery/json.js';
import { list, num, obj, ptr, str, strings } from '../access.js';
import { kind } from '../kind.js';
import type { Strategy } from '../strategy.js';
import {
  type Check,
  dnsLabel,
  dnsSubdomain,
  each,
  formats,
  goForm,
  type Rule,
  required,
  requiredWith,
  struct,
  whole,
} from '../validation/index.js';
import { conditionTypes } from './conditions.js';
import { mandatorySpec } from './mandatory.js';

const SPEC = new Path('spec');
const MAX_PRECEDENCE = 10000;
const METHODS = ['ByNamespace', 'ByUser'];
const VERBS = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'proxy', 'update', 'watch'];

const serviceAccount = struct('flowcontrol.v1.ServiceAccountSubject', {
  name: required((v, at, c) => {
    if (v !== '*') dnsSubdomain(v, at, c);
  }),
  namespace: requiredWith('must specify namespace for service account', dnsLabel),
});
/** By kind of subject: its field and what is wrong with that. */
const SUBJECTS: Readonly<Record<string, readonly [field: string, rule: Rule]>> = {
  ServiceAccount: ['serviceAccount', serviceAccount],
  User: ['user', struct('flowcontrol.v1.UserSubject', { name: required() })],
  Group: ['group', struct('flowcontrol.v1.GroupSubject', { name: required() })],
};

const subject: Rule = whole((o, at, c) => {
  const wanted = str(o, 'kind');
  const own = Object.hasOwn(SUBJECTS, wanted) ? SUBJECTS[wanted] : undefined;
  if (!own) {
    c.errors.push(notSupported(at.child('kind'), wanted, Object.keys(SUBJECTS).sort()));
    return;
  }
  const [field, rule] = own;
  if (o[field] === undefined)
    c.errors.push(requiredError(at.child(field), `${field} is required when subject kind is '${wanted}'`));
  else rule(o[field], at.child(field), c);
  for (const [name, [other]] of Object.entries(SUBJECTS))
    if (name !== wanted && o[other] !== undefined)
      c.errors.push(forbiddenField(at.child(other), `${other} is forbidden when subject kind is not '${name}'`));
});

/** A list in which `*` means all, and then stands alone; otherwise `rest` looks at it. */
function names(none: string, others: string, rest: Rule = () => {}): Rule {
  return requiredWith(none, (v, at, c) => {
    const all = v as string[];
    if (!all.includes('*')) rest(v, at, c);
    else if (all.length > 1)
      c.errors.push(invalidValue(at, all, `if '*' is present, must not specify other ${others}`));
  });
}

const verbs = names('verbs must contain at least one value', 'verbs', (v, at, c) => {
  if ((v as string[]).some((verb) => !VERBS.includes(verb))) c.errors.push(notSupported(at, v, VERBS));
});

function urlFault(url: string): string | undefined {
  if (url === '') return 'must not be empty';
  if (url === '/') return undefined;
  if (!url.startsWith('/')) return 'must start with slash';
  if (url.includes(' ')) return 'must not contain white-space';
  if (url.includes('//')) return 'must not contain double slash';
  const stars = url.split('*').length - 1;
  return stars > 1 || (stars === 1 && !url.endsWith('/*')) ? 'wildcard can only do suffix matching' : undefined;
}
const url: Rule = (v, at, c) => {
  const fault = urlFault(String(v));
  if (fault) c.errors.push(invalidValue(at, v, fault));
};

const namespace: Rule = (v, at, c) => {
  for (const m of formats.dns1123Label(String(v)))
    c.errors.push(invalidValue(at, v, `each member of this list must be '*' or a DNS-1123 label; ${m}`));
};
const namespaces: Rule = whole((o, at, c) => {
  const here = at.child('namespaces');
  const all = strings(o, 'namespaces');
  if (all.length === 0 && o.clusterScope !== true)
    c.errors.push(requiredError(here, 'resource rules that are not cluster scoped must supply at least one namespace'));
  else if (all.length > 0) names('', 'namespaces', each(namespace))(all, here, c);
});

const rule = struct('flowcontrol.v1.PolicyRulesWithSubjects', {
  subjects: requiredWith('subjects must contain at least one value', each(subject)),
  $some: whole((o, at, c) => {
    if (list(o, 'resourceRules').length + list(o, 'nonResourceRules').length === 0)
      c.errors.push(requiredError(at, 'at least one of resourceRules and nonResourceRules has to be non-empty'));
  }),
  resourceRules: each(
    struct('flowcontrol.v1.ResourcePolicyRule', {
      verbs,
      apiGroups: names('resource rules must supply at least one api group', 'api groups'),
      resources: names('resource rules must supply at least one resource', 'resources'),
      $namespaces: namespaces,
    }),
  ),
  nonResourceRules: each(
    struct('flowcontrol.v1.NonResourcePolicyRule', {
      verbs,
      nonResourceURLs: names('nonResourceURLs must contain at least one value', 'non-resource URLs', each(url)),
    }),
  ),
});

function precedence(name: string, spec: JsonObject, c: Check): void {
  const value = num(spec, 'matchingPrecedence');
  const fault = (text: string) => c.errors.push(invalidValue(SPEC.child('matchingPrecedence'), value, text));
  if (value <= 0) fault('must be a positive value');
  if (value > MAX_PRECEDENCE) fault(`must not be greater than ${MAX_PRECEDENCE}`);
  if (value === 1 && name !== 'exempt') fault("only the schema named 'exempt' may have matchingPrecedence 1");
}

const rules: Rule = whole((v, _, c) => {
  const o = v as KubeObject;
  const name = o.metadata.name ?? '';
  const spec = obj(o, 'spec');
  precedence(name, spec, c);
  const method = ptr(spec, 'distinguisherMethod');
  if (method && !METHODS.includes(str(method, 'type')))
    c.errors.push(
      notSupported(
        SPEC.child('distinguisherMethod', 'type'),
        goForm('flowcontrol.v1.FlowDistinguisherMethod', method),
        METHODS,
      ),
    );
  requiredWith('must reference a priority level', dnsSubdomain)(
    str(obj(spec, 'priorityLevelConfiguration'), 'name'),
    SPEC.child('priorityLevelConfiguration', 'name'),
    c,
  );
  each(rule)(spec.rules, SPEC.child('rules'), c);
  const fixed = mandatorySpec('FlowSchema', name);
  if (fixed && !equalJson(spec, fixed))
    c.errors.push(
      invalidValue(SPEC, goForm('flowcontrol.v1.FlowSchemaSpec', spec), `spec of '${name}' must equal the fixed value`),
    );
  conditionTypes(o, c);
});

export const flowSchema: Strategy = kind({
  group: 'flowcontrol.apiserver.k8s.io',
  kind: 'FlowSchema',
  rules,
  onUpdate: ['meta', 'rules'],
  subresources: { status: { rules: (o, _, c) => conditionTypes(o, c) } },
});
