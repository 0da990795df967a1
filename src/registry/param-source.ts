import type { ParamResource, ParamSource } from '../admission/policy/params.js';
import { parseJson } from '../machinery/codec/json/parse.js';
import type { GroupVersionKind, JsonObject } from '../machinery/json.js';
import type { CachedObject } from '../storage/cacher/cacher.js';
import type { Kind, KindVersion } from './kind.js';
import type { ResourceTable } from './resource-table.js';
import { readStored } from './store/object.js';

/** Parameters of policies: any stored kind, at any served version. */
export function paramSource(table: ResourceTable): ParamSource {
  return {
    find({ group, version, kind }: GroupVersionKind): ParamResource | undefined {
      const endpoint = table.byKind(group, version, kind)?.endpoint;
      if (!endpoint?.kind) return undefined;
      const { kind: stored, version: at } = endpoint;
      return {
        namespaced: stored.namespaced,
        async get(namespace, name) {
          const cached = await stored.cache.get(stored.cache.key(namespace, name));
          return cached && read(stored, at, cached);
        },
        async list(namespace, selector) {
          const found = await stored.cache.list(stored.namespaced ? { namespace } : {});
          const objects: JsonObject[] = [];
          for (const cached of await found.items()) {
            if (selector.matches(cached.parsed().metadata.labels ?? {})) objects.push(await read(stored, at, cached));
          }
          return objects;
        },
      };
    },
  };
}

async function read(kind: Kind, version: KindVersion, cached: CachedObject): Promise<JsonObject> {
  const object = await version.fromHub(await readStored(kind, cached));
  return parseJson(version.encode(object)) as JsonObject;
}
