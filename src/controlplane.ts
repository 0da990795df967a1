import { randomBytes, randomUUID } from 'node:crypto';
import { fileSystem } from './auth/authentication/files.js';
import { forbiddenError } from './auth/authorization/forbidden.js';
import type { Authorizer } from './auth/contract.js';
import { writeKubeconfig } from './auth/pki/kubeconfig.js';
import { loadAuthority, loadOrCreateMaterial, type Material, type MaterialStore } from './auth/pki/material.js';
import { directoryStore } from './auth/pki/material-store.js';
import { openAccess } from './controlplane/access.js';
import { advertisedAddress, hostPort } from './controlplane/addresses.js';
import { adminAccessGuards } from './controlplane/admin-access-guard.js';
import { openAdmission, quotaParts } from './controlplane/admission.js';
import { openAggregation } from './controlplane/aggregation.js';
import { ensureBootstrapObjects } from './controlplane/bootstrap-objects.js';
import { components } from './controlplane/components.js';
import { connections } from './controlplane/connections.js';
import { selectControllers, serverLoops } from './controlplane/controllers.js';
import { systemEnvironment } from './controlplane/environment.js';
import { openExtensions } from './controlplane/extensions.js';
import { generalRoutes } from './controlplane/general-routes.js';
import type { ControlPlaneOptions } from './controlplane/options.js';
import { paramGuards } from './controlplane/param-guard.js';
import { rbacGuards } from './controlplane/rbac-guard.js';
import { reviewEndpoints } from './controlplane/reviews.js';
import { openServices } from './controlplane/services.js';
import { certificateFiles, servingCertificates } from './controlplane/serving-certificate.js';
import { openCacher, openStorage } from './controlplane/storage.js';
import { subresourceEndpoints } from './controlplane/subresources.js';
import { openWebhookClient } from './controlplane/webhooks.js';
import { customResourceDocuments } from './extensions/crd/openapi/documents.js';
import { FeatureGates } from './machinery/feature-gates.js';
import { builtinResources } from './registry/builtin.js';
import { builtinVersion } from './registry/builtin-version.js';
import { metaTime } from './registry/context.js';
import { LocalClient } from './registry/local-client.js';
import { ResourceTable } from './registry/resource-table.js';
import { RuntimeConfig } from './registry/runtime-config.js';
import { servedGroups } from './registry/served.js';
import type { VerbServices } from './registry/verbs/contract.js';
import { entrance } from './server/entrance.js';
import { InFlight } from './server/in-flight.js';
import { isLongRunning } from './server/long-running.js';
import { watchMetrics } from './server/metrics/events.js';
import { MetricsRegistry } from './server/metrics/registry.js';
import { RequestMetrics } from './server/metrics/requests.js';
import { MeasuredStorage, type StoredResource, storageMetrics } from './server/metrics/storage.js';
import { requestInfo } from './server/request-info.js';
import { requestPath } from './server/request-path.js';
import { resourceRoute } from './server/resource-route.js';
import type { InjectRequest, InjectResponse } from './server/transport/contract.js';
import { inject } from './server/transport/inject.js';
import { createTransport } from './server/transport/transport.js';

export type { ControlPlaneOptions } from './controlplane/options.js';

/** A running control plane. */
export interface ControlPlane {
  /** https://host:port */
  readonly url: string;
  /** YAML, with the administrator's client certificate. */
  readonly kubeconfig: string;
  /** PEM. */
  readonly caCertificate: string;
  /** PEM, of the administrator (group system:masters). */
  readonly clientCertificate: string;
  readonly clientKey: string;
  /** Asks without a socket; `user` skips authentication. */
  inject(request: InjectRequest): Promise<InjectResponse>;
  /** Drains requests, ends watches, and releases the store. */
  close(): Promise<void>;
}

function logToStderr(level: string, message: string): void {
  if (level !== 'info') process.stderr.write(`porthole: ${level}: ${message}\n`);
}

/** Of this program; part of /version. */
export const RELEASE = '0.1.0';
const MAX_BODY_BYTES = 3 * 1024 * 1024;
/** Requests that take longer are cut when the server stops. */
const MAX_DRAIN_MS = 60_000;

/**
 * THE COMPOSITION ROOT: options in, a running control plane out. Several may run side by side in one process.
 *
 * @throws Error for options that are wrong, a port or a data directory that is in use
 */
