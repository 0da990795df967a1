import { goQuote } from '../../../machinery/go-format.js';
import type { JsonObject } from '../../../machinery/json.js';
import type { Attributes, UserInfo } from '../../contract.js';
import type { ObjectChange, ObjectFeed } from '../feed.js';
import { CompiledRole } from './compiled-role.js';
import type { BindingObject, PolicyRule, RoleObject, RoleRef, Subject } from './rule.js';
import { RBAC_GROUP, serviceAccountUser } from './rule.js';

/** What one binding gives to one of its subjects. */
export interface Grant {
  readonly binding: BindingRecord;
  /** Index of the subject in the binding. */
  readonly subjectIndex: number;
}

export interface BindingRecord {
  /** '' for a ClusterRoleBinding. */
  readonly namespace: string;
  readonly name: string;
  readonly roleRef: RoleRef;
  readonly role: RoleSlot;
  /** Subject keys by position; undefined: this subject can't match anybody. */
  readonly subjectKeys: readonly (string | undefined)[];
  readonly subjects: readonly Subject[];
}

/** The place of a role: bindings point at it whether the role exists or not. */
export interface RoleSlot {
  readonly key: string;
  compiled: CompiledRole | undefined;
  bindings: number;
  /** Subjects that keep an index over this role's rules, to be dropped when the rules change. */
  readonly indexedBy: Set<SubjectGrants>;
}

/** A subject with more grants than this in one scope gets an index over them. */
const INDEX_FROM = 24;

/** All grants of one subject in one scope (the cluster or a namespace), by binding. */
export class SubjectGrants {
  readonly grants = new Map<BindingRecord, Grant>();
  #index: { byKey: Map<string, Grant[]>; others: Grant[] } | undefined;

  add(grant: Grant): void {
    this.forget();
    // A binding may name a subject twice; its first mention is the one that counts.
    if (!this.grants.has(grant.binding)) this.grants.set(grant.binding, grant);
  }

  remove(binding: BindingRecord): void {
    this.forget();
    this.grants.delete(binding);
  }

  /** Drops the index, which is made again when it is next needed. */
  forget(): void {
    if (!this.#index) return;
    this.#index = undefined;
    for (const { role } of this.grants.keys()) role.indexedBy.delete(this);
  }

  find(attributes: Attributes, keys: readonly string[]): { grant: Grant; rule: PolicyRule } | undefined {
    if (this.grants.size <= INDEX_FROM || !attributes.isResourceRequest) {
      return firstMatch(this.grants.values(), attributes, keys);
    }
    const index = this.#index ?? this.#makeIndex();
    for (const key of keys) {
      const grants = index.byKey.get(key);
      const found = grants && firstMatch(grants, attributes, keys);
      if (found) return found;
    }
    return firstMatch(index.others, attributes, keys);
  }

  #makeIndex(): { byKey: Map<string, Grant[]>; others: Grant[] } {
    const byKey = new Map<string, Grant[]>();
    const others: Grant[] = [];
    for (const grant of this.grants.values()) {
      const { role } = grant.binding;
      role.indexedBy.add(this);
      if (!role.compiled) continue;
      const keys = role.compiled.indexKeys();
      if (!keys) others.push(grant);
      else {
        for (const key of keys) {
          const grants = byKey.get(key);
          if (grants) grants.push(grant);
          else byKey.set(key, [grant]);
        }
      }
    }
    this.#index = { byKey, others };
    return this.#index;
  }
}

function firstMatch(grants: Iterable<Grant>, attributes: Attributes, keys: readonly string[]) {
  for (const grant of grants) {
    const rule = grant.binding.role.compiled?.find(attributes, keys);
    if (rule) return { grant, rule };
  }
  return undefined;
}

type Scope = Map<string, SubjectGrants>;

