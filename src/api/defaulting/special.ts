import { isJsonObject, type JsonObject, type JsonValue, setOwn } from '../../machinery/json.js';
import { Quantity } from '../../machinery/quantity.js';
import type { Type } from '../../machinery/scheme/type.js';
import type { Defaulter, DefaultingEnv } from './rules.js';

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

const POD_LEVEL = (key: string) => key === 'cpu' || key === 'memory' || key.startsWith('hugepages-');
const amounts = (resources: JsonObject | undefined, what: 'requests' | 'limits') =>
  Object.entries(object(resources?.[what]) ?? {}).map(([k, v]) => [k, Quantity.parse(String(v))] as const);

/**
 * What all containers of a pod take together: the sum of the long-running ones, or what an init container needs beside
 * the sidecars started before it, whichever is more (KEP-753).
 */
export function aggregateContainers(spec: JsonObject, what: 'requests' | 'limits'): Map<string, Quantity> {
  const plus = (to: Map<string, Quantity>, key: string, q: Quantity) => to.set(key, to.get(key)?.add(q) ?? q);
  const atLeast = (to: Map<string, Quantity>, key: string, q: Quantity) => {
    const known = to.get(key);
    if (!known || known.compare(q) < 0) to.set(key, q);
  };
  const total = new Map<string, Quantity>();
  for (const c of list(spec.containers)) for (const [k, q] of amounts(object(c.resources), what)) plus(total, k, q);
  const sidecars = new Map<string, Quantity>();
  const starting = new Map<string, Quantity>();
  for (const c of list(spec.initContainers)) {
    const sidecar = c.restartPolicy === 'Always';
    if (sidecar)
      for (const [k, q] of amounts(object(c.resources), what)) {
        plus(total, k, q);
        plus(sidecars, k, q);
      }
    const now = new Map(sidecars);
    if (!sidecar) for (const [k, q] of amounts(object(c.resources), what)) plus(now, k, q);
    for (const [k, q] of now) atLeast(starting, k, q);
  }
  for (const [k, q] of starting) atLeast(total, k, q);
  return total;
}

/** Pod-level resources (KEP-2837) follow from what the containers ask for. */
function podLevelResources(pod: JsonObject, env: DefaultingEnv): void {
  const spec = object(pod.spec);
  const resources = object(spec?.resources);
  if (!spec || !resources || !env.gate('PodLevelResources')) return;
  const filled = (name: string) => Object.keys(object(resources[name]) ?? {}).length > 0;
  if (!filled('limits') && !filled('requests')) return;
  const requested = aggregateContainers(spec, 'requests');
  const hugepages: JsonObject = {};
  for (const [key, q] of aggregateContainers(spec, 'limits')) {
    const taken = [resources.requests, resources.limits].some((r) => object(r)?.[key] !== undefined);
    if (key.startsWith('hugepages-') && !taken) hugepages[key] = q.toString();
  }
  fillMissing(resources, 'limits', hugepages);
  if (!filled('limits')) return;
  const limits = object(resources.limits)!;
  const defaults: JsonObject = {};
  for (const key of new Set([...Object.keys(limits), ...requested.keys()])) {
    if (!POD_LEVEL(key)) continue;
    const asked = requested.get(key);
    // Huge pages can't be overcommitted: the pod requests what it is limited to.
    const value = asked && !key.startsWith('hugepages-') ? asked.toString() : limits[key];
    if (value !== undefined) defaults[key] = value;
  }
  fillMissing(resources, 'requests', defaults);
}

