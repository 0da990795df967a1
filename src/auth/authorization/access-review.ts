import { jsonEncoder } from '../../machinery/codec/json/encode.js';
import { badRequest, invalid } from '../../machinery/errors.js';
import { type FieldError, forbiddenField, invalidValue, Path, required } from '../../machinery/field.js';
import type { JsonObject, KubeObject } from '../../machinery/json.js';
import { catalog } from '../../machinery/scheme/catalog.js';
import { escapeFieldValue, parseFieldSelector } from '../../machinery/selectors/field-selector.js';
import { labelKeyErrors, labelValueErrors } from '../../machinery/selectors/label-format.js';
import { labelSelectorOf, parseLabelSelector } from '../../machinery/selectors/label-selector.js';
import type { Attributes, Authorizer, UserInfo } from '../contract.js';
import type { RuleResolver } from './contract.js';
import { aggregate } from './union.js';

const OBJECT_META = 'io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta';

const GROUP = 'authorization.k8s.io';

export type AccessReviewKind = 'SubjectAccessReview' | 'LocalSubjectAccessReview' | 'SelfSubjectAccessReview';

interface SelectorRequirement {
  key?: string;
  operator?: string;
  values?: string[];
}
interface SelectorAttributes {
  rawSelector?: string;
  requirements?: SelectorRequirement[];
}
interface ResourceAttributes {
  namespace?: string;
  verb?: string;
  group?: string;
  version?: string;
  resource?: string;
  subresource?: string;
  name?: string;
  fieldSelector?: SelectorAttributes;
  labelSelector?: SelectorAttributes;
}
interface ReviewSpec {
  resourceAttributes?: ResourceAttributes;
  nonResourceAttributes?: { path?: string; verb?: string };
  user?: string;
  groups?: string[];
  extra?: Record<string, string[]>;
  uid?: string;
}

/** Who asks, and the namespace in the URL ('' when there is none). */
export interface ReviewRequest {
  readonly user: UserInfo;
  readonly namespace: string;
}

/**
 * Answers one of the access reviews: the object of the request with its status filled in.
 * @throws StatusError 422 for a spec that makes no sense, 400 for a namespace that is not the request's
 */
export async function reviewAccess(
  kind: AccessReviewKind,
  review: KubeObject,
  { user, namespace }: ReviewRequest,
  authorizer: Authorizer,
): Promise<KubeObject> {
  if (kind === 'LocalSubjectAccessReview') {
    if (namespace === '') throw badRequest(`namespace is required on this type: ${namespace}`);
    const own = review.metadata.namespace ?? namespace;
    if (own !== namespace) throw badRequest(`spec.resourceAttributes.namespace must match namespace: ${namespace}`);
    review = { ...review, metadata: { ...review.metadata, namespace } };
  }
  const spec = (review.spec ?? {}) as ReviewSpec;
  const errors = reviewErrors(kind, spec, review.metadata);
  if (errors.length > 0) throw invalid({ group: GROUP, kind: '' }, '', errors);
  const subject = kind === 'SelfSubjectAccessReview' ? user : subjectOf(spec);
  const { attributes, problems } = attributesOf(spec, subject);
  const decision = await authorizer.authorize(attributes);
  const evaluationError = [...(decision.error ? [decision.error] : []), ...problems].join('; ');
  const status: JsonObject = { allowed: decision.verdict === 'Allow' };
  if (decision.verdict === 'Deny') status.denied = true;
  if (decision.reason) status.reason = decision.reason;
  if (evaluationError) status.evaluationError = evaluationError;
  return { ...review, status };
}

/** Answers a SelfSubjectRulesReview. @throws StatusError 400 without a namespace in the spec */
export function reviewRules(review: KubeObject, user: UserInfo, resolver: RuleResolver): KubeObject {
  const namespace = (review.spec as JsonObject | undefined)?.namespace;
  if (typeof namespace !== 'string' || namespace === '') throw badRequest('no namespace on request');
  const { resourceRules, nonResourceRules, incomplete, errors } = resolver.rulesFor(user, namespace);
  const status: JsonObject = {
    resourceRules: resourceRules.map((r) =>
      lists({ verbs: r.verbs, apiGroups: r.apiGroups, resources: r.resources, resourceNames: r.resourceNames }),
    ),
    nonResourceRules: nonResourceRules.map((r) => lists({ verbs: r.verbs, nonResourceURLs: r.nonResourceURLs })),
    incomplete,
  };
  if (errors.length > 0) status.evaluationError = aggregate(errors);
  return { apiVersion: review.apiVersion, kind: review.kind, metadata: {}, spec: {}, status };
}

function lists(rule: Record<string, readonly string[] | undefined>): JsonObject {
  const out: JsonObject = {};
  for (const [name, list] of Object.entries(rule))
    if (list && (list.length > 0 || name === 'verbs')) out[name] = [...list];
  return out;
}

function subjectOf(spec: ReviewSpec): UserInfo {
  return { name: spec.user ?? '', uid: spec.uid ?? '', groups: spec.groups ?? [], extra: spec.extra };
}

/** The request that the review asks about, and what of it could not be understood. */
function attributesOf(spec: ReviewSpec, user: UserInfo): { attributes: Attributes; problems: string[] } {
  const nothing = { group: '', version: '', resource: '', subresource: '', namespace: '', name: '', path: '' };
  const { resourceAttributes: r, nonResourceAttributes: n } = spec;
  if (!r) {
    const attributes = { ...nothing, user, verb: n?.verb ?? '', isResourceRequest: false, path: n?.path ?? '' };
    return { attributes, problems: [] };
  }
  const problems: string[] = [];
  const fieldSelector = r.fieldSelector && readSelector(r.fieldSelector, 'fieldSelector', fieldText, problems);
  const labelSelector = r.labelSelector && readSelector(r.labelSelector, 'labelSelector', labelText, problems);
  const attributes: Attributes = {
    user,
    verb: r.verb ?? '',
    isResourceRequest: true,
    group: r.group ?? '',
    version: r.version || '*',
    resource: r.resource ?? '',
    subresource: r.subresource ?? '',
    namespace: r.namespace ?? '',
    name: r.name ?? '',
    path: '',
    ...(fieldSelector ? { fieldSelector } : {}),
    ...(labelSelector ? { labelSelector } : {}),
  };
  return { attributes, problems };
}

