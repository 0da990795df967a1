import type { DefaultingEnv } from '../api/defaulting/index.js';
import { strategyFor } from '../api/index.js';
import type { Strategy } from '../api/strategy.js';
import type { KubeObject } from '../machinery/json.js';
import { type ResourceFacts, resourceCatalog } from '../machinery/scheme/resources.js';
import type { Attributes, Cacher, ResourceCache } from '../storage/cacher/cacher.js';
import { builtinVersion } from './builtin-version.js';
import type { Kind, KindRules, KindVersion } from './kind.js';

/** A built-in resource at one version: the facts, and the kind when its objects are stored. */
export interface BuiltinResource {
  readonly facts: ResourceFacts;
  readonly version: KindVersion;
  readonly kind: Kind | undefined;
}

/** Where upstream keeps what under another name than the plural; an existing etcd is laid out like this. */
export const STORAGE_NAMES: Readonly<Record<string, string>> = {
  '/nodes': 'minions',
  '/endpoints': 'services/endpoints',
  '/services': 'services/specs',
  '/replicationcontrollers': 'controllers',
  'networking.k8s.io/ingresses': 'ingress',
  'apiextensions.k8s.io/customresourcedefinitions': 'apiextensions.k8s.io/customresourcedefinitions',
  'apiregistration.k8s.io/apiservices': 'apiregistration.k8s.io/apiservices',
};

/** Kinds that several groups serve: the group whose objects they are. */
const HOME_GROUP: Record<string, string> = { 'events.k8s.io/events': '' };

/** Events go by themselves after `--event-ttl`. */
const EVENTS = '/events';

export interface BuiltinOptions {
  cacher: Cacher;
  enabled(facts: ResourceFacts): boolean;
  /** Strategies that need more than the object (address allocation) replace the plain ones: by `group/Kind`. */
  strategies: Readonly<Record<string, Strategy>>;
  eventTtlSeconds: number;
  defaulting: DefaultingEnv;
}

/** Every enabled built-in resource. Kinds of one resource at several versions share storage and cache. */
export function builtinResources(options: BuiltinOptions): BuiltinResource[] {
  const kinds = new Map<string, Kind>();
  const out: BuiltinResource[] = [];
  for (const facts of resourceCatalog().resources) {
    if (!options.enabled(facts)) continue;
    const kind = facts.storageVersion ? kindOf(facts, options, kinds) : undefined;
    out.push({
      facts,
      version: builtinVersion(facts.group, facts.version, facts.kind, kind?.hub ?? facts, options.defaulting, facts),
      kind,
    });
  }
  return out;
}

function kindOf(facts: ResourceFacts, options: BuiltinOptions, kinds: Map<string, Kind>): Kind {
  const group = HOME_GROUP[`${facts.group}/${facts.plural}`] ?? facts.group;
  const id = `${group}/${facts.plural}`;
  const known = kinds.get(id);
  // The group asked for is the one that answers and errors name.
  if (known) return known.group === facts.group ? known : { ...known, group: facts.group };
  const hubGv = { group, version: hubVersion(group, facts.plural) };
  const hub = builtinVersion(group, hubGv.version, facts.kind, hubGv, options.defaulting);
  const strategy = options.strategies[`${group}/${facts.kind}`] ?? strategyFor(group, facts.kind);
  const rules: KindRules = {
    allowCreateOnUpdate: facts.allowCreateOnUpdate ?? false,
    allowUnconditionalUpdate: facts.allowUnconditionalUpdate ?? false,
    returnsDeleted: !facts.ops.item?.delete?.resp?.['200']?.endsWith('.Status'),
    ttlSeconds: id === EVENTS ? options.eventTtlSeconds : undefined,
  };
  const kind: Kind = {
    group,
    kind: facts.kind,
    resource: facts.plural,
    namespaced: facts.namespaced,
    hub,
    strategy,
    rules,
    cache: resourceCache(options.cacher, `/registry/${STORAGE_NAMES[id] ?? facts.plural}/`, facts.namespaced, strategy),
  };
  kinds.set(id, kind);
  return kind;
}

/**
 * Objects are kept at the version that clients ask for most, the newest served by default, so that reads are copies of
 * stored bytes; the storage version of upstream is only what its hash in discovery stands for.
 */
function hubVersion(group: string, resource: string): string {
  const candidates = resourceCatalog().resources.filter((r) => r.group === group && r.plural === resource);
  const order = resourceCatalog().groupOrder.all.find((g) => g.group === group)?.versions ?? [];
  const best = order.find((v) => candidates.some((c) => c.version === v)) ?? candidates[0]?.version;
  if (!best) throw new Error(`no version of ${resource} in group "${group}"`);
  return best;
}

export function resourceCache(cacher: Cacher, prefix: string, namespaced: boolean, strategy: Strategy): ResourceCache {
  return cacher.resource({ prefix, namespaced, attributes: (object) => attributesOf(object, strategy) });
}

function attributesOf(object: KubeObject, strategy: Strategy): Attributes {
  const { name = '', namespace = '', labels = {} } = object.metadata;
  return {
    labels,
    fields: Object.assign(
      { 'metadata.name': name, 'metadata.namespace': namespace },
      strategy.selectableFields?.(object),
    ),
  };
}
