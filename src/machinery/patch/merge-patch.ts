import { badRequest } from '../errors.js';
import { isJsonObject, type JsonObject, type JsonValue, setOwn } from '../json.js';
import { markOpened, openCopy } from './patched.js';

/**
 * Checks the shape of a JSON merge patch body.
 *
 * @param strict with fieldValidation Strict or Warn, where upstream decodes the body twice and says more. Duplicate
 * members are the decoder's to report; a merge patch has no unknown fields before it is applied.
 * @throws StatusError 400. A list passes when not strict: it replaces the document, which then is no object.
 */
export function parseMergePatch(body: JsonValue, strict = true): JsonObject | JsonValue[] {
  if (isJsonObject(body)) return body;
  if (body !== null && strict) {
    const kind = Array.isArray(body) ? 'array' : typeof body === 'boolean' ? 'bool' : typeof body;
    throw badRequest(
      `error decoding patch: json: cannot unmarshal ${kind === 'bigint' ? 'number' : kind} into Go value of type map[string]interface {}`,
    );
  }
  if (Array.isArray(body)) return body;
  throw badRequest('Invalid JSON Patch');
}

/**
 * RFC 7386, and as kube-apiserver's library does it: a list that replaces something loses the null members of the
 * objects in it, unless it replaces an object.
 *
 * @param document stays as it is; the result shares what was not changed
 */
export function applyMergePatch(document: JsonObject, patch: JsonObject | JsonValue[]): JsonValue {
  if (Array.isArray(patch)) return pruneNulls(patch);
  return merge(document, patch);
}

function merge(document: JsonObject, patch: JsonObject): JsonObject {
  const out = openCopy(document);
  for (const key of Object.keys(patch)) {
    const value = patch[key];
    if (value === undefined) continue;
    if (value === null) {
      delete out[key];
      continue;
    }
    const old = Object.hasOwn(out, key) ? out[key] : undefined;
    if (!isJsonObject(old)) setOwn(out, key, pruneNulls(value));
    else setOwn(out, key, isJsonObject(value) ? merge(old, value) : value);
  }
  return out;
}

/** A copy in which objects have no null members; nulls in lists stay. */
function pruneNulls(value: JsonValue): JsonValue {
  if (Array.isArray(value)) return value.map(pruneNulls);
  if (!isJsonObject(value)) return value;
  const out: JsonObject = {};
  for (const key of Object.keys(value)) {
    const v = value[key];
    if (v !== null && v !== undefined) setOwn(out, key, pruneNulls(v));
  }
  return markOpened(out);
}
