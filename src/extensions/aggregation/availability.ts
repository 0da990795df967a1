import { list, num, obj, str } from '../../api/access.js';
import type { Controller } from '../../controllers/contract.js';
import { WorkQueue } from '../../controllers/work-queue.js';
import { isStatusError } from '../../machinery/errors.js';
import { goQuote } from '../../machinery/go-format.js';
import type { KubeObject } from '../../machinery/json.js';
import { type Environment, metaTime } from '../../registry/context.js';
import type { LocalClient } from '../../registry/local-client.js';
import { API_SERVICES, type Availability, type ServiceReference, withAvailability } from './api-service.js';
import type { ApiServices, Served } from './api-services.js';
import { checkDiscovery } from './discovery-check.js';

export interface AvailabilityParts {
  readonly services: ApiServices;
  readonly client: LocalClient;
  readonly env: Environment;
  log(level: 'info' | 'warning' | 'error', message: string): void;
}

const SERVICES = { group: '', resource: 'services' };
const ENDPOINT_SLICES = { group: 'discovery.k8s.io', resource: 'endpointslices' };
const STATUS = { manager: 'kube-apiserver', subresource: 'status' };
/** A server that was fine is looked at again after so long: nobody tells when a network breaks. */
const AGAIN_MS = 30_000;
const WORKERS = 5;

const LOCAL: Availability = {
  status: 'True',
  reason: 'Local',
  message: 'Local APIServices are always available',
};
const PASSED: Availability = { status: 'True', reason: 'Passed', message: 'all checks passed' };
const no = (reason: string, message: string): Availability => ({ status: 'False', reason, message });

/** Keeps the condition Available of every APIService true to what there is. */
export function availabilityController(parts: AvailabilityParts): Controller {
  const { services, client, env, log } = parts;
  const ending = new AbortController();
  const queue = new WorkQueue({
    workers: WORKERS,
    lastRetryMs: AGAIN_MS,
    async work(name) {
      const api = services.get(name);
      if (!api) return undefined;
      const remote = services.remote(name);
      const found = remote ? await availability(remote, client, ending.signal) : LOCAL;
      if (ending.signal.aborted) return undefined;
      // What was looked at may be gone or other by now: then its change brings it back here.
      if (remote && services.remote(name)?.backend !== remote.backend) return undefined;
      try {
        await write(name, found);
      } catch (e) {
        if (!isStatusError(e, 'NotFound')) throw e;
      }
      if (found.reason === 'FailedDiscoveryCheck') throw new Error(found.message);
      return remote ? AGAIN_MS : undefined;
    },
    failed: (name, e) => log('info', `APIService ${name}: ${e instanceof Error ? e.message : String(e)}`),
  });

  async function write(name: string, found: Availability): Promise<void> {
    const uid = services.get(name)?.object.metadata.uid;
    const change = (object: KubeObject): KubeObject | undefined => {
      if (object.metadata.uid !== uid) return undefined;
      const before = list(obj(object, 'status'), 'conditions');
      const conditions = withAvailability(before, found, metaTime(env.now()));
      return conditions === before
        ? undefined
        : { ...object, status: { ...obj(object, 'status'), conditions: [...conditions] } };
    };
    await client.update(API_SERVICES, '', name, change, STATUS);
  }

  return {
    name: 'apiservice-status-available-controller',
    async start() {
      services.onChange((name) => queue.add(name));
      for (const { name } of services.all()) queue.add(name);
    },
    async stop() {
      ending.abort();
      await queue.close();
    },
  };
}

async function availability({ api, backend }: Served, client: LocalClient, signal: AbortSignal): Promise<Availability> {
  const before = await serviceFault(backend.service, client);
  if (before) return before;
  const path = api.group === '' ? `/api/${api.version}` : `/apis/${api.group}/${api.version}`;
  const fault = await checkDiscovery(backend, path, signal);
  return fault === undefined ? PASSED : no('FailedDiscoveryCheck', fault);
}

/** What can be told without asking the server. */
async function serviceFault(
  { namespace, name, port }: ServiceReference,
  client: LocalClient,
): Promise<Availability | undefined> {
  const called = `service/${name} in ${goQuote(namespace)}`;
  const service = await client.get(SERVICES, namespace, name);
  if (!service) return no('ServiceNotFound', `${called} is not present`);
  if (str(obj(service, 'spec'), 'type') !== 'ClusterIP') return undefined;
  const served = list(obj(service, 'spec'), 'ports').find((p) => num(p, 'port') === port);
  if (!served) return no('ServicePortError', `${called} is not listening on port ${port}`);
  const portName = str(served, 'name');
  const slices = (await client.list(ENDPOINT_SLICES, namespace)).filter(
    (slice) => slice.metadata.labels?.['kubernetes.io/service-name'] === name,
  );
  if (slices.length === 0) return no('EndpointsNotFound', `cannot find endpointslices for ${called}`);
  if (slices.some((slice) => isReady(slice, portName))) return undefined;
  return no('MissingEndpoints', `endpointslices for ${called} have no addresses with port name ${goQuote(portName)}`);
}

function isReady(slice: KubeObject, portName: string): boolean {
  return (
    list(slice, 'endpoints').some((endpoint) => obj(endpoint, 'conditions').ready !== false) &&
    list(slice, 'ports').some((p) => str(p, 'name') === portName && p.port !== undefined)
  );
}
