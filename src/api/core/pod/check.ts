import type { JsonObject, ObjectMeta } from '../../../machinery/json.js';
import type { Check } from '../../validation/index.js';

/** What stored pods may keep although new ones may not have it: true when the stored spec has that fault already. */
export interface Leniency {
  readonly deletionCost: boolean;
  readonly selectorValues: boolean;
  readonly nodeAffinityValues: boolean;
  readonly spreadSelectors: boolean;
  readonly hugePages: boolean;
  readonly tokenPaths: boolean;
  readonly hostSysctls: boolean;
}
export const STRICT: Leniency = {
  deletionCost: false,
  selectorValues: false,
  nodeAffinityValues: false,
  spreadSelectors: false,
  hugePages: false,
  tokenPaths: false,
  hostSysctls: false,
};

/** What the rules of a pod spec know about the whole. */
export interface PodCheck extends Check {
  readonly lenient: Leniency;
  /** Of a real pod; undefined in templates, where generated names are not known yet. */
  readonly pod: ObjectMeta | undefined;
  readonly spec: JsonObject;
  /** Sound volumes by name. */
  readonly volumes: ReadonlyMap<string, JsonObject>;
  readonly claims: ReadonlySet<string>;
  readonly hostUsers: boolean;
}

/** The same run with other facts; faults go to the same list. */
export function within<C extends Check>(c: C, facts: Partial<C>): C {
  return { ...c, ...facts };
}
