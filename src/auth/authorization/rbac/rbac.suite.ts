import type { Attributes, UserInfo } from '../../contract.js';
import { MemoryFeed } from '../memory-feed.suite.js';
import { RbacAuthorizer } from './authorizer.js';
import { RbacIndex } from './rbac-index.js';
import type { BindingObject, PolicyRule, RoleObject, RoleRef, Subject } from './rule.js';
import { RBAC_GROUP } from './rule.js';

// Short constructors for the tests of this folder.

export const user = (name: string, ...groups: string[]): UserInfo => ({ name, groups });
export const userSubject = (name: string): Subject => ({ kind: 'User', apiGroup: RBAC_GROUP, name });
export const groupSubject = (name: string): Subject => ({ kind: 'Group', apiGroup: RBAC_GROUP, name });
export const accountSubject = (name: string, namespace?: string): Subject => ({
  kind: 'ServiceAccount',
  name,
  ...(namespace ? { namespace } : {}),
});
export const clusterRoleRef = (name: string): RoleRef => ({ apiGroup: RBAC_GROUP, kind: 'ClusterRole', name });
export const roleRef = (name: string): RoleRef => ({ apiGroup: RBAC_GROUP, kind: 'Role', name });

/** `get,list pods,pods/log` in a group ('' unless told). */
export const rule = (verbs: string, resources: string, apiGroups = '', names = ''): PolicyRule => ({
  verbs: verbs.split(','),
  apiGroups: apiGroups.split(','),
  resources: resources.split(','),
  ...(names ? { resourceNames: names.split(',') } : {}),
});

/** What somebody asks for: `resource/subresource` in a namespace. */
export function ask(who: UserInfo, verb: string, what: string, more: Partial<Attributes> = {}): Attributes {
  const [resource = '', subresource = ''] = what.split('/');
  return {
    user: who,
    verb,
    isResourceRequest: true,
    group: '',
    version: 'v1',
    resource,
    subresource,
    namespace: 'default',
    name: '',
    path: '',
    ...more,
  };
}
export function askUrl(who: UserInfo, verb: string, path: string): Attributes {
  return { ...ask(who, verb, '', { namespace: '', version: '', path }), isResourceRequest: false };
}

/** A running RBAC over objects in memory. */
export class RbacWorld {
  readonly feed = new MemoryFeed();
  readonly index = new RbacIndex();
  readonly authorizer = new RbacAuthorizer(this.index);

  static async create(): Promise<RbacWorld> {
    const world = new RbacWorld();
    await world.index.follow(world.feed);
    return world;
  }

  clusterRole(name: string, rules: PolicyRule[], more: Partial<RoleObject> = {}): void {
    this.feed.put({ group: RBAC_GROUP, resource: 'clusterroles' }, {
      metadata: { name },
      rules,
      ...more,
    } as RoleObject);
  }
  role(namespace: string, name: string, rules: PolicyRule[]): void {
    this.feed.put({ group: RBAC_GROUP, resource: 'roles' }, { metadata: { namespace, name }, rules } as RoleObject);
  }
  clusterBinding(name: string, ref: RoleRef, ...subjects: Subject[]): void {
    const object = { metadata: { name }, roleRef: ref, subjects } as BindingObject;
    this.feed.put({ group: RBAC_GROUP, resource: 'clusterrolebindings' }, object);
  }
  binding(namespace: string, name: string, ref: RoleRef, ...subjects: Subject[]): void {
    const object = { metadata: { namespace, name }, roleRef: ref, subjects } as BindingObject;
    this.feed.put({ group: RBAC_GROUP, resource: 'rolebindings' }, object);
  }
  remove(resource: string, namespace: string, name: string): void {
    this.feed.remove({ group: RBAC_GROUP, resource }, namespace, name);
  }
  verdict(attributes: Attributes): string {
    return this.authorizer.authorize(attributes).verdict;
  }
  allows(attributes: Attributes): boolean {
    return this.verdict(attributes) === 'Allow';
  }
}
