import { obj, strings } from '../../api/access.js';
import type { AdmissionPlugin } from '../contract.js';
import { rejectedBy } from '../errors.js';
import { concerns } from './concerns.js';

/** No service gets external addresses that it does not have (CVE-2020-8554). */
export function denyServiceExternalIPs(): AdmissionPlugin {
  return {
    name: 'DenyServiceExternalIPs',
    handles: (operation) => operation === 'CREATE' || operation === 'UPDATE',
    validate(a) {
      if (!concerns(a, '/services')) return;
      const known = new Set(strings(obj(a.oldObject, 'spec'), 'externalIPs'));
      if (strings(obj(a.object, 'spec'), 'externalIPs').every((ip) => known.has(ip))) return;
      throw rejectedBy(a, 'Use of external IPs is denied by admission control');
    },
  };
}
