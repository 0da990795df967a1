import { type GroupResource, isStatusError } from '../../machinery/errors.js';
import { type KubeObject, type OwnerReference, parseApiVersion } from '../../machinery/json.js';
import type { Kind } from '../../registry/kind.js';
import type { CachedObject, Subscription } from '../../storage/cacher/cacher.js';
import type { Controller, ControllerParts } from '../contract.js';
import { WorkQueue } from '../work-queue.js';
import { Dependents, mayBeGoing, mayHaveOwners, type Place } from './dependents.js';

const SETTINGS = { manager: 'kube-controller-manager' };
const ORPHAN = 'orphan';
const FOREGROUND = 'foregroundDeletion';

/**
 * Deletes what nobody owns any more, in the background or, when the owner waits for it, in the foreground; takes the
 * owner out of dependents that are to be orphaned. Owners are looked up in the store itself, which is always current.
 */
export function garbageCollector(parts: ControllerParts): Controller {
  const { table, log } = parts;
  const dependents = new Dependents();
  const places = new Map<string, Place>();
  const subscriptions = new Map<Kind, Promise<Subscription>>();
  const queue = new WorkQueue({
    workers: 8,
    async work(uid) {
      const place = places.get(uid);
      if (place) await sync(parts, dependents, place);
      return undefined;
    },
    failed: (uid, e) => log('warning', `garbage collector, object ${uid}: ${String(e)}`),
  });
  let stopTable: (() => void) | undefined;

  const look = (place: Place): void => {
    places.set(place.uid, place);
    queue.add(place.uid);
  };
  function changed(kind: Kind, object: CachedObject | undefined, previous: CachedObject | undefined): void {
    const known = object ?? previous;
    if (!known) return;
    const owned = object !== undefined && mayHaveOwners(object);
    const wasOwned = previous !== undefined && mayHaveOwners(previous);
    const going = object !== undefined && mayBeGoing(object);
    // Most objects have no owners: they are not even parsed.
    if (object && !owned && !wasOwned && !going) return;
    const place: Place = { kind, namespace: known.namespace, name: known.name, uid: known.uid };
    if (!object) {
      dependents.set(place, []);
      places.delete(place.uid);
      for (const dependent of dependents.of(place.uid)) look(dependent);
      // A foreground owner may have waited for this one.
      if (wasOwned) for (const { uid } of ownersOf(previous)) if (places.has(uid)) queue.add(uid);
      return;
    }
    if (owned || wasOwned) {
      const owners = owned ? ownersOf(object) : [];
      dependents.set(place, owners);
      if (owners.length > 0) look(place);
      // An owner that waits may be waiting for this one to let go of it.
      for (const { uid } of wasOwned ? ownersOf(previous) : []) if (places.has(uid)) queue.add(uid);
    }
    if (going) look(place);
  }
  async function follow(): Promise<void> {
    const now = new Set(table.kinds());
    for (const [kind, subscription] of subscriptions) {
      if (now.has(kind)) continue;
      subscriptions.delete(kind);
      (await subscription).cancel();
    }
    const added = [...now].filter((kind) => !subscriptions.has(kind) && kind.resource !== 'events');
    for (const kind of added) {
      subscriptions.set(kind, kind.cache.subscribe({ changed: (object, previous) => changed(kind, object, previous) }));
    }
    await Promise.all(added.map((kind) => subscriptions.get(kind)));
  }

  return {
    name: 'garbage-collector-controller',
    async start() {
      stopTable = table.onChange(() => {
        follow().catch((e) => log('warning', `garbage collector: ${String(e)}`));
      });
      await follow();
    },
    async stop() {
      stopTable?.();
      for (const subscription of subscriptions.values()) (await subscription).cancel();
      await queue.close();
    },
  };
}

function ownersOf(object: CachedObject): OwnerReference[] {
  return object.parsed().metadata.ownerReferences ?? [];
}

function resourceOf(kind: Kind): GroupResource {
  return { group: kind.group, resource: kind.resource };
}

async function sync(parts: ControllerParts, dependents: Dependents, place: Place): Promise<void> {
  const { client } = parts;
  const object = await client.get(resourceOf(place.kind), place.namespace, place.name);
  if (!object || object.metadata.uid !== place.uid) return;
  const { deletionTimestamp, finalizers = [], ownerReferences = [] } = object.metadata;
  if (deletionTimestamp && finalizers.includes(ORPHAN)) return orphan(parts, dependents, place);
  if (deletionTimestamp && finalizers.includes(FOREGROUND)) return waitForDependents(parts, dependents, place);
  if (!deletionTimestamp && ownerReferences.length > 0) await collect(parts, place, object, ownerReferences);
}

/** Takes the owner out of everything that depends on it, and then lets the owner go. */
async function orphan(parts: ControllerParts, dependents: Dependents, owner: Place): Promise<void> {
  for (const dependent of dependents.of(owner.uid)) {
    await dropOwners(parts, dependent, (o) => o.uid === owner.uid);
  }
  await dropFinalizer(parts, owner, ORPHAN);
}

