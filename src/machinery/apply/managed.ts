import { compareBytes } from '../go-format.js';
import { equalJson, type KubeObject, type ManagedFieldsEntry } from '../json.js';
import { type FieldSet, isEmptySet, parseFieldSet, unionOf } from './field-set.js';

export interface ManagerInfo {
  readonly manager: string;
  readonly operation: 'Apply' | 'Update';
  /** Part of the identity of an updater; an applier is the same at every version. */
  readonly apiVersion: string;
  readonly subresource: string;
}

/** A manager and what it owns, at the version it wrote. */
export interface Manager {
  readonly info: ManagerInfo;
  readonly set: FieldSet;
  readonly apiVersion: string;
  readonly applied: boolean;
  readonly time: string | undefined;
}

/** All managers of an object by their identity. Entries are immutable, the map is not. */
export type Managed = Map<string, Manager>;

/** The identity of a manager as upstream forms it; messages list managers in its order. */
export function managerId({ manager, operation, apiVersion, subresource }: ManagerInfo): string {
  return JSON.stringify({
    manager: manager || undefined,
    operation,
    apiVersion: (operation === 'Update' && apiVersion) || undefined,
    subresource: subresource || undefined,
  });
}

/**
 * Reads `metadata.managedFields`.
 *
 * @param canonical the entries were written by an API server: their sets are taken as they are
 * @throws Error that says which entry is malformed
 */
export function decodeManaged(entries: readonly ManagedFieldsEntry[] | undefined, canonical: boolean): Managed {
  const managed: Managed = new Map();
  for (const [i, e] of (entries ?? []).entries()) {
    if (e.operation !== 'Apply' && e.operation !== 'Update') throw new Error('operation must be `Apply` or `Update`');
    if (!e.apiVersion) throw new Error('apiVersion must not be empty');
    if (!e.fieldsType) throw new Error(`missing fieldsType in managed fields entry ${i}`);
    if (e.fieldsType !== 'FieldsV1') {
      throw new Error(`invalid fieldsType ${JSON.stringify(e.fieldsType)} in managed fields entry ${i}`);
    }
    const info: ManagerInfo = {
      manager: e.manager ?? '',
      operation: e.operation,
      apiVersion: e.apiVersion,
      subresource: e.subresource ?? '',
    };
    managed.set(managerId(info), {
      info,
      set: canonical && e.fieldsV1 ? e.fieldsV1 : parseFieldSet(e.fieldsV1),
      apiVersion: e.apiVersion,
      applied: e.operation === 'Apply',
      time: e.time,
    });
  }
  return managed;
}

/** The entries in the order of the API: appliers first, then by time, name, version and subresource. */
export function encodeManaged(managed: Managed): ManagedFieldsEntry[] | undefined {
  if (managed.size === 0) return undefined;
  if (managed.size === 1) return [...managed.values()].map(encodeManager);
  const sortable = [...managed.values()].map((m) => ({ m, seconds: secondsOf(m.time) }));
  sortable.sort(
    (a, b) =>
      Number(b.m.applied) - Number(a.m.applied) ||
      a.seconds - b.seconds ||
      compareBytes(a.m.info.manager, b.m.info.manager) ||
      compareBytes(a.m.apiVersion, b.m.apiVersion) ||
      compareBytes(a.m.info.subresource, b.m.info.subresource),
  );
  return sortable.map(({ m }) => encodeManager(m));
}

function encodeManager({ info, applied, apiVersion, time, set }: Manager): ManagedFieldsEntry {
  const entry: ManagedFieldsEntry = {};
  if (info.manager) entry.manager = info.manager;
  entry.operation = applied ? 'Apply' : 'Update';
  entry.apiVersion = apiVersion;
  if (time !== undefined) entry.time = time;
  entry.fieldsType = 'FieldsV1';
  entry.fieldsV1 = set;
  if (info.subresource) entry.subresource = info.subresource;
  return entry;
}

function secondsOf(time: string | undefined): number {
  const ms = time === undefined ? 0 : Date.parse(time);
  return Number.isNaN(ms) ? 0 : Math.floor(ms / 1000);
}

/** Whether a client asks to forget all managers: `[]` or `[{}]`. */
export function isReset(entries: readonly ManagedFieldsEntry[] | undefined | null): boolean {
  if (!Array.isArray(entries)) return false;
  return entries.length === 0 || (entries.length === 1 && Object.values(entries[0]!).every((v) => !v));
}

/**
 * The managers that an update starts from. A client may send managedFields to change or reset them, but not through a
 * subresource; what can't be read is as if it had not been sent.
 */
export function managedForUpdate(live: KubeObject | undefined, object: KubeObject, subresource: boolean): Managed {
  const sent = object.metadata.managedFields;
  if (!subresource && !equalJson(sent, live?.metadata.managedFields)) {
    if (isReset(sent)) return new Map();
    const managed = tryDecode(sent, false);
    if (managed && managed.size > 0) return managed;
  }
  return tryDecode(live?.metadata.managedFields, true) ?? new Map();
}

function tryDecode(entries: readonly ManagedFieldsEntry[] | undefined, canonical: boolean): Managed | undefined {
  try {
    return decodeManaged(entries, canonical);
  } catch {
    return undefined;
  }
}

/** Checks entries after mutating admission; returns what is wrong with them. */
export function managedFieldsFault(entries: readonly ManagedFieldsEntry[] | undefined): string | undefined {
  try {
    decodeManaged(entries, false);
    return undefined;
  } catch (e) {
    return (e as Error).message;
  }
}

/** Sets what a manager owns; one that owns nothing is forgotten. */
export function setOwned(managed: Managed, id: string, manager: Manager): void {
  if (isEmptySet(manager.set)) managed.delete(id);
  else managed.set(id, manager);
}

const MAX_UPDATERS = 10;
const OLD_UPDATES = 'ancient-changes';

/** Merges the oldest updaters, by version, until no more than ten are left. */
export function capUpdaters(managed: Managed): void {
  if (managed.size <= MAX_UPDATERS) return;
  const updaters = [...managed].filter(([, m]) => !m.applied);
  let count = updaters.length;
  if (count <= MAX_UPDATERS) return;
  updaters.sort((a, b) => secondsOf(a[1].time) - secondsOf(b[1].time) || compareBytes(a[0], b[0]));
  const firstOfVersion = new Map<string, string>();
  const merged = new Map<string, FieldSet[]>();
  for (const [id, m] of updaters) {
    if (count <= MAX_UPDATERS) break;
    const info: ManagerInfo = { manager: OLD_UPDATES, operation: 'Update', apiVersion: m.apiVersion, subresource: '' };
    const bucket = managerId(info);
    const first = firstOfVersion.get(m.apiVersion);
    if (first === undefined || id === bucket) {
      firstOfVersion.set(m.apiVersion, id);
      continue;
    }
    const before = managed.get(bucket) ?? managed.get(first)!;
    if (!managed.has(bucket)) managed.delete(first);
    managed.delete(id);
    managed.set(bucket, { ...m, info });
    const sets = merged.get(bucket);
    if (sets) sets.push(m.set);
    else merged.set(bucket, [before.set, m.set]);
    count--;
  }
  for (const [bucket, sets] of merged) managed.set(bucket, { ...managed.get(bucket)!, set: unionOf(sets) });
}
