import { type BodyFormat, decodeAny } from '../../machinery/codec/body.js';
import { DecodeError } from '../../machinery/codec/errors.js';
import { inputFormat } from '../../machinery/codec/negotiate.js';
import { badRequest } from '../../machinery/errors.js';
import { apiVersionOf, type JsonObject, type KubeObject } from '../../machinery/json.js';
import { type DeleteRequestOptions, deleteOptions, listQuery } from '../options.js';
import type { DeleteOutcome } from '../store/delete.js';
import type { StoredObject } from '../store/object.js';
import { admissionAttributes } from './admission.js';
import type { VerbAnswer, VerbRequest, VerbServices } from './contract.js';
import { listSelected, select } from './read.js';
import { writeContext } from './write.js';

/** DELETE of one object. */
export async function remove(request: VerbRequest, services: VerbServices): Promise<VerbAnswer> {
  const { endpoint } = request;
  const options = await readDeleteOptions(request);
  const outcome = await removeOne(request, services, options, request.name);
  // 202 tells a client that asked for cascading deletion that the object is still there.
  const status = !outcome.gone && options.orphanDependents === false ? 202 : 200;
  if (!outcome.gone || endpoint.kind?.rules.returnsDeleted) {
    return { type: 'object', status, version: endpoint.version, object: outcome.object };
  }
  return { type: 'status', status, value: success(request, outcome.values) };
}

/** DELETE of a collection: everything that matches, as one snapshot shows it. */
export async function removeCollection(request: VerbRequest, services: VerbServices): Promise<VerbAnswer> {
  const kind = request.endpoint.kind!;
  const list = listQuery(request.query, false);
  const selection = select(request, kind, list);
  const options = await readDeleteOptions(request);
  const found = await listSelected(kind, selection, list);
  const objects = await found.items();
  const removed: StoredObject[] = new Array(objects.length);
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < objects.length) {
      const i = next++;
      const object = objects[i]!;
      // Admission is told of the collection: it has no name to look at but the object's own.
      const one = { ...request, namespace: object.namespace, name: '' };
      try {
        await removeOne(one, services, options, object.name);
      } catch (e) {
        if (!(e instanceof Error && 'reason' in e && e.reason === 'NotFound')) throw e;
      }
      removed[i] = { json: object.json, cached: object };
    }
  };
  await Promise.all(Array.from({ length: Math.min(services.deleteWorkers, objects.length) }, worker));
  return { type: 'objects', objects: removed, revision: found.revision };
}

async function removeOne(
  request: VerbRequest,
  services: VerbServices,
  options: DeleteRequestOptions,
  name: string,
): Promise<DeleteOutcome> {
  const attributes = (old: KubeObject) =>
    admissionAttributes(request, {
      operation: 'DELETE',
      object: undefined,
      oldObject: old,
      options: options.asObject,
      dryRun: options.dryRun,
    });
  return request.endpoint.remove!(writeContext(request, options.dryRun), name, options, async (old) => {
    const a = attributes(old);
    await request.stage('mutate', () => services.admission.admit(a));
    await request.stage('admit', () => services.admission.validate(a));
  });
}

async function readDeleteOptions(request: VerbRequest): Promise<DeleteRequestOptions> {
  const options = await decodeDeleteOptions(request);
  const warning = request.endpoint.kind?.strategy.deletionWarning;
  if (warning && options.propagationPolicy === undefined && options.orphanDependents === undefined) {
    request.ctx.warn(warning);
  }
  return options;
}

async function decodeDeleteOptions(request: VerbRequest): Promise<DeleteRequestOptions> {
  const bytes = await request.body();
  if (bytes.length === 0) return deleteOptions(undefined, request.query);
  const format = inputFormat(request.contentType, request.offers);
  const body = readDeleteBody(bytes, format);
  request.recordBody(body);
  return deleteOptions(body, request.query);
}

/** The Status that tells of a removed object. */
function success(request: VerbRequest, values: KubeObject): JsonObject {
  const { group, resource } = request.endpoint.resource;
  const details: JsonObject = { name: request.name };
  if (group) details.group = group;
  details.kind = resource;
  if (values.metadata.uid) details.uid = values.metadata.uid;
  return { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', details };
}

/** meta.v1.DeleteOptions may come at `v1`, at `meta.k8s.io/v1` or at any group's version. */
function readDeleteBody(bytes: Buffer, format: BodyFormat): JsonObject {
  try {
    const { object, gvk } = decodeAny(bytes, format, { group: 'meta.k8s.io', version: 'v1', kind: 'DeleteOptions' });
    if (gvk.kind !== 'DeleteOptions') {
      throw badRequest(
        `no kind "${gvk.kind}" is registered for version "${apiVersionOf(gvk)}" in scheme "pkg/apis/meta/internalversion/scheme/register.go:27"`,
      );
    }
    return object;
  } catch (e) {
    if (e instanceof DecodeError) throw badRequest(e.message);
    throw e;
  }
}
