import { notFound } from '../../machinery/errors.js';
import { type Environment, metaTime } from '../../registry/context.js';
import type { Endpoint } from '../../registry/endpoint.js';
import type { WriteContext } from '../../registry/store/context.js';
import { checkPreconditions, type DeleteOptions, type DeleteOutcome } from '../../registry/store/delete.js';
import { fromCache, readStored, toStore, unstored } from '../../registry/store/object.js';
import { CLEANUP_FINALIZER, CRDS, Definition, withCondition } from './definition.js';

/** Definitions as an endpoint: the first deletion only marks, since the instances go before. */
export function definitionEndpoint(endpoint: Endpoint, env: Environment): Endpoint {
  const { remove } = endpoint;
  if (!remove) return endpoint;
  return {
    ...endpoint,
    async remove(ctx, name, options, admit) {
      return (await markForDeletion(endpoint, env, ctx, name, options, admit)) ?? remove(ctx, name, options, admit);
    },
  };
}

/** Undefined when the definition is being deleted already. */
async function markForDeletion(
  endpoint: Endpoint,
  env: Environment,
  ctx: WriteContext,
  name: string,
  options: DeleteOptions,
  admit: Parameters<NonNullable<Endpoint['remove']>>[3],
): Promise<DeleteOutcome | undefined> {
  const kind = endpoint.kind!;
  for (;;) {
    ctx.signal.throwIfAborted();
    const current = await kind.cache.get(kind.cache.key('', name));
    if (!current) throw notFound(CRDS, name);
    const object = await readStored(kind, current);
    checkPreconditions(kind, object.metadata, options);
    if (object.metadata.deletionTimestamp) return undefined;
    await admit(await readStored(kind, current));
    const now = metaTime(env.now());
    object.metadata.deletionTimestamp = now;
    const finalizers = object.metadata.finalizers ?? [];
    if (!finalizers.includes(CLEANUP_FINALIZER)) object.metadata.finalizers = [...finalizers, CLEANUP_FINALIZER];
    const definition = new Definition(object);
    object.status = { ...definition.status, conditions: withCondition(definition.conditions, PENDING, now) };
    if (ctx.dryRun) return { object: unstored(kind.hub.encode(object)), values: object, gone: false };
    delete object.metadata.resourceVersion;
    const written = await kind.cache.put(current.key, await toStore(kind, object), {
      expectedRevision: current.revision,
    });
    if (written.succeeded) return { object: await fromCache(kind, written.object), values: object, gone: false };
  }
}

const PENDING = {
  type: 'Terminating',
  status: 'True',
  reason: 'InstanceDeletionPending',
  message: 'CustomResourceDefinition marked for deletion; CustomResource deletion will begin soon',
};
