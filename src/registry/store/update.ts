import { keepTimesIfUnchanged } from '../../machinery/apply/times.js';
import { conflict, invalid, notFound } from '../../machinery/errors.js';
import { invalidValue } from '../../machinery/field.js';
import type { KubeObject } from '../../machinery/json.js';
import type { CachedObject } from '../../storage/cacher/cacher.js';
import type { Environment } from '../context.js';
import { groupResource, type Kind, kindOfObject } from '../kind.js';
import { asSent } from './as-sent.js';
import { strategyContext, type WriteContext } from './context.js';
import { nameNew, prepareNew } from './create.js';
import { readyToGo, removeStored } from './delete.js';
import { carryOver, dedupeOwners, revisionOf } from './metadata.js';
import { dryRunOutcome, fromCache, heldBytes, readStored, type StoredObject, toStore, unstored } from './object.js';
import { reserving } from './reserve.js';

export const MODIFIED_MESSAGE =
  'the object has been modified; please apply your changes to the latest version and try again';

export interface UpdateRequest {
  readonly name: string;
  /**
   * Makes the new object from the stored one (hub version, minimal form, not to be changed); undefined when there is
   * none. Called again when another writer came first.
   */
  update(old: KubeObject | undefined): Promise<KubeObject>;
  /** The uid that the stored object must have. */
  readonly expectedUid?: string;
  /** Server-side apply may create whatever the kind says. */
  readonly forceCreate?: boolean;
  admitCreate(object: KubeObject): Promise<void> | void;
  admitUpdate(object: KubeObject, old: KubeObject): Promise<void> | void;
}

export interface UpdateOutcome {
  readonly object: StoredObject;
  readonly created: boolean;
}

/**
 * Replaces an object by compare-and-swap: reads, lets `update` make the new one, prepares, validates, writes, and
 * starts over when somebody else wrote in between. An update that changes nothing writes nothing.
 *
 * @throws 404, 409 Conflict (stale resourceVersion, other uid), 422
 */
export async function updateObject(
  kind: Kind,
  env: Environment,
  ctx: WriteContext,
  request: UpdateRequest,
): Promise<UpdateOutcome> {
  const key = kind.cache.key(ctx.namespace, request.name);
  let current = await kind.cache.get(key);
  for (let attempt = 1; ; attempt++) {
    if (attempt > 1) ctx.signal.throwIfAborted();
    const outcome = current
      ? await replace(kind, env, ctx, request, current)
      : await createInstead(kind, env, ctx, request, key);
    if ('object' in outcome) return outcome;
    current = outcome.current;
  }
}

type Attempt = UpdateOutcome | { readonly current: CachedObject | undefined };

async function replace(
  kind: Kind,
  env: Environment,
  ctx: WriteContext,
  request: UpdateRequest,
  current: CachedObject,
): Promise<Attempt> {
  const old = await readStored(kind, current);
  checkUid(kind, request, current.key, old.metadata.uid ?? '');
  await kind.stored?.checkHeld(current, old);
  const object = await request.update(old);
  checkRevision(kind, request.name, object, current.revision);
  return reserving(kind, env, ctx, object, old, async (written): Promise<Attempt> => {
    prepareChanged(kind, env, ctx, object, old);
    await request.admitUpdate(object, old);
    dedupeOwners(object, (text) => ctx.warn(text));
    if (readyToGo(object, old, kind)) {
      if (ctx.dryRun) return { object: await dryRunOutcome(kind, object), created: false };
      const removed = await removeStored(kind, current, undefined);
      if (!removed) return { current: await kind.cache.get(current.key) };
      return { object: unstored(kind.hub.encode(object)), created: false };
    }
    keepTimesIfUnchanged(object, old);
    const revision = object.metadata.resourceVersion;
    delete object.metadata.resourceVersion;
    if (ctx.dryRun) {
      object.metadata.resourceVersion = revision;
      return { object: await dryRunOutcome(kind, object), created: false };
    }
    const value = await toStore(kind, object);
    if (value.equals(heldBytes(kind, current, old)) && !kind.cache.isStale(current.key)) {
      return { object: await fromCache(kind, current), created: false };
    }
    const result = await kind.cache.put(current.key, value, {
      expectedRevision: current.revision,
      ttlSeconds: kind.rules.ttlSeconds,
    });
    if (!result.succeeded) return { current: result.current };
    written();
    return { object: await fromCache(kind, result.object), created: false };
  });
}

async function createInstead(
  kind: Kind,
  env: Environment,
  ctx: WriteContext,
  request: UpdateRequest,
  key: string,
): Promise<Attempt> {
  if (!kind.rules.allowCreateOnUpdate && !request.forceCreate) throw notFound(groupResource(kind), request.name);
  checkUid(kind, request, key, '');
  const object = await request.update(undefined);
  if (revisionOf(object) !== 0) throw conflict(groupResource(kind), request.name, MODIFIED_MESSAGE);
  nameNew(kind, env, ctx, object);
  return reserving(kind, env, ctx, object, undefined, async (written): Promise<Attempt> => {
    prepareNew(kind, env, ctx, object);
    await request.admitCreate(object);
    dedupeOwners(object, (text) => ctx.warn(text));
    delete object.metadata.resourceVersion;
    if (ctx.dryRun) return { object: await dryRunOutcome(kind, object), created: true };
    const result = await kind.cache.put(key, await toStore(kind, object), {
      expectedRevision: 0,
      ttlSeconds: kind.rules.ttlSeconds,
    });
    if (!result.succeeded) return { current: result.current };
    written();
    return { object: await fromCache(kind, result.object), created: true };
  });
}

function checkUid(kind: Kind, request: UpdateRequest, key: string, uid: string): void {
  if (!request.expectedUid || request.expectedUid === uid) return;
  throw conflict(
    groupResource(kind),
    request.name,
    `StorageError: invalid object, Code: 4, Key: ${key}, ResourceVersion: 0, AdditionalErrorMsg: Precondition failed: UID in precondition: ${request.expectedUid}, UID in object meta: ${uid}`,
  );
}

function checkRevision(kind: Kind, name: string, object: KubeObject, current: number): void {
  const revision = revisionOf(object);
  if (revision === 0) {
    if (!kind.rules.allowUnconditionalUpdate) {
      // The resource stands where the kind belongs, in the real server's answer too.
      throw invalid({ group: kind.group, kind: kind.resource }, name, [
        invalidValue('metadata.resourceVersion', 0, 'must be specified for an update'),
      ]);
    }
  } else if (revision !== current) throw conflict(groupResource(kind), name, MODIFIED_MESSAGE);
  object.metadata.resourceVersion = `${current}`;
}

function prepareChanged(kind: Kind, env: Environment, ctx: WriteContext, object: KubeObject, old: KubeObject): void {
  const hooks =
    ctx.subresource === '' ? kind.strategy : (kind.strategy.subresources?.[ctx.subresource] ?? kind.strategy);
  const sctx = strategyContext(ctx, env);
  if (!kind.namespaced) delete object.metadata.namespace;
  if (old.metadata.generation === undefined) delete object.metadata.generation;
  else object.metadata.generation = old.metadata.generation;
  hooks.prepareForUpdate?.(sctx, object, old);
  carryOver(object, old);
  const errors = hooks.validateUpdate?.(sctx, object, old) ?? [];
  if (errors.length > 0) throw invalid(kindOfObject(kind, object), object.metadata.name ?? '', asSent(errors, object));
  for (const text of hooks.warningsOnUpdate?.(sctx, object, old) ?? []) ctx.warn(text);
  kind.strategy.canonicalize?.(object);
}