export async function startControlPlane(options: ControlPlaneOptions = {}): Promise<ControlPlane> {
  const log = options.log ?? logToStderr;
  const gates = new FeatureGates(options.featureGates);
  const env = systemEnvironment(gates, options);
  const runtime = new RuntimeConfig(options.runtimeConfig);
  const host = options.host ?? '127.0.0.1';
  const advertiseAddress = advertisedAddress(options.advertiseAddress, host);
  const serviceRanges = openServices({ options, log, random: Math.random, client: () => client });
  const { cidrs: serviceCidrs, apiServerAddress: serviceAddress } = serviceRanges;
  const material = loadMaterial(options, [host, ...(advertiseAddress ? [advertiseAddress] : []), serviceAddress]);

  const metrics = new MetricsRegistry(options.metrics);
  const stored = () => storedResources(table);
  const storage = new MeasuredStorage(await openStorage(options, log), metrics, stored);
  const cacher = openCacher(storage);
  const storageAnswers = async () => void (await storage.currentRevision());
  const defaulting = { gate: env.gate, now: () => metaTime(env.now()) };
  const resources = builtinResources({
    cacher,
    enabled: (facts) => runtime.enabled(facts),
    strategies: { '/Service': serviceRanges.strategy },
    eventTtlSeconds: options.eventTtlSeconds ?? 3600,
    defaulting,
  });
  const table = new ResourceTable();
  // Access is built on the store, the store's writes pass admission, and some plugins ask access: the knot is tied here.
  const authorizer: Authorizer = { name: 'union', authorize: (a) => access.authorization.authorizer.authorize(a) };
  const services: VerbServices = {
    env,
    admission: { admit: (a) => admission.admit(a), validate: (a) => admission.validate(a) },
    deleteWorkers: options.deleteCollectionWorkers ?? 8,
  };
  const client = new LocalClient(table, services);
  const webhooks = openWebhookClient(client);
  const extensions = openExtensions({ cacher, env, client, table, webhooks, log });
  const quota = quotaParts(client, env);
  const admission = openAdmission({ options, env, client, table, webhooks, quota, log, authorizer });
  table.set(
    servedGroups({
      resources,
      env,
      factories: {
        ...reviewEndpoints(() => access, client),
        ...subresourceEndpoints({ env, client, table, components: components(storageAnswers) }),
      },
      wrappers: {
        ...rbacGuards(() => access),
        ...paramGuards({ authorizer, client, table }),
        ...adminAccessGuards(client),
        ...extensions.wrappers,
      },
      versionOf: (group, version, kind) => builtinVersion(group, version, kind, { group, version }, defaulting),
    }),
  );

  await serviceRanges.start();
  const access = await openAccess({
    options,
    material,
    client,
    env,
    log,
    clientCaChanged: () => transport.setSecureContext(certificates()),
  });
  await extensions.customResources.start();
  const frontProxy = access.authentication.frontProxyHeaders;
  const aggregation = openAggregation({ options, material, client, table, env, frontProxy, log });
  const certificates = () => ({
    ...servingCertificates(options, material),
    clientCa: access.authentication.clientCaPem,
  });
  let port = options.port ?? 0;
  const externalAddress = () => hostPort(options.externalHostname ?? advertiseAddress ?? host, port);
  let ready = false;
  let draining = false;
  let leaving = false;
  const graceUntil = performance.now() + (options.livezGraceMs ?? 0);
  const general = generalRoutes({
    release: RELEASE,
    table,
    discovery: aggregation.discovery,
    openapi: [aggregation.openapi, customResourceDocuments(table)],
    client,
    env,
    random: Math.random,
    flags: options.flags,
    metrics,
    refreshMetrics: storageMetrics(metrics, storage, stored),
    log,
    serverAddress: externalAddress,
    started: () => ready,
    starting: () => performance.now() < graceUntil,
    draining: () => draining,
    openId: access.authentication.openId(externalAddress),
    storage: storageAnswers,
  });
  const requests = new RequestMetrics(metrics, (group, version, resource, subresource) => {
    const entry = table.find(group, version, resource);
    return entry !== undefined && (subresource === '' || entry.subresources.some((s) => s.name === subresource));
  });
  const inFlight = new InFlight();
  const handler = requestPath({
    entrance: entrance({ ...options, random: Math.random, leaving: () => leaving }),
    identify: access.authentication.identify,
    authorizer: access.authorization.authorizer,
    flowControl: access.flowControl,
    auditor: access.auditor,
    impersonate: access.impersonate,
    forbidden: forbiddenError,
    routes: [
      aggregation.route,
      resourceRoute({
        table,
        services,
        async authorize(attributes) {
          const { verdict, reason } = await authorizer.authorize(attributes);
          if (verdict !== 'Allow') throw forbiddenError(attributes, reason);
        },
        maxBodyBytes: MAX_BODY_BYTES,
        cbor: gates.enabled('CBORServingAndStorage'),
        watched: watchMetrics(metrics),
        watchTimeoutMs: (seconds) => watchTimeout(seconds, options.minRequestTimeoutSeconds ?? 1800),
      }),
      ...general.first,
      connections(options, { env, client, admission: services.admission, authorizer, access }),
      general.last,
    ],
    requestTimeoutMs: options.requestTimeoutMs ?? 60_000,
    newId: randomUUID,
    begin(request) {
      const measured = requests.begin(request);
      const left = inFlight.enter(request);
      return (code, bytes) => {
        measured(code, bytes);
        left();
      };
    },
    unexpected: (request, e) =>
      log('error', `${request.http.method} ${request.info.path}: ${e instanceof Error ? e.stack : String(e)}`),
  });
  const transport = createTransport(handler, {
    tls: {
      ...certificates(),
      minVersion: options.tlsMinVersion,
      cipherSuites: options.tlsCipherSuites,
      curves: options.tlsCurvePreferences,
      http2: !options.disableHttp2,
    },
    limits: options.http2MaxStreams ? { maxConcurrentStreams: options.http2MaxStreams } : {},
    isLongRunning: (r) => isLongRunning(requestInfo(r.method, r.path, new URLSearchParams(r.query))),
  });
  const bound = await transport.listen({ host, port, reusePort: options.permitPortSharing });
  port = bound.port;
  const reload = () => {
    try {
      transport.setSecureContext(certificates());
    } catch (e) {
      log('error', `serving certificates stay as they were: ${(e as Error).message}`);
    }
  };
  const unwatch = certificateFiles(options).map((path) => fileSystem.watch(path, reload));
  await ensureBootstrapObjects({
    client,
    log,
    advertiseAddress,
    securePort: bound.port,
    reconcileEndpoints: options.reconcileEndpoints ?? true,
    serviceCidrs,
    serviceAddress,
    serviceNodePort: options.kubernetesServiceNodePort ?? 0,
    rbac: true,
    authenticationInfo: access.authentication.trustData(),
    now: env.now,
  });

  const controllers = selectControllers(options.controllers ?? ['*'], {
    client,
    table,
    env,
    log,
    caPem: material.ca.cert,
    authority: () => loadAuthority(material.ca),
    authorizer,
    quota,
  });
  controllers.push(...serverLoops({ client, table, env, log }), aggregation);
  await Promise.all(controllers.map((c) => c.start()));
  ready = true;
  const url = `https://${host.includes(':') ? `[${host}]` : host}:${bound.port}`;
  return {
    url,
    kubeconfig: writeKubeconfig({
      cluster: 'porthole',
      user: 'admin',
      server: url,
      certificateAuthority: material.ca.cert,
      clientCertificate: material.admin.cert,
      clientKey: material.admin.key,
    }),
    caCertificate: material.ca.cert,
    clientCertificate: material.admin.cert,
    clientKey: material.admin.key,
    inject: (request) => inject(handler, request),
    async close() {
      draining = true;
      for (const stop of unwatch) stop();
      if (options.shutdownDelayMs) await new Promise((resolve) => setTimeout(resolve, options.shutdownDelayMs));
      if (options.shutdownSendRetryAfter) {
        leaving = true;
        await inFlight.idle(MAX_DRAIN_MS);
      }
      await transport.shutdown();
      await Promise.all([serviceRanges.stop(), extensions.customResources.stop(), ...controllers.map((c) => c.stop())]);
      await Promise.all([access.close(), admission.close(), webhooks.close()]);
      cacher.close();
      await storage.close();
    },
  };
}

