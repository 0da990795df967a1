import { obj, str } from '../../api/access.js';
import type { AdmissionAttributes, AdmissionPlugin } from '../contract.js';
import { concerns, type Objects } from './concerns.js';

const LABELS = ['topology.kubernetes.io/zone', 'topology.kubernetes.io/region'];

export interface PodTopologyLabelsDependencies {
  readonly objects: Objects;
  gate(name: 'PodTopologyLabelsAdmission'): boolean;
}

/** A pod takes over zone and region of the node that it is put on (KEP-4742). */
export function podTopologyLabels({ objects, gate }: PodTopologyLabelsDependencies): AdmissionPlugin {
  return {
    name: 'PodTopologyLabels',
    handles: (operation) => operation === 'CREATE',
    async admit(a) {
      if (!a.object || !gate('PodTopologyLabelsAdmission')) return;
      const nodeName = targetNode(a);
      if (!nodeName) return;
      const node = await objects.get({ group: '', resource: 'nodes' }, '', nodeName);
      const found = LABELS.filter((key) => Object.hasOwn(node?.metadata.labels ?? {}, key));
      if (found.length === 0) return;
      const copied = Object.fromEntries(found.map((key) => [key, node?.metadata.labels?.[key] ?? '']));
      a.object.metadata.labels = { ...a.object.metadata.labels, ...copied };
    },
  };
}

/** '' when the write puts no pod on a node. */
function targetNode(a: AdmissionAttributes): string {
  if (concerns(a, '/pods')) return str(obj(a.object, 'spec'), 'nodeName');
  if (!concerns(a, '/pods', 'binding')) return '';
  const target = obj(a.object, 'target');
  return str(target, 'kind') === 'Node' ? str(target, 'name') : '';
}
