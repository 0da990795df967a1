import { readFileSync } from 'node:fs';
import type { AdmissionChain } from '../admission/chain.js';
import type { Authorizer } from '../auth/contract.js';
import type { Environment } from '../registry/context.js';
import type { LocalClient } from '../registry/local-client.js';
import { globalUnicast } from '../server/connect/addresses.js';
import { Kubelets } from '../server/connect/kubelets.js';
import { connectRoute } from '../server/connect/route.js';
import type { Route } from '../server/request-path.js';
import type { Access } from './access.js';
import type { ControlPlaneOptions } from './options.js';

export interface ConnectionParts {
  readonly env: Environment;
  readonly client: LocalClient;
  readonly admission: Pick<AdmissionChain, 'admit' | 'validate'>;
  readonly authorizer: Authorizer;
  readonly access: Access;
}

const NODES = { group: '', resource: 'nodes' };
const DIAL_TIMEOUT_MS = 30_000;

/** Logs, exec, attach, port-forward and proxies. */
export function connections(options: ControlPlaneOptions, parts: ConnectionParts): Route {
  const { kubelet = {}, maxConnectionBytesPerSecond: bytesPerSecond = 0 } = options;
  const { env, client, admission, authorizer, access } = parts;
  return connectRoute({
    get: (resource, namespace, name) => client.get(resource, namespace, name),
    admission,
    authorizer,
    kubelets: new Kubelets({
      options: kubelet,
      node: (name) => client.get(NODES, '', name),
      readFile: (path) => readFileSync(path),
    }),
    allowed: kubelet.allowLocalAddresses ? () => true : globalUnicast,
    frontProxy: access.authentication.frontProxyHeaders,
    gate: env.gate,
    random: Math.random,
    dialTimeoutMs: kubelet.timeoutMs ?? DIAL_TIMEOUT_MS,
    bytesPerSecond,
  });
}
