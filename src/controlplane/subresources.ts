import { computedEndpoint } from '../registry/computed-endpoint.js';
import type { Environment } from '../registry/context.js';
import type { Kind } from '../registry/kind.js';
import type { LocalClient } from '../registry/local-client.js';
import type { ResourceTable } from '../registry/resource-table.js';
import type { EndpointFactories, EndpointSource } from '../registry/served.js';
import { bindPod, SUCCESS } from '../registry/subresources/binding.js';
import { type Components, componentStatuses } from '../registry/subresources/component-status.js';
import { evictPod } from '../registry/subresources/eviction.js';
import { builtinScale } from '../registry/subresources/scale-builtin.js';

export interface SubresourceParts {
  readonly env: Environment;
  readonly client: LocalClient;
  readonly table: ResourceTable;
  readonly components: Components;
}

/** Subresources that are more than the parent under other rules, and virtual resources about other objects. */
export function subresourceEndpoints({ env, client, table, components }: SubresourceParts): EndpointFactories {
  const pods = (): Kind => {
    const kind = table.preferred('', 'pods')?.stored;
    if (!kind) throw new Error('pods are not served');
    return kind;
  };
  const binding = (source: EndpointSource) =>
    computedEndpoint(source, async (ctx, object, name, admit) => {
      await bindPod(pods(), env, ctx, name || (object.metadata.name ?? ''), object, admit);
      return { report: SUCCESS };
    });
  return {
    '*/scale': (source) => builtinScale(source, env),
    '/pods/binding': (source) => ({ ...binding(source), keepsSystemFields: true }),
    '/bindings': binding,
    '/pods/eviction': (source) => ({
      ...computedEndpoint(source, async (ctx, object, name, admit) => ({
        report: await evictPod({ pods: pods(), env, client }, ctx, name, object, admit),
      })),
      acceptedVersions: ['policy/v1beta1'],
    }),
    '/componentstatuses': (source) => componentStatuses(source, components),
  };
}
