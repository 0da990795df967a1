import { badRequest } from '../errors.js';
import { goType, goValue } from '../go-format.js';
import { cloneJson, isJsonObject, type JsonObject, type JsonValue, setOwn } from '../json.js';
import type { Type } from '../scheme/type.js';
import { elementKey, enforceOrder, partition } from './element-order.js';
import { type FieldMeta, lookupField, lookupList, type PatchShape, rootShape } from './patch-meta.js';
import { badDirective, badFormat, badType, plainError, unprocessable } from './smp-errors.js';

const DIRECTIVE = '$patch';
const RETAIN_KEYS = '$retainKeys';
const SET_ORDER = '$setElementOrder';
const DELETE_FROM_LIST = '$deleteFromPrimitiveList';

export interface StrategicMergeResult {
  readonly object: JsonObject;
  /** What is left of the patch after directives are taken out, as kube-apiserver quotes it (by `goValue`). */
  readonly patch: JsonObject;
}

/** @throws StatusError 400 for a body that is no object. `null` is the empty patch. */
export function parseStrategicMergePatch(body: JsonValue): JsonObject {
  if (body === null) return {};
  if (isJsonObject(body)) return body;
  const kind = Array.isArray(body) ? 'array' : typeof body === 'boolean' ? 'bool' : typeof body;
  throw badRequest(
    `json: cannot unmarshal ${kind === 'bigint' ? 'number' : kind} into Go value of type map[string]interface {}`,
  );
}

/**
 * Strategic merge patch (API conventions of Kubernetes): lists merge by the merge keys that the type declares, and the
 * directives `$patch`, `$retainKeys`, `$setElementOrder/…` and `$deleteFromPrimitiveList/…` are obeyed. Null members of
 * the patch remove.
 *
 * @param original the object with all fields that Go writes; stays as it is
 * @throws StatusError 400, 422 or 500, with the texts of kube-apiserver
 */
export function applyStrategicMergePatch(original: JsonObject, patch: JsonObject, type: Type): StrategicMergeResult {
  const rest = cloneJson(patch);
  return { object: mergeMap(original, rest, rootShape(type)), patch: rest };
}

function own(object: JsonObject, key: string): JsonValue | undefined {
  return Object.hasOwn(object, key) ? object[key] : undefined;
}

/** Merges `patch`, which is used up by it, into a copy of `original`. */
function mergeMap(original: JsonObject, patch: JsonObject, shape: PatchShape): JsonObject {
  const directive = own(patch, DIRECTIVE);
  if (directive !== undefined) {
    if (directive === 'delete') return {};
    if (directive !== 'replace') throw badDirective(directive, patch);
    delete patch[DIRECTIVE];
    return patch;
  }
  const out = retainKeys(original, patch);
  mergeOrderedLists(out, patch, shape);
  for (const patchKey of Object.keys(patch)) {
    const value = patch[patchKey];
    const deletes = patchKey.startsWith(DELETE_FROM_LIST);
    const key = deletes ? parallelKey(patchKey, DELETE_FROM_LIST, 'primitive list') : patchKey;
    const old = own(out, key);
    if (value === undefined) continue;
    if (value === null) delete out[key];
    else if (old === undefined || old === null || goType(old) !== goType(value)) {
      if (!deletes) putNew(out, key, value);
    } else if (isJsonObject(old) && isJsonObject(value)) {
      const meta = lookupField(shape, key);
      setOwn(out, key, meta.strategy === 'replace' ? value : mergeMap(old, value, meta.shape));
    } else if (Array.isArray(old) && Array.isArray(value)) {
      const meta = lookupList(shape, key);
      setOwn(out, key, meta.strategy === 'merge' || deletes ? mergeList(old, value, meta, deletes) : value);
    } else setOwn(out, key, value);
  }
  return out;
}

