import { conflict, notFound } from '../../machinery/errors.js';
import { cloneJson, type KubeObject, type ObjectMeta } from '../../machinery/json.js';
import type { CachedObject } from '../../storage/cacher/cacher.js';
import { type Environment, metaTime } from '../context.js';
import { groupResource, type Kind } from '../kind.js';
import { strategyContext, type WriteContext } from './context.js';
import { dryRunOutcome, fromCache, heldBytes, readStored, type StoredObject, toStore } from './object.js';

export interface DeleteOptions {
  gracePeriodSeconds?: number;
  propagationPolicy?: 'Orphan' | 'Background' | 'Foreground';
  orphanDependents?: boolean;
  preconditions?: { uid?: string; resourceVersion?: string };
}

export interface DeleteOutcome {
  readonly object: StoredObject;
  readonly values: KubeObject;
  /** False: only marked; finalizers or a grace period keep it. */
  readonly gone: boolean;
}

const ORPHAN = 'orphan';
const FOREGROUND = 'foregroundDeletion';

/**
 * Removes an object, or marks it with a deletionTimestamp when finalizers or a grace period hold it.
 *
 * @param admit validating admission with the stored object
 * @throws 404, 409 when a precondition does not hold
 */
export async function deleteObject(
  kind: Kind,
  env: Environment,
  ctx: WriteContext,
  name: string,
  options: DeleteOptions,
  admit: (old: KubeObject) => Promise<void> | void,
): Promise<DeleteOutcome> {
  const key = kind.cache.key(ctx.namespace, name);
  for (let attempt = 1; ; attempt++) {
    if (attempt > 1) ctx.signal.throwIfAborted();
    const current = await kind.cache.get(key);
    if (!current) throw notFound(groupResource(kind), name);
    const outcome = await deleteOnce(kind, env, ctx, current, options, admit);
    if (outcome) return outcome;
  }
}

/** Undefined: somebody else wrote in between. */
async function deleteOnce(
  kind: Kind,
  env: Environment,
  ctx: WriteContext,
  current: CachedObject,
  options: DeleteOptions,
  admit: (old: KubeObject) => Promise<void> | void,
): Promise<DeleteOutcome | undefined> {
  const old = await readStored(kind, current);
  checkPreconditions(kind, old.metadata, options);
  await kind.stored?.checkHeld(current, old);
  await admit(old);
  const object = cloneJson(old);
  const grace = gracefully(kind, env, object, options);
  if (grace === 'pending') return { object: await fromCache(kind, current), values: object, gone: false };
  setCollectionFinalizers(kind, env, ctx, object, options);
  const held = pendingFinalizers(kind, object);
  if (grace === 'none' && held) markAsDeleting(kind, env, object);
  const stays = held || (grace === 'graceful' && (object.metadata.deletionGracePeriodSeconds ?? 0) > 0);
  if (!stays) {
    if (ctx.dryRun) return { object: await fromCache(kind, current), values: object, gone: true };
    const removed = await removeStored(kind, current, grace === 'graceful' ? object : undefined);
    return removed && { object: removed, values: object, gone: true };
  }
  if (ctx.dryRun) return { object: await dryRunOutcome(kind, object), values: object, gone: false };
  delete object.metadata.resourceVersion;
  const value = await toStore(kind, object);
  if (value.equals(heldBytes(kind, current, old))) {
    return { object: await fromCache(kind, current), values: object, gone: false };
  }
  const result = await kind.cache.put(current.key, value, { expectedRevision: current.revision });
  if (!result.succeeded) return undefined;
  return { object: await fromCache(kind, result.object), values: object, gone: false };
}

/**
 * Takes an object out of the store and gives back what it held. With `last`, that state is written first, so that
 * watchers see the final values in the DELETED event as they do upstream.
 */
export async function removeStored(
  kind: Kind,
  current: CachedObject,
  last: KubeObject | undefined,
): Promise<StoredObject | undefined> {
  let revision = current.revision;
  if (last) {
    delete last.metadata.resourceVersion;
    const written = await kind.cache.put(current.key, await toStore(kind, last), { expectedRevision: revision });
    if (!written.succeeded) return undefined;
    revision = written.object.revision;
  }
  const result = await kind.cache.delete(current.key, { expectedRevision: revision });
  if (!result.succeeded) return undefined;
  await kind.strategy.released?.(last ?? (await readStored(kind, current)));
  return fromCache(kind, result.object);
}

/** The update took out the last finalizer of an object whose deletion waits for nothing else. */
export function readyToGo(object: KubeObject, old: KubeObject, kind: Kind): boolean {
  const { deletionTimestamp, deletionGracePeriodSeconds: grace } = old.metadata;
  // Only kinds with a hold of their own (namespaces) go without a grace period on record.
  const over = kind.strategy.holdsDeletion ? grace === undefined || grace === 0 : grace === 0;
  return deletionTimestamp !== undefined && over && !pendingFinalizers(kind, object);
}

function pendingFinalizers(kind: Kind, object: KubeObject): boolean {
  return (object.metadata.finalizers?.length ?? 0) > 0 || kind.strategy.holdsDeletion?.(object) === true;
}

