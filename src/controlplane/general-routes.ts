import type { LocalClient } from '../registry/local-client.js';
import type { ResourceTable } from '../registry/resource-table.js';
import { notFoundRoute } from '../server/discovery/not-found.js';
import { discoveryRoute } from '../server/discovery/route.js';
import { versionInfo } from '../server/discovery/version.js';
import { healthChecks } from '../server/health/checks.js';
import { healthPaths, healthRoute } from '../server/health/route.js';
import { builtinDocuments } from '../server/openapi/builtin.js';
import { openApiRoute } from '../server/openapi/route.js';
import type { Route } from '../server/request-path.js';
import type { ControlPlaneOptions } from './options.js';

export interface GeneralParts {
  readonly release: string;
  readonly table: ResourceTable;
  readonly client: LocalClient;
  readonly log: NonNullable<ControlPlaneOptions['log']>;
  /** host:port for clients outside. */
  serverAddress(): string;
  /** Bootstrap is done. */
  started(): boolean;
  /** Throws when the storage does not answer. */
  storage(): Promise<void>;
}

/** Everything that is not about one resource: discovery, OpenAPI, health. The last one knows no path. */
export function generalRoutes(parts: GeneralParts): { first: Route[]; last: Route } {
  const { table, log, release } = parts;
  const checks = healthChecks({
    started: parts.started,
    checks: { etcd: parts.storage, 'etcd-readiness': parts.storage },
  });
  const builtinGroups = new Set(table.groups().map((g) => g.group));
  return {
    first: [
      discoveryRoute({
        source: table,
        version: versionInfo(release),
        serverAddress: parts.serverAddress,
        paths: () => ['/metrics', '/openapi/v2', '/openapi/v3', ...healthPaths(checks)],
      }),
      healthRoute(checks, (endpoint, failures) => {
        for (const { name, error } of failures) log('error', `${endpoint} check ${name} failed: ${String(error)}`);
      }),
      openApiRoute({ sources: [builtinDocuments(table, release)], version: 'v1.36.0', now: Date.now }),
    ],
    last: notFoundRoute((group) => builtinGroups.has(group)),
  };
}
