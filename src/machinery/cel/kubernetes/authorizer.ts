import { member, type Overload } from '../types/declarations.js';
import { BOOL, objectType, STRING } from '../types/type.js';
import { OpaqueValue } from '../values/containers.js';
import { CelError, DecisionPending } from '../values/error.js';

/** Who asks. */
export interface CheckUser {
  readonly name: string;
  readonly uid?: string;
  readonly groups: readonly string[];
  readonly extra?: Readonly<Record<string, readonly string[]>>;
}

/** What an expression asks the authorizer; the fields are those of a SubjectAccessReview. */
export interface CheckAttributes {
  readonly user: CheckUser;
  readonly verb: string;
  readonly isResourceRequest: boolean;
  readonly group: string;
  readonly version: string;
  readonly resource: string;
  readonly subresource: string;
  readonly namespace: string;
  readonly name: string;
  readonly path: string;
  readonly fieldSelector?: string;
  readonly labelSelector?: string;
}

export interface CheckDecision {
  readonly verdict: 'Allow' | 'Deny' | 'NoOpinion';
  readonly reason: string;
  readonly error?: string;
}

/** The authorizer that expressions ask. */
export interface CheckAuthorizer {
  authorize(attributes: CheckAttributes): CheckDecision | Promise<CheckDecision>;
}

export const AUTHORIZER = objectType('kubernetes.authorization.Authorizer');
export const PATH_CHECK = objectType('kubernetes.authorization.PathCheck');
export const GROUP_CHECK = objectType('kubernetes.authorization.GroupCheck');
export const RESOURCE_CHECK = objectType('kubernetes.authorization.ResourceCheck');
export const DECISION = objectType('kubernetes.authorization.Decision');

/** An authorizer with the decisions it has made for one request, so that each is made once. */
class Decisions {
  readonly #authorizer: CheckAuthorizer;
  readonly #known = new Map<string, CheckDecision>();

  constructor(authorizer: CheckAuthorizer) {
    this.#authorizer = authorizer;
  }

  decide(attributes: CheckAttributes): CheckDecision {
    const key = JSON.stringify(attributes);
    const known = this.#known.get(key);
    if (known) return known;
    const decision = this.#authorizer.authorize(attributes);
    if (!(decision instanceof Promise)) {
      this.#known.set(key, decision);
      return decision;
    }
    throw new DecisionPending(
      decision.then(
        (made) => void this.#known.set(key, made),
        (e: unknown) => {
          const error = e instanceof Error ? e.message : String(e);
          this.#known.set(key, { verdict: 'NoOpinion', reason: '', error });
        },
      ),
    );
  }
}

abstract class Receiver extends OpaqueValue {
  equals(other: OpaqueValue): boolean {
    return this === other;
  }
}

class AuthorizerValue extends Receiver {
  readonly typeName = AUTHORIZER.name;
  readonly decisions: Decisions;
  readonly user: CheckUser;
  constructor(decisions: Decisions, user: CheckUser) {
    super();
    this.decisions = decisions;
    this.user = user;
  }
}

class PathCheckValue extends Receiver {
  readonly typeName = PATH_CHECK.name;
  readonly authorizer: AuthorizerValue;
  readonly path: string;
  constructor(authorizer: AuthorizerValue, path: string) {
    super();
    this.authorizer = authorizer;
    this.path = path;
  }
}

class GroupCheckValue extends Receiver {
  readonly typeName = GROUP_CHECK.name;
  readonly authorizer: AuthorizerValue;
  readonly group: string;
  constructor(authorizer: AuthorizerValue, group: string) {
    super();
    this.authorizer = authorizer;
    this.group = group;
  }
}

interface ResourceAttributes {
  group: string;
  resource: string;
  subresource: string;
  namespace: string;
  name: string;
  fieldSelector?: string;
  labelSelector?: string;
}

class ResourceCheckValue extends Receiver {
  readonly typeName = RESOURCE_CHECK.name;
  readonly authorizer: AuthorizerValue;
  readonly attributes: ResourceAttributes;
  constructor(authorizer: AuthorizerValue, attributes: ResourceAttributes) {
    super();
    this.authorizer = authorizer;
    this.attributes = attributes;
  }
  with(change: Partial<ResourceAttributes>): ResourceCheckValue {
    return new ResourceCheckValue(this.authorizer, { ...this.attributes, ...change });
  }
}

