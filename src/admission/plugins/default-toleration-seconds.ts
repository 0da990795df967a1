import { list, obj, str } from '../../api/access.js';
import type { AdmissionPlugin } from '../contract.js';
import { concerns } from './concerns.js';

export interface TolerationSeconds {
  /** Seconds. Default 300. */
  readonly notReady?: number;
  /** Seconds. Default 300. */
  readonly unreachable?: number;
}

/** Pods stay five minutes on a node that is not ready or out of reach, unless they say something of their own. */
export function defaultTolerationSeconds({ notReady = 300, unreachable = 300 }: TolerationSeconds): AdmissionPlugin {
  const defaults = [
    ['node.kubernetes.io/not-ready', notReady],
    ['node.kubernetes.io/unreachable', unreachable],
  ] as const;
  return {
    name: 'DefaultTolerationSeconds',
    handles: (operation) => operation === 'CREATE' || operation === 'UPDATE',
    admit(a) {
      if (!a.object || !concerns(a, '/pods')) return;
      const spec = obj(a.object, 'spec');
      const tolerations = list(spec, 'tolerations');
      const tolerated = (key: string) =>
        tolerations.some((t) => ['', key].includes(str(t, 'key')) && ['', 'NoExecute'].includes(str(t, 'effect')));
      const missing = defaults.filter(([key]) => !tolerated(key));
      if (missing.length === 0) return;
      const added = missing.map(([key, tolerationSeconds]) => {
        return { key, operator: 'Exists', effect: 'NoExecute', tolerationSeconds };
      });
      a.object.spec = { ...spec, tolerations: [...tolerations, ...added] };
    },
  };
}
