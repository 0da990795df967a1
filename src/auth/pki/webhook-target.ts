import { load } from 'js-yaml';
import { isJsonObject, type JsonObject } from '../../machinery/json.js';

/** Where a webhook lives and how to talk to it, from the kubeconfig file that names it. */
export interface WebhookTarget {
  readonly url: string;
  readonly ca: string | undefined;
  readonly insecure: boolean;
  readonly serverName: string | undefined;
  readonly clientCertificate: string | undefined;
  readonly clientKey: string | undefined;
  /** Value of the Authorization header. */
  readonly authorization: string | undefined;
}

/**
 * Reads the current context of a kubeconfig. Files it names are read relative to its own folder. Throws an Error that
 * names what is missing; `exec` and auth provider plugins are refused by name.
 */
export function readWebhookTarget(
  path: string,
  read: (path: string) => Buffer,
  resolve: (base: string, path: string) => string,
): WebhookTarget {
  const config: unknown = load(read(path).toString('utf8'));
  if (!isJsonObject(config)) throw new Error(`error loading config file "${path}": not a kubeconfig`);
  const contextName = config['current-context'];
  const context = named(config.contexts, contextName, 'context');
  if (!context)
    throw new Error(`invalid configuration: no configuration has been provided, try setting current-context`);
  const cluster = named(config.clusters, context.cluster, 'cluster');
  if (!cluster) throw new Error(`invalid configuration: cluster "${String(context.cluster)}" does not exist`);
  const user = named(config.users, context.user, 'user') ?? {};
  for (const plugin of ['exec', 'auth-provider']) {
    if (user[plugin] !== undefined)
      throw new Error(`kubeconfig "${path}": user field "${plugin}" is not supported for webhooks`);
  }
  const text = (from: JsonObject, field: string): string | undefined => {
    const embedded = from[`${field}-data`];
    if (typeof embedded === 'string' && embedded !== '') return Buffer.from(embedded, 'base64').toString('utf8');
    const file = from[field];
    return typeof file === 'string' && file !== '' ? read(resolve(path, file)).toString('utf8') : undefined;
  };
  const server = cluster.server;
  if (typeof server !== 'string' || !URL.canParse(server))
    throw new Error(`kubeconfig "${path}": cluster has no valid server`);
  const token = user.tokenFile ? text(user, 'tokenFile')?.trim() : user.token;
  return {
    url: server,
    ca: text(cluster, 'certificate-authority'),
    insecure: cluster['insecure-skip-tls-verify'] === true,
    serverName: typeof cluster['tls-server-name'] === 'string' ? cluster['tls-server-name'] : undefined,
    clientCertificate: text(user, 'client-certificate'),
    clientKey: text(user, 'client-key'),
    authorization:
      typeof token === 'string' && token !== ''
        ? `Bearer ${token}`
        : typeof user.username === 'string'
          ? `Basic ${Buffer.from(`${user.username}:${String(user.password ?? '')}`).toString('base64')}`
          : undefined,
  };
}

function named(list: unknown, name: unknown, field: string): JsonObject | undefined {
  if (!Array.isArray(list)) return undefined;
  const entry: unknown = list.find((one: unknown) => isJsonObject(one) && one.name === name);
  const value = isJsonObject(entry) ? entry[field] : undefined;
  return isJsonObject(value) ? value : undefined;
}
