import { list, obj, ptr, stringMap } from '../../api/access.js';
import { sentEmpties } from '../../machinery/codec/typed/sent-empty.js';
import { goQuote } from '../../machinery/go-format.js';
import { cloneJson, type KubeObject } from '../../machinery/json.js';
import type { AdmissionAttributes, AdmissionPlugin } from '../contract.js';
import { rejectedBy } from '../errors.js';
import { concerns, type Objects } from './concerns.js';
import { equalLists, resourceList, toJson } from './resource-list.js';
import { mergeTolerations } from './tolerations.js';

const CLASSES = { group: 'node.k8s.io', resource: 'runtimeclasses' };

/** A pod with a runtime class gets its overhead, and goes to the nodes where the runtime is. */
export function runtimeClass(objects: Objects): AdmissionPlugin {
  const classOf = async (a: AdmissionAttributes, pod: KubeObject): Promise<KubeObject | undefined> => {
    const name = obj(pod, 'spec').runtimeClassName;
    if (typeof name !== 'string') return undefined;
    const found = await objects.get(CLASSES, '', name);
    if (!found) throw rejectedBy(a, `pod rejected: RuntimeClass ${goQuote(name)} not found`);
    return found;
  };
  return {
    name: 'RuntimeClass',
    handles: (operation) => operation === 'CREATE',
    async admit(a) {
      if (!a.object || !concerns(a, '/pods')) return;
      const found = await classOf(a, a.object);
      if (!found) return;
      setOverhead(a, a.object, found);
      setScheduling(a, a.object, found);
    },
    async validate(a) {
      if (!a.object || !concerns(a, '/pods')) return;
      const found = await classOf(a, a.object);
      const wanted = ptr(found, 'overhead');
      const given = ptr(obj(a.object, 'spec'), 'overhead');
      if (wanted) {
        if (!equalLists(resourceList(obj(wanted, 'podFixed')), resourceList(given ?? {}))) throw mismatch(a);
      } else if (given || sentEmpties(a.object).has('spec.overhead')) {
        throw rejectedBy(a, 'pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead');
      }
    },
  };
}

const mismatch = (a: AdmissionAttributes) =>
  rejectedBy(a, "pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead");

function setOverhead(a: AdmissionAttributes, pod: KubeObject, found: KubeObject): void {
  const overhead = ptr(found, 'overhead');
  if (!overhead) return;
  const given = resourceList(obj(obj(pod, 'spec'), 'overhead'));
  const wanted = resourceList(obj(overhead, 'podFixed'));
  if (given.size > 0 && !equalLists(wanted, given)) throw mismatch(a);
  const { overhead: _, ...spec } = obj(pod, 'spec');
  pod.spec = wanted.size > 0 ? { ...spec, overhead: toJson(wanted) } : spec;
}

function setScheduling(a: AdmissionAttributes, pod: KubeObject, found: KubeObject): void {
  const scheduling = ptr(found, 'scheduling');
  if (!scheduling) return;
  const spec = obj(pod, 'spec');
  const given = stringMap(spec, 'nodeSelector');
  const wanted = stringMap(scheduling, 'nodeSelector');
  for (const [key, value] of Object.entries(wanted)) {
    if (!Object.hasOwn(given, key) || given[key] === value) continue;
    const text = `runtimeClass.scheduling.nodeSelector[${key}] = ${value}; pod.spec.nodeSelector[${key}] = ${given[key]}`;
    throw rejectedBy(a, `conflict: ${text}`);
  }
  const nodeSelector = { ...given, ...wanted };
  const tolerations = mergeTolerations(list(spec, 'tolerations'), cloneJson(list(scheduling, 'tolerations')));
  pod.spec = {
    ...spec,
    ...(Object.keys(nodeSelector).length > 0 ? { nodeSelector } : {}),
    ...(tolerations.length > 0 ? { tolerations } : {}),
  };
}
