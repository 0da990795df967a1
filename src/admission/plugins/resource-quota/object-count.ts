import type { GroupResource } from '../../../machinery/errors.js';
import { Quantity } from '../../../machinery/quantity.js';
import { countName, type Evaluator } from './evaluator.js';

export const ONE = Quantity.of(1);

/** Resources that had a name in quotas before `count/…` came. */
const ALIASES = ['configmaps', 'resourcequotas', 'replicationcontrollers', 'secrets'];

/** Counts objects, whatever is in them: the way for all resources without a way of their own. */
export function objectCount(resource: GroupResource): Evaluator {
  const names = [countName(resource)];
  if (resource.group === '' && ALIASES.includes(resource.resource)) names.push(resource.resource);
  const usage = new Map(names.map((name) => [name, ONE]));
  return {
    resource,
    handles: (a) => a.operation === 'CREATE' && a.subresource === '',
    counts: (wanted) => wanted.filter((name) => names.includes(name)),
    usage: () => usage,
  };
}