/**
 * Roles and bindings by subject, kept up to date change by change. Nothing is cached beyond what a change takes back at
 * once, so a decision is always made on the state of the last write.
 *
 * Subjects are filed under `u:<user>` and `g:<group>`. A service account is nothing but a user of a certain name, hence
 * a binding to `ServiceAccount a/b` and one to `User system:serviceaccount:a:b` are the same by construction.
 */
export class RbacIndex {
  readonly #roles = new Map<string, RoleSlot>();
  readonly #bindings = new Map<string, BindingRecord>();
  /** '' is the scope of ClusterRoleBindings. */
  readonly #scopes = new Map<string, Scope>();

  /** Loads all roles and bindings and follows them. The function it gives ends that. */
  async follow(feed: ObjectFeed): Promise<() => void> {
    const stops = await Promise.all([
      feed.subscribe({ group: RBAC_GROUP, resource: 'clusterroles' }, (c) => this.#roleChanged(c)),
      feed.subscribe({ group: RBAC_GROUP, resource: 'roles' }, (c) => this.#roleChanged(c)),
      feed.subscribe({ group: RBAC_GROUP, resource: 'clusterrolebindings' }, (c) => this.#bindingChanged(c)),
      feed.subscribe({ group: RBAC_GROUP, resource: 'rolebindings' }, (c) => this.#bindingChanged(c)),
    ]);
    return () => {
      for (const stop of stops) stop();
    };
  }

  /** Grants of a user in a scope, one entry for the user's name and each group that has any. '' is the cluster. */
  *grantsOf(user: UserInfo, scope: string): Generator<SubjectGrants> {
    const subjects = this.#scopes.get(scope);
    if (!subjects) return;
    const own = subjects.get(`u:${user.name}`);
    if (own) yield own;
    for (const group of user.groups) {
      const shared = subjects.get(`g:${group}`);
      if (shared) yield shared;
    }
  }

  /** Bindings that apply to a user in a scope, each once. */
  bindingsOf(user: UserInfo, scope: string): Set<BindingRecord> {
    const found = new Set<BindingRecord>();
    for (const { grants } of this.grantsOf(user, scope)) for (const binding of grants.keys()) found.add(binding);
    return found;
  }

  /** Rules that a roleRef stands for, seen from a namespace ('' for the cluster); undefined when there is no such role. */
  rulesOfRef(roleRef: RoleRef, namespace: string): readonly PolicyRule[] | undefined {
    return this.#roles.get(roleKeyOf(roleRef, namespace))?.compiled?.rules;
  }

  #roleChanged({ type, object }: ObjectChange): void {
    const key = `${object.metadata.namespace ?? ''}/${object.metadata.name}`;
    const slot = this.#slot(key);
    slot.compiled = type === 'DELETED' ? undefined : new CompiledRole((object as RoleObject).rules ?? []);
    for (const subject of [...slot.indexedBy]) subject.forget();
    this.#dropUnused(slot);
  }

  #bindingChanged({ type, object }: ObjectChange): void {
    const namespace = object.metadata.namespace ?? '';
    const name = object.metadata.name ?? '';
    const key = `${namespace}/${name}`;
    const before = this.#bindings.get(key);
    if (before) this.#unbind(key, before);
    if (type !== 'DELETED') this.#bind(key, namespace, name, object as BindingObject);
  }

  #bind(key: string, namespace: string, name: string, object: BindingObject): void {
    const roleRef = object.roleRef ?? {};
    const role = this.#slot(roleKeyOf(roleRef, namespace));
    role.bindings++;
    const subjects = object.subjects ?? [];
    const subjectKeys = subjects.map((s) => subjectKey(s, namespace));
    const binding: BindingRecord = { namespace, name, roleRef, role, subjects, subjectKeys };
    this.#bindings.set(key, binding);
    const scope = this.#scopes.get(namespace) ?? new Map<string, SubjectGrants>();
    this.#scopes.set(namespace, scope);
    subjectKeys.forEach((subject, subjectIndex) => {
      if (subject === undefined) return;
      const grants = scope.get(subject) ?? new SubjectGrants();
      scope.set(subject, grants);
      grants.add({ binding, subjectIndex });
    });
  }

  #unbind(key: string, binding: BindingRecord): void {
    this.#bindings.delete(key);
    const scope = this.#scopes.get(binding.namespace);
    for (const subject of binding.subjectKeys) {
      const grants = subject === undefined ? undefined : scope?.get(subject);
      if (!grants) continue;
      grants.remove(binding);
      if (grants.grants.size === 0) scope!.delete(subject!);
    }
    if (scope?.size === 0) this.#scopes.delete(binding.namespace);
    binding.role.bindings--;
    this.#dropUnused(binding.role);
  }

