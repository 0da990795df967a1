import type { GroupResource } from '../../../machinery/errors.js';
import type { KubeObject } from '../../../machinery/json.js';
import type { AdmissionAttributes } from '../../contract.js';
import type { ResourceList } from '../resource-list.js';

/** One demand on objects that a quota counts: spec.scopes and spec.scopeSelector in one form. */
export interface ScopeSelector {
  readonly scopeName: string;
  readonly operator: string;
  readonly values: readonly string[];
}

/** How objects of one resource are counted. */
export interface Evaluator {
  readonly resource: GroupResource;
  /** Settles when the methods below may be called; for evaluators that look at other objects. */
  load?(): Promise<unknown>;
  /** Whether the write can change what is used. */
  handles(a: AdmissionAttributes): boolean;
  /** Those of a quota's resource names that it counts. */
  counts(names: readonly string[]): string[];
  /** What is missing in an object for it to be counted, in words. */
  lacks?(names: readonly string[], object: KubeObject): string | undefined;
  /** Absent: no scope matches, so that quotas with scopes pass these objects by. */
  matchesScope?(selector: ScopeSelector, object: KubeObject): boolean;
  usage(object: KubeObject): ResourceList | Promise<ResourceList>;
  /** Whether a change sets something free. Absent: never. */
  frees?(object: KubeObject, old: KubeObject): boolean;
  /** True for objects whose usage changes with time, so that it must not be kept. */
  fleeting?(object: KubeObject): boolean;
}

/** Whether a selector wants one of these values, under the scope's name; none of them: the label is absent. */
export function selects({ operator, values: wanted }: ScopeSelector, values: readonly string[]): boolean {
  switch (operator) {
    case 'Exists':
      return values.length > 0;
    case 'DoesNotExist':
      return values.length === 0;
    case 'In':
      return values.some((value) => wanted.includes(value));
    case 'NotIn':
      return values.length === 0 || values.some((value) => !wanted.includes(value));
    default:
      return false;
  }
}

/** `count/deployments.apps`, `count/pods`. */
export function countName({ group, resource }: GroupResource): string {
  return group ? `count/${resource}.${group}` : `count/${resource}`;
}
