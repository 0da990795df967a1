import type { Printer } from '../api/printers/contract.js';
import { printerFor } from '../api/printers/index.js';
import { type ResourceFacts, resourceCatalog, type SubresourceFacts } from '../machinery/scheme/resources.js';
import type { BuiltinResource } from './builtin.js';
import type { Environment } from './context.js';
import type { Endpoint } from './endpoint.js';
import type { Kind, KindVersion } from './kind.js';
import type { GroupEntry, ServedEntry, ServedSub } from './resource-table.js';
import { sharedSubresourceEndpoint, storedEndpoint } from './stored-endpoint.js';

/** What a factory of an endpoint gets to know. */
export interface EndpointSource {
  readonly facts: ResourceFacts;
  readonly sub: SubresourceFacts | undefined;
  /** The kind of bodies at the version of the path. */
  readonly version: KindVersion;
  /** The stored parent kind; undefined for virtual resources. */
  readonly kind: Kind | undefined;
  readonly printer: Printer | undefined;
}

/**
 * Endpoints that are more than a stored object: virtual resources by `group/resource`, subresources by
 * `group/resource/subresource` or `*\/subresource`.
 */
export type EndpointFactories = Readonly<Record<string, (source: EndpointSource) => Endpoint>>;

export interface ServedOptions {
  readonly resources: readonly BuiltinResource[];
  readonly env: Environment;
  readonly factories: EndpointFactories;
  /** Put around the endpoint of a stored resource, by `group/resource`. */
  readonly wrappers: Readonly<Record<string, (endpoint: Endpoint) => Endpoint>>;
  /** The kind of a subresource's bodies (Scale, Eviction, TokenRequest) at a version. */
  versionOf(group: string, version: string, kind: string): KindVersion;
}

/** The built-in groups in discovery order, each resource with what answers it. */
export function servedGroups(options: ServedOptions): GroupEntry[] {
  const groups = new Map<string, Map<string, ServedEntry[]>>();
  for (const resource of options.resources) {
    const { group, version } = resource.facts;
    let versions = groups.get(group);
    if (!versions) {
      versions = new Map();
      groups.set(group, versions);
    }
    let entries = versions.get(version);
    if (!entries) {
      entries = [];
      versions.set(version, entries);
    }
    entries.push(servedEntry(resource, options));
  }
  const order = resourceCatalog().groupOrder.all;
  return order.flatMap(({ group, versions }) => {
    const found = groups.get(group);
    if (!found) return [];
    const known = versions.filter((v) => found.has(v));
    return [{ group, versions: known.map((version) => ({ version, resources: found.get(version)! })) }];
  });
}

function servedEntry(resource: BuiltinResource, options: ServedOptions): ServedEntry {
  const { facts } = resource;
  return {
    group: facts.group,
    version: facts.version,
    resource: facts.plural,
    singular: facts.singular,
    kind: facts.kind,
    namespaced: facts.namespaced,
    verbs: facts.verbs,
    shortNames: facts.shortNames,
    categories: facts.categories,
    storageVersionHash: facts.storageVersionHash,
    subresources: (facts.subresources ?? [])
      .filter((sub) => sub.enabledByDefault)
      .map((sub) => servedSub(resource, sub, options)),
    endpoint: mainEndpoint(resource, options),
    stored: resource.kind,
  };
}

function mainEndpoint({ facts, version, kind }: BuiltinResource, options: ServedOptions): Endpoint {
  const printer = printerFor(facts.group, facts.kind);
  const factory = options.factories[`${facts.group}/${facts.plural}`];
  if (factory) return factory({ facts, sub: undefined, version, kind, printer });
  if (!kind) return unanswered(facts, version, printer);
  const wrap = options.wrappers[`${facts.group}/${facts.plural}`] ?? ((endpoint) => endpoint);
  const stored = storedEndpoint(kind, version, options.env, {
    group: facts.group,
    verbs: facts.verbs,
    warning: warningOf(facts),
    printer,
    selectableFields: new Set(facts.fieldSelectors),
  });
  return wrap(stored);
}

function servedSub(resource: BuiltinResource, sub: SubresourceFacts, options: ServedOptions): ServedSub {
  return {
    name: sub.name,
    kind: sub.kind,
    group: sub.group,
    version: sub.version,
    verbs: sub.verbs,
    endpoint: subEndpoint(resource, sub, options),
  };
}

function subEndpoint(
  { facts, version, kind }: BuiltinResource,
  sub: SubresourceFacts,
  options: ServedOptions,
): Endpoint | undefined {
  const factory = options.factories[`${facts.group}/${facts.plural}/${sub.name}`] ?? options.factories[`*/${sub.name}`];
  if (factory) {
    const body = options.versionOf(sub.group ?? facts.group, sub.version ?? facts.version, sub.kind);
    const printer = printerFor(sub.group ?? facts.group, sub.kind, sub.name);
    return factory({ facts, sub, version: body, kind, printer });
  }
  if (!kind || sub.kind !== facts.kind || !sub.verbs.includes('update')) return undefined;
  return sharedSubresourceEndpoint(kind, version, options.env, sub.name, {
    group: facts.group,
    verbs: sub.verbs,
    warning: warningOf(facts),
    printer: printerFor(facts.group, facts.kind, sub.name),
    selectableFields: new Set(),
  });
}

function warningOf(facts: ResourceFacts): string | undefined {
  const { warning } = facts;
  return Array.isArray(warning) ? warning[0] : warning;
}

/** A resource that nothing answers yet: every verb is refused. */
function unanswered(facts: ResourceFacts, version: KindVersion, printer: Printer | undefined): Endpoint {
  return {
    resource: { group: facts.group, resource: facts.plural },
    subresource: '',
    namespaced: facts.namespaced,
    version,
    hub: version,
    verbs: new Set(),
    printer,
  };
}
