import type { Printer } from '../api/printers/contract.js';
import { notFound } from '../machinery/errors.js';
import type { Environment } from './context.js';
import type { Endpoint } from './endpoint.js';
import { groupResource, type Kind, type KindVersion } from './kind.js';
import type { WriteContext } from './store/context.js';
import { createObject } from './store/create.js';
import { deleteObject } from './store/delete.js';
import { fromCache, type StoredObject } from './store/object.js';
import { updateObject } from './store/update.js';

export interface StoredEndpointOptions {
  /** The group and plural of the path; events are served under two groups. */
  group: string;
  verbs: readonly string[];
  warning?: string;
  printer: Printer | undefined;
  selectableFields: ReadonlySet<string>;
}

/** The main resource of a kind at one version. */
export function storedEndpoint(
  kind: Kind,
  version: KindVersion,
  env: Environment,
  options: StoredEndpointOptions,
): Endpoint {
  const can = new Set(options.verbs);
  return {
    resource: { group: options.group, resource: kind.resource },
    subresource: '',
    namespaced: kind.namespaced,
    version,
    hub: kind.hub,
    kind,
    warning: options.warning,
    printer: options.printer,
    selectableFields: options.selectableFields,
    verbs: can,
    get: can.has('get') ? (ctx, name, rv) => readObject(kind, ctx, name, rv) : undefined,
    create: can.has('create')
      ? async (ctx, request) => ({ object: await createObject(kind, env, ctx, request.object, request.admit) })
      : undefined,
    update: can.has('update') ? (ctx, request) => updateObject(kind, env, ctx, request) : undefined,
    remove: can.has('delete')
      ? (ctx, name, deleteOptions, admit) => deleteObject(kind, env, ctx, name, deleteOptions, admit)
      : undefined,
  };
}

/** A subresource that is the same object under other update rules: status, finalize, approval, resize, … */
export function sharedSubresourceEndpoint(
  kind: Kind,
  version: KindVersion,
  env: Environment,
  subresource: string,
  options: StoredEndpointOptions,
): Endpoint {
  const can = new Set(options.verbs);
  return {
    resource: { group: options.group, resource: kind.resource },
    subresource,
    namespaced: kind.namespaced,
    version,
    hub: kind.hub,
    warning: options.warning,
    printer: options.printer,
    selectableFields: options.selectableFields,
    verbs: can,
    get: can.has('get') ? (ctx, name, rv) => readObject(kind, ctx, name, rv) : undefined,
    update: can.has('update') ? (ctx, request) => updateObject(kind, env, ctx, request) : undefined,
  };
}

/** @throws 404 */
export async function readObject(
  kind: Kind,
  ctx: Pick<WriteContext, 'namespace'>,
  name: string,
  resourceVersion = '',
): Promise<StoredObject> {
  const cached = await kind.cache.get(kind.cache.key(ctx.namespace, name), { resourceVersion });
  if (!cached) throw notFound(groupResource(kind), name);
  return fromCache(kind, cached);
}
