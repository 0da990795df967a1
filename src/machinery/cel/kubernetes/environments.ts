import { Environment, type Library } from '../environment.js';
import { COMPREHENSIONS } from '../library/comprehensions.js';
import { KUBERNETES_LISTS, LIST_MACROS, LISTS } from '../library/lists.js';
import { OPTIONALS_LIBRARY } from '../library/optionals.js';
import { REGEX } from '../library/regular-expressions.js';
import { SETS } from '../library/sets.js';
import { STANDARD } from '../library/standard.js';
import { STRINGS } from '../library/strings.js';
import { BIND_MACROS, OPTIONAL_MACROS, STANDARD_MACROS, TWO_VARIABLE_MACROS } from '../syntax/macros.js';
import type { DeclField, DeclType } from '../types/decl-type.js';
import {
  ANY,
  BOOL,
  DYN,
  INT,
  listType,
  mapType,
  objectType,
  opaqueType,
  optionalType,
  STRING,
  TIMESTAMP,
  type Type,
} from '../types/type.js';
import { parseTimestamp } from '../values/time.js';
import { AUTHORIZATION, AUTHORIZER, RESOURCE_CHECK } from './authorizer.js';
import { FORMATS_LIBRARY } from './formats.js';
import { JSON_PATCHES, MUTATION_TYPES } from './mutation.js';
import { CIDR, IP, NETWORK } from './network.js';
import { QUANTITIES, QUANTITY } from './quantity.js';
import { SEMVERS } from './semver.js';
import { URLS } from './urls.js';

const LIBRARIES: readonly Library[] = [
  { functions: STANDARD, macros: STANDARD_MACROS },
  { functions: OPTIONALS_LIBRARY, macros: OPTIONAL_MACROS, types: [opaqueType('optional_type')] },
  { functions: URLS },
  { functions: REGEX },
  { functions: KUBERNETES_LISTS },
  { functions: AUTHORIZATION },
  { functions: QUANTITIES },
  { functions: STRINGS },
  { functions: SETS },
  { functions: NETWORK, types: [IP, CIDR] },
  { functions: FORMATS_LIBRARY },
  { functions: COMPREHENSIONS, macros: TWO_VARIABLE_MACROS },
  { functions: SEMVERS },
  { functions: LISTS, macros: LIST_MACROS },
];

/**
 * What every expression in Kubernetes 1.36 can use. Expressions that are new and ones that are stored see the same,
 * since all libraries have been there for more than one release.
 */
export const BASE_ENVIRONMENT: Environment = Environment.create(LIBRARIES);

/** Variables of a CRD validation rule; `optionalOldSelf` as the rule says. */
export function ruleEnvironment(self: DeclType, optionalOldSelf: boolean): Environment {
  const oldSelf = optionalOldSelf ? { ...self, type: optionalType(self.type) } : self;
  return BASE_ENVIRONMENT.withVariables({ self }).withVariables({ oldSelf: optionalOldSelf ? oldSelf.type : oldSelf });
}

function decl(type: Type, element?: DeclType): DeclType {
  return element ? { type, minSize: 0, maxElements: Infinity, element } : { type, minSize: 0, maxElements: Infinity };
}

const TEXT = decl(STRING);
const TEXTS = decl(listType(STRING), TEXT);
const TEXT_MAP = decl(mapType(STRING, STRING), TEXT);
const TIME: DeclType = { ...decl(TIMESTAMP), convert: (v) => (typeof v === 'string' ? (parseTimestamp(v) ?? v) : v) };
const EXTRA = decl(mapType(STRING, TEXTS.type), TEXTS);

/** An object type with a name that expressions never see, and its fields. */
export function objectDecl(name: string, fields: Readonly<Record<string, DeclType>>): DeclType {
  const entries = Object.entries(fields).map(([field, d]): [string, DeclField] => [field, { name: field, decl: d }]);
  return { ...decl(objectType(name)), fields: new Map(entries) };
}

const text = (...names: string[]) => Object.fromEntries(names.map((name) => [name, TEXT]));

const GVK = objectDecl('kubernetes.GroupVersionKind', text('group', 'version', 'kind'));
const GVR = objectDecl('kubernetes.GroupVersionResource', text('group', 'version', 'resource'));

/** `user` of authentication configuration, and `request.userInfo`. */
export const USER_INFO = objectDecl('kubernetes.UserInfo', { ...text('username', 'uid'), groups: TEXTS, extra: EXTRA });

const ADMISSION_REQUEST = objectDecl('kubernetes.AdmissionRequest', {
  kind: GVK,
  resource: GVR,
  requestKind: GVK,
  requestResource: GVR,
  ...text('subResource', 'requestSubResource', 'name', 'namespace', 'operation'),
  userInfo: USER_INFO,
  dryRun: decl(BOOL),
  options: decl(DYN),
});

const CONDITION = objectDecl('kubernetes.NamespaceCondition', {
  ...text('status', 'type', 'message', 'reason'),
  lastTransitionTime: TIME,
});

const NAMESPACE = objectDecl('kubernetes.Namespace', {
  metadata: objectDecl('kubernetes.NamespaceMetadata', {
    ...text('name', 'generateName', 'namespace', 'UID', 'resourceVersion'),
    labels: TEXT_MAP,
    annotations: TEXT_MAP,
    creationTimestamp: TIME,
    deletionTimestamp: TIME,
    deletionGracePeriodSeconds: decl(INT),
    generation: decl(INT),
    finalizers: TEXTS,
  }),
  spec: objectDecl('kubernetes.NamespaceSpec', { finalizers: TEXTS }),
  status: objectDecl('kubernetes.NamespaceStatus', {
    conditions: decl(listType(CONDITION.type), CONDITION),
    phase: TEXT,
  }),
});

