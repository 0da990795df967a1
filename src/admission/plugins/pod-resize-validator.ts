import { num, obj, str } from '../../api/access.js';
import { goQuote } from '../../machinery/go-format.js';
import type { KubeObject } from '../../machinery/json.js';
import { Quantity } from '../../machinery/quantity.js';
import type { AdmissionAttributes, AdmissionPlugin } from '../contract.js';
import { rejectedBy } from '../errors.js';
import { concerns, type Objects } from './concerns.js';
import { addOverhead, isPodLevelResource, podResources } from './pod-resources.js';
import { resourceList } from './resource-list.js';

/** A running pod is not resized to more than its node has, nor on a node that can't. */
export function podResizeValidator(objects: Objects): AdmissionPlugin {
  return {
    name: 'PodResizeValidator',
    handles: (operation) => operation === 'UPDATE',
    async validate(a) {
      if (!a.object || !a.oldObject || !concerns(a, '/pods', 'resize')) return;
      const nodeName = str(obj(a.object, 'spec'), 'nodeName');
      if (!nodeName || num(a.object.metadata, 'generation') === num(a.oldObject.metadata, 'generation')) return;
      const node = await objects.get({ group: '', resource: 'nodes' }, '', nodeName);
      if (!node) throw rejectedBy(a, `node ${goQuote(nodeName)} not found`);
      const os = node.metadata.labels?.['kubernetes.io/os'] ?? 'linux';
      if (os !== 'linux') {
        const text = `pod resize is only supported on linux nodes, node ${goQuote(nodeName)} is ${goQuote(os)}`;
        throw rejection(a, text, 'UnsupportedPlatform');
      }
      const lack = missing(a.object, node);
      if (!lack) return;
      throw rejection(a, `node didn't have enough allocatable resources: ${lack}`, 'NodeCapacity');
    },
  };
}

function rejection(a: AdmissionAttributes, text: string, reason: string): Error {
  const error = rejectedBy(a, text);
  if (error.details) error.details.causes = [{ reason }];
  return error;
}

const ZERO = Quantity.of(0);

/** What the pod requests beyond the node: cpu in thousandths, memory in bytes. */
function missing(pod: KubeObject, node: KubeObject): string {
  const requests = podResources(pod, 'requests', { podLevel: isPodLevelResource });
  addOverhead(pod, 'requests', requests);
  const allocatable = resourceList(obj(obj(node, 'status'), 'allocatable'));
  const lack = (name: string, shown: (q: Quantity) => bigint): string[] => {
    const [wanted, there] = [requests.get(name) ?? ZERO, allocatable.get(name) ?? ZERO];
    return wanted.compare(there) > 0 ? [`${name}, requested: ${shown(wanted)}, allocatable: ${shown(there)}`] : [];
  };
  return [...lack('cpu', (q) => q.milliValue()), ...lack('memory', (q) => q.valueRounded())].join('; ');
}
