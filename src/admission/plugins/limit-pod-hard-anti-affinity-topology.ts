import { list, obj, str } from '../../api/access.js';
import { forbidden } from '../../machinery/errors.js';
import type { AdmissionPlugin } from '../contract.js';
import { concerns } from './concerns.js';

const HOSTNAME = 'kubernetes.io/hostname';

/** No pod keeps others out of more than its node: required anti-affinity is within a host. */
export function limitPodHardAntiAffinityTopology(): AdmissionPlugin {
  return {
    name: 'LimitPodHardAntiAffinityTopology',
    handles: (operation) => operation === 'CREATE' || operation === 'UPDATE',
    validate(a) {
      if (!a.object || !concerns(a, '/pods')) return;
      const rules = obj(obj(obj(a.object, 'spec'), 'affinity'), 'podAntiAffinity');
      const keys = list(rules, 'requiredDuringSchedulingIgnoredDuringExecution').map((t) => str(t, 'topologyKey'));
      const wide = keys.find((key) => key !== HOSTNAME);
      if (wide === undefined) return;
      throw forbidden(
        { group: '', resource: 'pods' },
        a.object.metadata.name ?? '',
        `affinity.PodAntiAffinity.RequiredDuringScheduling has TopologyKey ${wide} but only key ${HOSTNAME} is allowed`,
      );
    },
  };
}
