import { compareBytes } from '../../../machinery/go-format.js';
import type { KubeObject } from '../../../machinery/json.js';
import { list, obj, str, stringMap } from '../../access.js';
import { age } from '../age.js';
import type { GroupPrinters } from '../contract.js';
import { replicatedCells } from '../replicated.js';
import { containerCells, count, labelsText, nameOf, quantity, templateSpec } from '../text.js';
import { endpoints } from './endpoints.js';
import { event } from './event.js';
import { node } from './node.js';
import { pod } from './pod.js';
import { service } from './service.js';
import { persistentVolume, persistentVolumeClaim } from './volumes.js';

export const core: GroupPrinters = {
  ComponentStatus: {
    cells(object) {
      const healthy = list(object, 'conditions').find((c) => str(c, 'type') === 'Healthy');
      const word = !healthy ? 'Unknown' : str(healthy, 'status') === 'True' ? 'Healthy' : 'Unhealthy';
      return [nameOf(object), word, str(healthy, 'message'), str(healthy, 'error')];
    },
  },
  ConfigMap: {
    cells: (object, now) => [nameOf(object), count(object.data) + count(object.binaryData), age(object, now)],
  },
  Endpoints: endpoints,
  Event: event,
  Namespace: {
    cells: (object, now) => [nameOf(object), str(obj(object, 'status'), 'phase'), age(object, now)],
  },
  Node: node,
  PersistentVolume: persistentVolume,
  PersistentVolumeClaim: persistentVolumeClaim,
  Pod: pod,
  PodTemplate: {
    cells(object) {
      const labels = stringMap(obj(obj(object, 'template'), 'metadata'), 'labels');
      return [nameOf(object), ...containerCells(templateSpec(object)), labelsText(labels)];
    },
  },
  ReplicationController: {
    cells: (object, now) => replicatedCells(object, now, labelsText(stringMap(obj(object, 'spec'), 'selector'))),
  },
  ResourceQuota: {
    cells: (object, now) => [nameOf(object), ...quotaCells(object), age(object, now)],
  },
  Secret: {
    cells: (object, now) => [nameOf(object), str(object, 'type'), count(object.data), age(object, now)],
  },
  Service: service,
  ServiceAccount: { cells: (object, now) => [nameOf(object), age(object, now)] },
};

/** `name: used/hard` of each resource; limits have a column of their own. */
function quotaCells(object: KubeObject): [requests: string, limits: string] {
  const hard = obj(obj(object, 'status'), 'hard');
  const used = obj(obj(object, 'status'), 'used');
  const resources = Object.keys(hard).sort(compareBytes);
  const text = (names: string[]): string =>
    names.map((name) => `${name}: ${quantity(used, name)}/${quantity(hard, name)}`).join(', ');
  const isLimit = (name: string): boolean => name.startsWith('limits.');
  return [text(resources.filter((name) => !isLimit(name))), text(resources.filter(isLimit))];
}