/** @throws 409 */
export function checkPreconditions(kind: Kind, meta: ObjectMeta, { preconditions }: DeleteOptions): void {
  if (kind.strategy.holdsDeletion) checkOwnPreconditions(kind, meta, preconditions);
  // Upstream puts the kind where the resource belongs in these two messages; clients see it that way.
  const subject = { group: kind.group, resource: kind.kind };
  const uid = preconditions?.uid;
  if (uid !== undefined && uid !== (meta.uid ?? '')) {
    throw conflict(
      subject,
      meta.name ?? '',
      `the UID in the precondition (${uid}) does not match the UID in record (${meta.uid}). The object might have been deleted and then recreated`,
    );
  }
  const revision = preconditions?.resourceVersion;
  if (revision !== undefined && revision !== meta.resourceVersion) {
    throw conflict(
      subject,
      meta.name ?? '',
      `the ResourceVersion in the precondition (${revision}) does not match the ResourceVersion in record (${meta.resourceVersion}). The object might have been modified`,
    );
  }
}

/** Kinds whose deletion is their own affair upstream have their own words for it. */
function checkOwnPreconditions(kind: Kind, meta: ObjectMeta, preconditions: DeleteOptions['preconditions']): void {
  const check = (what: string, wanted: string | undefined, found = ''): void => {
    if (wanted === undefined || wanted === found) return;
    const text = `Precondition failed: ${what} in precondition: ${wanted}, ${what} in object meta: ${found}`;
    throw conflict(groupResource(kind), meta.name ?? '', text);
  };
  check('UID', preconditions?.uid, meta.uid);
  check('ResourceVersion', preconditions?.resourceVersion, meta.resourceVersion);
}

/**
 * Applies the grace period. `none`: the kind has none, or it is over. `graceful`: the object now carries it.
 * `pending`: an earlier delete already asked for as little or less.
 */
function gracefully(
  kind: Kind,
  env: Environment,
  object: KubeObject,
  options: DeleteOptions,
): 'none' | 'graceful' | 'pending' {
  if (!kind.strategy.gracePeriod) return 'none';
  const meta = object.metadata;
  const requested = options.gracePeriodSeconds === undefined ? undefined : nonNegative(options.gracePeriodSeconds);
  if (meta.deletionTimestamp) {
    const left = meta.deletionGracePeriodSeconds;
    // No time is left: what was marked and not removed yet goes now, unless finalizers hold it.
    if (!left) return 'none';
    if (requested === undefined || requested >= left) return 'pending';
    const at = Date.parse(meta.deletionTimestamp) - (left - requested) * 1000;
    meta.deletionTimestamp = metaTime(new Date(at));
    meta.deletionGracePeriodSeconds = requested;
    return 'graceful';
  }
  const period = kind.strategy.gracePeriod(object, requested);
  if (period === undefined) return 'none';
  meta.deletionTimestamp = metaTime(new Date(env.now().getTime() + nonNegative(period) * 1000));
  meta.deletionGracePeriodSeconds = nonNegative(period);
  if (meta.generation) meta.generation++;
  return 'graceful';
}

/** Negative grace periods are treated as one second, as documented for DeleteOptions. */
function nonNegative(seconds: number): number {
  return seconds < 0 ? 1 : seconds;
}

function markAsDeleting(kind: Kind, env: Environment, object: KubeObject): void {
  const meta = object.metadata;
  if (!meta.deletionTimestamp) {
    meta.deletionTimestamp = metaTime(env.now());
    if (meta.generation) meta.generation++;
  }
  meta.deletionGracePeriodSeconds = 0;
  kind.strategy.beginDeletion?.(object);
}

/** Writes the client's wish for dependents into the finalizers, where the garbage collector reads it. */
function setCollectionFinalizers(
  kind: Kind,
  env: Environment,
  ctx: WriteContext,
  object: KubeObject,
  options: DeleteOptions,
): void {
  if (env.garbageCollection === false) return;
  const existing = object.metadata.finalizers ?? [];
  const policy = kind.strategy.defaultGarbageCollection;
  const fallback = typeof policy === 'function' ? policy(strategyContext(ctx, env)) : policy;
  if (fallback === 'Unsupported') return;
  const wish = wished(options) ?? fromFinalizers(existing) ?? (fallback === 'Orphan' ? ORPHAN : undefined);
  const finalizers = existing.filter((f) => f !== ORPHAN && f !== FOREGROUND);
  if (wish) finalizers.push(wish);
  if (finalizers.length === existing.length && finalizers.every((f) => existing.includes(f))) return;
  if (finalizers.length > 0) object.metadata.finalizers = finalizers;
  else delete object.metadata.finalizers;
}

/** '' = the client explicitly wants neither; undefined = it did not say. */
function wished(options: DeleteOptions): string | undefined {
  if (options.orphanDependents !== undefined) return options.orphanDependents ? ORPHAN : '';
  switch (options.propagationPolicy) {
    case 'Orphan':
      return ORPHAN;
    case 'Foreground':
      return FOREGROUND;
    case 'Background':
      return '';
    default:
      return undefined;
  }
}

function fromFinalizers(finalizers: readonly string[]): string | undefined {
  return finalizers.find((f) => f === ORPHAN || f === FOREGROUND);
}