  #slot(key: string): RoleSlot {
    let slot = this.#roles.get(key);
    if (!slot) {
      slot = { key, compiled: undefined, bindings: 0, indexedBy: new Set() };
      this.#roles.set(key, slot);
    }
    return slot;
  }

  #dropUnused(slot: RoleSlot): void {
    if (!slot.compiled && slot.bindings === 0) this.#roles.delete(slot.key);
  }
}

/** `/name` for a ClusterRole, `namespace/name` for a Role; an unknown kind gets a key that no role has. */
function roleKeyOf(roleRef: RoleRef, namespace: string): string {
  if (roleRef.kind === 'ClusterRole') return `/${roleRef.name}`;
  if (roleRef.kind === 'Role' && namespace) return `${namespace}/${roleRef.name}`;
  return `${namespace}/${roleRef.kind}/${roleRef.name}`;
}

function subjectKey(subject: Subject, bindingNamespace: string): string | undefined {
  switch (subject.kind) {
    case 'User':
      return `u:${subject.name}`;
    case 'Group':
      return `g:${subject.name}`;
    case 'ServiceAccount': {
      const namespace = subject.namespace || bindingNamespace;
      return namespace ? `u:${serviceAccountUser(namespace, subject.name ?? '')}` : undefined;
    }
    default:
      return undefined;
  }
}

/** The binding, role and subject behind a grant, as kube-apiserver names them in reasons and audit annotations. */
export function describeGrant({ binding, subjectIndex }: Grant): string {
  const subject = binding.subjects[subjectIndex]!;
  const inNamespace = binding.namespace !== '';
  const kind = inNamespace ? 'RoleBinding' : 'ClusterRoleBinding';
  const name = inNamespace ? `${binding.name}/${binding.namespace}` : binding.name;
  const whom =
    subject.kind === 'ServiceAccount'
      ? `${subject.name}/${subject.namespace || binding.namespace}`
      : (subject.name ?? '');
  const { roleRef } = binding;
  return `${kind} ${goQuote(name)} of ${roleRef.kind} ${goQuote(roleRef.name ?? '')} to ${subject.kind} ${goQuote(whom)}`;
}

/** The same as data, for explanations. */
export function grantEvidence({ binding, subjectIndex }: Grant, rule: PolicyRule): JsonObject {
  const kind = binding.namespace ? 'RoleBinding' : 'ClusterRoleBinding';
  return {
    binding: { kind, ...(binding.namespace ? { namespace: binding.namespace } : {}), name: binding.name },
    role: binding.roleRef,
    subject: binding.subjects[subjectIndex],
    rule,
  };
}

/** Why a binding of this user gives nothing: `clusterrole.rbac.authorization.k8s.io "x" not found`. */
export function unresolvedRole(roleRef: RoleRef): string {
  switch (roleRef.kind) {
    case 'ClusterRole':
    case 'Role':
      return `${roleRef.kind.toLowerCase()}.${RBAC_GROUP} ${goQuote(roleRef.name ?? '')} not found`;
    default:
      return `unsupported role reference kind: ${goQuote(roleRef.kind ?? '')}`;
  }
}