/** Quantities of resource lists have at most three decimals, rounded up. */
function roundQuantities(owner: JsonObject, field: string): void {
  const amounts = object(owner[field]);
  if (!amounts) return;
  for (const key of Object.keys(amounts)) {
    const text = amounts[key];
    if (typeof text !== 'string' || !/[nu.eE]/.test(text)) continue;
    const q = Quantity.parse(text);
    const rounded = q.roundUp(-3);
    if (rounded !== q) amounts[key] = rounded.toString();
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

// What follows keeps fields in step that say the same thing twice. The real server does it where it converts to its
// internal types, which have one of the two.

function serviceAccount(spec: JsonObject): void {
  const name = spec.serviceAccountName ?? spec.serviceAccount;
  if (name === undefined) return;
  spec.serviceAccountName = name;
  spec.serviceAccount = name;
}

/** A scalar and a list that starts with it. Where both are given and differ, the scalar, which is older, is right. */
function firstOf(
  holder: JsonObject,
  one: string,
  many: string,
  wrap: (v: JsonValue) => JsonValue,
  unwrap: (v: JsonValue) => JsonValue | undefined,
): void {
  const all = Array.isArray(holder[many]) ? holder[many] : [];
  const scalar = holder[one];
  if (scalar !== undefined && (all.length === 0 || unwrap(all[0]!) !== scalar)) holder[many] = [wrap(scalar)];
  else if (all.length > 0) holder[one] = unwrap(all[0]!);
}
const podIPs = (status: JsonObject) =>
  firstOf(
    status,
    'podIP',
    'podIPs',
    (ip) => ({ ip }),
    (v) => (isJsonObject(v) ? v.ip : undefined),
  );
const podCIDRs = (spec: JsonObject) =>
  firstOf(
    spec,
    'podCIDR',
    'podCIDRs',
    (v) => v,
    (v) => v,
  );

/** Text that a client wrote as such joins the data, base64. */
function stringData(secret: JsonObject): void {
  const text = object(secret.stringData);
  delete secret.stringData;
  if (!text || Object.keys(text).length === 0) return;
  const data: JsonObject = { ...object(secret.data) };
  for (const key of Object.keys(text))
    setOwn(data, key, Buffer.from(String(text[key] ?? ''), 'utf8').toString('base64'));
  secret.data = data;
}

/** Claims inside a StatefulSet say what they are. */
function claimKinds(spec: JsonObject): void {
  for (const claim of list(spec.volumeClaimTemplates)) {
    claim.apiVersion = 'v1';
    claim.kind = 'PersistentVolumeClaim';
  }
}

/** Counts changes of the template. A field in the versions before apps/v1, where it is always written as an annotation. */
export const TEMPLATE_GENERATION = 'deprecated.daemonset.template.generation';
function templateGeneration(daemonSet: JsonObject): void {
  const meta = object(daemonSet.metadata) ?? {};
  const annotations = object(meta.annotations) ?? {};
  annotations[TEMPLATE_GENERATION] ??= '0';
  daemonSet.metadata = { ...meta, annotations };
}

/** The Go type of the conversion in use has no webhook of its own, only the two things that one says. */
const emptyWebhook: Defaulter = (conversion) => {
  const { webhook } = conversion;
  if (isJsonObject(webhook) && !webhook.clientConfig && !webhook.conversionReviewVersions) delete conversion.webhook;
};

const BY_TYPE: Record<string, Defaulter[]> = {
  'io.k8s.api.core.v1.Pod': [podRequests, podLevelResources],
  'io.k8s.api.core.v1.PodSpec': [serviceAccount],
  'io.k8s.api.core.v1.PodStatus': [podIPs],
  'io.k8s.api.core.v1.NodeSpec': [podCIDRs],
  'io.k8s.api.core.v1.Secret': [stringData],
  'io.k8s.api.core.v1.LimitRangeItem': [limitRangeItem],
  'io.k8s.api.apps.v1.DaemonSet': [templateGeneration],
  'io.k8s.api.apps.v1.StatefulSetSpec': [claimKinds],
  'io.k8s.api.resource.v1.Device': [allocationMultiplier],
  'io.k8s.api.resource.v1beta2.Device': [allocationMultiplier],
  'io.k8s.api.resource.v1beta1.BasicDevice': [allocationMultiplier],
  'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinition': [storedVersions],
  'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceConversion': [emptyWebhook],
};

/** Fields of the Go type ResourceList. Dynamic resources use maps of quantities of another type. */
function resourceLists(type: Type): string[] {
  if (type.name.startsWith('io.k8s.api.resource.')) return [];
  return type.fields
    .filter((f) => f.node.kind === 'map' && f.node.values?.type?.special === 'Quantity')
    .map((f) => f.name);
}

/** The defaults of a type that no rule of `defaults.json` can say (`special` there). They run before its rules. */
export function specialDefaults(type: Type): Defaulter[] {
  const lists = resourceLists(type).map(
    (name): Defaulter =>
      (obj) =>
        roundQuantities(obj, name),
  );
  return [...lists, ...(BY_TYPE[type.name] ?? [])];
}
