import type { Strategy } from '../../api/strategy.js';
import { cloneJson, equalJson, type JsonObject, type KubeObject } from '../../machinery/json.js';
import type { CustomVersion } from './custom-version.js';

/** What writes to a custom resource at one version go through. */
export function customStrategy(version: CustomVersion): Strategy {
  const hasStatus = version.defined.subresources?.status !== undefined;
  return {
    prepareForCreate(_, object) {
      if (hasStatus) delete object.status;
      object.metadata.generation = 1;
    },
    prepareForUpdate(_, object, old) {
      if (hasStatus) restoreStatus(object, old);
      if (!equalJson(withoutMetadata(object), withoutMetadata(old))) {
        object.metadata.generation = (old.metadata.generation ?? 0) + 1;
      }
    },
    subresources: {
      status: {
        prepareForUpdate(_, object, old) {
          keepStatusOnly(object, old);
        },
      },
    },
  };
}

function restoreStatus(object: KubeObject, old: KubeObject): void {
  if (old.status === undefined) delete object.status;
  else object.status = cloneJson(old.status);
}

function withoutMetadata({ metadata: _, ...rest }: KubeObject): JsonObject {
  return rest;
}

/** Only the status, and who owns it, is written; everything else is as it was. */
function keepStatusOnly(object: KubeObject, old: KubeObject): void {
  const { status } = object;
  const { managedFields } = object.metadata;
  for (const name of Object.keys(object)) delete object[name];
  Object.assign(object, cloneJson(old));
  if (managedFields) object.metadata.managedFields = managedFields;
  else delete object.metadata.managedFields;
  if (status === undefined) delete object.status;
  else object.status = status;
}
