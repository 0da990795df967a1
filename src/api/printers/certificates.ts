import type { JsonObject } from '../../machinery/json.js';
import { list, obj, str, stringMap } from '../access.js';
import { age, humanDuration } from './age.js';
import type { GroupPrinters } from './contract.js';
import { labelsText, nameOf, orNone } from './text.js';

export const certificates: GroupPrinters = {
  CertificateSigningRequest: {
    cells(object, now) {
      const spec = obj(object, 'spec');
      const seconds = spec.expirationSeconds;
      return [
        nameOf(object),
        age(object, now),
        orNone(str(spec, 'signerName')),
        str(spec, 'username'),
        typeof seconds === 'number' ? humanDuration(seconds * 1000) : '<none>',
        requestState(obj(object, 'status')),
      ];
    },
  },
  ClusterTrustBundle: {
    cells: (object) => [nameOf(object), orNone(str(obj(object, 'spec'), 'signerName'))],
  },
  PodCertificateRequest: {
    cells(object) {
      const spec = obj(object, 'spec');
      const types = list(obj(object, 'status'), 'conditions').map((c) => str(c, 'type'));
      return [
        nameOf(object),
        str(spec, 'podName'),
        str(spec, 'serviceAccountName'),
        str(spec, 'nodeName'),
        str(spec, 'signerName'),
        types.findLast((type) => ['Issued', 'Denied', 'Failed'].includes(type)) ?? 'Pending',
        labelsText(stringMap(spec, 'unverifiedUserAnnotations')),
      ];
    },
  },
};

/** Being denied goes before being approved. */
function requestState(status: JsonObject): string {
  const types = new Set(list(status, 'conditions').map((c) => str(c, 'type')));
  const words = [['Denied', 'Approved'].find((type) => types.has(type)) ?? 'Pending'];
  if (types.has('Failed')) words.push('Failed');
  if (str(status, 'certificate')) words.push('Issued');
  return words.join(',');
}
