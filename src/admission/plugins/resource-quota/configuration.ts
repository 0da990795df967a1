import type { ScopeSelector } from './evaluator.js';

/** What may be used only where some quota covers it. */
export interface LimitedResource {
  readonly group: string;
  readonly resource: string;
  /** Parts of resource names. */
  readonly matchContains: readonly string[];
  readonly matchScopes: readonly ScopeSelector[];
}
