import { isJsonObject, type JsonObject, type JsonValue } from '../../machinery/json.js';
import type { Type } from '../../machinery/scheme/type.js';
import type { Defaulter } from './rules.js';

const object = (v: JsonValue | undefined): JsonObject | undefined => (isJsonObject(v) ? v : undefined);
const list = (v: JsonValue | undefined): JsonObject[] => (Array.isArray(v) ? v.filter(isJsonObject) : []);

/** Copies each key of `from` that `holder[name]` lacks into it. */
function fillMissing(holder: JsonObject, name: string, from: JsonObject | undefined): void {
  if (!from || Object.keys(from).length === 0) return;
  const into = object(holder[name]) ?? {};
  for (const key of Object.keys(from)) if (!Object.hasOwn(into, key)) into[key] = from[key];
  holder[name] = into;
}

/** A container that only has limits requests what it is limited to. */
function podRequests(pod: JsonObject): void {
  const spec = object(pod.spec);
  if (!spec) return;
  for (const container of [...list(spec.containers), ...list(spec.initContainers)]) {
    const resources = object(container.resources);
    if (resources) fillMissing(resources, 'requests', object(resources.limits));
  }
}

function limitRangeItem(item: JsonObject): void {
  if (item.type !== 'Container') return;
  fillMissing(item, 'default', object(item.max));
  fillMissing(item, 'defaultRequest', object(item.default));
  fillMissing(item, 'defaultRequest', object(item.min));
}

function allocationMultiplier(device: JsonObject): void {
  for (const mapping of Object.values(object(device.nodeAllocatableResourceMappings) ?? {})) {
    if (isJsonObject(mapping)) mapping.allocationMultiplier ??= '1';
  }
}

function storedVersions(crd: JsonObject): void {
  const status = object(crd.status) ?? {};
  if (Array.isArray(status.storedVersions) && status.storedVersions.length > 0) return;
  const storage = list(object(crd.spec)?.versions).find((v) => v.storage === true);
  if (storage) crd.status = { ...status, storedVersions: [storage.name ?? ''] };
}

const BY_TYPE: Record<string, Defaulter[]> = {
  'io.k8s.api.core.v1.Pod': [podRequests],
  'io.k8s.api.core.v1.LimitRangeItem': [limitRangeItem],
  'io.k8s.api.resource.v1.Device': [allocationMultiplier],
  'io.k8s.api.resource.v1beta2.Device': [allocationMultiplier],
  'io.k8s.api.resource.v1beta1.BasicDevice': [allocationMultiplier],
  'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinition': [storedVersions],
};

/** The defaults of a type that no rule of `defaults.json` can say (`special` there). They run before its rules. */
export function specialDefaults(type: Type): Defaulter[] {
  return BY_TYPE[type.name] ?? [];
}
