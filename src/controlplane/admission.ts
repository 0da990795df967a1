import { AdmissionChain, enabledPlugins } from '../admission/chain.js';
import type { AdmissionPlugin } from '../admission/contract.js';
import { namespaceLifecycle } from '../admission/plugins/namespace-lifecycle.js';
import { NodeRestriction } from '../admission/plugins/node-restriction.js';
import type { Authorizer } from '../auth/contract.js';
import type { Environment } from '../registry/context.js';
import type { LocalClient } from '../registry/local-client.js';
import type { ControlPlaneOptions } from './options.js';

export interface AdmissionParts {
  readonly options: ControlPlaneOptions;
  readonly env: Environment;
  readonly client: LocalClient;
  /** Plugins that ask what a user may do. */
  readonly authorizer: Authorizer;
}

type Make = (parts: AdmissionParts) => AdmissionPlugin;

/** How each plugin is made. */
const PLUGINS: Readonly<Record<string, Make>> = {
  NamespaceLifecycle: ({ client }) =>
    namespaceLifecycle((name) => client.get({ group: '', resource: 'namespaces' }, '', name)),
  NodeRestriction: ({ client, authorizer, env }) =>
    new NodeRestriction({ objects: client, authorizer, gate: env.gate }),
};

/** The chain of the plugins that are on. */
export function openAdmission(parts: AdmissionParts): AdmissionChain {
  const { enableAdmissionPlugins = [], disableAdmissionPlugins = [] } = parts.options;
  const on = enabledPlugins(enableAdmissionPlugins, disableAdmissionPlugins);
  return new AdmissionChain(
    Object.entries(PLUGINS)
      .filter(([name]) => on.has(name))
      .map(([, make]) => make(parts)),
  );
}