/** Each store once, under the group that lists it first: events are in two. */
function* storedResources(table: ResourceTable): Generator<StoredResource> {
  const seen = new Set<unknown>();
  for (const { versions } of table.groups()) {
    for (const { group, resource, stored } of versions.flatMap((v) => v.resources)) {
      if (!stored || seen.has(stored.cache)) continue;
      seen.add(stored.cache);
      yield { group, resource, cache: stored.cache };
    }
  }
}

function loadMaterial(options: ControlPlaneOptions, addresses: readonly string[]): Material {
  const files = new Map<string, string>();
  const memory: MaterialStore = { read: (name) => files.get(name), write: (name, text) => files.set(name, text) };
  const names = [
    'localhost',
    'kubernetes',
    'kubernetes.default',
    'kubernetes.default.svc',
    'kubernetes.default.svc.cluster.local',
  ];
  const hosts = [...new Set(['127.0.0.1', ...names, ...addresses, ...(options.certificateHosts ?? [])])];
  return loadOrCreateMaterial(options.dataDir ? directoryStore(`${options.dataDir}/pki`) : memory, {
    hosts: hosts.filter((h) => h !== '0.0.0.0' && h !== '::'),
    now: Date.now(),
    random: randomBytes,
  });
}

/** Watches without an end of their own live between one and two times the minimum, so that they don't all end at once. */
function watchTimeout(seconds: number | undefined, min: number): number {
  return seconds !== undefined && seconds > 0 ? seconds * 1000 : min * 1000 * (1 + Math.random());
}
