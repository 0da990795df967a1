import type { FieldError } from '../../machinery/field.js';
import { cloneJson, equalJson, isJsonObject, type KubeObject } from '../../machinery/json.js';
import { list, obj, str, strings } from '../access.js';
import type { Strategy, StrategyContext } from '../strategy.js';
import { nameIsPathSegment, newCheck, validateObjectMeta, validateObjectMetaUpdate } from '../validation/index.js';
import {
  formatWarnings,
  validateDefinition,
  validateDefinitionStatus,
  validateDefinitionUpdate,
} from './validation/index.js';

/** Objects may lie in the store at the version that was the storage version when they were written. */
function noteStorageVersion(object: KubeObject): void {
  const storage = list(obj(object, 'spec'), 'versions').find((v) => isJsonObject(v) && v.storage === true);
  if (!storage) return;
  const status = obj(object, 'status');
  const stored = strings(status, 'storedVersions');
  const name = str(storage, 'name');
  if (!stored.includes(name)) object.status = { ...status, storedVersions: [...stored, name] };
}

/** What every update is checked for, whatever its kind. */
function genericFaults(ctx: StrategyContext, object: KubeObject, old: KubeObject): FieldError[] {
  const check = newCheck(ctx.gate, old);
  validateObjectMeta(object.metadata, { namespaced: false, name: nameIsPathSegment, standardFinalizers: false }, check);
  validateObjectMetaUpdate(object.metadata, old.metadata, check);
  return check.errors;
}

export const customResourceDefinition: Strategy = {
  prepareForCreate(_, object) {
    delete object.metadata.namespace;
    object.status = {};
    object.metadata.generation = 1;
    noteStorageVersion(object);
  },
  validate: (ctx, object) => validateDefinition(object, ctx.gate),
  warningsOnCreate: (_, object) => formatWarnings(object, undefined),
  prepareForUpdate(_, object, old) {
    if (old.status === undefined) delete object.status;
    else object.status = cloneJson(old.status);
    if (!equalJson(object.spec, old.spec)) object.metadata.generation = (old.metadata.generation ?? 0) + 1;
    noteStorageVersion(object);
  },
  validateUpdate: (ctx, object, old) => [
    ...genericFaults(ctx, object, old),
    ...validateDefinitionUpdate(object, old, ctx.gate),
  ],
  warningsOnUpdate: (_, object, old) => formatWarnings(object, old),
  subresources: {
    status: {
      // Metadata is left to the writer: it is through the status that the last finalizer goes.
      prepareForUpdate(_, object, old) {
        object.spec = cloneJson(old.spec);
      },
      validateUpdate: (ctx, object, old) => [
        ...genericFaults(ctx, object, old),
        ...validateDefinitionStatus(object, old, ctx.gate),
      ],
    },
  },
  holdsDeletion: () => false,
};
