import { list, obj } from '../../api/access.js';
import type { AdmissionPlugin } from '../contract.js';
import { concerns } from './concerns.js';

const KEY = 'node.kubernetes.io/not-ready';
const EFFECT = 'NoSchedule';

/** A new node takes no pods before it has said that it is ready. */
export function taintNodesByCondition(): AdmissionPlugin {
  return {
    name: 'TaintNodesByCondition',
    handles: (operation) => operation === 'CREATE',
    admit(a) {
      if (!a.object || !concerns(a, '/nodes')) return;
      const taints = list(obj(a.object, 'spec'), 'taints');
      if (taints.some((t) => t.key === KEY && t.effect === EFFECT)) return;
      a.object.spec = { ...obj(a.object, 'spec'), taints: [...taints, { key: KEY, effect: EFFECT }] };
    },
  };
}
