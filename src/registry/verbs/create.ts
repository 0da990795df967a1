import { inputFormat } from '../../machinery/codec/negotiate.js';
import { cloneJson } from '../../machinery/json.js';
import { readObject } from '../body.js';
import { writeQuery } from '../options.js';
import { dedupeOwners, wipeSystemFields } from '../store/metadata.js';
import { admissionAttributes } from './admission.js';
import type { VerbAnswer, VerbRequest, VerbServices } from './contract.js';
import { checkNamespace, writeContext, writerOf } from './write.js';

/** POST: decode, default, own fields, mutate, then the endpoint's create with validating admission in the middle of it. */
export async function create(request: VerbRequest, services: VerbServices): Promise<VerbAnswer> {
  const { endpoint, ctx } = request;
  const { version } = endpoint;
  const format = inputFormat(request.contentType, request.offers);
  const bytes = await request.body();
  const options = writeQuery('CreateOptions', request.query);
  const warn = (text: string) => ctx.warn(text);
  const object = await request.stage('decode', () =>
    readObject(version, bytes, format, options.fieldValidation, warn, endpoint.acceptedVersions),
  );
  request.recordBody(object);
  version.applyDefaults(object);
  checkNamespace(object, request);
  if (!endpoint.keepsSystemFields) wipeSystemFields(object);
  const wctx = writeContext(request, options.dryRun);
  const managed = await version
    .fieldManager(endpoint.subresource)
    .onUpdate(undefined, object, writerOf(request, services, options));
  const attributes = admissionAttributes(request, {
    operation: 'CREATE',
    object: await version.toHub(managed),
    oldObject: undefined,
    options: options.asObject,
    dryRun: options.dryRun,
    name: request.name || object.metadata.name,
  });
  const fields = attributes.object?.metadata.managedFields;
  await request.stage('mutate', () => services.admission.admit(attributes));
  const hub = attributes.object ?? object;
  hub.metadata.managedFields = fields;
  dedupeOwners(hub, (t) => ctx.warn(t));
  const outcome = await endpoint.create!(wctx, {
    name: request.name,
    object: hub,
    admit: (final) =>
      request.stage('admit', () =>
        services.admission.validate({
          ...attributes,
          object: final,
          name: attributes.name || (final.metadata.name ?? ''),
        }),
      ),
  });
  const status = outcome.status ?? 201;
  if ('report' in outcome) return { type: 'status', status, value: outcome.report };
  return 'object' in outcome
    ? { type: 'object', status, version, object: outcome.object }
    : { type: 'value', status, version, value: cloneJson(outcome.value) };
}
