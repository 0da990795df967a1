import type { WebhookClient } from '../admission/webhook/client/client.js';
import { converterOf } from '../extensions/crd/conversion/index.js';
import { CustomResources } from '../extensions/crd/custom-resources.js';
import { definitionEndpoint } from '../extensions/crd/definition-endpoint.js';
import type { Environment } from '../registry/context.js';
import type { Endpoint } from '../registry/endpoint.js';
import type { LocalClient } from '../registry/local-client.js';
import type { ResourceTable } from '../registry/resource-table.js';
import type { Cacher } from '../storage/cacher/cacher.js';
import type { ControlPlaneOptions } from './options.js';

export interface ExtensionsParts {
  readonly cacher: Cacher;
  readonly env: Environment;
  readonly client: LocalClient;
  readonly table: ResourceTable;
  readonly webhooks: WebhookClient;
  readonly log: NonNullable<ControlPlaneOptions['log']>;
}

/** What makes the API larger than what is compiled in. */
export interface Extensions {
  readonly customResources: CustomResources;
  /** Put around endpoints of built-in resources, by `group/resource`. */
  readonly wrappers: Readonly<Record<string, (endpoint: Endpoint) => Endpoint>>;
}

export function openExtensions(parts: ExtensionsParts): Extensions {
  const { env } = parts;
  const conversion = { client: parts.webhooks, uuid: () => env.uuid() };
  return {
    customResources: new CustomResources({ ...parts, converter: (definition) => converterOf(definition, conversion) }),
    wrappers: {
      'apiextensions.k8s.io/customresourcedefinitions': (endpoint) => definitionEndpoint(endpoint, env),
    },
  };
}
