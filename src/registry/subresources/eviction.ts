import { obj, str } from '../../api/access.js';
import { badRequest, conflict, isStatusError, notFound, timeoutError } from '../../machinery/errors.js';
import { cloneJson, isJsonObject, type JsonObject, type KubeObject } from '../../machinery/json.js';
import { type Environment, metaTime } from '../context.js';
import { groupResource, type Kind } from '../kind.js';
import type { LocalClient } from '../local-client.js';
import { derivedContext, type WriteContext } from '../store/context.js';
import { type DeleteOptions, deleteObject } from '../store/delete.js';
import { readStored } from '../store/object.js';
import { updateObject } from '../store/update.js';
import { SUCCESS } from './binding.js';
import { allowsUnhealthy, budgetsOf, stillProcessed, takeDisruption } from './disruption-budget.js';
import { isReady, setCondition } from './pod-condition.js';

/** Races with other writers that are tried again. */
const ATTEMPTS = 20;

export interface EvictionParts {
  readonly pods: Kind;
  readonly env: Environment;
  readonly client: LocalClient;
}

interface Wish {
  readonly options: DeleteOptions;
  readonly dryRun: boolean;
}

/**
 * Deletes a pod if its disruption budget allows it.
 *
 * @returns the Status to answer with, which tells of a failure when several budgets cover the pod
 * @throws 400, 404, 409 when a precondition does not hold, 429 when the budget forbids it now
 */
export async function evictPod(
  parts: EvictionParts,
  ctx: WriteContext,
  name: string,
  eviction: KubeObject,
  admit: (object: KubeObject) => Promise<void> | void,
): Promise<JsonObject> {
  if (eviction.metadata.name !== name) throw badRequest('name in URL does not match name in Eviction object');
  const wish = readWish(eviction, ctx.dryRun);
  await admit(eviction);
  const pod = await deleteUnguarded(parts, ctx, name, wish);
  if (!pod) return SUCCESS;
  const budgets = await budgetsOf(parts.client, pod);
  if (budgets.length > 1) return SEVERAL_BUDGETS;
  const [budget] = budgets;
  // An unready pod is no loss to a budget, as long as it stays unready.
  const pinned = budget !== undefined && !isReady(pod) && allowsUnhealthy(budget);
  if (budget && !pinned) {
    const now = metaTime(parts.env.now());
    await takeDisruption(parts.client, budget, name, wish.dryRun, now).catch((e: unknown) => {
      if (!isStatusError(e, 'Conflict')) throw e;
      throw timeoutError(`couldn't update PodDisruptionBudget "${budget.metadata.name}" due to conflicts`, 10);
    });
  }
  try {
    await deletePod(parts, ctx, pod, wish, pinned);
  } catch (e) {
    const ours = pinned && wish.options.preconditions?.resourceVersion === undefined;
    if (ours && isStatusError(e, 'Conflict')) throw stillProcessed(budget.metadata.name ?? '');
    throw e;
  }
  return SUCCESS;
}

/** Answered with 201, like every other Status of a create. */
const SEVERAL_BUDGETS: JsonObject = {
  kind: 'Status',
  apiVersion: 'v1',
  metadata: {},
  status: 'Failure',
  message: 'This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.',
  code: 500,
};

function readWish(eviction: KubeObject, dryRun: boolean): Wish {
  const given = isJsonObject(eviction.deleteOptions) ? eviction.deleteOptions : {};
  const { dryRun: ownDryRun, ...options } = given;
  return { options: options as DeleteOptions, dryRun: dryRun || (Array.isArray(ownDryRun) && ownDryRun.length > 0) };
}

/** Deletes a pod that no budget counts (pending, finished, on its way out). Gives the pod if it is no such one. */
async function deleteUnguarded(
  parts: EvictionParts,
  ctx: WriteContext,
  name: string,
  wish: Wish,
): Promise<KubeObject | undefined> {
  const { pods } = parts;
  const { uid, resourceVersion } = wish.options.preconditions ?? {};
  for (let attempt = 1; ; attempt++) {
    ctx.signal.throwIfAborted();
    const current = await pods.cache.get(pods.cache.key(ctx.namespace, name));
    if (!current) throw notFound(groupResource(pods), name);
    const pod = await readStored(pods, current);
    const phase = str(obj(pod, 'status'), 'phase');
    const over = phase === 'Succeeded' || phase === 'Failed' || pod.metadata.deletionTimestamp !== undefined;
    if (!over && phase !== 'Pending') return pod;
    try {
      await deletePod(parts, ctx, pod, wish, !over);
      return undefined;
    } catch (e) {
      const hopeless = resourceVersion !== undefined || (uid !== undefined && uid !== pod.metadata.uid);
      if (!isStatusError(e, 'Conflict') || hopeless || attempt >= ATTEMPTS) throw e;
    }
  }
}

/**
 * Notes on the pod why it goes, and deletes it.
 *
 * @param pinned only while it is as it was read
 */
async function deletePod(
  { pods, env }: EvictionParts,
  ctx: WriteContext,
  pod: KubeObject,
  { options, dryRun }: Wish,
  pinned: boolean,
): Promise<void> {
  const { name = '' } = pod.metadata;
  const preconditions = { ...options.preconditions };
  if (pinned) preconditions.resourceVersion ??= pod.metadata.resourceVersion;
  const own = derivedContext(ctx, { dryRun });
  if (!dryRun) {
    const outcome = await updateObject(pods, env, derivedContext(own, { subresource: 'status' }), {
      name,
      async update(latest) {
        if (!latest) throw notFound(groupResource(pods), name);
        checkPreconditions(latest, preconditions);
        const object = cloneJson(latest);
        setCondition(object, EVICTED, metaTime(env.now()));
        return object;
      },
      admitCreate() {},
      admitUpdate() {},
    });
    if (preconditions.resourceVersion !== undefined && outcome.object.cached)
      preconditions.resourceVersion = `${outcome.object.cached.revision}`;
  }
  await deleteObject(pods, env, own, name, { ...options, preconditions }, () => {});
}

const EVICTED = {
  type: 'DisruptionTarget',
  status: 'True',
  reason: 'EvictionByEvictionAPI',
  message: 'Eviction API: evicting',
};

/** In the words of a delete, see `deleteObject`. */
function checkPreconditions({ metadata }: KubeObject, wanted: NonNullable<DeleteOptions['preconditions']>): void {
  const refuse = (text: string) => conflict({ group: '', resource: 'Pod' }, metadata.name ?? '', text);
  const { uid, resourceVersion } = wanted;
  if (uid && uid !== metadata.uid)
    throw refuse(
      `the UID in the precondition (${uid}) does not match the UID in record (${metadata.uid}). The object might have been deleted and then recreated`,
    );
  if (resourceVersion && resourceVersion !== metadata.resourceVersion)
    throw refuse(
      `the ResourceVersion in the precondition (${resourceVersion}) does not match the ResourceVersion in record (${metadata.resourceVersion}). The object might have been modified`,
    );
}
