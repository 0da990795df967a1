import type { JsonObject, KubeObject } from '../../../machinery/json.js';
import { cloneJson, equalJson } from '../../../machinery/json.js';
import { readCatalogFile } from '../../../machinery/scheme/catalog.js';
import { uncoveredRules } from './covers.js';
import type { RbacResource } from './escalation.js';
import type { BindingObject, PolicyRule, RoleObject } from './rule.js';
import { RBAC_GROUP } from './rule.js';

/** On a role or binding, "false" keeps bootstrapping from touching it. */
const AUTOUPDATE = 'rbac.authorization.kubernetes.io/autoupdate';

/** One default object of kube-apiserver and where it belongs. */
export interface PolicyObject {
  readonly resource: RbacResource;
  readonly object: KubeObject;
}

/** What to write so that the default policy is in force. `recreate` deletes the object with `uid` first. */
export interface PolicyChange extends PolicyObject {
  readonly operation: 'create' | 'update' | 'recreate';
  readonly uid?: string;
}

/** Reads one stored object; '' as the namespace of cluster-scoped ones. */
export type PolicyLookup = (resource: RbacResource, namespace: string, name: string) => KubeObject | undefined;

/** The default roles and bindings of this release: cluster roles, their bindings, roles, their bindings. */
export function defaultPolicy(): PolicyObject[] {
  const all = JSON.parse(readCatalogFile('bootstrap.json')) as { path: string; object: KubeObject }[];
  const order: RbacResource[] = ['clusterroles', 'clusterrolebindings', 'roles', 'rolebindings'];
  return order.flatMap((resource) =>
    all
      .filter(({ path }) => path === `/apis/${RBAC_GROUP}/v1/${resource}`)
      .map(({ object }) => {
        const kinds = {
          clusterroles: 'ClusterRole',
          clusterrolebindings: 'ClusterRoleBinding',
          roles: 'Role',
          rolebindings: 'RoleBinding',
        };
        return { resource, object: { apiVersion: `${RBAC_GROUP}/v1`, kind: kinds[resource], ...object } };
      }),
  );
}

/**
 * Compares the default policy with what is stored and says what to write, in order. Rules and subjects that are missing
 * are added, additional ones stay; an object that opted out of updates stays as it is; a binding to another role is made
 * anew, as its roleRef can't change. To be run at every start, and again after a conflict.
 */
export function planPolicy(expected: readonly PolicyObject[], stored: PolicyLookup): PolicyChange[] {
  const changes: PolicyChange[] = [];
  for (const { resource, object } of expected) {
    const existing = stored(resource, object.metadata.namespace ?? '', object.metadata.name!);
    if (!existing) {
      changes.push({ operation: 'create', resource, object: inherited(resource, object, stored) ?? object });
      continue;
    }
    if (existing.metadata.annotations?.[AUTOUPDATE] === 'false') continue;
    const change = resource.endsWith('roles')
      ? reconcileRole(resource, existing as RoleObject, object as RoleObject)
      : reconcileBinding(resource, existing as BindingObject, object as BindingObject);
    if (change) changes.push(change);
  }
  return changes;
}

/** Objects that took over what an older release kept under another name start with what an operator made of that. */
function inherited(resource: RbacResource, object: KubeObject, stored: PolicyLookup): KubeObject | undefined {
  const name = object.metadata.name!;
  if (resource === 'clusterroles' && name.startsWith('system:aggregate-to-')) {
    const old = stored(resource, '', name.slice('system:aggregate-to-'.length)) as RoleObject | undefined;
    // Until it was aggregated the role held the rules itself.
    if (old && !old.aggregationRule) {
      const copy = { ...(cloneJson(object) as RoleObject), rules: cloneJson(old.rules ?? []) };
      const change = reconcileRole(resource, copy, object as RoleObject);
      return change?.object ?? copy;
    }
  }
  if (resource === 'clusterrolebindings' && name === 'system:public-info-viewer') {
    const old = stored(resource, '', 'system:discovery') as BindingObject | undefined;
    // Rights of the unauthenticated were split off: who had removed them there does not get them here.
    if (old) {
      const copy = cloneJson(object) as BindingObject;
      copy.subjects = cloneJson(old.subjects ?? []);
      copy.metadata.annotations = { ...object.metadata.annotations, ...old.metadata.annotations };
      copy.metadata.labels = { ...object.metadata.labels, ...old.metadata.labels };
      const optedOut = copy.metadata.annotations[AUTOUPDATE] === 'false';
      return optedOut ? copy : (reconcileBinding(resource, copy, object as BindingObject)?.object ?? copy);
    }
  }
  return undefined;
}

function reconcileRole(resource: RbacResource, existing: RoleObject, expected: RoleObject): PolicyChange | undefined {
  const object = cloneJson(existing);
  mergeMetadata(object, expected);
  const missing: PolicyRule[] = uncoveredRules(existing.rules ?? [], expected.rules ?? []);
  if (missing.length > 0) object.rules = [...(existing.rules ?? []), ...missing];
  if (!expected.aggregationRule) delete object.aggregationRule;
  else {
    const selectors = existing.aggregationRule?.clusterRoleSelectors ?? [];
    const added = (expected.aggregationRule.clusterRoleSelectors ?? []).filter(
      (s) => !selectors.some((known) => equalJson(known, s)),
    );
    if (added.length > 0) object.aggregationRule = { clusterRoleSelectors: [...selectors, ...added] };
  }
  return equalJson(object, existing) ? undefined : { operation: 'update', resource, object };
}

function reconcileBinding(
  resource: RbacResource,
  existing: BindingObject,
  expected: BindingObject,
): PolicyChange | undefined {
  if (!equalJson(existing.roleRef, expected.roleRef)) {
    return { operation: 'recreate', resource, object: expected, uid: existing.metadata.uid };
  }
  const object = cloneJson(existing);
  mergeMetadata(object, expected);
  const subjects: JsonObject[] = existing.subjects ?? [];
  const added = (expected.subjects ?? []).filter((s) => !subjects.some((known) => equalJson(known, s)));
  if (added.length > 0) object.subjects = [...(existing.subjects ?? []), ...added];
  return equalJson(object, existing) ? undefined : { operation: 'update', resource, object };
}

/** Expected labels and annotations are added; where both have a key the stored value stays. */
function mergeMetadata(object: KubeObject, expected: KubeObject): void {
  for (const field of ['labels', 'annotations'] as const) {
    const wanted = expected.metadata[field];
    if (wanted) object.metadata[field] = { ...wanted, ...object.metadata[field] };
  }
}
