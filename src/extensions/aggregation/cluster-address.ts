import type { ServiceObjects, ServiceResolver } from '../../admission/webhook/client/service-resolver.js';
import { list, num, obj, str } from '../../api/access.js';
import { goQuote } from '../../machinery/go-format.js';

const SERVICES = { group: '', resource: 'services' };

/** A Service's cluster address, for hosts on which something routes it (`--enable-aggregator-routing=false`). */
export function clusterAddressResolver(objects: Pick<ServiceObjects, 'get'>): ServiceResolver {
  return async (namespace, name, port) => {
    const service = await objects.get(SERVICES, namespace, name);
    if (!service) throw new Error(`service ${goQuote(name)} not found`);
    const spec = obj(service, 'spec');
    if (str(spec, 'type') === 'ExternalName') return { host: str(spec, 'externalName'), port };
    const host = str(spec, 'clusterIP');
    if (host === '' || host === 'None') throw new Error('cannot route to service with ClusterIP "None"');
    if (!list(spec, 'ports').some((p) => num(p, 'port') === port)) {
      throw new Error(`no service port ${port} found for service ${goQuote(name)}`);
    }
    return { host, port };
  };
}
