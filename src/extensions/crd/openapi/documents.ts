import type { SchemaProps } from '../../../api/apiextensions/schema/props.js';
import type { JsonObject } from '../../../machinery/json.js';
import type { GroupEntry, ResourceTable, ServedEntry } from '../../../registry/resource-table.js';
import type { Dialect, OpenApiPart, OpenApiSource, PathItem } from '../../../server/openapi/contract.js';
import { resourcePaths, versionPath } from '../../../server/openapi/operations.js';
import { CustomVersion } from '../custom-version.js';
import { schemaName } from './names.js';
import { publishedResource } from './resource.js';
import { kindSchema, listSchema } from './schema.js';

type Version = GroupEntry['versions'][number];

/** A custom resource at one version, as its document needs it. */
interface Published {
  readonly entry: ServedEntry;
  readonly version: CustomVersion;
}

/** The documents of custom resources, one for each group and version. Nothing is made before somebody asks. */
export function customResourceDocuments(table: ResourceTable): OpenApiSource {
  let groups: readonly GroupEntry[] | undefined;
  let parts: readonly OpenApiPart[] = [];
  /** A version that did not change is the same object as before. */
  const known = new WeakMap<Version, OpenApiPart>();

  function partOf(group: string, version: Version): OpenApiPart[] {
    const before = known.get(version);
    if (before) return [before];
    const published = version.resources.flatMap((entry) => {
      const hub = entry.endpoint.kind?.hub;
      return hub instanceof CustomVersion ? [{ entry, version: hub }] : [];
    });
    if (published.length === 0) return [];
    const part = new VersionPart(group, version.version, published);
    known.set(version, part);
    return [part];
  }

  return {
    parts() {
      const now = table.groups();
      if (now !== groups) {
        groups = now;
        parts = now.flatMap(({ group, versions }) => versions.flatMap((v) => partOf(group, v)));
      }
      return parts;
    },
  };
}

/** As kube-apiserver entitles them. */
const INFO = { title: 'Kubernetes CRD Swagger', version: 'v0.1.0' };

class VersionPart implements OpenApiPart {
  readonly key: string;
  readonly info = INFO;
  readonly #group: string;
  readonly #version: string;
  readonly #published: readonly Published[];
  #names: ReadonlyMap<string, (dialect: Dialect) => JsonObject> | undefined;

  constructor(group: string, version: string, published: readonly Published[]) {
    this.key = versionPath(group, version).slice(1);
    this.#group = group;
    this.#version = version;
    this.#published = published;
  }

  get revision(): string {
    return this.#published.map((p) => p.version.revision).join(' ');
  }

  paths(): ReadonlyMap<string, PathItem> {
    return new Map(this.#published.flatMap((p) => [...resourcePaths(publishedResource(p.entry, p.version.listKind))]));
  }

  schema(name: string, dialect: Dialect): JsonObject | undefined {
    this.#names ??= new Map(this.#published.flatMap((p) => this.#schemas(p)));
    return this.#names.get(name)?.(dialect);
  }

  #schemas({ entry, version }: Published): [string, (dialect: Dialect) => JsonObject][] {
    const [group, v] = [this.#group, this.#version];
    const named = (kind: string) => ({ group, kind, version: v });
    const props = version.openAPI as SchemaProps | undefined;
    return [
      [schemaName(group, v, entry.kind), (dialect) => kindSchema(props, named(entry.kind), dialect)],
      [
        schemaName(group, v, version.listKind),
        (dialect) => listSchema(entry.resource, entry.kind, named(version.listKind), dialect),
      ],
    ];
  }
}
