import type { ManagedFieldsEntry } from '../json.js';
import { difference, EMPTY, hasPath, isEmptySet, type Path, setOfPaths } from './field-set.js';
import { decodeManaged, encodeManaged, type Managed } from './managed.js';

const SCALE_VERSION = 'autoscaling/v1';
const REPLICAS: Path = ['f:spec', 'f:replicas'];

/**
 * Where a resource has its replicas, by apiVersion; null for a served version of a custom resource without the scale
 * subresource. `pathOf('.spec.replicas')` makes a path.
 */
export type ReplicasPaths = Readonly<Record<string, Path | null>>;

/** A path of member names, with or without the leading dot of a JSON path. */
export function pathOf(text: string): Path {
  return text
    .replace(/^\./, '')
    .split('.')
    .map((name) => `f:${name}`);
}

/** The managers of `replicas`, as entries of the Scale object that stands for the resource. */
export function toScale(
  entries: readonly ManagedFieldsEntry[] | undefined,
  paths: ReplicasPaths,
): ManagedFieldsEntry[] {
  const out: Managed = new Map();
  for (const [id, m] of decodeManaged(entries, true)) {
    const path = Object.hasOwn(paths, m.apiVersion) ? paths[m.apiVersion] : undefined;
    if (path && hasPath(m.set, path)) out.set(id, { ...m, set: setOfPaths([REPLICAS]), apiVersion: SCALE_VERSION });
  }
  return encodeManaged(out) ?? [];
}

/**
 * Brings back to the resource what a write to its Scale did to the managers: who lost `replicas` there loses it here,
 * who got it there owns it here, at the version of the request.
 */
export function fromScale(
  entries: readonly ManagedFieldsEntry[] | undefined,
  scaleEntries: readonly ManagedFieldsEntry[] | undefined,
  paths: ReplicasPaths,
  apiVersion: string,
): ManagedFieldsEntry[] {
  const parent = decodeManaged(entries, true);
  const scale = decodeManaged(scaleEntries, true);
  const out: Managed = new Map();
  for (const [id, m] of parent) {
    if (!Object.hasOwn(paths, m.apiVersion)) continue; // a version that is not served any more
    const path = paths[m.apiVersion];
    if (!path || !hasPath(m.set, path)) out.set(id, m);
    else if (scale.delete(id)) out.set(id, m);
    else {
      const set = difference(m.set, setOfPaths([path]));
      if (!isEmptySet(set)) out.set(id, { ...m, set });
    }
  }
  const own = paths[apiVersion];
  for (const [id, m] of scale) {
    if (!hasPath(m.set, REPLICAS)) continue;
    out.set(id, { ...m, set: own ? setOfPaths([own]) : EMPTY, apiVersion, time: parent.get(id)?.time });
  }
  return encodeManaged(out) ?? [];
}