/** A value of the patch that meets nothing of its kind: nulls and parts with directives are dropped from it. */
function putNew(out: JsonObject, key: string, value: JsonValue): void {
  discardNulls(value);
  const kept = withoutDirectives(value);
  if (kept === undefined) delete out[key];
  else setOwn(out, key, kept);
}

function discardNulls(value: JsonValue | undefined): void {
  if (Array.isArray(value)) value.forEach(discardNulls);
  else if (isJsonObject(value)) {
    for (const key of Object.keys(value)) {
      if (value[key] === null) delete value[key];
      else discardNulls(value[key]);
    }
  }
}

/** The value without the maps below it that hold `$patch`; undefined when it is one itself. Changes it in place. */
function withoutDirectives(value: JsonValue): JsonValue | undefined {
  if (Array.isArray(value)) return value.map(withoutDirectives).filter((v): v is JsonValue => v !== undefined);
  if (!isJsonObject(value)) return value;
  if (own(value, DIRECTIVE) !== undefined) return undefined;
  for (const key of Object.keys(value)) {
    const kept = withoutDirectives(value[key] ?? null);
    if (kept === undefined) delete value[key];
    else setOwn(value, key, kept);
  }
  return value;
}

/** A copy of `original` that keeps only the fields named in the patch's `$retainKeys`, if it has one. */
function retainKeys(original: JsonObject, patch: JsonObject): JsonObject {
  const list = own(patch, RETAIN_KEYS);
  let kept: Set<JsonValue> | undefined;
  if (list !== undefined) {
    delete patch[RETAIN_KEYS];
    if (!Array.isArray(list)) throw badFormat('retainKeys');
    kept = new Set(list);
    for (const [key, value] of Object.entries(patch)) {
      if (value === null || key.startsWith(DELETE_FROM_LIST) || key.startsWith(SET_ORDER)) continue;
      if (!kept.has(key)) throw badFormat('retainKeys');
    }
  }
  const out: JsonObject = {};
  for (const key of Object.keys(original)) if (!kept || kept.has(key)) setOwn(out, key, original[key]);
  return out;
}

/** `$prefix/name` → `name`. */
function parallelKey(key: string, prefix: string, of: 'primitive list' | 'setElementOrder list'): string {
  if (!key.startsWith(`${prefix}/`)) throw badFormat(of);
  return key.slice(prefix.length + 1);
}

/** Merges every list that has a `$setElementOrder/…` and takes both out of the patch. */
function mergeOrderedLists(out: JsonObject, patch: JsonObject, shape: PatchShape): void {
  for (const directive of Object.keys(patch)) {
    if (!directive.startsWith(SET_ORDER)) continue;
    const order = list(patch[directive]) ?? [];
    delete patch[directive];
    const key = parallelKey(directive, SET_ORDER, 'setElementOrder list');
    const old = list(own(out, key));
    const change = list(own(patch, key));
    const meta = lookupList(shape, key);
    checkOrder(change ?? [], order, meta.mergeKey);
    let merged: JsonValue[];
    if (old && change) merged = meta.strategy === 'merge' ? mergeList(old, change, meta, false) : change;
    else if (old) merged = old;
    else if (change) merged = withoutDirectives(change) as JsonValue[];
    else continue;
    const { chosen, rest } = partition(merged, order, meta.mergeKey);
    elementKind([old ?? [], change ?? []]);
    setOwn(out, key, enforceOrder(chosen, rest, order, old ?? [], meta.mergeKey));
    delete patch[key];
  }
}

function list(value: JsonValue | undefined): JsonValue[] | undefined {
  if (value === undefined || Array.isArray(value)) return value;
  throw badType(value, '[]interface {}');
}

