import { encodeCbor } from '../../machinery/codec/cbor/encode.js';
import { encodeUnstructured, jsonEncoder, prettyJson } from '../../machinery/codec/json/encode.js';
import { parseJson } from '../../machinery/codec/json/parse.js';
import { encodeEnvelope } from '../../machinery/codec/protobuf/envelope.js';
import { formatYaml } from '../../machinery/codec/yaml/format.js';
import { apiVersionOf, type GroupVersionKind, type JsonObject } from '../../machinery/json.js';
import { catalog } from '../../machinery/scheme/catalog.js';
import type { Type } from '../../machinery/scheme/type.js';
import type { Representation } from './representation.js';

/** A whole answer. Values are at the version that `gvk` names, in minimal form. */
export function encodeObject(object: JsonObject, gvk: GroupVersionKind, form: Representation): Buffer {
  return form.format === 'json' ? encodeText(jsonText(object, gvk), form) : encodeValue(object, gvk, form);
}

/** JSON text as the bytes of an answer. */
export function encodeText(json: string, form: Representation): Buffer {
  return Buffer.from(`${form.pretty ? prettyJson(json) : json}\n`);
}

/** The bytes of a value without anything after it, as a part of something larger. */
export function encodeValue(object: JsonObject, gvk: GroupVersionKind, form: Representation): Buffer {
  switch (form.format) {
    case 'json':
      return Buffer.from(jsonText(object, gvk));
    case 'yaml':
      return Buffer.from(formatYaml(parseJson(jsonText(object, gvk))));
    case 'cbor':
      return encodeCbor(parseJson(jsonText(object, gvk)), typeOf(gvk));
    case 'protobuf': {
      const type = typeOf(gvk);
      if (!type) throw new Error(`${gvk.kind} has no protobuf form`);
      return encodeEnvelope(type, gvk, object);
    }
  }
}

function typeOf({ group, version, kind }: GroupVersionKind): Type | undefined {
  return catalog().byGvk(group, version, kind);
}

function jsonText(object: JsonObject, gvk: GroupVersionKind): string {
  const type = typeOf(gvk);
  return type
    ? jsonEncoder(type)(object, gvk)
    : encodeUnstructured({ ...object, kind: gvk.kind, apiVersion: apiVersionOf(gvk) });
}
