import type { KubeObject } from '../machinery/json.js';
import type { Endpoint } from './endpoint.js';
import type { WriteContext } from './store/context.js';

/** Refuses a write by throwing. `old` is undefined on create, `name` is that of the URL ('' on create). */
export type Guard = (
  ctx: WriteContext,
  object: KubeObject,
  old: KubeObject | undefined,
  name: string,
) => Promise<void> | void;

/** An endpoint whose writes are looked at after mutating admission and before anything else. */
export function guardedEndpoint(endpoint: Endpoint, guard: Guard): Endpoint {
  const { create, update } = endpoint;
  return {
    ...endpoint,
    create:
      create &&
      (async (ctx, request) => {
        await guard(ctx, request.object, undefined, '');
        return create(ctx, request);
      }),
    update:
      update &&
      ((ctx, request) =>
        update(ctx, {
          ...request,
          async update(old) {
            const object = await request.update(old);
            await guard(ctx, object, old, request.name);
            return object;
          },
        })),
  };
}
