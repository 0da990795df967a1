import { apiVersionOf, type JsonObject } from '../../machinery/json.js';
import type { ServedGroup, ServedResource, ServedSubresource, ServedVersion } from './contract.js';

/*
 * The documents as plain values, fields in the order in which the server writes them. `kind` and `apiVersion` are in
 * them, since the core group's are written without an apiVersion.
 */

/** `/api` */
export function apiVersions(core: ServedGroup | undefined, serverAddress: string): JsonObject {
  return {
    kind: 'APIVersions',
    versions: (core?.versions ?? []).map((v) => v.version),
    serverAddressByClientCIDRs: [{ clientCIDR: '0.0.0.0/0', serverAddress }],
  };
}

/** `/apis` */
export function apiGroupList(groups: readonly ServedGroup[]): JsonObject {
  return { kind: 'APIGroupList', apiVersion: 'v1', groups: groups.filter((g) => g.group !== '').map(groupPart) };
}

/** `/apis/<group>` */
export function apiGroup(group: ServedGroup): JsonObject {
  return { kind: 'APIGroup', apiVersion: 'v1', ...groupPart(group) };
}

function groupPart({ group, versions }: ServedGroup): JsonObject {
  const parts = versions.map(({ version }) => ({ groupVersion: apiVersionOf({ group, version }), version }));
  return { name: group, versions: parts, preferredVersion: parts[0] };
}

/** `/api/v1` and `/apis/<group>/<version>` */
export function apiResourceList(group: string, { version, resources }: ServedVersion): JsonObject {
  return {
    kind: 'APIResourceList',
    ...(group === '' ? {} : { apiVersion: 'v1' }),
    groupVersion: apiVersionOf({ group, version }),
    resources: resources.flatMap((r) => [resourcePart(r), ...(r.subresources ?? []).map((s) => subPart(r, s))]),
  };
}

function resourcePart(r: ServedResource): JsonObject {
  return compact({
    name: r.resource,
    singularName: r.singular,
    namespaced: r.namespaced,
    kind: r.kind,
    verbs: [...r.verbs],
    shortNames: list(r.shortNames),
    categories: list(r.categories),
    storageVersionHash: r.storageVersionHash || undefined,
  });
}

function subPart(r: ServedResource, s: ServedSubresource): JsonObject {
  return compact({
    name: `${r.resource}/${s.name}`,
    singularName: '',
    namespaced: r.namespaced,
    group: s.group,
    version: s.version,
    kind: s.kind,
    verbs: [...s.verbs],
  });
}

/** `/api` or `/apis` in the aggregated form (KEP-3352): every resource in one answer. */
export function apiGroupDiscoveryList(groups: readonly ServedGroup[]): JsonObject {
  return {
    kind: 'APIGroupDiscoveryList',
    apiVersion: 'apidiscovery.k8s.io/v2',
    metadata: {},
    items: groups.map(({ group, versions, dynamic }) => ({
      metadata: group === '' ? {} : { name: group },
      versions: versions.map((v) =>
        compact({
          version: v.version,
          resources: v.aggregated ? list(v.document) : v.resources.map((r) => discoveryPart(r, dynamic === true)),
          freshness: v.freshness ?? 'Current',
        }),
      ),
    })),
  };
}

/** Built-in kinds leave out a group and version that are those of the document; custom ones spell them. */
function discoveryPart(r: ServedResource, explicit: boolean): JsonObject {
  const own = explicit ? { group: r.group, version: r.version } : { group: '', version: '' };
  const subresources = (r.subresources ?? []).map((s) => ({
    subresource: s.name,
    responseKind: s.group ? { group: s.group, version: s.version, kind: s.kind } : { ...own, kind: s.kind },
    verbs: [...s.verbs],
  }));
  return compact({
    resource: r.resource,
    responseKind: { ...own, kind: r.kind },
    scope: r.namespaced ? 'Namespaced' : 'Cluster',
    singularResource: r.singular,
    verbs: [...r.verbs],
    shortNames: list(r.shortNames),
    categories: list(r.categories),
    subresources: list(subresources),
  });
}

function list<T>(values: readonly T[] | undefined): T[] | undefined {
  return values && values.length > 0 ? [...values] : undefined;
}

function compact(o: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(o).filter(([, value]) => value !== undefined));
}
