import {
  JWKS_PATH,
  OPENID_CONFIGURATION_PATH,
  type OpenIdDocument,
  type OpenIdDocuments,
} from '../auth/tokens/openid.js';
import type { Environment } from '../registry/context.js';
import type { LocalClient } from '../registry/local-client.js';
import type { ResourceTable } from '../registry/resource-table.js';
import type { DiscoverySource } from '../server/discovery/contract.js';
import { notFoundRoute } from '../server/discovery/not-found.js';
import { discoveryRoute } from '../server/discovery/route.js';
import { versionInfo } from '../server/discovery/version.js';
import { healthChecks } from '../server/health/checks.js';
import { healthPaths, healthRoute } from '../server/health/route.js';
import { healthMetrics } from '../server/metrics/events.js';
import type { MetricsRegistry } from '../server/metrics/registry.js';
import { metricsRoute } from '../server/metrics/route.js';
import { builtinDocuments } from '../server/openapi/builtin.js';
import type { OpenApiSource } from '../server/openapi/contract.js';
import { openApiRoute } from '../server/openapi/route.js';
import type { Route } from '../server/request-path.js';
import { swaggerRoute } from '../server/swagger/route.js';
import { flagz } from '../server/zpages/flagz.js';
import { statusz } from '../server/zpages/statusz.js';
import { separator, type ZPage, zpageRoute } from '../server/zpages/zpage.js';
import type { ControlPlaneOptions } from './options.js';

export interface GeneralParts {
  readonly release: string;
  readonly table: ResourceTable;
  /** What this server and those behind it serve. */
  readonly discovery: DiscoverySource;
  /** Documents about what is not compiled in. */
  readonly openapi: readonly OpenApiSource[];
  readonly client: LocalClient;
  readonly env: Environment;
  readonly random: () => number;
  /** What /flagz shows. */
  readonly flags: ControlPlaneOptions['flags'];
  readonly log: NonNullable<ControlPlaneOptions['log']>;
  /** host:port for clients outside. */
  serverAddress(): string;
  /** The server was told to stop. */
  draining(): boolean;
  /** Issuer discovery of service-account tokens; undefined when the issuer does not allow it. */
  readonly openId: OpenIdDocuments | undefined;
  /** Bootstrap is done. */
  started(): boolean;
  /** Livez passes until it is. */
  starting(): boolean;
  readonly metrics: MetricsRegistry;
  /** Before each scrape. */
  refreshMetrics(): Promise<void>;
  /** Throws when the storage does not answer. */
  storage(): Promise<void>;
}

/** Everything that is not about one resource: discovery, OpenAPI, health. The last one knows no path. */
export function generalRoutes(parts: GeneralParts): { first: Route[]; last: Route } {
  const { table, log, release, metrics } = parts;
  const checks = healthChecks({
    started: parts.started,
    starting: parts.starting,
    checks: {
      etcd: parts.storage,
      'etcd-readiness': parts.storage,
      shutdown() {
        if (parts.draining()) throw new Error('process is shutting down');
      },
    },
  });
  const health = healthMetrics(metrics);
  const openId = openIdPaths(parts.openId);
  const paths = [
    ...['/metrics', '/metrics/slis', '/openapi/v2', '/openapi/v3', '/openapi/v3/'],
    ...Object.keys(openId),
    ...healthPaths(checks),
  ];
  const pages = zpages(parts, paths);
  const builtinGroups = new Set(table.groups().flatMap((g) => (g.dynamic ? [] : [g.group])));
  return {
    first: [
      discoveryRoute({
        source: parts.discovery,
        version: versionInfo(release),
        serverAddress: parts.serverAddress,
        paths: () => [...paths, ...pages.map((page) => `/${page.name}`)],
      }),
      healthRoute(
        checks,
        (endpoint, failures) => {
          for (const { name, error } of failures) log('error', `${endpoint} check ${name} failed: ${String(error)}`);
        },
        health,
      ),
      metricsRoute(metrics, parts.refreshMetrics),
      ...pages.map(zpageRoute),
      swaggerRoute(),
      documentsRoute(openId),
      openApiRoute({
        sources: [...parts.openapi, builtinDocuments(table, release)],
        version: `v${VERSION}`,
        now: Date.now,
      }),
    ],
    last: notFoundRoute((group) => builtinGroups.has(group)),
  };
}

const VERSION = '1.36.0';

/** Pages about the server itself, as far as their gates are on. */
function zpages({ env, flags, random }: GeneralParts, paths: readonly string[]): ZPage[] {
  const between = separator(random);
  const pages: ZPage[] = [];
  if (flags && env.gate('ComponentFlagz')) pages.push(flagz(flags, between));
  if (env.gate('ComponentStatusz')) {
    const startedAt = new Date(performance.timeOrigin);
    const all = ['/version', ...paths, ...pages.map((page) => `/${page.name}`)];
    const runtime = `node ${process.version}`;
    pages.push(statusz({ startedAt, now: env.now, runtime, version: VERSION, paths: all }, between));
  }
  return pages;
}

function openIdPaths(documents: OpenIdDocuments | undefined): Record<string, () => OpenIdDocument> {
  if (!documents) return {};
  return { [OPENID_CONFIGURATION_PATH]: documents.configuration, [JWKS_PATH]: () => documents.jwks };
}

/** Documents by path. */
function documentsRoute(documents: Readonly<Record<string, () => OpenIdDocument>>): Route {
  return (request) => {
    const document = Object.hasOwn(documents, request.info.path) ? documents[request.info.path] : undefined;
    if (!document || request.http.method !== 'GET') return false;
    const { body, headers } = document();
    request.response.head(200, request.answerHeaders({ ...headers, 'Content-Length': body.length }));
    request.response.end(body);
    return true;
  };
}
