import { type ResourceFacts, resourceCatalog } from '../../machinery/scheme/resources.js';
import type { DiscoverySource, ServedGroup, ServedVersion } from '../discovery/contract.js';
import type { OpenApiPart, OpenApiSource, Operation, PathItem } from './contract.js';
import { groupId, groupTag, resourcePaths, versionId, versionPath, versionTag } from './operations.js';

const META = 'io.k8s.apimachinery.pkg.apis.meta.v1.';
const ALL_MEDIA = ['application/json', 'application/yaml', 'application/vnd.kubernetes.protobuf'];

/** The documents of what is compiled in, as far as it is served. */
export function builtinDocuments(discovery: DiscoverySource, release: string): OpenApiSource {
  let groups: readonly ServedGroup[] | undefined;
  let parts: readonly OpenApiPart[] = [];
  return {
    parts() {
      const now = discovery.groups();
      if (now !== groups) {
        groups = now;
        parts = [...SERVER_PARTS, ...now.filter((g) => !g.dynamic).flatMap(groupParts)].map((p) => ({
          ...p,
          revision: `${release} ${p.revision}`,
        }));
      }
      return parts;
    },
  };
}

function groupParts(group: ServedGroup): OpenApiPart[] {
  const parts = group.versions.filter((v) => !v.aggregated).map((v) => versionPart(group.group, v));
  if (group.group === '') return parts;
  const information: Operation = {
    id: `get${groupId(group.group)}APIGroup`,
    tag: groupTag(group.group),
    description: 'get information of a group',
    parameters: [],
    responses: { 200: `${META}APIGroup` },
    produces: ALL_MEDIA,
  };
  return [single(`apis/${group.group}`, information), ...parts];
}

function versionPart(group: string, served: ServedVersion): OpenApiPart {
  const { version } = served;
  const root = versionPath(group, version);
  return {
    key: root.slice(1),
    revision: JSON.stringify(served.resources.map((r) => [r.resource, r.verbs, r.subresources?.map((s) => s.name)])),
    paths() {
      const get: Operation = {
        id: `get${versionId(group, version)}APIResources`,
        tag: versionTag(group, version),
        description: 'get available resources',
        parameters: [],
        responses: { 200: `${META}APIResourceList` },
        produces: ALL_MEDIA,
      };
      const paths = new Map<string, PathItem>([[`${root}/`, { get }]]);
      for (const { resource, subresources } of served.resources) {
        const facts = factsOf(group, version, resource);
        if (!facts) continue;
        const shown = new Set(subresources?.map((s) => s.name));
        const subs = facts.subresources?.filter((s) => shown.has(s.name));
        for (const [path, item] of resourcePaths({ ...facts, subresources: subs })) paths.set(path, item);
      }
      return paths;
    },
  };
}

let index: Map<string, ResourceFacts> | undefined;
function factsOf(group: string, version: string, resource: string): ResourceFacts | undefined {
  index ??= new Map(resourceCatalog().resources.map((r) => [`${r.group}/${r.version}/${r.plural}`, r]));
  return index.get(`${group}/${version}/${resource}`);
}

/** A document about one path. */
function single(key: string, get: Operation): OpenApiPart {
  return { key, revision: key, paths: () => new Map([[`/${key}/`, { get }]]) };
}

function server(key: string, id: string, tag: string, description: string, type: string, produces = ALL_MEDIA) {
  return single(key, { id, tag, description, parameters: [], responses: { 200: type }, produces });
}

const SERVER_PARTS: readonly OpenApiPart[] = [
  server(
    '.well-known/openid-configuration',
    'getServiceAccountIssuerOpenIDConfiguration',
    'WellKnown',
    "get service account issuer OpenID configuration, also known as the 'OIDC discovery doc'",
    'string',
    ['application/json'],
  ),
  server('api', 'getCoreAPIVersions', 'core', 'get available API versions', `${META}APIVersions`),
  server('apis', 'getAPIVersions', 'apis', 'get available API versions', `${META}APIGroupList`),
  server(
    'openid/v1/jwks',
    'getServiceAccountIssuerOpenIDKeyset',
    'openid',
    'get service account issuer OpenID JSON Web Key Set (contains public token verification keys)',
    'string',
    ['application/jwk-set+json'],
  ),
  server(
    'version',
    'getCodeVersion',
    'version',
    'get the version information for this server',
    'io.k8s.apimachinery.pkg.version.Info',
    ['application/json'],
  ),
];
