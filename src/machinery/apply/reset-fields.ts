import { apiVersionOf } from '../json.js';
import type { ResourceFacts } from '../scheme/resources.js';
import type { FieldFilter } from './contract.js';
import { recursiveDifference, setOfPaths } from './field-set.js';

/** Takes away the named fields and everything in them; a field is written `metadata.labels`. */
export function excludeFields(fields: readonly string[]): FieldFilter {
  const set = setOfPaths(fields.map((f) => f.split('.').map((name) => `f:${name}`)));
  return (owned) => recursiveDifference(owned, set);
}

/**
 * What the strategy of a built-in resource or of one of its subresources resets, by apiVersion. A resource with a status
 * subresource resets its status; the other subresources that say nothing reset nothing.
 */
export function resetFilters(resource: ResourceFacts, subresource = ''): Record<string, FieldFilter> {
  const filters: Record<string, FieldFilter> = {};
  for (const [apiVersion, strategies] of Object.entries(resource.resetFields ?? {})) {
    for (const [strategy, fields] of Object.entries(strategies)) {
      const of = /(status|approval|finalize)?strategy$/i.exec(strategy)?.[1]?.toLowerCase() ?? '';
      if (of === subresource) filters[apiVersion] = excludeFields(fields);
    }
  }
  if (subresource === '' && resource.statusSubresource && Object.keys(filters).length === 0) {
    filters[apiVersionOf(resource)] = excludeFields(['status']);
  }
  return filters;
}