/** Requirements that make no sense are left out: they only narrow, so the question gets broader, and is answered as such. */
function readSelector(
  selector: SelectorAttributes,
  name: string,
  toText: (selector: SelectorRequirement | string) => string,
  problems: string[],
): string {
  const terms: string[] = [];
  let failed = false;
  for (const term of selector.requirements?.length ? selector.requirements : [selector.rawSelector ?? '']) {
    try {
      terms.push(toText(term));
    } catch {
      failed = true;
    }
  }
  if (failed) {
    const part = terms.length > 0 ? 'partially ignored' : 'ignored';
    problems.push(`spec.resourceAttributes.${name} ${part} due to parse error`);
  }
  return terms.join(',');
}

function fieldText(term: SelectorRequirement | string): string {
  if (typeof term === 'string') return parseFieldSelector(term).toString();
  const operators: Record<string, string> = { In: '=', NotIn: '!=' };
  const operator = operators[term.operator ?? ''];
  if (!operator || term.values?.length !== 1) throw new Error('field selectors compare with one value');
  return `${term.key}${operator}${escapeFieldValue(term.values[0]!)}`;
}

function labelText(term: SelectorRequirement | string): string {
  if (typeof term === 'string') return parseLabelSelector(term).toString();
  return labelSelectorOf({ matchExpressions: [term as JsonObject] }).toString();
}

function reviewErrors(kind: AccessReviewKind, spec: ReviewSpec, metadata: JsonObject): FieldError[] {
  const errors: FieldError[] = [];
  const { resourceAttributes: r, nonResourceAttributes: n } = spec;
  // Values are printed with the field names of Go.
  const nonResource = n && { Path: n.path ?? '', Verb: n.verb ?? '' };
  if (r && n) {
    const text = 'cannot be specified in combination with resourceAttributes';
    errors.push(invalidValue('spec.nonResourceAttributes', nonResource, text));
  }
  if (!r && !n) {
    const text = 'exactly one of nonResourceAttributes or resourceAttributes must be specified';
    errors.push(invalidValue('spec.resourceAttributes', null, text));
  }
  if (kind !== 'SelfSubjectAccessReview' && !spec.user && !spec.groups?.length) {
    errors.push(invalidValue('spec.user', '', 'at least one of user or group must be specified'));
  }
  const at = new Path('spec.resourceAttributes');
  if (r?.fieldSelector) errors.push(...selectorErrors(r.fieldSelector, at.child('fieldSelector'), false));
  if (r?.labelSelector) errors.push(...selectorErrors(r.labelSelector, at.child('labelSelector'), true));
  const local = kind === 'LocalSubjectAccessReview';
  const { managedFields: _, ...others } = metadata;
  if (local) delete others.namespace;
  if (Object.values(others).some((v) => v !== undefined && v !== null)) {
    errors.push(
      invalidValue('metadata', inGoOrder(metadata), local ? 'must be empty except for namespace' : 'must be empty'),
    );
  }
  if (local && r && (r.namespace ?? '') !== metadata.namespace) {
    errors.push(invalidValue('spec.resourceAttributes.namespace', r.namespace ?? '', 'must match metadata.namespace'));
  }
  if (local && n) {
    errors.push(invalidValue('spec.nonResourceAttributes', nonResource, 'disallowed on this kind of request'));
  }
  return errors;
}

/** Unknown operators pass: a newer client may know more of them, and they only narrow. */
/** As the Go type writes them. */
function inGoOrder(metadata: JsonObject): JsonObject {
  return JSON.parse(jsonEncoder(catalog().type(OBJECT_META))(metadata)) as JsonObject;
}

function selectorErrors(selector: SelectorAttributes, at: Path, ofLabels: boolean): FieldError[] {
  const errors: FieldError[] = [];
  const { rawSelector = '', requirements = [] } = selector;
  if (rawSelector && requirements.length > 0) {
    errors.push(
      invalidValue(at.child('rawSelector'), rawSelector, 'may not specified at the same time as requirements'),
    );
  }
  if (!rawSelector && requirements.length === 0) {
    errors.push(required(at.child('requirements'), `when ${at} is specified, requirements or rawSelector is required`));
  }
  requirements.forEach(({ key = '', operator = '', values = [] }, i) => {
    const where = at.child('requirements').index(i);
    if (!ofLabels && key === '') errors.push(required(where.child('key'), 'must be specified'));
    if ((operator === 'In' || operator === 'NotIn') && values.length === 0) {
      errors.push(required(where.child('values'), "must be specified when `operator` is 'In' or 'NotIn'"));
    }
    if ((operator === 'Exists' || operator === 'DoesNotExist') && values.length > 0) {
      const text = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'";
      errors.push(forbiddenField(where.child('values'), text));
    }
    if (!ofLabels) return;
    for (const text of labelKeyErrors(key)) errors.push(invalidValue(where.child('key'), key, text));
    values.forEach((value, v) => {
      for (const text of labelValueErrors(value)) {
        errors.push(invalidValue(where.child('values').index(v), value, text));
      }
    });
  });
  return errors;
}
