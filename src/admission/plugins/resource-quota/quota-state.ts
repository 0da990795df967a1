import { list, obj, str, strings } from '../../../api/access.js';
import type { KubeObject } from '../../../machinery/json.js';
import { type ResourceList, resourceList } from '../resource-list.js';
import type { Evaluator, ScopeSelector } from './evaluator.js';

/** A quota as a decision sees it. `used` goes up as requests are let through, before it is written. */
export interface QuotaState {
  readonly name: string;
  readonly revision: string;
  readonly scopes: readonly ScopeSelector[];
  readonly hard: ResourceList;
  readonly used: ResourceList;
}

export function quotaState(quota: KubeObject): QuotaState {
  const { name = '', resourceVersion = '' } = quota.metadata;
  const status = obj(quota, 'status');
  return {
    name,
    revision: resourceVersion,
    scopes: scopesOf(quota),
    hard: resourceList(obj(status, 'hard')),
    used: resourceList(obj(status, 'used')),
  };
}

export function scopesOf(quota: KubeObject): ScopeSelector[] {
  const spec = obj(quota, 'spec');
  return [
    ...strings(spec, 'scopes').map((scopeName) => ({ scopeName, operator: 'Exists', values: [] })),
    ...list(obj(spec, 'scopeSelector'), 'matchExpressions').map(scopeSelector),
  ];
}

export function scopeSelector(requirement: Parameters<typeof str>[0]): ScopeSelector {
  return {
    scopeName: str(requirement, 'scopeName'),
    operator: str(requirement, 'operator'),
    values: strings(requirement, 'values'),
  };
}

/** Whether an object is in all scopes of a quota. */
export function inScopes(evaluator: Evaluator, scopes: readonly ScopeSelector[], object: KubeObject): boolean {
  return scopes.every((selector) => evaluator.matchesScope?.(selector, object) ?? false);
}
