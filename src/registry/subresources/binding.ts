import { list, obj, str } from '../../api/access.js';
import { strategyFor } from '../../api/index.js';
import { badRequest, conflict, notFound, StatusError } from '../../machinery/errors.js';
import { fieldErrorsMessage } from '../../machinery/field.js';
import type { JsonObject, KubeObject } from '../../machinery/json.js';
import { type Environment, metaTime } from '../context.js';
import { groupResource, type Kind } from '../kind.js';
import { strategyContext, type WriteContext } from '../store/context.js';
import { readStored, toStore } from '../store/object.js';
import { setCondition } from './pod-condition.js';

/**
 * Assigns a pod to a node: `pods/<name>/binding`, and `bindings`, where the body alone names the pod. Labels and
 * annotations of the binding go to the pod. No strategy and no field manager sees it, as upstream.
 *
 * @throws 400, 404, 409 when the pod is bound, held back or on its way out, 500 for a target that is none
 */
export async function bindPod(
  pods: Kind,
  env: Environment,
  ctx: WriteContext,
  name: string,
  binding: KubeObject,
  admit: (object: KubeObject) => Promise<void> | void,
): Promise<void> {
  const { metadata } = binding;
  if (metadata.name !== name) throw badRequest('name in URL does not match name in Binding object');
  const faults = strategyFor('', 'Binding').validate?.(strategyContext(ctx, env), binding) ?? [];
  if (faults.length > 0) throw new StatusError(500, '', fieldErrorsMessage(faults));
  await admit(binding);
  for (;;) {
    ctx.signal.throwIfAborted();
    const current = await pods.cache.get(pods.cache.key(ctx.namespace, name));
    if (!current) throw notFound(groupResource(pods), name);
    const pod = await readStored(pods, current);
    checkPreconditions(pods, current.key, pod, metadata);
    assign(pod, binding, metaTime(env.now()));
    if (ctx.dryRun) return;
    delete pod.metadata.resourceVersion;
    const { succeeded } = await pods.cache.put(current.key, await toStore(pods, pod), {
      expectedRevision: current.revision,
    });
    if (succeeded) return;
  }
}

function assign(pod: KubeObject, binding: KubeObject, now: string): void {
  const { metadata } = pod;
  const name = metadata.name ?? '';
  const spec = obj(pod, 'spec');
  const refuse = (text: string) => conflict({ group: '', resource: 'pods/binding' }, name, text);
  if (metadata.deletionTimestamp) throw refuse(`pod ${name} is being deleted, cannot be assigned to a host`);
  const node = str(spec, 'nodeName');
  if (node !== '') throw refuse(`pod ${name} is already assigned to node "${node}"`);
  if (list(spec, 'schedulingGates').length > 0) throw refuse(`pod ${name} has non-empty .spec.schedulingGates`);
  pod.spec = { ...spec, nodeName: str(obj(binding, 'target'), 'name') };
  const { annotations = {}, labels = {} } = binding.metadata;
  if (Object.keys(annotations).length > 0) metadata.annotations = { ...metadata.annotations, ...annotations };
  if (Object.keys(labels).length > 0) metadata.labels = { ...metadata.labels, ...labels };
  setCondition(pod, { type: 'PodScheduled', status: 'True' }, now);
}

function checkPreconditions(pods: Kind, key: string, pod: KubeObject, wanted: KubeObject['metadata']): void {
  const differs = (field: 'uid' | 'resourceVersion', noun: string) => {
    const want = wanted[field];
    const have = pod.metadata[field];
    if (!want || want === have) return;
    throw conflict(
      groupResource(pods),
      pod.metadata.name ?? '',
      `StorageError: invalid object, Code: 4, Key: ${key}, ResourceVersion: 0, AdditionalErrorMsg: Precondition failed: ${noun} in precondition: ${want}, ${noun} in object meta: ${have ?? ''}`,
    );
  };
  differs('uid', 'UID');
  differs('resourceVersion', 'ResourceVersion');
}

/** Status of a success that has no object to show. */
export const SUCCESS: JsonObject = { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', code: 201 };
