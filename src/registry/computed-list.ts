import type { KubeObject } from '../machinery/json.js';
import type { CachedObject, ListResult } from '../storage/cacher/cacher.js';
import type { KindVersion } from './kind.js';

/** Objects that no store holds as a list of one; it has no revision. */
export function computedList(version: KindVersion, objects: readonly KubeObject[]): ListResult {
  const items = objects.map((object) => computedObject(version, object));
  return {
    revision: 0,
    continue: undefined,
    remainingItemCount: undefined,
    async *batches() {
      yield items;
    },
    items: async () => items,
  };
}

function computedObject(version: KindVersion, object: KubeObject): CachedObject {
  const { name = '', namespace = '', uid = '', labels = {} } = object.metadata;
  const text = version.encode(object);
  const typeMeta = `{"kind":${JSON.stringify(version.kind)},"apiVersion":${JSON.stringify(version.apiVersion)},`;
  const self: CachedObject = {
    key: `${namespace}/${name}`,
    namespace,
    name,
    uid,
    revision: 0,
    json: Buffer.from(text),
    bodyStart: typeMeta.length,
    labels,
    fields: { 'metadata.name': name, 'metadata.namespace': namespace },
    parsed: () => object,
    form: (_name, make) => make(self),
  };
  return self;
}
