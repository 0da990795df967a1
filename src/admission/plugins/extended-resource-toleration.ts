import { list, obj, str } from '../../api/access.js';
import { isExtended } from '../../api/core/pod/resources.js';
import { compareBytes } from '../../machinery/go-format.js';
import type { JsonObject } from '../../machinery/json.js';
import type { AdmissionPlugin } from '../contract.js';
import { concerns } from './concerns.js';

/** Pods that ask for an extended resource tolerate the taint that keeps others off the nodes that have it. */
export function extendedResourceToleration(): AdmissionPlugin {
  return {
    name: 'ExtendedResourceToleration',
    handles: (operation) => operation === 'CREATE' || operation === 'UPDATE',
    admit(a) {
      if (!a.object || !concerns(a, '/pods')) return;
      const spec = obj(a.object, 'spec');
      const containers = [...list(spec, 'containers'), ...list(spec, 'initContainers')];
      const names = containers.flatMap((c) => Object.keys(obj(obj(c, 'resources'), 'requests')).filter(isExtended));
      if (names.length === 0) return;
      let tolerations = list(spec, 'tolerations');
      for (const key of [...new Set(names)].sort(compareBytes)) tolerations = withToleration(tolerations, key);
      a.object.spec = { ...spec, tolerations };
    },
  };
}

/** The list with a toleration of that taint, in place of one that says the same for a limited time. */
function withToleration(tolerations: readonly JsonObject[], key: string): JsonObject[] {
  const added: JsonObject = { key, operator: 'Exists', effect: 'NoSchedule' };
  const isSame = (t: JsonObject) =>
    ['key', 'operator', 'effect', 'value'].every((field) => str(t, field) === str(added, field));
  return tolerations.some(isSame) ? tolerations.map((t) => (isSame(t) ? added : t)) : [...tolerations, added];
}
