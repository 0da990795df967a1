import { invalidValue, Path, required } from '../../machinery/field.js';
import type { JsonObject, KubeObject } from '../../machinery/json.js';
import { list, obj, ptr, str, strings } from '../access.js';
import { kind } from '../kind.js';
import type { Strategy } from '../strategy.js';
import { type Check, goForm } from '../validation/index.js';
import { isStandardQuotaResource, validateAmount, validateResourceName } from './pod/resources.js';

const SPEC = new Path('spec');

const POD_RESOURCES = new Set([
  'pods',
  'cpu',
  'memory',
  'limits.cpu',
  'limits.memory',
  'requests.cpu',
  'requests.memory',
]);
const CLAIM_RESOURCES = new Set(['persistentvolumeclaims', 'requests.storage']);
/** Scope → what can be counted in it. */
const SCOPES: Readonly<Record<string, (resource: string) => boolean>> = {
  Terminating: (r) => POD_RESOURCES.has(r),
  NotTerminating: (r) => POD_RESOURCES.has(r),
  BestEffort: (r) => r === 'pods',
  NotBestEffort: (r) => POD_RESOURCES.has(r),
  PriorityClass: (r) => POD_RESOURCES.has(r),
  CrossNamespacePodAffinity: (r) => POD_RESOURCES.has(r),
  VolumeAttributesClass: (r) => CLAIM_RESOURCES.has(r),
};
const CONFLICTS = [
  ['BestEffort', 'NotBestEffort'],
  ['NotTerminating', 'Terminating'],
];
const ONLY_EXISTS = new Set([
  'BestEffort',
  'NotBestEffort',
  'Terminating',
  'NotTerminating',
  'CrossNamespacePodAffinity',
]);

function resourceName(name: string, at: Path, c: Check): void {
  validateResourceName(name, at, c);
  if (!name.includes('/') && !isStandardQuotaResource(name))
    c.errors.push(invalidValue(at, name, 'must be a standard resource for quota'));
}
function amounts(holder: JsonObject, field: string, at: Path, c: Check): void {
  const all = obj(holder, field);
  for (const name of Object.keys(all).sort()) {
    const here = at.child(field).key(name);
    resourceName(name, here, c);
    validateAmount(name, all[name], here, c);
  }
}

const foreign = (scope: string, spec: JsonObject): string[] =>
  Object.keys(obj(spec, 'hard'))
    .sort()
    .filter((r) => isStandardQuotaResource(r) && SCOPES[scope]?.(r) === false);
const conflicting = (scopes: readonly string[]) => CONFLICTS.filter((pair) => pair.every((s) => scopes.includes(s)));

function scopeRules(spec: JsonObject, c: Check): void {
  const scopes = strings(spec, 'scopes');
  const at = SPEC.child('scopes');
  const fault = (text: string) => c.errors.push(invalidValue(at, scopes, text));
  for (const scope of scopes) {
    if (!Object.hasOwn(SCOPES, scope)) fault('unsupported scope');
    for (const _ of foreign(scope, spec)) fault('unsupported scope applied to resource');
  }
  for (const _ of conflicting(scopes)) fault('conflicting scopes');
}

const EXISTS_TEXT =
  "must be 'Exists' when scope is any of ResourceQuotaScopeTerminating, ResourceQuotaScopeNotTerminating, ResourceQuotaScopeBestEffort, ResourceQuotaScopeNotBestEffort or ResourceQuotaScopeCrossNamespacePodAffinity";

function selectorRules(spec: JsonObject, c: Check): void {
  const selector = ptr(spec, 'scopeSelector');
  if (!selector) return;
  const at = SPEC.child('scopeSelector', 'matchExpressions');
  const requirements = list(selector, 'matchExpressions');
  for (const r of requirements) {
    const scope = str(r, 'scopeName');
    const operator = str(r, 'operator');
    const values = strings(r, 'values');
    if (!Object.hasOwn(SCOPES, scope)) c.errors.push(invalidValue(at.child('scopeName'), scope, 'unsupported scope'));
    for (const _ of foreign(scope, spec))
      c.errors.push(
        invalidValue(at, goForm('core.v1.ScopeSelector', selector), 'unsupported scope applied to resource'),
      );
    if (ONLY_EXISTS.has(scope) && operator !== 'Exists')
      c.errors.push(invalidValue(at.child('operator'), operator, EXISTS_TEXT));
    if (operator === 'In' || operator === 'NotIn') {
      if (values.length === 0)
        c.errors.push(
          required(
            at.child('values'),
            "must be at least one value when `operator` is 'In' or 'NotIn' for scope selector",
          ),
        );
    } else if (operator === 'Exists' || operator === 'DoesNotExist') {
      if (values.length > 0)
        c.errors.push(
          invalidValue(
            at.child('values'),
            values,
            "must be no value when `operator` is 'Exist' or 'DoesNotExist' for scope selector",
          ),
        );
    } else c.errors.push(invalidValue(at.child('operator'), operator, 'not a valid selector operator'));
  }
  for (const _ of conflicting(requirements.map((r) => str(r, 'scopeName'))))
    c.errors.push(invalidValue(at, spec.scopes, 'conflicting scopes'));
}

function statusRules(quota: KubeObject, c: Check): void {
  const status = obj(quota, 'status');
  for (const field of ['hard', 'used']) amounts(status, field, new Path('status'), c);
}

export const resourceQuota: Strategy = kind({
  group: '',
  kind: 'ResourceQuota',
  rules(v, _, c) {
    const spec = obj(v as KubeObject, 'spec');
    amounts(spec, 'hard', SPEC, c);
    scopeRules(spec, c);
    selectorRules(spec, c);
    if (!c.old) statusRules(v as KubeObject, c);
  },
  updateRules(o, old, c) {
    const scopes = obj(o, 'spec').scopes;
    const set = (quota: KubeObject) => [...new Set(strings(obj(quota, 'spec'), 'scopes'))].sort().join();
    if (set(o) !== set(old)) c.errors.push(invalidValue(SPEC.child('scopes'), scopes ?? [], 'field is immutable'));
  },
  subresources: {
    status: {
      rules(o, _, c) {
        if (!o.metadata.resourceVersion) c.errors.push(required('resourceVersion'));
        statusRules(o, c);
      },
    },
  },
});
