import type { JsonObject, KubeObject } from '../machinery/json.js';
import { resourceCatalog } from '../machinery/scheme/resources.js';
import { num, obj, str, strings } from './access.js';
import type { GarbageCollection, Strategy, StrategyContext } from './strategy.js';

type DeletionHooks = Pick<Strategy, 'gracePeriod' | 'defaultGarbageCollection' | 'holdsDeletion' | 'beginDeletion'>;

const OWN: Readonly<Record<string, DeletionHooks>> = {
  '/Pod': { gracePeriod: podGracePeriod },
  '/Namespace': {
    holdsDeletion: (namespace) => strings(obj(namespace, 'spec'), 'finalizers').length > 0,
    beginDeletion(namespace) {
      // A namespace has no grace period: it goes when its finalizers are gone.
      delete namespace.metadata.deletionGracePeriodSeconds;
      namespace.status = { ...obj(namespace, 'status'), phase: 'Terminating' };
    },
  },
};

/** How objects of a built-in kind go: their grace, what else holds them, what becomes of dependents by default. */
export function deletionHooks(group: string, kind: string): DeletionHooks {
  const hooks = OWN[`${group}/${kind}`] ?? {};
  const facts = resourceCatalog().resources.find((r) => r.group === group && r.kind === kind && r.defaultGC);
  return facts?.defaultGC ? { ...hooks, defaultGarbageCollection: policyOf(facts.defaultGC) } : hooks;
}

/** `DeleteDependents`, or per version: `v1 OrphanDependents, v2 DeleteDependents`. */
function policyOf(fact: string): GarbageCollection | ((ctx: StrategyContext) => GarbageCollection) {
  const known = (name: string): GarbageCollection =>
    name === 'OrphanDependents' ? 'Orphan' : name === 'Unsupported' ? 'Unsupported' : 'Background';
  if (!fact.includes(' ')) return known(fact);
  const byVersion = new Map(fact.split(',').map((part) => part.trim().split(' ') as [string, string]));
  return (ctx) => known(byVersion.get(ctx.requestVersion) ?? '');
}

/** A pod that never reached a node, or is over, has nobody to wait for. */
function podGracePeriod(pod: KubeObject, requested: number | undefined): number {
  const spec = obj(pod, 'spec');
  const phase = str(obj(pod, 'status'), 'phase');
  if (str(spec, 'nodeName') === '' || phase === 'Succeeded' || phase === 'Failed') return 0;
  const period = requested ?? wish(spec);
  return period < 0 ? 1 : period;
}

function wish(spec: JsonObject): number {
  return spec.terminationGracePeriodSeconds === undefined ? 0 : num(spec, 'terminationGracePeriodSeconds');
}
