import { alreadyExists, generateNameConflict, invalid, isStatusError, StatusError } from '../../machinery/errors.js';
import { cloneJson, type KubeObject } from '../../machinery/json.js';
import type { CachedObject } from '../../storage/cacher/cacher.js';
import type { Environment } from '../context.js';
import { groupResource, type Kind, kindOfObject } from '../kind.js';
import { asSent } from './as-sent.js';
import { strategyContext, type WriteContext } from './context.js';
import { dedupeOwners, ensureNamespace, fillSystemFields, generateName } from './metadata.js';
import { dryRunOutcome, fromCache, type StoredObject, toStore } from './object.js';
import { reserving } from './reserve.js';

/** Generated names are tried so often before the client hears of a collision. */
const NAME_ATTEMPTS = 8;
const BEING_DELETED = 'object is being deleted: ';

/**
 * Stores a new object (hub version, minimal form, changed in place).
 *
 * @param admit validating admission on the finished object
 * @throws 409 AlreadyExists, 422 Invalid, and what strategies and admission throw
 */
export async function createObject(
  kind: Kind,
  env: Environment,
  ctx: WriteContext,
  object: KubeObject,
  admit: (object: KubeObject) => Promise<void> | void,
): Promise<StoredObject> {
  const generated = !object.metadata.name && Boolean(object.metadata.generateName);
  for (let attempt = 1; ; attempt++) {
    const candidate = generated && attempt < NAME_ATTEMPTS ? cloneJson(object) : object;
    try {
      return await createOnce(kind, env, ctx, candidate, admit);
    } catch (e) {
      if (!object.metadata.generateName || !isStatusError(e, 'AlreadyExists')) throw e;
      // Upstream takes it for a generated name even when the client gave one beside generateName.
      if (!generated || attempt >= NAME_ATTEMPTS) throw asGenerated(kind, candidate.metadata.name ?? '', e);
    }
  }
}

function asGenerated(kind: Kind, name: string, taken: StatusError): StatusError {
  const error = generateNameConflict(groupResource(kind), name, 1);
  if (!taken.message.startsWith(BEING_DELETED)) return error;
  return new StatusError(error.code, error.reason, BEING_DELETED + error.message, error.details);
}

async function createOnce(
  kind: Kind,
  env: Environment,
  ctx: WriteContext,
  object: KubeObject,
  admit: (object: KubeObject) => Promise<void> | void,
): Promise<StoredObject> {
  nameNew(kind, env, ctx, object);
  return reserving(kind, env, ctx, object, undefined, async (written) => {
    prepareNew(kind, env, ctx, object);
    await admit(object);
    dedupeOwners(object, (text) => ctx.warn(text));
    const name = object.metadata.name ?? '';
    const key = kind.cache.key(object.metadata.namespace ?? '', name);
    // Upstream's store looks at the revision when it writes, and not before.
    if (ctx.dryRun) {
      const existing = await kind.cache.get(key);
      if (existing) throw taken(kind, existing);
      return dryRunOutcome(kind, object);
    }
    refuseRevision(object);
    const value = await toStore(kind, object);
    const result = await kind.cache.put(key, value, { expectedRevision: 0, ttlSeconds: kind.rules.ttlSeconds });
    if (!result.succeeded)
      throw result.current ? taken(kind, result.current) : alreadyExists(groupResource(kind), name);
    written();
    return fromCache(kind, result.object);
  });
}

/** A number is a mistake; other text counts as none, as upstream reads it. */
function refuseRevision({ metadata }: KubeObject): void {
  const revision = metadata.resourceVersion ?? '';
  if (/^\d+$/.test(revision) && Number(revision) !== 0) {
    throw new StatusError(500, '', 'resourceVersion should not be set on objects to be created');
  }
  delete metadata.resourceVersion;
}

/** 409; tells when the one that is there is on its way out. */
function taken(kind: Kind, existing: CachedObject): StatusError {
  const error = alreadyExists(groupResource(kind), existing.name);
  if (!existing.parsed().metadata.deletionTimestamp) return error;
  return new StatusError(409, error.reason, BEING_DELETED + error.message, error.details);
}

/** Namespace, system fields and name of a client's new object; what is reserved for it knows it by these. */
export function nameNew(kind: Kind, env: Environment, ctx: WriteContext, object: KubeObject): void {
  ensureNamespace(kind, object, ctx.namespace);
  fillSystemFields(object, env);
  generateName(object, env);
}

/** The strategy's preparation and validation: everything that makes a client's object a valid new one. */
export function prepareNew(kind: Kind, env: Environment, ctx: WriteContext, object: KubeObject): void {
  const strategy = kind.strategy;
  const sctx = strategyContext(ctx, env);
  strategy.prepareForCreate?.(sctx, object);
  const errors = strategy.validate?.(sctx, object) ?? [];
  if (errors.length > 0) throw invalid(kindOfObject(kind, object), object.metadata.name ?? '', asSent(errors, object));
  for (const text of strategy.warningsOnCreate?.(sctx, object) ?? []) ctx.warn(text);
  strategy.canonicalize?.(object);
}
