import { encodeUnstructured, jsonEncoder, prettyJson } from '../../machinery/codec/json/encode.js';
import { apiVersionOf, type GroupVersionKind, type JsonObject } from '../../machinery/json.js';
import { catalog } from '../../machinery/scheme/catalog.js';
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
    default:
      throw new Error(`no encoder for ${form.format}`);
  }
}

function jsonText(object: JsonObject, gvk: GroupVersionKind): string {
  const type = catalog().byGvk(gvk.group, gvk.version, gvk.kind);
  return type
    ? jsonEncoder(type)(object, gvk)
    : encodeUnstructured({ ...object, kind: gvk.kind, apiVersion: apiVersionOf(gvk) });
}
