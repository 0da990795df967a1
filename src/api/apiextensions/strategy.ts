import { cloneJson, equalJson, isJsonObject, type KubeObject } from '../../machinery/json.js';
import { list, obj, str, strings } from '../access.js';
import { kind } from '../kind.js';
import type { Strategy } from '../strategy.js';

const generic = kind({ group: 'apiextensions.k8s.io', kind: 'CustomResourceDefinition', standardFinalizers: false });

/** Objects may lie in the store at the version that was the storage version when they were written. */
function noteStorageVersion(object: KubeObject): void {
  const storage = list(obj(object, 'spec'), 'versions').find((v) => isJsonObject(v) && v.storage === true);
  if (!storage) return;
  const status = obj(object, 'status');
  const stored = strings(status, 'storedVersions');
  const name = str(storage, 'name');
  if (!stored.includes(name)) object.status = { ...status, storedVersions: [...stored, name] };
}

export const customResourceDefinition: Strategy = {
  ...generic,
  prepareForCreate(_, object) {
    delete object.metadata.namespace;
    object.status = {};
    object.metadata.generation = 1;
    noteStorageVersion(object);
  },
  prepareForUpdate(_, object, old) {
    if (old.status === undefined) delete object.status;
    else object.status = cloneJson(old.status);
    if (!equalJson(object.spec, old.spec)) object.metadata.generation = (old.metadata.generation ?? 0) + 1;
    noteStorageVersion(object);
  },
  subresources: {
    status: {
      // Metadata is left to the writer: it is through the status that the last finalizer goes.
      prepareForUpdate(_, object, old) {
        object.spec = cloneJson(old.spec);
      },
    },
  },
  holdsDeletion: () => false,
};
