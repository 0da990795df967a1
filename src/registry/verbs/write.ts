import { managerName } from '../../machinery/apply/manager-name.js';
import { badRequest } from '../../machinery/errors.js';
import type { KubeObject } from '../../machinery/json.js';
import { metaTime } from '../context.js';
import type { WriteQuery } from '../options.js';
import type { WriteContext } from '../store/context.js';
import type { VerbRequest, VerbServices } from './contract.js';

/** The request's context as the store needs it. */
export function writeContext(request: VerbRequest, dryRun: boolean): WriteContext {
  const { ctx } = request;
  return {
    user: ctx.user,
    get signal() {
      return ctx.signal;
    },
    userAgent: ctx.userAgent,
    warn: (text) => ctx.warn(text),
    annotate: (key, value) => ctx.annotate(key, value),
    namespace: request.namespace,
    subresource: request.endpoint.subresource,
    dryRun,
    requestVersion: request.endpoint.version.apiVersion,
  };
}

export function writerOf(request: VerbRequest, services: VerbServices, options: WriteQuery) {
  return { manager: managerName(options.fieldManager, request.ctx.userAgent), now: metaTime(services.env.now()) };
}

/**
 * The object of an update must be the one of the path.
 *
 * @throws 400
 */
export function checkName(object: KubeObject, request: VerbRequest): void {
  const { name } = object.metadata;
  if (!name) {
    throw badRequest(`the name of the object (${request.name} based on URL) was undeterminable: name must be provided`);
  }
  if (name !== request.name) {
    throw badRequest(`the name of the object (${name}) does not match the name on the URL (${request.name})`);
  }
}

/** The body's namespace may be left out; another one is refused. */
export function checkNamespace(object: KubeObject, request: VerbRequest): void {
  const { namespace } = object.metadata;
  if (namespace && request.namespace !== '' && namespace !== request.namespace) {
    throw badRequest('the namespace of the provided object does not match the namespace sent on the request');
  }
  if (!namespace && request.namespace !== '' && request.endpoint.namespaced)
    object.metadata.namespace = request.namespace;
}
