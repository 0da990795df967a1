import type { KubeObject } from '../../../machinery/json.js';
import { list, num, obj, str, stringMap, strings } from '../../access.js';
import { age } from '../age.js';
import type { RowPrinter } from '../contract.js';
import { labelsText, loadBalancerAddresses, nameOf, orNone } from '../text.js';

export const service: RowPrinter = {
  cells(object, now) {
    const spec = obj(object, 'spec');
    const ports = list(spec, 'ports').map((port) => {
      const node = num(port, 'nodePort') > 0 ? `:${num(port, 'nodePort')}` : '';
      return `${num(port, 'port')}${node}/${str(port, 'protocol')}`;
    });
    return [
      nameOf(object),
      str(spec, 'type'),
      orNone(strings(spec, 'clusterIPs')[0] ?? str(spec, 'clusterIP')),
      externalAddresses(object),
      orNone(ports.join(',')),
      age(object, now),
      labelsText(stringMap(spec, 'selector')),
    ];
  },
};

function externalAddresses(object: KubeObject): string {
  const spec = obj(object, 'spec');
  const external = strings(spec, 'externalIPs').join(',');
  switch (str(spec, 'type')) {
    case 'ClusterIP':
    case 'NodePort':
      return orNone(external);
    case 'LoadBalancer':
      return [loadBalancerAddresses(object), external].filter(Boolean).join(',') || '<pending>';
    case 'ExternalName':
      return str(spec, 'externalName');
    default:
      return '<unknown>';
  }
}
