import type { KubeObject } from '../machinery/json.js';
import type { CreateOutcome, Endpoint } from './endpoint.js';
import type { EndpointSource } from './served.js';
import type { WriteContext } from './store/context.js';

/** Makes the answer of a create; `name` is the parent's for a subresource. */
export type Compute = (
  ctx: WriteContext,
  object: KubeObject,
  name: string,
  admit: (object: KubeObject) => Promise<void> | void,
) => Promise<CreateOutcome> | CreateOutcome;

/** A resource or subresource that is only ever created, and answered at once: reviews, tokens, evictions. */
export function computedEndpoint(source: EndpointSource, compute: Compute): Endpoint {
  const { facts, sub, version, printer } = source;
  return {
    resource: { group: facts.group, resource: facts.plural },
    subresource: sub?.name ?? '',
    namespaced: facts.namespaced,
    version,
    hub: version,
    verbs: new Set(['create']),
    printer,
    create: async (ctx, request) => compute(ctx, request.object, request.name, request.admit),
  };
}
