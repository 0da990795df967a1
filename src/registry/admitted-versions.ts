import type { AdmissionAttributes } from '../admission/contract.js';
import type { AdmittedVersion, VersionSource } from '../admission/matching/versions.js';
import { DecodeError } from '../machinery/codec/errors.js';
import { encodeUnstructured, jsonEncoder } from '../machinery/codec/json/encode.js';
import { decodeTyped } from '../machinery/codec/typed/decode.js';
import { cloneJson, type GroupVersionKind, type GroupVersionResource, type KubeObject } from '../machinery/json.js';
import { catalog } from '../machinery/scheme/catalog.js';
import { type Endpoint, gvkOf } from './endpoint.js';
import type { KindVersion } from './kind.js';
import type { ResourceTable, ServedEntry } from './resource-table.js';

/** The versions at which admission can show an object: all that are served of the resource that a request is about. */
export class AdmittedVersions implements VersionSource {
  readonly #table: ResourceTable;
  readonly #known = new Map<string, readonly [AdmittedVersion, ...AdmittedVersion[]]>();

  constructor(table: ResourceTable) {
    this.#table = table;
    table.onChange(() => this.#known.clear());
  }

  of({ resource, subresource, kind }: AdmissionAttributes): readonly [AdmittedVersion, ...AdmittedVersion[]] {
    const key = `${resource.group}/${resource.version}/${resource.resource}/${subresource}`;
    const known = this.#known.get(key);
    if (known) return known;
    const versions = this.#find(resource, subresource, kind);
    this.#known.set(key, versions);
    return versions;
  }

  #find(
    resource: GroupVersionResource,
    subresource: string,
    kind: GroupVersionKind,
  ): readonly [AdmittedVersion, ...AdmittedVersion[]] {
    const asked = this.#table.find(resource.group, resource.version, resource.resource);
    const endpoint = asked && endpointOf(asked, subresource);
    if (!asked || !endpoint) return [unserved(resource, kind)];
    const versions = [admittedVersion(asked, endpoint, endpoint)];
    for (const group of this.#table.groups()) {
      for (const { resources } of group.versions) {
        for (const entry of resources) {
          const other = entry !== asked && isSame(entry, asked) ? endpointOf(entry, subresource) : undefined;
          if (other) versions.push(admittedVersion(entry, other, endpoint));
        }
      }
    }
    return versions as [AdmittedVersion, ...AdmittedVersion[]];
  }
}

function endpointOf(entry: ServedEntry, subresource: string): Endpoint | undefined {
  return subresource === '' ? entry.endpoint : entry.subresources.find((s) => s.name === subresource)?.endpoint;
}

/** The same objects: another version of the resource, or the same store under another group. */
function isSame(a: ServedEntry, b: ServedEntry): boolean {
  if (a.resource !== b.resource) return false;
  return a.group === b.group || (a.stored !== undefined && a.stored.cache === b.stored?.cache);
}

/** @param asked the endpoint of the request, at whose hub version attributes carry objects */
function admittedVersion(entry: ServedEntry, endpoint: Endpoint, asked: Endpoint): AdmittedVersion {
  const { version } = endpoint;
  return {
    resource: { group: entry.group, version: entry.version, resource: entry.resource },
    kind: ordered(gvkOf(version)),
    async text(object) {
      return version.encode(await version.fromHub(cloneJson(object)));
    },
    async read(value, unknown) {
      const object = version.decode(value, unknown && { report: unknown });
      version.applyDefaults(object);
      return toAttributes(object, version, asked.hub);
    },
    overlay: (live, config) => version.fieldManager('').overlay(live, config),
  };
}

async function toAttributes(object: KubeObject, version: KindVersion, hub: KindVersion): Promise<KubeObject> {
  const own = await version.toHub(object);
  // Versions of custom resources are hubs of their own.
  return own.apiVersion === hub.apiVersion ? own : hub.fromHub(own);
}

/** What is connected to, not stored: its options are as they are. */
function unserved(resource: GroupVersionResource, kind: GroupVersionKind): AdmittedVersion {
  const type = catalog().byGvk(kind.group, kind.version, kind.kind);
  return {
    resource: { group: resource.group, version: resource.version, resource: resource.resource },
    kind: ordered(kind),
    text: async (object) => (type ? jsonEncoder(type)(object, kind) : encodeUnstructured(object)),
    async read(value) {
      if (!type) throw new DecodeError(`no kind "${kind.kind}" is registered`);
      const { object } = decodeTyped(type, value, { strict: false });
      return object as KubeObject;
    },
    overlay() {
      throw new Error(`no schema of ${kind.kind} is known`);
    },
  };
}

/** In the order of the fields of the Go type, which messages show. */
function ordered({ group, version, kind }: GroupVersionKind): GroupVersionKind {
  return { group, version, kind };
}
