import { invalidValue, notSupported, Path, required as requiredError } from '../../machinery/field.js';
import { equalJson, type JsonObject, type KubeObject } from '../../machinery/json.js';
import { list, obj, ptr, str, strings } from '../access.js';
import { isUsableSelector } from '../apps/selector.js';
import type { GroupStrategies } from '../index.js';
import { kind, type UpdateStep } from '../kind.js';
import type { Strategy } from '../strategy.js';
import {
  type Check,
  dnsSubdomain,
  each,
  goForm,
  newCheck,
  oneOfInOrder,
  pathSegment,
  type Rule,
  required,
  requiredWith,
  struct,
  validateLabelSelector,
  whole,
} from '../validation/index.js';

const GROUP = 'rbac.authorization.k8s.io';
/** What is wrong with the whole comes before what changed. */
const ON_UPDATE: readonly UpdateStep[] = ['meta', 'rules', 'change', 'updateRules'];

const policyRule = (namespaced: boolean): Rule =>
  whole((o, at, c) => {
    requiredWith('verbs must contain at least one value')(o.verbs, at.child('verbs'), c);
    const urls = strings(o, 'nonResourceURLs');
    const fault = (text: string) => c.errors.push(invalidValue(at.child('nonResourceURLs'), urls, text));
    if (urls.length === 0) {
      requiredWith('resource rules must supply at least one api group')(o.apiGroups, at.child('apiGroups'), c);
      requiredWith('resource rules must supply at least one resource')(o.resources, at.child('resources'), c);
      return;
    }
    if (namespaced) fault('namespaced rules cannot apply to non-resource URLs');
    if (['apiGroups', 'resources', 'resourceNames'].some((name) => strings(o, name).length > 0))
      fault('rules cannot apply to both regular resources and non-resource URLs');
  });

const selectorsOf = (role: KubeObject | undefined): JsonObject[] =>
  list(ptr(role, 'aggregationRule'), 'clusterRoleSelectors');

function hasOddSelector(role: KubeObject | undefined): boolean {
  const c = newCheck(() => true);
  for (const selector of selectorsOf(role)) validateLabelSelector(selector, new Path(), c);
  return c.errors.length > 0;
}

function aggregation(role: KubeObject, c: Check): void {
  if (role.aggregationRule === undefined) return;
  const at = new Path('aggregationRule').child('clusterRoleSelectors');
  const selectors = selectorsOf(role);
  const lenient = hasOddSelector(c.old);
  if (selectors.length === 0)
    c.errors.push(requiredError(at, 'at least one clusterRoleSelector required if aggregationRule is non-nil'));
  selectors.forEach((selector, i) => {
    validateLabelSelector(selector, at.index(i), c, lenient);
    if (!isUsableSelector(selector, at.index(i)))
      c.errors.push(invalidValue(at.index(i), null, 'invalid label selector.'));
  });
}

const role = kind({
  group: GROUP,
  kind: 'Role',
  rules: struct('rbac.v1.Role', { rules: each(policyRule(true)) }),
  onUpdate: ON_UPDATE,
});

const clusterRole = kind({
  group: GROUP,
  kind: 'ClusterRole',
  rules: struct('rbac.v1.ClusterRole', {
    rules: each(policyRule(false)),
    $aggregation: whole((o, _, c) => aggregation(o as KubeObject, c)),
  }),
  onUpdate: ON_UPDATE,
});

const subject = (namespaced: boolean): Rule =>
  whole((o, at, c) => {
    const group = str(o, 'apiGroup');
    const name = str(o, 'name');
    if (name === '') c.errors.push(requiredError(at.child('name')));
    switch (str(o, 'kind')) {
      case 'ServiceAccount':
        if (name) dnsSubdomain(name, at.child('name'), c);
        if (group) c.errors.push(notSupported(at.child('apiGroup'), group, ['']));
        if (!namespaced && str(o, 'namespace') === '') c.errors.push(requiredError(at.child('namespace')));
        break;
      case 'User':
      case 'Group':
        oneOfInOrder(GROUP)(group, at.child('apiGroup'), c);
        break;
      default:
        c.errors.push(notSupported(at.child('kind'), str(o, 'kind'), ['ServiceAccount', 'User', 'Group']));
    }
  });

function binding(kindName: string, roleKinds: readonly string[]): Strategy {
  return kind({
    group: GROUP,
    kind: kindName,
    rules: struct(`rbac.v1.${kindName}`, {
      roleRef: struct('rbac.v1.RoleRef', {
        apiGroup: oneOfInOrder(GROUP),
        kind: oneOfInOrder(...roleKinds),
        name: required(pathSegment),
      }),
      subjects: each(subject(kindName === 'RoleBinding')),
    }),
    updateRules(o, old, c) {
      if (equalJson(obj(o, 'roleRef'), obj(old, 'roleRef'))) return;
      const shown = goForm('rbac.v1.RoleRef', obj(o, 'roleRef'));
      c.errors.push(invalidValue('roleRef', shown, 'cannot change roleRef'));
    },
    onUpdate: ON_UPDATE,
  });
}

export const strategies: GroupStrategies = {
  ClusterRole: clusterRole,
  ClusterRoleBinding: binding('ClusterRoleBinding', ['ClusterRole']),
  Role: role,
  RoleBinding: binding('RoleBinding', ['Role', 'ClusterRole']),
};
