import { decodeTyped } from '../../machinery/codec/typed/decode.js';
import type { JsonObject, KubeObject } from '../../machinery/json.js';
import { catalog, readCatalogFile } from '../../machinery/scheme/catalog.js';
import { obj } from '../access.js';

/** Without these some request would belong nowhere; the server makes them and nobody changes them. */
const NAMES = ['exempt', 'catch-all'];
let specs: Map<string, JsonObject> | undefined;

/** The spec that an object of this kind and name must have. */
export function mandatorySpec(kind: string, name: string): JsonObject | undefined {
  if (!NAMES.includes(name)) return undefined;
  specs ??= load();
  return specs.get(`${kind}/${name}`);
}

function load(): Map<string, JsonObject> {
  const entries = JSON.parse(readCatalogFile('bootstrap.json')) as { path: string; object: KubeObject }[];
  const out = new Map<string, JsonObject>();
  for (const { path, object } of entries) {
    const [, group = '', version = '', plural = ''] = path.split('/').slice(1);
    const name = object.metadata.name ?? '';
    const kind = { flowschemas: 'FlowSchema', prioritylevelconfigurations: 'PriorityLevelConfiguration' }[plural];
    const type = kind && NAMES.includes(name) ? catalog().byGvk(group, version, kind) : undefined;
    if (type) out.set(`${kind}/${name}`, obj(decodeTyped(type, object).object, 'spec'));
  }
  return out;
}
