import { convert } from '../api/conversion/index.js';
import { applyDefaults, type DefaultingEnv } from '../api/defaulting/index.js';
import { jsonEncoder } from '../machinery/codec/json/encode.js';
import { decodeTyped } from '../machinery/codec/typed/decode.js';
import { apiVersionOf, type KubeObject } from '../machinery/json.js';
import { catalog } from '../machinery/scheme/catalog.js';
import type { KindVersion } from './kind.js';

/**
 * A built-in kind at a version, made of its catalog type.
 *
 * @param hub where `toHub` and `fromHub` go
 * @throws Error when the catalog has no such type
 */
export function builtinVersion(
  group: string,
  version: string,
  kind: string,
  hub: { group: string; version: string },
  env: DefaultingEnv,
): KindVersion {
  const type = catalog().byGvk(group, version, kind);
  if (!type) throw new Error(`no type for ${kind} in ${apiVersionOf({ group, version })}`);
  const apiVersion = apiVersionOf({ group, version });
  const gvk = { group, version, kind };
  const encode = jsonEncoder(type);
  return {
    ...gvk,
    apiVersion,
    type,
    typed: true,
    decode(value, strict) {
      const decoded = decodeTyped(type, value, { strict: strict !== undefined, duplicates: strict?.duplicates });
      for (const text of decoded.unknown) strict?.report(text);
      const object = decoded.object as KubeObject;
      object.metadata ??= {};
      object.kind = kind;
      object.apiVersion = apiVersion;
      return object;
    },
    applyDefaults: (object) => applyDefaults(type, object, env),
    encode: (object) => encode(object, gvk),
    toHub: (object) => convert(kind, object, gvk, hub),
    fromHub: (object) => convert(kind, object, hub, gvk),
  };
}
