import { list, num, obj, str } from '../../../api/access.js';
import { Quantity } from '../../../machinery/quantity.js';
import { countName, type Evaluator } from './evaluator.js';
import { ONE } from './object-count.js';

const SERVICES = { group: '', resource: 'services' };
const NAMES = [countName(SERVICES), 'services', 'services.nodeports', 'services.loadbalancers'];

/** Services, and of those what the nodes and the cloud have to give for them. */
export const services: Evaluator = {
  resource: SERVICES,
  handles: (a) => a.subresource === '',
  counts: (names) => names.filter((name) => NAMES.includes(name)),
  usage(service) {
    const spec = obj(service, 'spec');
    const type = str(spec, 'type');
    const balanced = type === 'LoadBalancer';
    const ports = list(spec, 'ports');
    const chosen = balanced && spec.allocateLoadBalancerNodePorts === false;
    const nodePorts = chosen ? ports.filter((p) => num(p, 'nodePort') !== 0).length : ports.length;
    return new Map([
      [NAMES[0]!, ONE],
      ['services', ONE],
      ['services.loadbalancers', Quantity.of(balanced ? 1 : 0)],
      ['services.nodeports', Quantity.of(balanced || type === 'NodePort' ? nodePorts : 0)],
    ]);
  },
  frees: (service, old) => kindOf(str(obj(service, 'spec'), 'type')) !== kindOf(str(obj(old, 'spec'), 'type')),
};

const kindOf = (type: string): string => (type === 'NodePort' || type === 'LoadBalancer' ? type : '');
