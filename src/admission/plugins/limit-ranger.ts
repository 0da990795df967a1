import { list, obj, str } from '../../api/access.js';
import { compareBytes } from '../../machinery/go-format.js';
import type { JsonObject, KubeObject } from '../../machinery/json.js';
import type { AdmissionAttributes, AdmissionPlugin } from '../contract.js';
import { rejectedBy } from '../errors.js';
import type { Objects } from './concerns.js';
import { claimFaults, podFaults } from './limit-rules.js';
import { ObjectIndex } from './object-index.js';

const ANNOTATION = 'kubernetes.io/limit-ranger';

export interface LimitRangerDependencies {
  readonly objects: Objects;
  gate(name: 'PodLevelResources'): boolean;
}

/** Fills in resources that containers leave open, and keeps pods and claims within what the namespace's ranges allow. */
export function limitRanger({ objects, gate }: LimitRangerDependencies): AdmissionPlugin {
  const index = new ObjectIndex(objects, { group: '', resource: 'limitranges' });

  async function rangesFor(a: AdmissionAttributes): Promise<KubeObject[]> {
    // What is on its way out must be able to lose its finalizers.
    if (!a.object || !isLimited(a) || a.oldObject?.metadata.deletionTimestamp) return [];
    const ranges = await index.in(a.namespace);
    return ranges.sort((x, y) => compareBytes(x.metadata.name ?? '', y.metadata.name ?? ''));
  }

  return {
    name: 'LimitRanger',
    handles: (operation) => operation === 'CREATE' || operation === 'UPDATE',
    async admit(a) {
      if (a.kind.kind !== 'Pod') return;
      for (const range of await rangesFor(a)) setDefaults(a.object!, range);
    },
    async validate(a) {
      for (const range of await rangesFor(a)) {
        const limits = list(obj(range, 'spec'), 'limits');
        const faults =
          a.kind.kind === 'Pod'
            ? podFaults(limits, a.object!, gate('PodLevelResources'))
            : claimFaults(limits, a.object!);
        const unique = [...new Set(faults)];
        if (unique.length > 0) throw rejectedBy(a, unique.length === 1 ? unique[0]! : `[${unique.join(', ')}]`);
      }
    },
  };
}

/** New pods and resized ones; new and changed claims. */
function isLimited({ kind, operation, subresource }: AdmissionAttributes): boolean {
  if (kind.group !== '') return false;
  if (kind.kind === 'PersistentVolumeClaim') return subresource === '';
  if (kind.kind !== 'Pod') return false;
  return operation === 'UPDATE' ? subresource === 'resize' : subresource === '';
}

/** Gives containers what they do not state, and notes it in an annotation. */
function setDefaults(pod: KubeObject, range: KubeObject): void {
  const requests: JsonObject = {};
  const limits: JsonObject = {};
  for (const limit of list(obj(range, 'spec'), 'limits')) {
    if (str(limit, 'type') !== 'Container') continue;
    Object.assign(requests, obj(limit, 'defaultRequest'));
    Object.assign(limits, obj(limit, 'default'));
  }
  const notes: string[] = [];
  const fill = (container: JsonObject, title: string): JsonObject => {
    const resources = obj(container, 'resources');
    const merged: JsonObject = { ...resources };
    for (const [side, defaults] of [
      ['requests', requests],
      ['limits', limits],
    ] as const) {
      const given = obj(resources, side);
      const missing = Object.keys(defaults).filter((name) => !Object.hasOwn(given, name));
      if (missing.length === 0) continue;
      merged[side] = { ...given, ...Object.fromEntries(missing.map((name) => [name, defaults[name]])) };
      const what = side.slice(0, -1);
      notes.push(`${missing.sort(compareBytes).join(', ')} ${what} for ${title} ${str(container, 'name')}`);
    }
    return Object.keys(merged).length > 0 ? { ...container, resources: merged } : container;
  };
  const spec: JsonObject = { ...obj(pod, 'spec') };
  for (const [field, title] of [
    ['containers', 'container'],
    ['initContainers', 'init container'],
  ] as const) {
    if (spec[field] !== undefined) spec[field] = list(spec, field).map((c) => fill(c, title));
  }
  if (notes.length === 0) return;
  pod.spec = spec;
  const text = `LimitRanger plugin set: ${notes.join('; ')}`;
  pod.metadata.annotations = { ...pod.metadata.annotations, [ANNOTATION]: text };
}
