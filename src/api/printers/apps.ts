import type { JsonValue, KubeObject } from '../../machinery/json.js';
import { parseApiVersion } from '../../machinery/json.js';
import { list, num, obj, ptr, str, stringMap } from '../access.js';
import { age } from './age.js';
import type { GroupPrinters } from './contract.js';
import { replicatedCells } from './replicated.js';
import { containerCells, labelsText, nameOf, qualified, selectorText, templateSpec } from './text.js';

export const apps: GroupPrinters = {
  ControllerRevision: {
    cells(object, now) {
      // An int64 beyond the safe range stays exact.
      const revision = object.revision as JsonValue | undefined;
      return [nameOf(object), controllerOf(object), revision ?? 0, age(object, now)];
    },
  },
  DaemonSet: {
    cells(object, now) {
      const spec = obj(object, 'spec');
      const status = obj(object, 'status');
      return [
        nameOf(object),
        num(status, 'desiredNumberScheduled'),
        num(status, 'currentNumberScheduled'),
        num(status, 'numberReady'),
        num(status, 'updatedNumberScheduled'),
        num(status, 'numberAvailable'),
        labelsText(stringMap(templateSpec(spec), 'nodeSelector')),
        age(object, now),
        ...containerCells(templateSpec(spec)),
        selectorText(ptr(spec, 'selector')),
      ];
    },
  },
  Deployment: {
    cells(object, now) {
      const spec = obj(object, 'spec');
      const status = obj(object, 'status');
      return [
        nameOf(object),
        `${num(status, 'readyReplicas')}/${num(spec, 'replicas')}`,
        num(status, 'updatedReplicas'),
        num(status, 'availableReplicas'),
        age(object, now),
        ...containerCells(templateSpec(spec)),
        selectorText(ptr(spec, 'selector'), { empty: '', wrong: '<invalid>' }),
      ];
    },
  },
  ReplicaSet: {
    cells: (object, now) => replicatedCells(object, now, selectorText(ptr(obj(object, 'spec'), 'selector'))),
  },
  StatefulSet: {
    cells(object, now) {
      const spec = obj(object, 'spec');
      return [
        nameOf(object),
        `${num(obj(object, 'status'), 'readyReplicas')}/${num(spec, 'replicas')}`,
        age(object, now),
        ...containerCells(templateSpec(spec)),
      ];
    },
  },
};

/** `daemonset.apps/name` of the owner that controls the object. */
function controllerOf({ metadata }: KubeObject): string {
  const owner = list(metadata, 'ownerReferences').find((o) => o.controller === true);
  if (!owner) return '<none>';
  const { group } = parseApiVersion(str(owner, 'apiVersion'));
  return `${qualified(str(owner, 'kind'), group).toLowerCase()}/${str(owner, 'name')}`;
}