/** The items of the patch must all be in `$setElementOrder` and come in its order, deletions aside. */
function checkOrder(change: JsonValue[], order: JsonValue[], mergeKey: string): void {
  if (change.length === 0 || order.length === 0) return;
  const directiveOf = (v: JsonValue): JsonValue | undefined => (isJsonObject(v) ? own(v, DIRECTIVE) : undefined);
  const items =
    mergeKey === ''
      ? change
      : change.filter((v) => {
          if (!isJsonObject(v)) throw badType(v, 'map[string]interface {}');
          return directiveOf(v) !== 'delete';
        });
  let item = 0;
  let place = 0;
  while (item < items.length && place < order.length) {
    if (directiveOf(items[item]!) !== undefined) item++;
    else if (elementKey(items[item]!, mergeKey) === elementKey(order[place++]!, mergeKey)) item++;
  }
  if (item < items.length) {
    throw plainError(
      `The order in patch list:\n${goValue(change)}\n doesn't match ${SET_ORDER} list:\n${goValue(order)}\n`,
    );
  }
}

/** The Go type of the elements, which must all have the same. */
function elementKind(lists: readonly JsonValue[][]): string {
  let kind: string | undefined;
  for (const element of lists.flat(1)) {
    const type = goType(element);
    if (kind === undefined && Array.isArray(element)) throw unprocessable();
    kind ??= type;
    if (kind !== type) throw plainError(`list element types are not identical: ${goValue(lists as JsonValue[][])}`);
  }
  if (kind === undefined) throw plainError('no elements in any of the given slices');
  return kind;
}

/** Merges two lists: scalars as a set (or takes those of `patch` away), maps by their merge key. */
function mergeList(original: JsonValue[], patch: JsonValue[], meta: FieldMeta, deletes: boolean): JsonValue[] {
  if (original.length === 0 && patch.length === 0) return original;
  if (!elementKind([original, patch]).startsWith('map')) {
    const theirs = new Set(patch);
    if (deletes) return original.filter((v) => !theirs.has(v));
    const { chosen, rest } = partition([...new Set([...original, ...patch])], patch, '');
    return enforceOrder(chosen, rest, patch, original, '');
  }
  if (meta.mergeKey === '') throw plainError(`cannot merge lists without merge key for ${meta.shape.goKind}`);
  const { kept, items } = obeyDirectives(original as JsonObject[], patch as JsonObject[], meta.mergeKey);
  const merged = mergeElements(kept, items, meta);
  const { chosen, rest } = partition(merged, items, meta.mergeKey);
  return enforceOrder(chosen, rest, items, kept, meta.mergeKey);
}

/** Obeys the elements with `$patch`: what stays of the original, and what of the patch is left to merge. */
function obeyDirectives(
  original: JsonObject[],
  patch: JsonObject[],
  mergeKey: string,
): { kept: JsonObject[]; items: JsonObject[] } {
  const items: JsonObject[] = [];
  const gone = new Set<JsonValue>();
  let replace = false;
  for (const element of patch) {
    const directive = own(element, DIRECTIVE);
    if (directive === undefined) items.push(element);
    else if (directive === 'delete') gone.add(elementKey(element, mergeKey));
    else if (directive === 'replace') replace = true;
    else if (directive === 'merge') throw plainError('merging lists cannot yet be specified in the patch');
    else throw badDirective(directive, element);
  }
  if (replace) return { kept: items, items: [] };
  return { kept: original.filter((e) => e[mergeKey] === undefined || !gone.has(e[mergeKey])), items };
}

function mergeElements(original: JsonObject[], patch: JsonObject[], meta: FieldMeta): JsonObject[] {
  const out = [...original];
  const places = new Map<JsonValue, number>();
  for (const [i, element] of out.entries()) {
    const key = element[meta.mergeKey];
    if (key !== undefined && !places.has(key)) places.set(key, i);
  }
  for (const element of patch) {
    const key = elementKey(element, meta.mergeKey);
    const place = places.get(key);
    if (place === undefined) places.set(key, out.push(element) - 1);
    else out[place] = mergeMap(out[place]!, element, meta.shape);
  }
  return out;
}