class DecisionValue extends Receiver {
  readonly typeName = DECISION.name;
  readonly decision: CheckDecision;
  constructor(decision: CheckDecision) {
    super();
    this.decision = decision;
  }
}

/** Values of the variables `authorizer` and `authorizer.requestResource` for one request. */
export function authorizerValues(
  authorizer: CheckAuthorizer,
  user: CheckUser,
  request: Omit<ResourceAttributes, 'fieldSelector' | 'labelSelector'>,
): { authorizer: OpaqueValue; requestResource: OpaqueValue } {
  const value = new AuthorizerValue(new Decisions(authorizer), user);
  return { authorizer: value, requestResource: new ResourceCheckValue(value, request) };
}

const NONE = { group: '', version: '', resource: '', subresource: '', namespace: '', name: '', path: '' };
const label = (s: string) => s.length <= 63 && /^[a-z0-9](?:[-a-z0-9]*[a-z0-9])?$/.test(s);
const subdomain = (s: string) =>
  s.length <= 253 && s.split('.').every((part) => /^[a-z0-9](?:[-a-z0-9]*[a-z0-9])?$/.test(part));

function serviceAccount({ decisions }: AuthorizerValue, namespace: string, name: string): AuthorizerValue {
  if (!subdomain(name)) throw new CelError('Invalid service account name');
  if (!label(namespace)) throw new CelError('Invalid service account namespace');
  return new AuthorizerValue(decisions, {
    name: `system:serviceaccount:${namespace}:${name}`,
    groups: ['system:serviceaccounts', `system:serviceaccounts:${namespace}`],
  });
}

function set(id: string, key: keyof ResourceAttributes): Overload[] {
  return [
    member(id, [RESOURCE_CHECK, STRING], RESOURCE_CHECK, (check: ResourceCheckValue, value: string) =>
      check.with({ [key]: value }),
    ),
  ];
}

function read(id: string, type: typeof BOOL, value: (decision: CheckDecision) => unknown): Overload[] {
  return [member(id, [DECISION], type, (d: DecisionValue) => value(d.decision))];
}

/** Kubernetes' authorizer library, with selectors. */
export const AUTHORIZATION: Record<string, Overload[]> = {
  path: [
    member('authorizer_path', [AUTHORIZER, STRING], PATH_CHECK, (a: AuthorizerValue, path: string) => {
      if (path.trim() === '') throw new CelError('path must not be empty');
      return new PathCheckValue(a, path);
    }),
  ],
  group: [
    member('authorizer_group', [AUTHORIZER, STRING], GROUP_CHECK, (a: AuthorizerValue, group: string) => {
      return new GroupCheckValue(a, group);
    }),
  ],
  serviceAccount: [member('authorizer_serviceaccount', [AUTHORIZER, STRING, STRING], AUTHORIZER, serviceAccount)],
  resource: [
    member('groupcheck_resource', [GROUP_CHECK, STRING], RESOURCE_CHECK, (g: GroupCheckValue, resource: string) => {
      if (resource.trim() === '') throw new CelError('resource must not be empty');
      const { authorizer, group } = g;
      return new ResourceCheckValue(authorizer, { group, resource, subresource: '', namespace: '', name: '' });
    }),
  ],
  subresource: set('resourcecheck_subresource', 'subresource'),
  namespace: set('resourcecheck_namespace', 'namespace'),
  name: set('resourcecheck_name', 'name'),
  fieldSelector: set('authorizer_fieldselector', 'fieldSelector'),
  labelSelector: set('authorizer_labelselector', 'labelSelector'),
  check: [
    member('pathcheck_check', [PATH_CHECK, STRING], DECISION, (check: PathCheckValue, verb: string) => {
      const { decisions, user } = check.authorizer;
      return new DecisionValue(decisions.decide({ ...NONE, user, verb, path: check.path, isResourceRequest: false }));
    }),
    member('resourcecheck_check', [RESOURCE_CHECK, STRING], DECISION, (check: ResourceCheckValue, verb: string) => {
      const { decisions, user } = check.authorizer;
      const attributes = { ...NONE, user, verb, version: '*', ...check.attributes, isResourceRequest: true };
      return new DecisionValue(decisions.decide(attributes));
    }),
  ],
  allowed: read('decision_allowed', BOOL, (d) => d.verdict === 'Allow'),
  reason: read('decision_reason', STRING, (d) => d.reason),
  errored: read('decision_errored', BOOL, (d) => d.error !== undefined),
  error: read('decision_error', STRING, (d) => d.error ?? ''),
};
