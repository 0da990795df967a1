import { type ApiVersion, convert } from '../api/conversion/index.js';
import { applyDefaults, type DefaultingEnv } from '../api/defaulting/index.js';
import { TEMPLATE_GENERATION } from '../api/defaulting/special.js';
import { FieldManager } from '../machinery/apply/field-manager.js';
import { resetFilters } from '../machinery/apply/reset-fields.js';
import { jsonEncoder } from '../machinery/codec/json/encode.js';
import { decodeTyped } from '../machinery/codec/typed/decode.js';
import { emptyListDropper } from '../machinery/codec/typed/empty-lists.js';
import { apiVersionOf, cloneJson, type GroupVersionKind, type KubeObject, parseApiVersion } from '../machinery/json.js';
import { catalog } from '../machinery/scheme/catalog.js';
import type { ResourceFacts } from '../machinery/scheme/resources.js';
import type { KindVersion } from './kind.js';

/** By `group/Kind`. */
const FIELD_ANNOTATIONS: Readonly<Record<string, readonly string[]>> = { 'apps/DaemonSet': [TEMPLATE_GENERATION] };

/**
 * A built-in kind at a version, made of its catalog type.
 *
 * @param hub where `toHub` and `fromHub` go
 * @param facts of the resource, for the fields its strategies reset
 * @throws Error when the catalog has no such type
 */
export function builtinVersion(
  group: string,
  version: string,
  kind: string,
  hub: ApiVersion,
  env: DefaultingEnv,
  facts?: ResourceFacts,
): KindVersion {
  const type = catalog().byGvk(group, version, kind);
  if (!type) throw new Error(`no type for ${kind} in ${apiVersionOf({ group, version })}`);
  const apiVersion = apiVersionOf({ group, version });
  const gvk = { group, version, kind };
  const encode = jsonEncoder(type);
  const dropEmpty = emptyListDropper(type);
  const managers = new Map<string, FieldManager>();
  return {
    ...gvk,
    apiVersion,
    type,
    typed: true,
    fieldAnnotations: FIELD_ANNOTATIONS[`${group}/${kind}`],
    decode(value, strict) {
      const decoded = decodeTyped(type, value, { strict: strict !== undefined, duplicates: strict?.duplicates });
      for (const text of decoded.unknown) strict?.report(text);
      const object = decoded.object as KubeObject;
      object.metadata ??= {};
      object.kind = kind;
      object.apiVersion = apiVersion;
      return object;
    },
    applyDefaults(object) {
      applyDefaults(type, object, env);
      // What another version is defaulted to on its way in shows in this one too, and is owned by whoever wrote it.
      convert(kind, convert(kind, object, gvk, hub), hub, gvk);
    },
    encode: (object) => encode(object, gvk),
    toHub(object) {
      dropEmpty?.(object);
      return convert(kind, object, gvk, hub);
    },
    fromHub: (object) => convert(kind, object, hub, gvk),
    fieldManager(subresource) {
      let manager = managers.get(subresource);
      if (!manager) {
        manager = fieldManagerOf(gvk, subresource, facts);
        managers.set(subresource, manager);
      }
      return manager;
    },
  };
}

function fieldManagerOf(gvk: GroupVersionKind, subresource: string, facts: ResourceFacts | undefined): FieldManager {
  return new FieldManager({
    kind: gvk,
    subresource,
    structured: true,
    schema(apiVersion) {
      const { group, version } = parseApiVersion(apiVersion);
      const type = catalog().byGvk(group, version, gvk.kind);
      return type && { kind: 'struct', type };
    },
    convert(object, from, to) {
      const copy = cloneJson(object);
      // What an apply takes away may leave an object without any.
      copy.metadata ??= {};
      return convert(gvk.kind, copy, parseApiVersion(from), parseApiVersion(to));
    },
    resetFields: facts && resetFilters(facts, subresource),
  });
}
