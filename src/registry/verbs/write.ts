import type { UserInfo } from '../../auth/contract.js';
import { managerName } from '../../machinery/apply/manager-name.js';
import { badRequest } from '../../machinery/errors.js';
import type { KubeObject } from '../../machinery/json.js';
import { metaTime, type OperationContext } from '../context.js';
import type { WriteQuery } from '../options.js';
import type { WriteContext } from '../store/context.js';
import type { VerbRequest, VerbServices } from './contract.js';

/** The request's context as the store needs it. */
export function writeContext(request: VerbRequest, dryRun: boolean): WriteContext {
  return new RequestContext(request, dryRun);
}

/** One per request: what most requests never ask for is asked of the request when it is. */
class RequestContext implements WriteContext {
  readonly operation: OperationContext;
  readonly namespace: string;
  readonly subresource: string;
  readonly dryRun: boolean;
  readonly requestVersion: string;

  constructor({ ctx, namespace, endpoint }: VerbRequest, dryRun: boolean) {
    this.operation = ctx;
    this.namespace = namespace;
    this.subresource = endpoint.subresource;
    this.dryRun = dryRun;
    this.requestVersion = endpoint.version.apiVersion;
  }

  get user(): UserInfo {
    return this.operation.user;
  }
  get signal(): AbortSignal {
    return this.operation.signal;
  }
  get deadline(): number | undefined {
    return this.operation.deadline;
  }
  get userAgent(): string {
    return this.operation.userAgent;
  }
  warn(text: string): void {
    this.operation.warn(text);
  }
  annotate(key: string, value: string, level?: 'Request'): void {
    this.operation.annotate(key, value, level);
  }
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
