import { readFileSync } from 'node:fs';
import { type ServiceResolver, serviceResolver } from '../admission/webhook/client/service-resolver.js';
import type { FrontProxyHeaders } from '../auth/authentication/headers.js';
import type { Material } from '../auth/pki/material.js';
import type { Controller } from '../controllers/contract.js';
import { ApiServices } from '../extensions/aggregation/api-services.js';
import { availabilityController } from '../extensions/aggregation/availability.js';
import { clusterAddressResolver } from '../extensions/aggregation/cluster-address.js';
import { AggregatedDiscovery } from '../extensions/aggregation/discovery.js';
import { localApiServices } from '../extensions/aggregation/local-services.js';
import { AggregatedOpenApi } from '../extensions/aggregation/openapi.js';
import { proxyRoute } from '../extensions/aggregation/proxy.js';
import type { Environment } from '../registry/context.js';
import type { LocalClient } from '../registry/local-client.js';
import type { ResourceTable } from '../registry/resource-table.js';
import type { DiscoverySource } from '../server/discovery/contract.js';
import type { OpenApiSource } from '../server/openapi/contract.js';
import type { Route } from '../server/request-path.js';
import { systemClock } from '../storage/clock.js';
import type { ControlPlaneOptions } from './options.js';

export interface AggregationParts {
  readonly options: ControlPlaneOptions;
  readonly material: Material;
  readonly client: LocalClient;
  readonly table: ResourceTable;
  readonly env: Environment;
  readonly frontProxy: FrontProxyHeaders | undefined;
  readonly log: NonNullable<ControlPlaneOptions['log']>;
}

/** API servers behind this one, and the loops that look after them. */
export interface Aggregation extends Controller {
  /** Before all that this server answers itself. */
  readonly route: Route;
  readonly discovery: DiscoverySource;
  readonly openapi: OpenApiSource;
}

export function openAggregation(parts: AggregationParts): Aggregation {
  const { options, client, table, env, log } = parts;
  const resolve: ServiceResolver =
    options.aggregatorRouting === false ? clusterAddressResolver(client) : serviceResolver(client, Math.random);
  const services = new ApiServices({ client, resolve, clock: systemClock, log, identity: () => identity(parts) });
  const discovery = new AggregatedDiscovery({ table, services, log });
  const openapi = new AggregatedOpenApi({ services, log });
  const controllers = [
    localApiServices({ services, client, table, log }),
    availabilityController({ services, client, env, log }),
    discovery.controller,
    openapi.controller,
  ];
  return {
    route: proxyRoute({
      services,
      rejectRedirects: options.aggregatorRejectRedirects ?? true,
      frontProxy: parts.frontProxy,
    }),
    discovery,
    openapi,
    name: 'aggregator',
    async start() {
      await services.start();
      for (const controller of controllers) await controller.start();
    },
    async stop() {
      await Promise.all(controllers.map((c) => c.stop()));
      services.close();
    },
  };
}

/** How aggregated servers know that a request comes from this one. */
function identity({ options, material }: AggregationParts): { cert: string | Buffer; key: string | Buffer } {
  const { proxyClientCertFile, proxyClientKeyFile } = options;
  if (!proxyClientCertFile || !proxyClientKeyFile) return material.frontProxyClient;
  return { cert: readFileSync(proxyClientCertFile), key: readFileSync(proxyClientKeyFile) };
}
