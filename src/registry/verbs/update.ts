import { inputFormat } from '../../machinery/codec/negotiate.js';
import { noteSentEmpties, sentEmpties } from '../../machinery/codec/typed/sent-empty.js';
import { cloneJson, type JsonObject, type KubeObject } from '../../machinery/json.js';
import { readObject } from '../body.js';
import { writeQuery } from '../options.js';
import type { UpdateRequest } from '../store/update.js';
import { admissionAttributes } from './admission.js';
import type { VerbAnswer, VerbRequest, VerbServices } from './contract.js';
import { checkName, checkNamespace, writeContext, writerOf } from './write.js';

/** PUT: the whole object at once, under optimistic concurrency when it carries a resourceVersion. */
export async function update(request: VerbRequest, services: VerbServices): Promise<VerbAnswer> {
  const { endpoint, ctx } = request;
  const { version } = endpoint;
  const format = inputFormat(request.contentType, request.offers);
  const bytes = await request.body();
  const options = writeQuery('UpdateOptions', request.query);
  const object = await request.stage('decode', () =>
    readObject(version, bytes, format, options.fieldValidation, (t) => ctx.warn(t)),
  );
  request.recordBody(object);
  version.applyDefaults(object);
  checkNamespace(object, request);
  checkName(object, request);
  const manager = version.fieldManager(endpoint.subresource);
  const writer = writerOf(request, services, options);
  const make = async (live: KubeObject | undefined): Promise<KubeObject> => {
    const copy = cloneJson(object);
    noteSentEmpties(copy, sentEmpties(object));
    return version.toHub(await manager.onUpdate(live, copy, writer));
  };
  const outcome = await endpoint.update!(writeContext(request, options.dryRun), {
    name: request.name,
    expectedUid: object.metadata.uid,
    ...admitted(request, services, options, make),
  });
  return { type: 'object', status: outcome.created ? 201 : 200, version, object: outcome.object };
}

/**
 * Wraps the making of a new object in admission, the way update and every kind of patch do.
 *
 * @param make the new object at the hub version, from the live one at the request's version
 */
export function admitted(
  request: VerbRequest,
  services: VerbServices,
  options: { asObject: UpdateOptionsObject; dryRun: boolean },
  make: (live: KubeObject | undefined) => Promise<KubeObject>,
): Pick<UpdateRequest, 'update' | 'admitCreate' | 'admitUpdate'> {
  const { endpoint } = request;
  const attributes = (object: KubeObject, oldObject: KubeObject | undefined) =>
    admissionAttributes(request, {
      operation: oldObject ? 'UPDATE' : 'CREATE',
      object,
      oldObject,
      options: optionsOf(options.asObject, oldObject ? 'UpdateOptions' : 'CreateOptions'),
      dryRun: options.dryRun,
    });
  return {
    async update(old) {
      const live = old && (await endpoint.version.fromHub(cloneJson(old)));
      const made = await make(live);
      const a = attributes(made, old);
      const fields = made.metadata.managedFields;
      await request.stage('mutate', () => services.admission.admit(a));
      const object = a.object ?? made;
      // Admission has no say in who owns what; a plugin that drops or rewrites the list is overruled.
      object.metadata.managedFields = fields;
      return object;
    },
    async admitCreate(object) {
      await request.mayCreate();
      await request.stage('admit', () => services.admission.validate(attributes(object, undefined)));
    },
    admitUpdate: (object, old) => request.stage('admit', () => services.admission.validate(attributes(object, old))),
  };
}

/** A patch, or an update that creates, shows as what it comes to. */
function optionsOf({ force: _, ...options }: JsonObject, kind: string): JsonObject {
  return { ...options, kind };
}

type UpdateOptionsObject = Parameters<typeof admissionAttributes>[1]['options'];