/** What `variables` of a policy has. It may grow while environments know it: each variable sees those before it. */
export class VariableTypes {
  readonly #fields = new Map<string, DeclField>();
  readonly decl: DeclType = { ...decl(objectType('kubernetes.variables')), fields: this.#fields };

  set(name: string, type: Type): void {
    this.#fields.set(name, { name, decl: decl(type) });
  }
}

export interface AdmissionVariables {
  /** The policy has a paramKind. */
  params: boolean;
  /** `authorizer` and `authorizer.requestResource`. */
  authorizer: boolean;
  /** `Object{…}`, `JSONPatch{…}` and jsonpatch.escapeKey() of mutating policies. */
  patchTypes: boolean;
  /** Undefined where there is no such variable (match conditions of webhooks). */
  variables?: VariableTypes;
}

/** Variables of expressions in admission policies and of match conditions of webhooks. */
export function admissionEnvironment(has: AdmissionVariables): Environment {
  const variables: Record<string, Type | DeclType> = {
    object: DYN,
    oldObject: DYN,
    namespaceObject: NAMESPACE,
    request: ADMISSION_REQUEST,
  };
  if (has.params) variables.params = DYN;
  if (has.authorizer) {
    variables.authorizer = AUTHORIZER;
    variables['authorizer.requestResource'] = RESOURCE_CHECK;
  }
  if (has.variables) variables.variables = has.variables.decl;
  const env = BASE_ENVIRONMENT.withVariables(variables);
  return has.patchTypes ? env.withObjects(MUTATION_TYPES).withLibraries([{ functions: JSON_PATCHES }]) : env;
}

/** `claims` of authentication configuration. */
export const CLAIMS_ENVIRONMENT: Environment = BASE_ENVIRONMENT.withVariables({ claims: mapType(STRING, ANY) });

/** `user` of authentication configuration. */
export const USER_ENVIRONMENT: Environment = BASE_ENVIRONMENT.withVariables({ user: USER_INFO });

const REQUIREMENT = objectDecl('kubernetes.SelectorRequirement', { ...text('key', 'operator'), values: TEXTS });
const REQUIREMENTS = decl(listType(REQUIREMENT.type), REQUIREMENT);

/** `request` of match conditions of authorization webhooks: the spec of a SubjectAccessReview. */
export const AUTHORIZATION_ENVIRONMENT: Environment = BASE_ENVIRONMENT.withVariables({
  request: objectDecl('kubernetes.SubjectAccessReviewSpec', {
    resourceAttributes: objectDecl('kubernetes.ResourceAttributes', {
      ...text('namespace', 'verb', 'group', 'version', 'resource', 'subresource', 'name'),
      fieldSelector: objectDecl('kubernetes.FieldSelectorAttributes', {
        rawSelector: TEXT,
        requirements: REQUIREMENTS,
      }),
      labelSelector: objectDecl('kubernetes.LabelSelectorAttributes', {
        rawSelector: TEXT,
        requirements: REQUIREMENTS,
      }),
    }),
    nonResourceAttributes: objectDecl('kubernetes.NonResourceAttributes', text('path', 'verb')),
    ...text('user', 'uid'),
    groups: TEXTS,
    extra: EXTRA,
  }),
});

/** Sizes in the device API (KEP-4381): of names and values, and how many a device has. */
const DEVICE_SIZES = { driver: 63, text: 64, entries: 32 };

function sized(type: Type, maxElements: number, element?: DeclType): DeclType {
  return { ...decl(type, element), maxElements };
}

/** The attributes of a domain: whichever is asked for has the size of an attribute. */
class Attributes extends Map<string, DeclField> {
  override get(name: string): DeclField {
    return { name, decl: ATTRIBUTE };
  }
}
const ATTRIBUTE = sized(ANY, DEVICE_SIZES.text);
const DOMAIN_ATTRIBUTES: DeclType = {
  ...sized(mapType(STRING, ANY), DEVICE_SIZES.entries, ATTRIBUTE),
  fields: new Attributes(),
};
const DOMAIN_CAPACITY = sized(mapType(STRING, QUANTITY), DEVICE_SIZES.entries, decl(QUANTITY));

/** `device` of the selectors of resource claims and device classes. */
export const DEVICE: DeclType = objectDecl('kubernetes.DRADevice', {
  driver: sized(STRING, DEVICE_SIZES.driver),
  attributes: sized(mapType(STRING, DOMAIN_ATTRIBUTES.type), DEVICE_SIZES.entries, DOMAIN_ATTRIBUTES),
  capacity: sized(mapType(STRING, DOMAIN_CAPACITY.type), DEVICE_SIZES.entries, DOMAIN_CAPACITY),
  allowMultipleAllocations: sized(BOOL, 1),
});
const DEVICE_ALONE: DeclType = {
  ...DEVICE,
  fields: new Map([...DEVICE.fields!].filter(([name]) => name !== 'allowMultipleAllocations')),
};

/** @param shared devices may be allocated several times (feature gate DRAConsumableCapacity) */
export function deviceEnvironment(shared: boolean): Environment {
  return BASE_ENVIRONMENT.withLibraries([{ functions: {}, macros: BIND_MACROS }]).withVariables({
    device: shared ? DEVICE : DEVICE_ALONE,
  });
}