/** Deletes the dependents; the owner goes when none is left that blocks it. */
async function waitForDependents(parts: ControllerParts, dependents: Dependents, owner: Place): Promise<void> {
  let blocking = 0;
  for (const dependent of dependents.of(owner.uid)) {
    const object = await parts.client.get(resourceOf(dependent.kind), dependent.namespace, dependent.name);
    if (!object || object.metadata.uid !== dependent.uid) continue;
    const reference = object.metadata.ownerReferences?.find((o) => o.uid === owner.uid);
    if (!reference) continue;
    if (reference.blockOwnerDeletion) blocking++;
    if (object.metadata.deletionTimestamp) continue;
    const others = await livingOwners(parts, dependent, object, owner.uid);
    if (others.length > 0) {
      await dropOwners(parts, dependent, (o) => o.uid === owner.uid);
      if (reference.blockOwnerDeletion) blocking--;
    } else await remove(parts, dependent, 'Foreground');
  }
  if (blocking === 0 || !(await anyBlocks(parts, dependents, owner))) await dropFinalizer(parts, owner, FOREGROUND);
}

async function anyBlocks({ client }: ControllerParts, dependents: Dependents, owner: Place): Promise<boolean> {
  for (const dependent of dependents.of(owner.uid)) {
    const object = await client.get(resourceOf(dependent.kind), dependent.namespace, dependent.name);
    if (object?.metadata.ownerReferences?.some((o) => o.uid === owner.uid && o.blockOwnerDeletion)) return true;
  }
  return false;
}

/** An object with owners: goes when all of them are gone, forgets those that are while others live. */
async function collect(
  parts: ControllerParts,
  place: Place,
  object: KubeObject,
  owners: readonly OwnerReference[],
): Promise<void> {
  const states = await Promise.all(owners.map((owner) => ownerState(parts, place, owner)));
  if (states.includes('unknown')) return;
  const dangling = owners.filter((_, i) => states[i] === 'absent');
  const waiting = owners.filter((_, i) => states[i] === 'waiting');
  const solid = states.includes('solid');
  if (solid) {
    if (dangling.length + waiting.length === 0) return;
    const gone = new Set([...dangling, ...waiting].map((o) => o.uid));
    await dropOwners(parts, place, (o) => gone.has(o.uid));
    return;
  }
  if (waiting.length > 0) {
    await remove(parts, place, 'Foreground');
    return;
  }
  const { finalizers = [] } = object.metadata;
  const policy = finalizers.includes(ORPHAN) ? 'Orphan' : finalizers.includes(FOREGROUND) ? 'Foreground' : 'Background';
  await remove(parts, place, policy);
}

type OwnerState = 'solid' | 'waiting' | 'absent' | 'unknown';

/** `waiting`: the owner is being deleted in the foreground. `unknown`: nobody can tell, so nothing is done. */
async function ownerState(
  { client, table }: ControllerParts,
  place: Place,
  owner: OwnerReference,
): Promise<OwnerState> {
  const { group, version } = parseApiVersion(owner.apiVersion);
  const entry = table.byKind(group, version, owner.kind);
  if (!entry) return 'unknown';
  // A cluster-scoped object can't have a namespaced owner: which namespace would it be in?
  if (entry.namespaced && place.namespace === '') return 'unknown';
  const resource = { group: entry.group, resource: entry.resource };
  const found = await client.get(resource, entry.namespaced ? place.namespace : '', owner.name);
  if (!found || found.metadata.uid !== owner.uid) return 'absent';
  const going = found.metadata.deletionTimestamp && found.metadata.finalizers?.includes(FOREGROUND);
  return going ? 'waiting' : 'solid';
}

async function livingOwners(
  parts: ControllerParts,
  place: Place,
  object: KubeObject,
  except: string,
): Promise<OwnerReference[]> {
  const living: OwnerReference[] = [];
  for (const owner of object.metadata.ownerReferences ?? []) {
    if (owner.uid !== except && (await ownerState(parts, place, owner)) === 'solid') living.push(owner);
  }
  return living;
}

async function remove(
  { client }: ControllerParts,
  place: Place,
  propagationPolicy: 'Orphan' | 'Background' | 'Foreground',
): Promise<void> {
  const options = { propagationPolicy, preconditions: { uid: place.uid } };
  await client.delete(resourceOf(place.kind), place.namespace, place.name, options, SETTINGS).catch(ignoreGone);
}

async function dropOwners(
  { client }: ControllerParts,
  place: Place,
  gone: (owner: OwnerReference) => boolean,
): Promise<void> {
  await client
    .update(
      resourceOf(place.kind),
      place.namespace,
      place.name,
      (object) => {
        const kept = object.metadata.ownerReferences?.filter((o) => !gone(o)) ?? [];
        if (object.metadata.uid !== place.uid || kept.length === object.metadata.ownerReferences?.length)
          return undefined;
        const { ownerReferences: _, ...metadata } = object.metadata;
        return { ...object, metadata: kept.length > 0 ? { ...metadata, ownerReferences: kept } : metadata };
      },
      SETTINGS,
    )
    .catch(ignoreGone);
}

async function dropFinalizer({ client }: ControllerParts, place: Place, finalizer: string): Promise<void> {
  await client
    .update(
      resourceOf(place.kind),
      place.namespace,
      place.name,
      (object) => {
        const kept = object.metadata.finalizers?.filter((f) => f !== finalizer) ?? [];
        if (kept.length === object.metadata.finalizers?.length) return undefined;
        const { finalizers: _, ...metadata } = object.metadata;
        return { ...object, metadata: kept.length > 0 ? { ...metadata, finalizers: kept } : metadata };
      },
      SETTINGS,
    )
    .catch(ignoreGone);
}

function ignoreGone(e: unknown): void {
  if (!isStatusError(e, 'NotFound') && !isStatusError(e, 'Conflict')) throw e;
}
